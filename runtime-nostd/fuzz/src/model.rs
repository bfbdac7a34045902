//! Model files: a right header and checksum around anything, and contents that are almost right.

use kilornn::layers::{Activation, Dense, Embedding, Order, SimpleRnn, Table};
use kilornn::text::{AsciiSet, Lowercase, Normalization, Unit, Vocabulary};
use kilornn::{Contents, Padding, Sequence, Truncating, Unknown, file};

use crate::random::Random;

/// Gives a file the magic, version, length and checksum that it should have, so that the loader
/// looks at the rest. Too short a file grows.
pub fn seal(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().max(16), 0);
    let end = bytes.len() - 4;
    let length = bytes.len() as u32;
    bytes[..6].copy_from_slice(b"KILO\x02\x00");
    bytes[8..12].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum.to_le_bytes());
}

/// CRC-32 as in zip: a second implementation beside the runtime's.
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

/// A number that is often exactly right, sometimes beside it, and rarely absurd.
fn near(random: &mut Random, right: usize) -> usize {
    match random.below(64) {
        0 => right.wrapping_add(1),
        1 => right.saturating_sub(1),
        2 => {
            random.pick(&[0, 1, 127, 128, 255, 256, 257, 1 << 16, 1 << 24, (1 << 24) + 1, u32::MAX as usize])
        }
        _ => right,
    }
}

/// So many bytes, or not quite, with values that lie at the borders or anywhere.
fn table(random: &mut Random, right: usize, highest: u8) -> Vec<u8> {
    let length = near(random, right).min(1 << 17);
    match random.below(4) {
        0 => vec![random.pick(&[0, 1, 0x7F, 0x80, 0xFF]) & highest; length],
        _ => random.bytes(length).into_iter().map(|byte| byte & highest).collect(),
    }
}

/// As [`table`], of 32-bit integers that are small or lie at the borders of what is allowed.
fn biases(random: &mut Random, count: usize) -> Vec<u8> {
    let length = near(random, 4 * count).min(1 << 12);
    let mut bytes = Vec::with_capacity(length + 3);
    while bytes.len() < length {
        let value = match random.below(16) {
            0 => i32::MAX - random.below(1 << 23) as i32,
            1 => i32::MIN + random.below(1 << 23) as i32,
            2 => 1 << random.below(31),
            _ => random.bits() as i16 as i32,
        };
        bytes.extend(value.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A model file of random dimensions. About half of them load.
pub fn random(random: &mut Random) -> Vec<u8> {
    let slots = random.pick(&[0, 1, 1, 2, 3, 5, 8, 20]);
    let units = match random.below(32) {
        0 => 256,
        1 => random.below(257),
        _ => 4 + 4 * random.below(4),
    };
    let outputs = match random.below(64) {
        0 => 256,
        _ => random.pick(&[1, 1, 2, 3, 5]),
    };
    let (width, bits) = (random.pick(&[1, 2, 4, 4, 7, 8, 8, 64]), random.pick(&[4, 8]));
    let classes = if outputs == 1 { 2 } else { outputs };
    let names = near(random, classes).min(300);
    let labels =
        (0..names).map(|_| random.pick(&["", "a", "yes", "größe", "一"])).collect::<Vec<_>>().join("\n");
    let unknown = random.pick(&[Unknown::Drop, Unknown::Row]);
    let rows = slots + usize::from(unknown == Unknown::Row);
    let wide = if random.once_in(4) { 2 } else { 1 };

    let buckets = random.pick(&[1, 2, 5]);
    let pilots = table(random, 2 * buckets, 0xFF);
    let fingerprints = table(random, wide * slots, 0xFF);
    let folded = random.once_in(2);
    let numbers = table(random, rows * width * bits / 8, 0xFF);
    let (inputs, bias_rows) = if folded { (units, rows) } else { (units + width, 1) };
    let weights = table(random, (inputs + bias_rows) * units, 0xFF);
    let (dense, dense_bias) = (table(random, outputs * units, 0xFF), biases(random, outputs));
    let padded = random.once_in(3);
    let stored = 1 + random.below(4);
    let highest = if random.once_in(32) { 0xFF } else { 0x7F };
    let states = table(random, stored * units, highest);
    let cycle = random.below(stored);
    let windowed = padded || random.once_in(3);
    let maxlen = random.pick(&[1, 2, 3, 5, 31, 40]);
    let shifts = [random.below(15), random.below(9), random.below(9)].map(|shift| near(random, shift) as u8);
    // Tanh by columns is refused.
    let order = random.pick(&[Order::Columns, Order::Pairs]);
    let tanh = if order == Order::Pairs { random.once_in(2) } else { random.once_in(32) };

    let contents = Contents {
        labels: &labels,
        normalization: Normalization {
            unit: random.pick(&[
                Unit::Word,
                Unit::Word,
                Unit::WordPair,
                Unit::Character,
                Unit::CharacterPair,
            ]),
            lowercase: random.pick(&[Lowercase::Off, Lowercase::Ascii, Lowercase::Unicode]),
            separators: random.pick(&[
                Normalization::KERAS.separators,
                AsciiSet::new(" "),
                AsciiSet::new(""),
            ]),
        },
        vocabulary: Vocabulary {
            seed: random.bits() as u32,
            slots: near(random, slots) as u32,
            pilots: &pilots,
            fingerprints: &fingerprints,
        },
        unknown,
        sequence: Sequence {
            maxlen: if windowed { near(random, maxlen) as u32 } else { 0 },
            truncating: if windowed { Truncating::Pre } else { Truncating::Post },
            padding: padded.then_some(Padding {
                states: &states,
                count: near(random, stored) as u32,
                cycle: near(random, cycle) as u32,
            }),
        },
        embedding: if folded {
            Embedding::Folded
        } else {
            let table = if bits == 4 { Table::Int4(&numbers) } else { Table::Int8(&numbers) };
            Embedding::Projected { width: near(random, width) as u32, shift: shifts[2], table }
        },
        rnn: SimpleRnn {
            units: near(random, units) as u32,
            activation: if tanh { Activation::Tanh } else { Activation::Relu },
            order,
            weights: &weights,
            bias_shift: shifts[0],
            state_shift: shifts[1],
        },
        dense: Dense {
            outputs: near(random, outputs) as u32,
            kernel: &dense,
            bias: &dense_bias,
            scale: random.pick(&[0.001, 1.0, 1e-30, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::NAN, -1.0]),
        },
    };
    let tables = [&pilots, &fingerprints, &numbers, &weights, &dense, &dense_bias, &states];
    let mut buffer = vec![0; 1024 + labels.len() + tables.map(Vec::len).iter().sum::<usize>()];
    file::encode(&contents, &mut buffer).expect("room for everything").to_vec()
}
