//! Model files: a right header and checksum for any bytes, and random contents of which many are valid.

use kilornn::layers::{Activation, Dense, Embedding, Order, SimpleRnn, Table};
use kilornn::text::{AsciiSet, Lowercase, Normalization, Unit, Vocabulary};
use kilornn::{Contents, Padding, Sequence, Truncating, Unknown, file};

use fastrand::Rng;

use crate::pick;

/// Gives a file the right magic, version, length and checksum, so that the loader looks at the rest. A file that is too
/// short for them becomes longer.
pub fn seal(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().max(16), 0);
    let end = bytes.len() - 4;
    let length = bytes.len() as u32;
    bytes[..6].copy_from_slice(b"KILO\x02\x00");
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
    let classes = if outputs == 1 { 2 } else { outputs };
    let names = near(random, classes).min(300);
    let labels =
        (0..names).map(|_| pick(random, &["", "a", "yes", "größe", "一"])).collect::<Vec<_>>().join("\n");
    let unknown = pick(random, &[Unknown::Drop, Unknown::Row]);
    let rows = slots + usize::from(unknown == Unknown::Row);
    let wide = if random.usize(..4) == 0 { 2 } else { 1 };

    let buckets = pick(random, &[1, 2, 5]);
    let pilots = table(random, 2 * buckets, 0xFF);
    let fingerprints = table(random, wide * slots, 0xFF);
    let folded = random.bool();
    let numbers = table(random, rows * width * bits / 8, 0xFF);
    let (inputs, bias_rows) = if folded { (units, rows) } else { (units + width, 1) };
    let weights = table(random, (inputs + bias_rows) * units, 0xFF);
    let (dense, dense_bias) = (table(random, outputs * units, 0xFF), biases(random, outputs));
    let padded = random.usize(..3) == 0;
    let stored = 1 + random.usize(..4);
    let highest = if random.usize(..32) == 0 { 0xFF } else { 0x7F };
    let states = table(random, stored * units, highest);
    let cycle = random.usize(..stored);
    let windowed = padded || random.usize(..3) == 0;
    let maxlen = pick(random, &[1, 2, 3, 5, 31, 40]);
    let shifts =
        [random.usize(..15), random.usize(..9), random.usize(..9)].map(|shift| near(random, shift) as u8);
    // Tanh by columns is refused.
    let order = pick(random, &[Order::Columns, Order::Pairs]);
    let tanh = if order == Order::Pairs { random.bool() } else { random.usize(..32) == 0 };

    let contents = Contents {
        labels: &labels,
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
            scale: pick(random, &[0.001, 1.0, 1e-30, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::NAN, -1.0]),
        },
    };
    let tables = [&pilots, &fingerprints, &numbers, &weights, &dense, &dense_bias, &states];
    let mut buffer = vec![0; 1024 + labels.len() + tables.map(Vec::len).iter().sum::<usize>()];
    file::encode(&contents, &mut buffer).expect("room for everything").to_vec()
}
