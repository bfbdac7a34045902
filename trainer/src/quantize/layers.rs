//! Float weights to integer tables, layer by layer.

use kilornn::layers::{Activation, Dense, Embedding, Order, SimpleRnn, Table};

use crate::network::{Grid, Network, int8};
use crate::recipe::EmbeddingBits;

/// Hidden units of the file: as many as fill whole blocks of four. Those that the network does not have are without
/// weights, so they stay zero.
fn filled(units: usize) -> usize {
    units.next_multiple_of(4)
}

/// How words and states become integers: everything but which rows there are, and in which order weights lie.
pub(super) struct IntRecurrence<'n> {
    network: &'n Network,
    grid: &'n Grid,
    kind: Kind,
}

enum Kind {
    /// `W·E + b` of all rows.
    Folded { projected: Vec<f32>, factors: Vec<f32> },
    /// A narrow embedding beside the columns of the input kernel.
    Projected { bits: EmbeddingBits, shift: u8, numbers: Vec<f32>, columns: Vec<f32> },
}

impl<'n> IntRecurrence<'n> {
    /// With one row of biases for each word, multiplied out.
    pub(super) fn folded(network: &'n Network, grid: &'n Grid) -> Self {
        let kind = Kind::Folded { projected: network.projected(), factors: grid.bias_factors() };
        Self { network, grid, kind }
    }

    /// With a narrow embedding, in numbers of so many bits.
    ///
    /// How an input's scale is shared out between its number and its column is free. The number's shift to the left
    /// is the smallest at which both fit for all of them; what room is left goes to both alike with eight bits, and
    /// with four the number has all of it.
    pub(super) fn projected(network: &'n Network, grid: &'n Grid, bits: EmbeddingBits) -> Self {
        let [width, units] = network.kernel.shape;
        let accumulator = grid.accumulator_factors();
        let largest_number = |input: usize| {
            network.embedding.values.iter().skip(input).step_by(width).fold(0f32, |most, v| most.max(v.abs()))
        };
        let largest_weight = |input: usize| {
            let column = &network.kernel.values[input * units..][..units];
            column.iter().zip(&accumulator).fold(0f32, |most, (w, factor)| most.max(w.abs() * factor))
        };
        let ranges: Vec<(f32, f32)> = (0..width)
            .map(|input| {
                (largest_number(input).max(f32::MIN_POSITIVE), largest_weight(input).max(f32::MIN_POSITIVE))
            })
            .collect();
        let product = ranges.iter().map(|(number, weight)| number * weight).fold(0.0, f32::max);
        let most = bits.largest();
        let shift = (product / (most * 127.0)).log2().ceil().clamp(0.0, bits.largest_shift()) as u8;
        let step = f32::from(1u16 << shift);
        let (numbers, columns) = ranges
            .iter()
            .map(|(number, weight)| {
                let whole = match bits {
                    EmbeddingBits::Eight => (number * weight / step).sqrt().clamp(1.0, most),
                    EmbeddingBits::Four => most,
                };
                (whole / number, number / (whole * step))
            })
            .unzip();
        Self { network, grid, kind: Kind::Projected { bits, shift, numbers, columns } }
    }

    /// Inputs of a step.
    pub(super) fn inputs(&self) -> usize {
        let width = match &self.kind {
            Kind::Folded { .. } => 0,
            Kind::Projected { numbers, .. } => numbers.len(),
        };
        filled(self.network.units()) + width
    }

    /// The weights, and the embedding of the rows `ids`, in this order.
    pub(super) fn tables(&self, ids: &[u32], order: Order) -> IntTables {
        let units = self.network.units();
        let filled = filled(units);
        let accumulator = self.grid.accumulator_factors();
        let weight = |from: usize, to: usize| {
            if to >= units || (units..filled).contains(&from) {
                return 0;
            }
            match &self.kind {
                Kind::Projected { columns, .. } if from >= filled => {
                    let input = from - filled;
                    int8(self.network.kernel.values[input * units + to] * accumulator[to] * columns[input])
                }
                _ => {
                    let weight = self.network.recurrent_kernel.values[from * units + to];
                    self.grid.recurrent_weight(weight, from, to)
                }
            }
        };
        let mut weights: Vec<u8> = SimpleRnn::encode_kernel(order, filled, self.inputs(), weight).collect();
        let mut add_biases = |biases: &[f32], factors: &[f32]| {
            let bias = |unit: usize| biases.get(unit).map_or(0, |bias| int8(bias * factors[unit]));
            weights.extend(SimpleRnn::encode_biases(filled, bias));
        };
        let (bias_shift, embedding) = match &self.kind {
            Kind::Folded { projected, factors } => {
                ids.iter().for_each(|&id| add_biases(&projected[id as usize * units..][..units], factors));
                (self.grid.bias_shift, None)
            }
            Kind::Projected { bits, shift, numbers, .. } => {
                let biases = &self.network.bias.values;
                let largest =
                    biases.iter().zip(&accumulator).fold(0f32, |most, (b, f)| most.max(b.abs() * f));
                let bias_shift = (largest / 127.0).log2().ceil().clamp(0.0, 14.0) as u8;
                let step = f32::from(1u16 << bias_shift);
                add_biases(biases, &accumulator.iter().map(|factor| factor / step).collect::<Vec<_>>());
                let width = numbers.len();
                let row = |&id: &u32| self.network.embedding.values[id as usize * width..][..width].iter();
                let whole = ids.iter().flat_map(|id| row(id).zip(numbers)).map(|(value, factor)| {
                    (value * factor).round().clamp(-bits.largest(), bits.largest()) as i8
                });
                (
                    bias_shift,
                    Some(IntEmbedding { bits: *bits, width, shift: *shift, table: bits.pack(whole) }),
                )
            }
        };
        IntTables {
            units: filled,
            order,
            activation: self.network.activation,
            bias_shift,
            state_shift: self.grid.state_shift,
            weights,
            embedding,
        }
    }
}

impl EmbeddingBits {
    /// The largest number, and its negative.
    fn largest(self) -> f32 {
        match self {
            Self::Four => 7.0,
            Self::Eight => 127.0,
        }
    }

    /// By how much a number may be shifted.
    fn largest_shift(self) -> f32 {
        match self {
            Self::Four => 12.0,
            Self::Eight => 8.0,
        }
    }

    fn pack(self, numbers: impl Iterator<Item = i8>) -> Vec<u8> {
        let bytes: Vec<u8> = numbers.map(|number| number as u8).collect();
        match self {
            Self::Eight => bytes,
            Self::Four => bytes.chunks(2).map(|two| two[0] & 0xF | two[1] << 4).collect(),
        }
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
        let weight = |unit: usize, output: usize| {
            network.dense_kernel.values[unit * outputs + output] * grid.scales[unit]
        };
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
