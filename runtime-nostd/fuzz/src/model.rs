//! Model files: a right header and checksum for any bytes, and random contents of which many are valid.

use kilornn::layers::{
    Activation, Dense, Embedding, FastGrnn, Gru, Layer, Layers, Lstm, Order, SimpleRnn, Table,
};
use kilornn::text::{AsciiSet, Lowercase, Normalization, Unit, Vocabulary};
use kilornn::{Contents, Head, Input, PadStates, Padding, Sequence, Text, Truncating, Unknown, file};

use fastrand::Rng;

use crate::pick;

/// Gives a file the right magic, length and checksum, and a version that can be read, so that the loader looks at the rest. A
/// file that is too short for them becomes longer.
pub fn seal(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().max(16), 0);
    let end = bytes.len() - 4;
    let length = bytes.len() as u32;
    let version = if bytes[4] == 4 { 4 } else { 2 };
    bytes[..6].copy_from_slice(&[b'K', b'I', b'L', b'O', version, 0]);
    bytes[8..12].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum.to_le_bytes());
}

/// CRC-32 as in zip, independent of the runtime's.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 8 {
                value = (value >> 1) ^ (0xEDB8_8320 & (value & 1).wrapping_neg());
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

/// A number that is nearly always `right`, and otherwise one more, one less, or any that is likely to break a program.
fn near(random: &mut Rng, right: usize) -> usize {
    match random.usize(..64) {
        0 => right.wrapping_add(1),
        1 => right.saturating_sub(1),
        2 => {
            pick(random, &[0, 1, 127, 128, 255, 256, 257, 1 << 16, 1 << 24, (1 << 24) + 1, u32::MAX as usize])
        }
        _ => right,
    }
}

/// About `right` bytes: all the same extreme value, or random.
fn table(random: &mut Rng, right: usize, highest: u8) -> Vec<u8> {
    let length = near(random, right).min(1 << 17);
    match random.usize(..4) {
        0 => vec![pick(random, &[0, 1, 0x7F, 0x80, 0xFF]) & highest; length],
        _ => (0..length).map(|_| random.u8(..) & highest).collect(),
    }
}

/// About `count` 32-bit integers that are small or near the limits of what is allowed.
fn biases(random: &mut Rng, count: usize) -> Vec<u8> {
    let length = near(random, 4 * count).min(1 << 12);
    let mut bytes = Vec::with_capacity(length + 3);
    while bytes.len() < length {
        let value = match random.usize(..16) {
            0 => i32::MAX - random.usize(..1 << 23) as i32,
            1 => i32::MIN + random.usize(..1 << 23) as i32,
            2 => 1 << random.usize(..31),
            _ => i32::from(random.i16(..)),
        };
        bytes.extend(value.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The weights of a layer with gates: blocks of words, each of which begins with some words that have a shift in the low
/// byte, and rows of biases. `room` is how large the sum of magnitudes of a row's weights may be.
fn gated(
    random: &mut Rng,
    (blocks, begins, pairs): (usize, usize, usize),
    biases: usize,
    room: u64,
) -> Vec<u8> {
    let most = (room / pairs.max(1) as u64).min(32_767) as i32;
    // Mostly within what is allowed, sometimes at its border.
    let most = match random.usize(..8) {
        0 => most,
        1 => most + 1,
        _ => most / 2,
    };
    let is_extreme = random.bool();
    let mut bytes = Vec::new();
    for _ in 0..blocks {
        for _ in 0..begins {
            let most = if random.usize(..64) == 0 { 31 } else { 24 };
            let bits = random.u32(4..=most);
            let begin = random.i32(..) >> (31 - bits);
            let shift = if random.usize(..512) == 0 { random.i32(0..256) } else { random.i32(0..32) };
            bytes.extend((begin & !255 | shift).to_le_bytes());
        }
        for _ in 0..pairs {
            let weight = match is_extreme {
                true => pick(random, &[most, -most]),
                false => random.i32(-most..=most),
            };
            bytes.extend((weight as i16).to_le_bytes());
        }
    }
    bytes.extend((0..biases).map(|_| random.u8(..)));
    let length = near(random, bytes.len()).min(1 << 17);
    bytes.resize(length, 0);
    bytes
}

/// A layer: its kind, its weights, and numbers from which the rest is made.
struct Made {
    cell: usize,
    units: usize,
    weights: Vec<u8>,
    bias_shift: u8,
    input_shift: u8,
    state: u8,
    pairs: bool,
    tanh: bool,
    limit_bits: u8,
    scalars: [i16; 2],
}

impl Made {
    /// One that reads `width` numbers up to `largest`, and `rows` rows of a folded embedding.
    fn new(random: &mut Rng, (width, largest, rows): (usize, u64, Option<usize>), is_first: bool) -> Self {
        let (cell, units) =
            (random.usize(..4), if random.usize(..32) == 0 { 64 } else { 4 + 4 * random.usize(..3) });
        let most = if is_first { 0 } else { (32_767 / largest.max(1)).max(1).ilog2().min(14) as usize };
        let shift = random.usize(..=most);
        let (input_shift, bias_shift) = (near(random, shift) as u8, random.usize(..15));
        let inputs = width + units;
        let (pairs, state_bits) = (inputs.is_multiple_of(4) && random.bool(), 4 + random.usize(..11));
        let reach = width as u64 * (largest << shift) + ((units as u64) << state_bits);
        let room = (1u64 << 31) * inputs as u64 / reach.max(1);
        let biases = rows.unwrap_or(0) * units;
        let is_sound = random.usize(..16) > 0;
        let (weights, state) = match cell {
            0 => (table(random, (inputs + rows.unwrap_or(1)) * units, 0x83), random.usize(..3)),
            1 => (gated(random, (units / 2, 8, 3 * inputs), 3 * biases, 3 * room), state_bits),
            2 => (gated(random, (units, 4, 2 * inputs), 4 * biases, 2 * room), state_bits),
            _ => (gated(random, (units / 4, 8, 2 * inputs), biases, 2 * room), state_bits),
        };
        Self {
            cell,
            units: near(random, units),
            weights,
            bias_shift: near(random, bias_shift) as u8,
            input_shift,
            state: near(random, state) as u8,
            pairs,
            tanh: pairs && random.bool(),
            limit_bits: near(random, 2) as u8,
            scalars: [0; 2].map(|_| random.i16(-9..).max(if is_sound { 0 } else { -9 })),
        }
    }

    fn layer(&self) -> Layer<'_> {
        let Self { weights, bias_shift, input_shift, state, .. } = self;
        let (units, bias_shift, input_shift, state_bits) =
            (self.units as u32, *bias_shift, *input_shift, *state);
        match self.cell {
            0 => SimpleRnn {
                units,
                activation: if self.tanh { Activation::Tanh } else { Activation::Relu },
                order: if self.pairs { Order::Pairs } else { Order::Columns },
                weights,
                bias_shift,
                state_shift: state_bits,
                input_shift,
            }
            .into(),
            1 => Gru { units, weights, bias_shift, input_shift, state_bits }.into(),
            2 => Lstm { units, weights, bias_shift, input_shift, state_bits }.into(),
            _ => {
                let (limit_bits, [zeta, nu]) = (self.limit_bits, self.scalars);
                FastGrnn { units, weights, bias_shift, input_shift, state_bits, limit_bits, zeta, nu }.into()
            }
        }
    }

    /// The largest magnitude of an output.
    fn largest(&self) -> u64 {
        if self.cell == 0 { 127 } else { 1 << self.state.min(14) }
    }
}

/// A model file of random dimensions. About half of them load.
pub fn random(random: &mut Rng) -> Vec<u8> {
    let slots = pick(random, &[0, 1, 1, 2, 3, 5, 8, 20]);
    let units = match random.usize(..32) {
        0 => 256,
        1 => random.usize(..257),
        _ => 4 + 4 * random.usize(..4),
    };
    let outputs = match random.usize(..64) {
        0 => 256,
        _ => pick(random, &[1, 1, 2, 3, 5]),
    };
    let (width, bits) = (pick(random, &[1, 2, 4, 4, 7, 8, 8, 64]), pick(random, &[4, 8]));
    // What only version 4 has.
    let is_stack = random.bool();
    let pad_row = is_stack && random.usize(..3) == 0;
    let classes = if outputs == 1 { 2 } else { outputs };
    let names = near(random, classes).min(300);
    let labels =
        (0..names).map(|_| pick(random, &["", "a", "yes", "größe", "一"])).collect::<Vec<_>>().join("\n");
    let unknown = pick(random, &[Unknown::Drop, Unknown::Row]);
    let rows = slots + usize::from(unknown == Unknown::Row) + usize::from(pad_row);
    let wide = if random.usize(..4) == 0 { 2 } else { 1 };

    let buckets = pick(random, &[1, 2, 5]);
    let pilots = table(random, 2 * buckets, 0xFF);
    let fingerprints = table(random, wide * slots, 0xFF);
    let folded = random.bool();
    let numbers = table(random, rows * width * bits / 8, 0xFF);
    let (inputs, bias_rows) = if folded { (units, rows) } else { (units + width, 1) };
    let weights = table(random, (inputs + bias_rows) * units, 0xFF);
    let shifts =
        [random.usize(..15), random.usize(..9), random.usize(..9)].map(|shift| near(random, shift) as u8);
    let mut stack: Vec<Made> = Vec::new();
    for place in 0..if is_stack { random.usize(1..=4) } else { 0 } {
        let numbers = if folded {
            (0, 0, Some(rows))
        } else {
            (width, 1 << (bits as u32 - 1 + u32::from(shifts[2] & 15)), None)
        };
        let below = stack.last().map_or(numbers, |layer| (layer.units.min(256), layer.largest(), None));
        stack.push(Made::new(random, below, place == 0));
    }
    let units = stack.last().map_or(units, |layer| layer.units.min(256));
    let (dense, dense_bias) = (table(random, outputs * units, 0xFF), biases(random, outputs));
    let padded = !is_stack && random.usize(..3) == 0 || random.usize(..64) == 0;
    let stored = 1 + random.usize(..4);
    let highest = if random.usize(..32) == 0 { 0xFF } else { 0x7F };
    let states = table(random, stored * units, highest);
    let cycle = random.usize(..stored);
    let windowed = padded || pad_row || random.usize(..3) == 0;
    let maxlen = pick(random, &[1, 2, 3, 5, 31, 40]);
    // Tanh by columns is refused.
    let order = pick(random, &[Order::Columns, Order::Pairs]);
    let tanh = if order == Order::Pairs { random.bool() } else { random.usize(..32) == 0 };

    let text = Text {
        normalization: Normalization {
            unit: pick(
                random,
                &[Unit::Word, Unit::Word, Unit::WordPair, Unit::Character, Unit::CharacterPair],
            ),
            lowercase: pick(random, &[Lowercase::Off, Lowercase::Ascii, Lowercase::Unicode]),
            separators: pick(
                random,
                &[Normalization::KERAS.separators, AsciiSet::new(" "), AsciiSet::new("")],
            ),
        },
        vocabulary: Vocabulary {
            seed: random.u32(..),
            slots: near(random, slots) as u32,
            pilots: &pilots,
            fingerprints: &fingerprints,
        },
        unknown,
        sequence: Sequence {
            maxlen: if windowed { near(random, maxlen) as u32 } else { 0 },
            truncating: if windowed { Truncating::Pre } else { Truncating::Post },
            padding: if pad_row {
                Some(Padding::Row)
            } else {
                padded.then_some(Padding::States(PadStates {
                    states: &states,
                    count: near(random, stored) as u32,
                    cycle: near(random, cycle) as u32,
                }))
            },
        },
        embedding: if folded {
            Embedding::Folded
        } else {
            let table = if bits == 4 { Table::Int4(&numbers) } else { Table::Int8(&numbers) };
            Embedding::Projected { width: near(random, width) as u32, shift: shifts[2], table }
        },
    };
    let rnn = SimpleRnn {
        units: near(random, units) as u32,
        activation: if tanh { Activation::Tanh } else { Activation::Relu },
        order,
        weights: &weights,
        bias_shift: shifts[0],
        state_shift: shifts[1],
        input_shift: 0,
    };
    let layers: Vec<Layer<'_>> = stack.iter().map(Made::layer).collect();
    let contents = Contents {
        labels: &labels,
        input: Input::Text(text),
        layers: Layers::new(&layers).unwrap_or(rnn.into()),
        head: Head::Classes(Dense {
            outputs: near(random, outputs) as u32,
            kernel: &dense,
            bias: &dense_bias,
            scale: pick(random, &[0.001, 1.0, 1e-30, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::NAN, -1.0]),
        }),
    };
    let tables = [&pilots, &fingerprints, &numbers, &weights, &dense, &dense_bias, &states];
    let weights: usize = layers.iter().map(|layer| layer.weights().len()).sum();
    let mut buffer = vec![0; 1024 + labels.len() + tables.map(Vec::len).iter().sum::<usize>() + weights];
    file::encode(&contents, &mut buffer).expect("room for everything").to_vec()
}
