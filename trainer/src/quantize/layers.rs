//! Float weights to integer tables, layer by layer.

use kilornn::layers::{Dense, Embedding, Layers, Order, Table};

use super::cells::{Incoming, IntLayer, exported, filled};
use crate::network::{Grid, Network, Numbers, int8};
use crate::recipe::EmbeddingBits;

/// A network and a grid, from which the integers of embedding and recurrent layers are made.
pub(super) struct IntNetwork<'n> {
    network: &'n Network,
    grid: &'n Grid,
    /// `W·E + b` of all rows, if the embedding is folded.
    projected: Vec<f32>,
}

impl<'n> IntNetwork<'n> {
    pub(super) fn new(network: &'n Network, grid: &'n Grid) -> Self {
        let projected = if grid.numbers.is_none() { network.projected() } else { Vec::new() };
        Self { network, grid, projected }
    }

    /// Numbers that each layer reads besides its states, in the file.
    pub(super) fn widths(&self) -> Vec<usize> {
        let lowest = self.grid.numbers.as_ref().map_or(0, |numbers| row_width(self.network, numbers.bits));
        let below = self.network.layers.iter().map(|layer| filled(layer.units()));
        std::iter::once(lowest).chain(below).take(self.network.layers.len()).collect()
    }

    /// The embedding of the rows `ids` and the layers, in this order; `orders` are those of SimpleRNN's kernels.
    pub(super) fn tables(&self, ids: &[u32], orders: &[Order]) -> IntTables {
        let columns = self.network.lowest().kernel.shape[1];
        let layers = self.network.layers.iter().zip(&self.grid.layers).zip(orders).zip(self.widths());
        let layers = layers.enumerate().map(|(index, (((layer, grid), order), width))| {
            let incoming = if index == 0 && self.grid.numbers.is_none() {
                let row = |&id: &u32| &self.projected[id as usize * columns..][..columns];
                Incoming::Folded(ids.iter().map(row).collect())
            } else {
                Incoming::Numbers(width)
            };
            IntLayer::new(layer, grid, &incoming, *order)
        });
        let layers = layers.collect();
        let embedding =
            self.grid.numbers.as_ref().map(|numbers @ Numbers { bits, shift, factors, .. }| {
                let (own, width) = (factors.len(), row_width(self.network, *bits));
                let row = |&id: &u32| {
                    let numbers = numbers.whole(&self.network.embedding.values[id as usize * own..][..own]);
                    numbers.chain(std::iter::repeat_n(0, width - own))
                };
                IntEmbedding {
                    bits: *bits,
                    width,
                    shift: *shift,
                    table: pack(*bits, ids.iter().flat_map(row)),
                }
            });
        IntTables { embedding, layers }
    }
}

/// Numbers of a word in the file: those of the network's embedding, filled up with zeros, whose weights are zero too, as far as
/// the device asks for it.
pub(super) fn row_width(network: &Network, bits: EmbeddingBits) -> usize {
    exported(network.lowest().cell).row_width(network.embedding.shape[1], bits)
}

/// Numbers of so many bits, as they lie in the file.
fn pack(bits: EmbeddingBits, numbers: impl Iterator<Item = i8>) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.map(|number| number as u8).collect();
    match bits {
        EmbeddingBits::Eight => bytes,
        EmbeddingBits::Four => bytes.chunks(2).map(|two| two[0] & 0xF | two[1] << 4).collect(),
    }
}

/// Embedding and recurrent layers, as the model file holds them.
pub(super) struct IntTables {
    embedding: Option<IntEmbedding>,
    layers: Vec<IntLayer>,
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

    /// The layers; `None` if there are more than a file can have.
    pub(super) fn layers(&self) -> Option<Layers<'_>> {
        let layers: Vec<_> = self.layers.iter().map(IntLayer::view).collect();
        Layers::new(&layers)
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
