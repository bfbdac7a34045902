//! Models without a meaning, whose states have as many zeros as is asked for.

use anyhow::{Result, anyhow};
use kilornn::State;
use kilornn::layers::{
    Activation, Begin, Dense, Embedding, FastGrnn, Gru, GruSum, Layer, Layers, Lstm, LstmSum, Order,
    SimpleRnn, Table,
};
use kilornn::text::{Normalization, Vocabulary};
use kilornn::{Contents, Head, Input, Model, Sequence, Text, Truncating, Unknown, file};
use kilornn_host::cores::Shape;

/// A synthetic model: its dimensions, and the zeros that its states have.
#[derive(Clone, Copy)]
pub(super) struct Synthetic {
    /// Width of the embedding and hidden units, as tables of other engines name such a model. A folded embedding leaves
    /// no trace on the device.
    pub(super) name: &'static str,
    pub(super) units: usize,
    /// Rows of the table: words, and one for all unknown words.
    pub(super) rows: usize,
    /// How many numbers a row has, and of how many bits, if the embedding is not folded.
    pub(super) numbers: Option<(usize, u32)>,
    pub(super) cell: Cell,
    /// The numbers of a frame, if a step is measured with numbers that are in the memory already. A row of the table is that
    /// filled up to a multiple of four.
    pub(super) frame: Option<usize>,
    /// Shares of zeros in the state, in percent, in which it is wanted.
    pub(super) zeros: &'static [u32],
}

const RELU: Cell = Cell::SimpleRnn(Activation::Relu);

/// What a synthetic model computes.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    SimpleRnn(Activation),
    /// Layers with gates, from the lowest up.
    Gated(&'static [Gated]),
}

/// A cell with gates.
#[derive(Clone, Copy)]
pub(super) struct Gated {
    /// What a recipe calls it.
    name: &'static str,
    /// Weights, in 256ths up to `1 << spread + 4`, by which a number decides; with rows of biases of a folded embedding, if it
    /// has so many.
    weights: fn(units: usize, width: usize, rows: Option<usize>, spread: u32, seed: u32) -> Vec<u8>,
    /// A layer of these.
    layer: for<'a> fn(units: u32, weights: &'a [u8]) -> Layer<'a>,
}

/// Of layers with gates.
const BIAS_SHIFT: u8 = 4;
const STATE_BITS: u8 = 10;

const GRU: Gated = Gated {
    name: "gru",
    weights: gru,
    layer: |units, weights| {
        Gru { units, weights, bias_shift: BIAS_SHIFT, input_shift: 0, state_bits: STATE_BITS }.into()
    },
};

const LSTM: Gated = Gated {
    name: "lstm",
    weights: lstm,
    layer: |units, weights| {
        Lstm { units, weights, bias_shift: BIAS_SHIFT, input_shift: 0, state_bits: STATE_BITS }.into()
    },
};

const FASTGRNN: Gated = Gated {
    name: "fastgrnn",
    weights: fastgrnn,
    layer: |units, weights| {
        let (limit_bits, zeta, nu) = (1, 12_000, 300);
        FastGrnn {
            units,
            weights,
            bias_shift: BIAS_SHIFT,
            input_shift: 0,
            state_bits: STATE_BITS,
            limit_bits,
            zeta,
            nu,
        }
        .into()
    },
};

impl Cell {
    pub(super) const FASTGRNN: Self = Self::Gated(&[FASTGRNN]);
    pub(super) const GRU: Self = Self::Gated(&[GRU]);
    pub(super) const LSTM: Self = Self::Gated(&[LSTM]);
    /// Two layers: an LSTM upon a GRU.
    pub(super) const STACK: Self = Self::Gated(&[GRU, LSTM]);

    /// What a recipe calls it.
    pub(super) fn name(self) -> String {
        match self {
            Self::SimpleRnn(_) => "simple-rnn".to_owned(),
            Self::Gated(layers) => layers.iter().map(|layer| layer.name).collect::<Vec<_>>().join(", "),
        }
    }
}

impl Synthetic {
    /// One to change.
    pub(super) const FOLDED: Self =
        Self { name: "", units: 4, rows: 200, numbers: None, cell: RELU, frame: None, zeros: &[] };

    /// One whose steps read frames of so many numbers.
    pub(super) const fn of_frames(name: &'static str, numbers: usize, units: usize, cell: Cell) -> Self {
        let filled = numbers.next_multiple_of(4);
        Self {
            name,
            units,
            numbers: Some((filled, 8)),
            cell,
            frame: Some(numbers),
            zeros: &[0],
            ..Self::FOLDED
        }
    }

    /// The model file. In the state after every word `zeros` percent of the units are zero: biases drive that many of
    /// them far below zero and the others far above, farther than all products reach. In a folded embedding, each
    /// word chooses which.
    pub(super) fn model(&self, zeros: u32) -> Vec<u8> {
        let Self { units, rows, numbers, cell, .. } = *self;
        let activation = match cell {
            Cell::SimpleRnn(activation) => activation,
            Cell::Gated(layers) => return self.gated(layers, 1),
        };
        let (width, bits) = numbers.unwrap_or_default();
        let (inputs, bias_rows) = (units + width, if numbers.is_some() { 1 } else { rows });
        let mut random = Random(1);
        // As the exporter decides.
        let order = if activation == Activation::Tanh || zeros < 40 { Order::Pairs } else { Order::Columns };
        // At most 7 in magnitude: 100 units of 127 give 88,900, less than 64 << 11.
        let kernel: Vec<i8> = (0..inputs * units).map(|_| random.below(15) as i8 - 7).collect();
        let mut weights: Vec<u8> =
            SimpleRnn::encode_kernel(order, units, inputs, |from, to| kernel[from * units + to]).collect();
        for row in 0..bias_rows {
            // Where the share is no whole number of units, some words close one more than others.
            let closed = units * zeros as usize * (row + 1) / 100 - units * zeros as usize * row / 100;
            let mut order: Vec<usize> = (0..units).collect();
            // Fisher and Yates.
            for last in (1..units).rev() {
                order.swap(last, random.below(last + 1));
            }
            let mut biases = vec![0; units];
            for (place, &unit) in order.iter().enumerate() {
                let strength = 64 + random.below(63) as i8;
                biases[unit] = if place < closed { -strength } else { strength };
            }
            weights.extend(SimpleRnn::encode_biases(units, |unit| biases[unit]));
        }
        let table: Vec<u8> = (0..rows * width * bits as usize / 8).map(|_| random.below(256) as u8).collect();
        let rnn = SimpleRnn {
            units: units as u32,
            activation,
            order,
            weights: &weights,
            bias_shift: 11,
            state_shift: 0,
            input_shift: 0,
        };
        self.file(embedding(numbers, &table, [4, 0]), rnn.into(), &mut random)
    }

    /// A model of any bytes: weights from end to end of their range, extremes above all, shifts that let states
    /// saturate or die, and biases of which a share that depends on `seed` closes its unit. Both orders and both
    /// activations come in turn.
    pub(super) fn wild(&self, seed: u32) -> Vec<u8> {
        let Self { units, rows, numbers, cell, .. } = *self;
        if let Cell::Gated(layers) = cell {
            return self.gated(layers, seed);
        }
        let (width, bits) = numbers.unwrap_or_default();
        let inputs = units + width;
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9) | 1);
        let (order, activation) = match seed % 4 {
            1 if inputs.is_multiple_of(4) => (Order::Pairs, Activation::Relu),
            3 if inputs.is_multiple_of(4) => (Order::Pairs, Activation::Tanh),
            _ => (Order::Columns, Activation::Relu),
        };
        let closed = random.below(256);
        let mut byte = |low: usize| match random.below(256) {
            choice if choice < low => 0x81,
            choice if choice < low + 32 => 0x7F,
            _ => random.below(256) as u8,
        };
        let table: Vec<u8> = (0..rows * width * bits as usize / 8).map(|_| byte(32)).collect();
        let embedding = embedding(numbers, &table, [4, 1]);
        let bias_rows = if numbers.is_some() { 1 } else { rows };
        let mut weights: Vec<u8> = (0..inputs * units).map(|_| byte(32)).collect();
        weights.extend((0..bias_rows * units).map(|_| byte(closed)));
        let mut rnn = SimpleRnn {
            units: units as u32,
            activation,
            order,
            weights: &weights,
            bias_shift: random.below(15) as u8,
            state_shift: random.below(6) as u8,
            input_shift: 0,
        };
        // The loader refuses sums that may be too large.
        loop {
            let file = self.file(embedding, rnn.into(), &mut Random(seed + 1));
            match (Model::from_bytes(&file), rnn.state_shift) {
                (Err(_), 1..) => rnn.state_shift -= 1,
                (Err(_), 0) if rnn.bias_shift > 0 => rnn.bias_shift -= 1,
                _ => return file,
            }
        }
    }

    /// A model of layers with gates with weights of any size, where `seed` decides.
    fn gated(&self, cells: &[Gated], seed: u32) -> Vec<u8> {
        let Self { units, rows, numbers, .. } = *self;
        let (width, bits) = numbers.unwrap_or_default();
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9) | 1);
        let table: Vec<u8> = (0..rows * width * bits as usize / 8).map(|_| random.below(256) as u8).collect();
        let embedding = embedding(numbers, &table, [4, 1]);
        let seeds = [0, 1].map(|_| random.below(1 << 24) as u32);
        let folded = numbers.is_none().then_some(rows);
        // As large as weights are in trained networks; where the loader refuses their sums, smaller.
        for spread in (0..12).rev() {
            let weights = cells.iter().zip(seeds).enumerate().map(|(place, (cell, seed))| match place {
                0 => (cell.weights)(units, width, folded, spread, seed),
                _ => (cell.weights)(units, units, None, spread, seed),
            });
            let weights: Vec<Vec<u8>> = weights.collect();
            let layers: Vec<Layer<'_>> = cells
                .iter()
                .zip(&weights)
                .map(|(cell, weights)| (cell.layer)(units as u32, weights))
                .collect();
            let layers = Layers::new(&layers);
            let file = layers.map(|layers| self.file(embedding, layers, &mut Random(seed + 1)));
            if let Some(file) = file.filter(|file| Model::from_bytes(file).is_ok()) {
                return file;
            }
        }
        Vec::new()
    }

    fn file(&self, embedding: Embedding<'_>, layers: Layers<'_>, random: &mut Random) -> Vec<u8> {
        let Self { units, rows, .. } = *self;
        let dense: Vec<u8> = (0..units).map(|_| (random.below(15) as i8 - 7) as u8).collect();
        let contents = Contents {
            labels: "negative\npositive",
            input: Input::Text(Text {
                normalization: Normalization::KERAS,
                vocabulary: Vocabulary {
                    seed: 0,
                    slots: rows as u32 - 1,
                    pilots: &vec![0; rows / 2],
                    fingerprints: &(1..rows).map(|_| random.below(256) as u8).collect::<Vec<_>>(),
                },
                // So that every word of a text is a step.
                unknown: Unknown::Row,
                sequence: Sequence { maxlen: 0, truncating: Truncating::Post, padding: None },
                embedding,
            }),
            layers,
            head: Head::Classes(Dense { outputs: 1, kernel: &dense, bias: &[0; 4], scale: 0.001 }),
        };
        let weights: usize = layers.iter().map(|layer| layer.weights().len()).sum();
        let mut buffer = vec![0; rows * (embedding.width() as usize + 2) + weights + 4096];
        file::encode(&contents, &mut buffer).map(|file| file.to_vec()).unwrap_or_default()
    }
}

/// A number that its place decides, from -`spread` to `spread`.
fn at(place: [usize; 3], seed: u32, spread: usize) -> i32 {
    let mixed = place.iter().fold(seed, |mixed, &part| {
        let mixed = (mixed ^ part as u32).wrapping_mul(0x9E37_79B9);
        mixed ^ mixed >> 15
    });
    Random(mixed | 1).below(2 * spread + 1) as i32 - spread as i32
}

/// What a sum begins with. Those of odd rows are in 256ths.
fn begin([unit, sum]: [usize; 2], seed: u32, is_odd: bool) -> Begin {
    let more = if is_odd { 8 } else { 0 };
    Begin {
        bias: at([unit, sum, 1], !seed, 1 << 18) << more,
        shift: (4 + more + at([unit, sum, 0], !seed, 2)) as u8,
    }
}

/// Weights of a GRU.
fn gru(units: usize, width: usize, rows: Option<usize>, spread: u32, seed: u32) -> Vec<u8> {
    let weight = |unit, sum, input| at([unit, sum as usize, input], seed, 16 << spread);
    let begin = |unit: usize, sum| {
        let is_odd = match sum {
            GruSum::Update => false,
            GruSum::Reset => true,
            GruSum::Input | GruSum::State => unit % 2 == 1,
        };
        begin([unit, sum as usize], seed, is_odd)
    };
    let kernel = Gru::encode_kernel(units, width + units, begin, weight);
    let biases = (0..rows.unwrap_or(0)).flat_map(|row| {
        Gru::encode_biases(units, move |unit, sum| at([unit, sum as usize, row], seed ^ 1, 32_000))
    });
    kernel.chain(biases).collect()
}

/// The same of an LSTM.
fn lstm(units: usize, width: usize, rows: Option<usize>, spread: u32, seed: u32) -> Vec<u8> {
    let weight = |unit, sum, input| at([unit, sum as usize, input], seed, 16 << spread);
    let begin =
        |unit, sum| begin([unit, sum as usize], seed, matches!(sum, LstmSum::Candidate | LstmSum::Output));
    let kernel = Lstm::encode_kernel(units, width + units, begin, weight);
    let biases = (0..rows.unwrap_or(0)).flat_map(|row| {
        Lstm::encode_biases(units, move |unit, sum| at([unit, sum as usize, row], seed ^ 1, 32_000))
    });
    kernel.chain(biases).collect()
}

/// The same of a FastGRNN.
fn fastgrnn(units: usize, width: usize, rows: Option<usize>, spread: u32, seed: u32) -> Vec<u8> {
    let weight = |unit, input| at([unit, 0, input], seed, 16 << spread);
    let begin = |unit: usize| begin([unit, 0], seed, unit % 2 == 1);
    let offset = |unit| at([unit, 0, 2], !seed, 1 << 17);
    let kernel = FastGrnn::encode_kernel(units, width + units, begin, offset, weight);
    let biases = (0..rows.unwrap_or(0))
        .flat_map(|row| FastGrnn::encode_biases(units, move |unit| at([unit, 0, row], seed ^ 1, 32_000)));
    kernel.chain(biases).collect()
}

/// With numbers, if any, that are shifted so far where they have four bits and where they have eight.
fn embedding(numbers: Option<(usize, u32)>, table: &[u8], [four, eight]: [u8; 2]) -> Embedding<'_> {
    match numbers {
        None => Embedding::Folded,
        Some((width, 4)) => {
            Embedding::Projected { width: width as u32, shift: four, table: Table::Int4(table) }
        }
        Some((width, _)) => {
            Embedding::Projected { width: width as u32, shift: eight, table: Table::Int8(table) }
        }
    }
}

/// The hash of the states through which the bench (`firmware-example/src/bench/main.rs`) takes a model, by the
/// host's runtime.
pub(super) fn states(model: &[u8]) -> Result<u32> {
    let model = Model::from_bytes(model).map_err(|error| anyhow!("the model is refused: {error}"))?;
    let rows = model.contents().rows();
    let mut state = State::<4096>::zero(&model).map_err(|error| anyhow!("{error}"))?;
    let (mut row, mut hash) = (0, 0x811C_9DC5u32);
    for _ in 0..128 {
        row += 37;
        if row >= rows {
            row = row.saturating_sub(rows);
        }
        model.step(row, &mut state);
        // Of numbers of 8 bits one byte, of others two at once.
        let mask = if state.values().int8().is_some() { 0xFF } else { 0xFFFF };
        let values = state.values();
        hash = values.iter().fold(hash, |hash, h| (hash ^ h as u32 & mask).wrapping_mul(0x0100_0193));
    }
    Ok(hash)
}

/// The dimensions of a model that decide the cost of its step.
pub(super) fn shape(model: &[u8]) -> Result<Shape> {
    let model = Model::from_bytes(model).map_err(|error| anyhow!("the model is refused: {error}"))?;
    Ok(Shape::of(model.contents()))
}

/// Marsaglia's xorshift: the same numbers in every run. It is written here and not a library's generator, because recorded
/// figures hold for the models that are made with it: the marks in `marks.rs`, the measured costs in `kilornn_host::cores`.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        ((u64::from(self.0) * limit as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_as_many_zeros_as_asked_for() {
        for (units, numbers) in [(16, None), (32, None), (100, None), (16, Some((4, 4)))] {
            let shape = Synthetic { units, rows: 200, numbers, ..Synthetic::FOLDED };
            for percent in [0, 50, 75] {
                let file = shape.model(percent);
                let model = Model::from_bytes(&file).unwrap();
                let mut state = State::<128>::zero(&model).unwrap();
                let mut all = 0;
                for row in 0..200 {
                    model.step(row, &mut state);
                    let zeros = state.values().iter().filter(|&h| h == 0).count();
                    assert!((100 * zeros).abs_diff(units * percent as usize) < 100);
                    all += zeros;
                }
                assert_eq!(all, 2 * units * percent as usize);
            }
        }
    }
}
