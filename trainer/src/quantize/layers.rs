//! Float weights to integer tables, layer by layer.

use std::collections::HashMap;

use kilornn::layers::{Dense, Embedding, SimpleRnn, State};

use crate::network::{Grid, Network, int8};

/// As the model file holds it.
fn byte(value: f32) -> u8 {
    int8(value) as u8
}

/// How rows of the embedding become integers.
pub(super) struct IntEmbedding<'n> {
    network: &'n Network,
    kind: Kind,
    input_shift: u8,
    /// Bits by which the accumulator is finer than the grid's, for the sake of the inputs.
    finer: u8,
}

enum Kind {
    /// `W·E + b` of all rows, and the factor of each unit.
    Folded { projected: Vec<f32>, factors: Vec<f32> },
    /// The factor of each number of the embedding, and the tables behind it.
    Projected { factors: Vec<f32>, kernel: Vec<u8>, bias: Vec<u8> },
}

impl<'n> IntEmbedding<'n> {
    pub(super) fn new(network: &'n Network, grid: &Grid, fold: bool) -> Self {
        if fold { Self::folded(network, grid) } else { Self::projected(network, grid) }
    }

    fn folded(network: &'n Network, grid: &Grid) -> Self {
        let kind = Kind::Folded { projected: network.projected(None), factors: grid.input_factors() };
        Self { network, kind, input_shift: grid.input_shift, finer: 0 }
    }

    fn projected(network: &'n Network, grid: &Grid) -> Self {
        let [width, units] = network.kernel.shape;
        let table = &network.embedding.values;
        let factors: Vec<f32> = (0..width)
            .map(|i| {
                let largest = table.iter().skip(i).step_by(width).fold(0f32, |m, v| m.max(v.abs()));
                127.0 / largest.max(f32::MIN_POSITIVE)
            })
            .collect();
        // The kernel in steps of the accumulator for each step of the embedding.
        let accumulator = grid.accumulator_factors();
        let weight =
            |i: usize, unit: usize| network.kernel.values[i * units + unit] / factors[i] * accumulator[unit];
        let largest = (0..width * units).map(|k| weight(k / units, k % units).abs()).fold(0.0, f32::max);
        // The largest shift at which it is within an `i8`: to the left, the accumulator gets as many
        // bits more; to the right, the inputs are shifted back up.
        let shift = (127.0 / largest.max(1e-30)).log2().floor().clamp(-16.0, 12.0);
        let step = shift.exp2();
        let blocks = (0..units).step_by(4);
        let kernel = blocks
            .flat_map(|first| (0..width).flat_map(move |i| (first..first + 4).map(move |unit| (i, unit))))
            .map(|(i, unit)| if unit < units { byte(weight(i, unit) * step) } else { 0 })
            .collect();
        let bias = (0..units.next_multiple_of(4))
            .map(|unit| match network.bias.values.get(unit) {
                Some(bias) => (bias * accumulator[unit] * step).round().clamp(-1e8, 1e8) as i32,
                None => 0,
            })
            .flat_map(i32::to_le_bytes)
            .collect();
        Self {
            network,
            kind: Kind::Projected { factors, kernel, bias },
            input_shift: (-shift).max(0.0) as u8,
            finer: shift.max(0.0) as u8,
        }
    }

    /// The tables for the rows `ids`, in this order.
    pub(super) fn rows(&self, ids: &[u32]) -> EmbeddingTables<'_> {
        let (values, factors) = match &self.kind {
            Kind::Folded { projected, factors } => (projected, factors),
            Kind::Projected { factors, .. } => (&self.network.embedding.values, factors),
        };
        let width = factors.len();
        let row = |&id: &u32| values[id as usize * width..][..width].iter().zip(factors);
        let table = ids.iter().flat_map(row).map(|(value, factor)| byte(value * factor)).collect();
        EmbeddingTables { kind: &self.kind, table }
    }
}

/// The embedding of some rows, as the model file holds it.
pub(super) struct EmbeddingTables<'l> {
    kind: &'l Kind,
    table: Vec<u8>,
}

impl EmbeddingTables<'_> {
    pub(super) fn view(&self) -> Embedding<'_> {
        match self.kind {
            Kind::Folded { .. } => Embedding::Folded { table: &self.table },
            Kind::Projected { factors, kernel, bias } => {
                Embedding::Projected { width: factors.len() as u32, table: &self.table, kernel, bias }
            }
        }
    }
}

/// The recurrence, as the model file holds it.
pub(super) struct IntRnn {
    units: usize,
    kernel: Vec<u8>,
    input_shift: u8,
    recurrent_shift: u8,
    output_shift: u8,
}

impl IntRnn {
    pub(super) fn new(network: &Network, grid: &Grid, embedding: &IntEmbedding<'_>) -> Self {
        let units = network.units();
        let kernel = &network.recurrent_kernel.values;
        let kernel = SimpleRnn::encode_kernel(units, |from, to| {
            grid.recurrent_weight(kernel[from * units + to], from, to)
        });
        let kernel = kernel.collect();
        Self {
            units,
            kernel,
            input_shift: embedding.input_shift,
            recurrent_shift: embedding.finer,
            output_shift: grid.fraction_bits + embedding.finer,
        }
    }

    pub(super) fn view(&self) -> SimpleRnn<'_> {
        SimpleRnn {
            units: self.units as u32,
            kernel: &self.kernel,
            input_shift: self.input_shift,
            recurrent_shift: self.recurrent_shift,
            output_shift: self.output_shift,
        }
    }

    /// The states after 0, 1, ... `longest` pads, by the device's own step, up to where they repeat;
    /// and the index of the state that follows the last.
    pub(super) fn orbit(&self, pad: &EmbeddingTables<'_>, longest: usize) -> (Vec<u8>, u32) {
        let mut state = State::<256>::zero(self.units);
        let mut seen: HashMap<Vec<i8>, u32> = HashMap::new();
        let mut states = Vec::new();
        for index in 0..=longest as u32 {
            if let Some(&earlier) = seen.get(state.values()) {
                return (states, earlier);
            }
            seen.insert(state.values().to_vec(), index);
            states.extend(state.values().iter().map(|&h| h as u8));
            self.view().step(&pad.view(), 0, &mut state);
        }
        (states, 0)
    }
}

/// The output layer, as the model file holds it.
pub(super) struct IntDense {
    outputs: usize,
    kernel: Vec<u8>,
    bias: Vec<u8>,
    scale: f32,
}

impl IntDense {
    pub(super) fn new(network: &Network, grid: &Grid) -> Self {
        let [units, outputs] = network.dense_kernel.shape;
        let weight = |unit: usize, output: usize| {
            network.dense_kernel.values[unit * outputs + output] * grid.scales[unit]
        };
        let largest =
            (0..units * outputs).map(|i| weight(i / outputs, i % outputs).abs()).fold(0.0, f32::max);
        // One scale for all outputs, so that integer logits can be compared.
        let scale = largest.max(f32::MIN_POSITIVE * 1e6) / 127.0;
        let kernel = (0..outputs)
            .flat_map(|output| (0..units).map(move |unit| (unit, output)))
            .map(|(unit, output)| byte(weight(unit, output) / scale))
            .collect();
        let bias = network.dense_bias.values.iter();
        let bias = bias.flat_map(|b| ((b / scale).round().clamp(-1e9, 1e9) as i32).to_le_bytes()).collect();
        Self { outputs, kernel, bias, scale }
    }

    pub(super) fn view(&self) -> Dense<'_> {
        Dense { outputs: self.outputs as u32, kernel: &self.kernel, bias: &self.bias, scale: self.scale }
    }
}
