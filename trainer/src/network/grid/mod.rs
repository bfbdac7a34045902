//! The quantization grid: the numbers that the device's integers can stand for, as the float network sees them.

mod gated;
mod numbers;
mod simple_rnn;

use serde::{Deserialize, Serialize};

pub use self::numbers::Numbers;

use super::cells::Sum;
use super::layer::Layer;
pub use super::state_grid::StateGrid;
use super::{Cell, Network};
use crate::recipe::EmbeddingBits;

/// The quantization scales of a network: which real number one step of each of the device's integers stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Of the recurrent layers, from the lowest up.
    pub layers: Vec<LayerGrid>,
    /// The scales of a narrow embedding; none if the embedding is folded into a row of biases for each word.
    pub numbers: Option<Numbers>,
}

/// The scales of a recurrent layer. What its accumulators sum up is int8 weights times 16-bit numbers: its inputs, and its
/// states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerGrid {
    /// For each input, the real number that a step of its 16-bit number stands for; empty if the embedding is folded.
    pub inputs: Vec<f32>,
    /// By how much the device shifts the outputs of the layer below to make inputs of them.
    pub input_shift: u8,
    /// For each column of the kernels, how many steps of its accumulator are 1.0.
    pub factors: Vec<f32>,
    /// A step of an 8-bit bias (a SimpleRNN's, or of a folded embedding) is `2^bias_shift` steps of the accumulator.
    pub bias_shift: u8,
    /// Its states.
    pub states: StateGrid,
}

/// What is chosen of a layer's scales; the rest follows from its weights.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerChoice {
    /// A SimpleRNN's.
    SimpleRnn {
        /// The real number that one step of each unit's state stands for, at least.
        scales: Vec<f32>,
        /// See [`StateGrid::Int8`].
        state_shift: u8,
    },
    /// That of a layer with gates.
    Gated {
        /// The largest state, a power of two.
        limit: f32,
    },
}

impl LayerChoice {
    /// Some choice for a layer, when only the form of the grid matters.
    pub fn any(layer: &Layer) -> Self {
        match layer.cell {
            Cell::SimpleRnn { .. } => Self::SimpleRnn { scales: vec![1.0; layer.units()], state_shift: 0 },
            _ => Self::Gated { limit: 1.0 },
        }
    }
}

/// What a layer reads on the device.
enum Reads<'g> {
    /// Rows of biases, one for each word: a folded embedding. Its `W·E + b`, `rows × columns`, up to `range` times the largest.
    Folded { projected: Vec<f32>, range: f32 },
    /// Numbers of a narrow embedding.
    Numbers { bits: EmbeddingBits, range: f32 },
    /// Outputs of the layer below.
    Below(&'g LayerGrid),
}

/// The shift at which the largest of some numbers of accumulator steps fits into an `i8`.
fn shift_for(largest: f32, most: f32) -> u8 {
    (largest / 127.0).log2().ceil().clamp(0.0, most) as u8
}

/// What no accumulator may reach: 256 times as much, which the sum of an odd column is, stays below 2^31.
const LIMIT: f32 = (1 << 23) as f32;

/// The most that the device shifts biases by.
const LARGEST_BIAS_SHIFT: f32 = 14.0;

impl Grid {
    /// A grid on which all weights of a network fit. The embedding is folded, or has numbers of so many `bits`. Numbers
    /// beyond `range` times the largest are clipped, so that the steps of the others are finer.
    pub fn new(network: &Network, choices: &[LayerChoice], bits: Option<EmbeddingBits>, range: f32) -> Self {
        let mut numbers = None;
        let mut layers: Vec<LayerGrid> = Vec::new();
        for (layer, choice) in network.layers.iter().zip(choices) {
            let reads = match (layers.last(), bits) {
                (Some(below), _) => Reads::Below(below),
                (None, Some(bits)) => Reads::Numbers { bits, range },
                (None, None) => Reads::Folded { projected: network.projected(), range },
            };
            let (grid, of_numbers) = match choice {
                LayerChoice::SimpleRnn { scales, state_shift } => {
                    simple_rnn::grid(network, layer, &reads, scales, *state_shift)
                }
                LayerChoice::Gated { limit } => gated::grid(network, layer, &reads, *limit),
            };
            numbers = numbers.or(of_numbers);
            layers.push(grid);
        }
        Self { layers, numbers }
    }

    /// Makes steps of weights larger where weights have grown so much since the grid was chosen that an accumulator of a gated
    /// layer could overflow.
    pub fn make_room(&mut self, network: &Network) {
        for (index, layer) in network.layers.iter().enumerate() {
            let (below, rest) = self.layers.split_at_mut(index);
            let [own, above @ ..] = rest else { return };
            let numbers = self.numbers.as_ref().filter(|_| index == 0);
            let before = own.states.limit();
            gated::make_room(layer, own, numbers, below.last());
            // Steps of the outputs stand for less.
            let share = own.states.limit() / before;
            above.iter_mut().take(1).flat_map(|above| &mut above.inputs).for_each(|input| *input *= share);
        }
    }

    /// That of the lowest layer.
    pub fn lowest(&self) -> &LayerGrid {
        &self.layers[0]
    }

    /// Whether all scales are finite. Those of units that excite each other may not be.
    pub fn is_finite(&self) -> bool {
        let numbers = self.numbers.iter().flat_map(|numbers| numbers.factors.iter().chain(&numbers.columns));
        let layers = self.layers.iter().flat_map(|layer| {
            let scales = match &layer.states {
                StateGrid::Int8 { scales, .. } => scales,
                StateGrid::Int16 { .. } => &layer.factors,
            };
            layer.inputs.iter().chain(scales)
        });
        layers.chain(numbers).all(|value| value.is_finite())
    }
}

impl LayerGrid {
    /// The real number that a step of each of the layer's outputs stands for.
    pub fn outputs(&self, units: usize) -> Vec<f32> {
        match &self.states {
            StateGrid::Int8 { scales, .. } => scales.clone(),
            StateGrid::Int16 { state_bits, limit, .. } => vec![limit / f32::from(1u16 << state_bits); units],
        }
    }

    /// How many steps of the accumulator of `column` a weight of 1.0 is per step of what multiplies it: the state of a unit.
    fn recurrent_factor(&self, unit: usize, column: usize) -> f32 {
        match &self.states {
            StateGrid::Int8 { scales, state_shift } => {
                scales[unit] / scales[column] * (simple_rnn::FRACTION / f32::from(1u16 << state_shift))
            }
            StateGrid::Int16 { state_bits, limit, .. } => {
                self.factors[column] * limit / f32::from(1u16 << state_bits)
            }
        }
    }

    /// The same of an input.
    fn input_factor(&self, input: usize, column: usize) -> f32 {
        self.factors[column] * self.inputs[input]
    }

    /// A layer's recurrent kernel in steps of the device's weights, not yet rounded, with its own sign.
    pub fn recurrent_steps(&self, layer: &Layer) -> Vec<f32> {
        in_steps(&layer.recurrent_kernel, |unit, column| self.recurrent_factor(unit, column))
    }

    /// A layer's kernel, likewise; only where the embedding is not folded.
    pub fn kernel_steps(&self, layer: &Layer) -> Vec<f32> {
        in_steps(&layer.kernel, |input, column| self.input_factor(input, column))
    }

    /// A layer's recurrent kernel, rounded to the grid.
    pub fn round_recurrent(&self, layer: &Layer) -> Vec<f32> {
        let mut steps = self.recurrent_steps(layer);
        let columns = self.factors.len();
        round(layer.cell, columns, &mut steps, |unit, column| self.recurrent_factor(unit, column));
        steps
    }

    /// A layer's kernel, rounded to the grid; only where the embedding is not folded.
    pub fn round_kernel(&self, layer: &Layer) -> Vec<f32> {
        let mut steps = self.kernel_steps(layer);
        let columns = self.factors.len();
        round(layer.cell, columns, &mut steps, |input, column| self.input_factor(input, column));
        steps
    }

    /// How many steps of an 8-bit bias are 1.0, for each column.
    pub fn bias_factors(&self) -> Vec<f32> {
        let step = f32::from(1u16 << self.bias_shift);
        self.factors.iter().map(|factor| factor / step).collect()
    }

    /// Rounds rows of one 8-bit bias for each column (a SimpleRNN's, or `W·E + b` of words) to the grid.
    pub fn round_biases(&self, cell: Cell, biases: &mut [f32]) {
        let factors = self.bias_factors();
        for row in biases.chunks_exact_mut(factors.len()) {
            row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor);
        }
        round(cell, factors.len(), biases, |_, column| factors[column]);
    }
}

/// Weights in steps.
fn in_steps(parameter: &super::Parameter, factor: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let columns = parameter.shape[1];
    let step = |(index, &weight): (usize, &f32)| weight * factor(index / columns, index % columns);
    parameter.values.iter().enumerate().map(step).collect()
}

/// Rounds rows of weights or biases in steps as the device's integers do, and makes real numbers of them again.
fn round(cell: Cell, columns: usize, steps: &mut [f32], factor: impl Fn(usize, usize) -> f32) {
    let units = columns / cell.gates();
    let sums: Vec<Sum> = (0..columns).map(|column| Sum::of(cell, units, column)).collect();
    let mut rounded = vec![0.0; columns];
    for (from, row) in steps.chunks_exact_mut(columns).enumerate() {
        for (rounded, sum) in rounded.iter_mut().zip(&sums) {
            // A column in 256ths needs its partner as it was.
            let whole = sum.in_256ths(|column| row[column]);
            *rounded = sum.signed(whole as f32 / 256.0) / factor(from, sum.column);
        }
        row.copy_from_slice(&rounded);
    }
}
