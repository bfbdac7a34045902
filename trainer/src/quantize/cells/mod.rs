//! A recurrent layer's integers: its weights in steps of the grid, in the order in which each cell has them in the file. A file
//! for each cell.

mod gru;
mod lstm;
mod simple_rnn;
use kilornn::layers::{Begin, Gru, Layer as FileLayer, Lstm, Order, SimpleRnn};

use crate::network::{Cell, Layer, LayerGrid, StateGrid, halfword, int8};

/// Units of the file: those of the network, filled up to whole blocks of four. The added ones have no weights, so they
/// stay zero.
pub(super) fn filled(units: usize) -> usize {
    units.next_multiple_of(4)
}

/// A recurrent layer, as the model file holds it.
pub(super) struct IntLayer {
    cell: Cell,
    units: usize,
    order: Order,
    grid: LayerGrid,
    weights: Vec<u8>,
}

/// What a layer reads besides its own states.
pub(super) enum Incoming<'a> {
    /// Rows of a folded embedding: `W·E + b`, in the order of the file.
    Folded(Vec<&'a [f32]>),
    /// So many numbers of a row of a narrow embedding, or outputs of the layer below, filled up.
    Numbers(usize),
}

impl IntLayer {
    /// The integers of a layer on its grid. A SimpleRNN's kernel lies in `order`.
    pub(super) fn new(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, order: Order) -> Self {
        let weights = match layer.cell {
            Cell::SimpleRnn { .. } => simple_rnn::weights(layer, grid, incoming, order),
            Cell::Gru => gru::weights(layer, grid, incoming),
            Cell::Lstm => lstm::weights(layer, grid, incoming),
        };
        Self { cell: layer.cell, units: filled(layer.units()), order, grid: grid.clone(), weights }
    }

    /// A view of it.
    pub(super) fn view(&self) -> FileLayer<'_> {
        let (units, weights) = (self.units as u32, &self.weights[..]);
        let LayerGrid { bias_shift, input_shift, .. } = self.grid;
        match (self.cell, &self.grid.states) {
            (Cell::SimpleRnn { activation, .. }, states) => {
                let state_shift = match states {
                    StateGrid::Int8 { state_shift, .. } => *state_shift,
                    StateGrid::Int16 { .. } => 0,
                };
                let order = self.order;
                SimpleRnn { units, activation, order, weights, bias_shift, state_shift, input_shift }.into()
            }
            (Cell::Gru, states) => {
                Gru { units, weights, bias_shift, input_shift, state_bits: state_bits(states) }.into()
            }
            (Cell::Lstm, states) => {
                Lstm { units, weights, bias_shift, input_shift, state_bits: state_bits(states) }.into()
            }
        }
    }
}

fn state_bits(states: &StateGrid) -> u8 {
    match states {
        StateGrid::Int8 { .. } => 0,
        StateGrid::Int16 { state_bits, .. } => *state_bits,
    }
}

/// The steps of a layer's weights, found by input and column of the kernels. Inputs come first, then states; those that fill
/// blocks have weights of zero.
struct Steps {
    kernel: Vec<f32>,
    recurrent: Vec<f32>,
    columns: usize,
    /// Numbers that it reads besides its states, in the file.
    width: usize,
}

impl Steps {
    fn new(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Self {
        let (kernel, width) = match incoming {
            Incoming::Folded(_) => (Vec::new(), 0),
            Incoming::Numbers(width) => (grid.kernel_steps(layer), *width),
        };
        Self { kernel, recurrent: grid.recurrent_steps(layer), columns: layer.kernel.shape[1], width }
    }

    /// That of an input, or behind them of a state, in a column.
    fn at(&self, input: usize, column: usize) -> f32 {
        let (weights, row) =
            if input < self.width { (&self.kernel, input) } else { (&self.recurrent, input - self.width) };
        weights.get(row * self.columns + column).copied().unwrap_or(0.0)
    }

    /// All inputs of a step, in the file.
    fn inputs(&self, units: usize) -> usize {
        self.width + filled(units)
    }
}

/// One sum of a unit of a gated cell: its column, and its partner in the halfword.
struct Sum {
    column: usize,
    /// `-1.0` if the device has the complement of a gate, whose weights have the other sign.
    sign: f32,
    /// The sum that has the low byte, if this one is the whole halfword.
    even: Option<(usize, f32)>,
}

impl Sum {
    /// The weight of the sum in 256ths, where `step` gives the steps of a column.
    fn in_256ths(&self, step: impl Fn(usize) -> f32) -> i32 {
        match self.even {
            None => 256 * i32::from(int8(self.sign * step(self.column))),
            Some((even, sign)) => halfword(sign * step(even), self.sign * step(self.column)).into(),
        }
    }

    /// What it begins with: a bias, and the shift at its end.
    fn begin(&self, bias: f32, grid: &LayerGrid) -> Begin {
        let StateGrid::Int16 { shifts, .. } = &grid.states else { return Begin { bias: 0, shift: 0 } };
        let (step, more) = if self.even.is_some() { (256.0, 8) } else { (1.0, 0) };
        let steps = self.sign * bias * grid.factors[self.column] * step;
        Begin { bias: steps.round() as i32, shift: shifts[self.column] + more }
    }
}
