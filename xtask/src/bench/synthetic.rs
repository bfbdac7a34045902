//! Models without a meaning, whose states have as many zeros as is asked for.

use anyhow::{Result, anyhow};
use kilornn::layers::{Dense, Embedding, SimpleRnn, State};
use kilornn::text::{Normalization, Vocabulary};
use kilornn::{Contents, Model, Sequence, Truncating, Unknown, file};

/// What the model is like.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Embedding and hidden units, as the peers in the project's table are named. The table is
    /// folded, so the width of the embedding leaves no trace on the device.
    pub(super) name: &'static str,
    pub(super) units: usize,
    /// Rows of the table: words, and one for all unknown words.
    pub(super) rows: usize,
}

impl Shape {
    /// The model file. In the state after every word `zeros` percent of the units are zero: each word drives that
    /// many of them far below zero and the others far above, farther than the recurrent product reaches.
    pub(super) fn model(&self, zeros: u32) -> Vec<u8> {
        const SHIFT: u8 = 11;
        let Self { units, rows, .. } = *self;
        let mut random = Random(1);
        // Where the share is no whole number of units, some words close one more than others.
        let closed =
            |row: usize| units * zeros as usize * (row + 1) / 100 - units * zeros as usize * row / 100;
        let mut table = Vec::with_capacity(rows * units);
        for row in 0..rows {
            let closed = closed(row);
            let mut order: Vec<usize> = (0..units).collect();
            // Fisher and Yates.
            for last in (1..units).rev() {
                order.swap(last, random.below(last + 1));
            }
            let mut inputs = vec![0u8; units];
            for (place, &unit) in order.iter().enumerate() {
                let strength = 64 + random.below(64) as i8;
                inputs[unit] = if place < closed { -strength } else { strength } as u8;
            }
            table.extend(inputs);
        }
        // At most 8 in magnitude: 100 units of 127 give 101,600, less than 64 << 11.
        let small = |random: &mut Random| (random.below(15) as i8 - 7) as u8;
        let kernel: Vec<u8> = (0..units.next_multiple_of(4) * units).map(|_| small(&mut random)).collect();
        let shifts = [SHIFT, SHIFT];
        self.file(&table, &kernel, shifts, &mut random)
    }

    /// A model of any bytes: weights from end to end of their range, extremes above all, shifts that let states
    /// saturate or die, and inputs of which a share that depends on `seed` closes its unit.
    pub(super) fn wild(&self, seed: u32) -> Vec<u8> {
        let Self { units, rows, .. } = *self;
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9) | 1);
        let closed = random.below(256);
        let mut byte = |low: usize| match random.below(256) {
            choice if choice < low => 0x80,
            choice if choice < low + 32 => 0x7F,
            _ => random.below(256) as u8,
        };
        let table: Vec<u8> = (0..rows * units).map(|_| byte(closed)).collect();
        let kernel: Vec<u8> = (0..units.next_multiple_of(4) * units).map(|_| byte(32)).collect();
        let shifts = [random.below(17) as u8, random.below(25) as u8];
        self.file(&table, &kernel, shifts, &mut random)
    }

    fn file(
        &self,
        table: &[u8],
        kernel: &[u8],
        [input_shift, output_shift]: [u8; 2],
        random: &mut Random,
    ) -> Vec<u8> {
        let Self { units, rows, .. } = *self;
        let small = |random: &mut Random| (random.below(15) as i8 - 7) as u8;
        let dense: Vec<u8> = (0..units).map(|_| small(random)).collect();
        let contents = Contents {
            labels: "negative\npositive",
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
            embedding: Embedding::Folded { table },
            rnn: SimpleRnn { units: units as u32, kernel, input_shift, recurrent_shift: 0, output_shift },
            dense: Dense { outputs: 1, kernel: &dense, bias: &[0; 4], scale: 0.001 },
        };
        let mut buffer = vec![0; rows * (units + 2) + kernel.len() + 4096];
        file::encode(&contents, &mut buffer).map(|file| file.to_vec()).unwrap_or_default()
    }
}

/// The hash of the states through which the bench (`firmware-example/src/bench/main.rs`) takes a model, by the
/// host's runtime.
pub(super) fn states(model: &[u8]) -> Result<u32> {
    let model = Model::from_bytes(model).map_err(|error| anyhow!("the model is refused: {error}"))?;
    let contents = model.contents();
    let mut state = State::<256>::zero(contents.rnn.units as usize);
    let (mut row, mut hash) = (0, 0x811C_9DC5u32);
    for _ in 0..128 {
        row += 37;
        if row >= contents.rows() {
            row = row.saturating_sub(contents.rows());
        }
        contents.rnn.step(&contents.embedding, row, &mut state);
        hash = state
            .values()
            .iter()
            .fold(hash, |hash, &h| (hash ^ u32::from(h as u8)).wrapping_mul(0x0100_0193));
    }
    Ok(hash)
}

/// Marsaglia's xorshift: the same numbers in every run.
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
        for units in [16, 32, 100] {
            let shape = Shape { name: "", units, rows: 200 };
            for percent in [0, 50, 70, 90] {
                let file = shape.model(percent);
                let model = Model::from_bytes(&file).unwrap();
                let mut state = State::<128>::zero(units);
                let mut all = 0;
                for row in 0..200 {
                    model.contents().rnn.step(&model.contents().embedding, row, &mut state);
                    let zeros = state.values().iter().filter(|&&h| h == 0).count();
                    assert!((100 * zeros).abs_diff(units * percent as usize) < 100);
                    all += zeros;
                }
                assert_eq!(all, 2 * units * percent as usize);
            }
        }
    }
}
