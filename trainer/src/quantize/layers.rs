//! Float weights to integer tables, layer by layer.

use kilornn::layers::{Activation, Dense, Embedding, Order, SimpleRnn, Table};

use crate::network::{Cell, Grid, Network, Numbers, StateGrid, int8};
use crate::recipe::EmbeddingBits;

/// Hidden units of the file: those of the network, filled up to whole blocks of four. The added ones have no weights, so they
/// stay zero.
fn filled(units: usize) -> usize {
    units.next_multiple_of(4)
}

/// A network and a grid, from which the integers of embedding and recurrence are made.
pub(super) struct IntRecurrence<'n> {
    network: &'n Network,
    grid: &'n Grid,
    /// `W·E + b` of all rows, if the embedding is folded.
    projected: Vec<f32>,
}

impl<'n> IntRecurrence<'n> {
    pub(super) fn new(network: &'n Network, grid: &'n Grid) -> Self {
        let projected = if grid.numbers.is_none() { network.projected() } else { Vec::new() };
        Self { network, grid, projected }
    }

    /// Inputs of a step.
    pub(super) fn inputs(&self) -> usize {
        let width = self.grid.numbers.as_ref().map_or(0, |numbers| numbers.factors.len());
        filled(self.network.units()) + width
    }

    /// The weights, and the embedding of the rows `ids`, in this order.
    pub(super) fn tables(&self, ids: &[u32], order: Order) -> IntTables {
        let units = self.network.units();
        let filled = filled(units);
        let (layer, on) = (self.network.lowest(), self.grid.lowest());
        let recurrent = on.recurrent_steps(layer);
        let kernel = if on.inputs.is_empty() { Vec::new() } else { on.kernel_steps(layer) };
        let weight = |from: usize, to: usize| {
            if to >= units || (units..filled).contains(&from) {
                return 0;
            }
            match &self.grid.numbers {
                Some(_) if from >= filled => int8(kernel[(from - filled) * units + to]),
                _ => int8(recurrent[from * units + to]),
            }
        };
        let mut weights: Vec<u8> = SimpleRnn::encode_kernel(order, filled, self.inputs(), weight).collect();
        let factors = on.bias_factors();
        let mut add_biases = |biases: &[f32]| {
            let bias = |unit: usize| biases.get(unit).map_or(0, |bias| int8(bias * factors[unit]));
            weights.extend(SimpleRnn::encode_biases(filled, bias));
        };
        let embedding = match &self.grid.numbers {
            None => {
                ids.iter().for_each(|&id| add_biases(&self.projected[id as usize * units..][..units]));
                None
            }
            Some(numbers @ Numbers { bits, shift, factors, .. }) => {
                add_biases(&layer.bias.values);
                let width = factors.len();
                let rows =
                    ids.iter().flat_map(|&id| &self.network.embedding.values[id as usize * width..][..width]);
                let table = pack(*bits, numbers.whole(rows));
                Some(IntEmbedding { bits: *bits, width, shift: *shift, table })
            }
        };
        IntTables {
            units: filled,
            order,
            activation: match layer.cell {
                Cell::SimpleRnn { activation, .. } => activation,
                Cell::Gru | Cell::Lstm => Activation::Tanh,
            },
            bias_shift: on.bias_shift,
            state_shift: match on.states {
                StateGrid::Int8 { state_shift, .. } => state_shift,
                StateGrid::Int16 { .. } => 0,
            },
            weights,
            embedding,
        }
    }
}

/// Numbers of so many bits, as they lie in the file.
fn pack(bits: EmbeddingBits, numbers: impl Iterator<Item = i8>) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.map(|number| number as u8).collect();
    match bits {
        EmbeddingBits::Eight => bytes,
        EmbeddingBits::Four => bytes.chunks(2).map(|two| two[0] & 0xF | two[1] << 4).collect(),
    }
}

/// Embedding and recurrence, as the model file holds them.
pub(super) struct IntTables {
    units: usize,
    order: Order,
    activation: Activation,
    bias_shift: u8,
    state_shift: u8,
    weights: Vec<u8>,
    embedding: Option<IntEmbedding>,
}

/// A narrow embedding.
struct IntEmbedding {
    bits: EmbeddingBits,
    width: usize,
    shift: u8,
    table: Vec<u8>,
}

impl IntTables {
    pub(super) fn embedding(&self) -> Embedding<'_> {
        match &self.embedding {
            None => Embedding::Folded,
            Some(IntEmbedding { bits, width, shift, table }) => Embedding::Projected {
                width: *width as u32,
                shift: *shift,
                table: match bits {
                    EmbeddingBits::Four => Table::Int4(table),
                    EmbeddingBits::Eight => Table::Int8(table),
                },
            },
        }
    }

    pub(super) fn rnn(&self) -> SimpleRnn<'_> {
        SimpleRnn {
            units: self.units as u32,
            activation: self.activation,
            order: self.order,
            weights: &self.weights,
            bias_shift: self.bias_shift,
            state_shift: self.state_shift,
        }
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
        let steps = grid.layers.last().map(|layer| layer.outputs(units)).unwrap_or_default();
        let weight =
            |unit: usize, output: usize| network.dense_kernel.values[unit * outputs + output] * steps[unit];
        let largest =
            (0..units * outputs).map(|i| weight(i / outputs, i % outputs).abs()).fold(0.0, f32::max);
        // One scale for all outputs, so that integer logits can be compared.
        let scale = largest.max(f32::MIN_POSITIVE * 1e6) / 127.0;
        let kernel = (0..outputs)
            .flat_map(|output| (0..filled(units)).map(move |unit| (unit, output)))
            .map(|(unit, output)| if unit < units { int8(weight(unit, output) / scale) as u8 } else { 0 })
            .collect();
        let bias = network.dense_bias.values.iter();
        let bias = bias.flat_map(|b| ((b / scale).round().clamp(-1e9, 1e9) as i32).to_le_bytes()).collect();
        Self { outputs, kernel, bias, scale }
    }

    pub(super) fn view(&self) -> Dense<'_> {
        Dense { outputs: self.outputs as u32, kernel: &self.kernel, bias: &self.bias, scale: self.scale }
    }
}
