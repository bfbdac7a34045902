//! Batches: the encoded texts of one training step, and how they lie in memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::text::PAD;

/// The encoded texts of one step of training or evaluation, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Which examples, by index.
    pub examples: Vec<usize>,
    /// Steps: the longest text's, or the length to which all are padded.
    pub steps: usize,
    /// Distinct ids, in order of first use.
    pub ids: Vec<u32>,
    /// `steps × examples` indices into `ids`; [`Batch::MASKED`] before a text's first step.
    pub tokens: Vec<u32>,
}

impl Batch {
    /// Stands for no word: the state stays zero.
    pub const MASKED: u32 = u32::MAX;

    /// Lays out the texts `examples`. Shorter texts stand at the end, as in Keras's
    /// `pad_sequences(padding="pre")`: behind pads that the network reads if `pad_to` gives a
    /// length, else behind steps that it skips.
    pub fn new(examples: &[usize], texts: &[Vec<u32>], pad_to: Option<usize>) -> Self {
        let longest = examples.iter().map(|&e| texts[e].len()).max().unwrap_or(0);
        let steps = pad_to.unwrap_or(longest);
        let mut ids = Vec::new();
        let mut index_of: HashMap<u32, u32, BuildHasherDefault<IdHasher>> = HashMap::default();
        let mut tokens = vec![Self::MASKED; steps * examples.len()];
        for (column, &example) in examples.iter().enumerate() {
            let text = &texts[example];
            let pads = steps - text.len();
            let padding = pad_to.map_or(0, |_| pads);
            let row = std::iter::repeat_n(PAD, padding).chain(text.iter().copied());
            for (step, id) in (pads - padding..).zip(row) {
                tokens[step * examples.len() + column] = *index_of.entry(id).or_insert_with(|| {
                    ids.push(id);
                    ids.len() as u32 - 1
                });
            }
        }
        Self { examples: examples.to_vec(), steps, ids, tokens }
    }

    /// For a layer that reads the outputs of the one below: each step of each text reads a row of its own, but for masked ones.
    pub(super) fn places(&self) -> Vec<u32> {
        let place = |(place, &token): (usize, &u32)| if token == Self::MASKED { token } else { place as u32 };
        self.tokens.iter().enumerate().map(place).collect()
    }
}

/// Hashes an id by one product. The standard library's hash, which withstands keys chosen to collide, takes as long for the
/// words of a batch as a small network for its products.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, id: u32) {
        // 2^64 divided by the golden ratio. Both ends of a hash are used, and only its upper half depends on all bits.
        let product = (self.0 ^ u64::from(id)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}

/// An order of all examples, cut into batches.
#[derive(Debug, Clone)]
pub struct Batches(Vec<Vec<usize>>);

impl Batches {
    /// Batches in random order. With `bucket_by_length` the texts of a batch are of about equal
    /// length: of every 50 batches' worth of shuffled texts, each batch takes neighbours by length.
    pub fn shuffled(lengths: &[usize], batch: usize, bucket_by_length: bool, rng: &mut ChaCha8Rng) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.shuffle(rng);
        if !bucket_by_length {
            return Self(order.chunks(batch).map(<[_]>::to_vec).collect());
        }
        for pool in order.chunks_mut(50 * batch) {
            pool.sort_by_key(|&example| lengths[example]);
        }
        let mut batches: Vec<_> = order.chunks(batch).map(<[_]>::to_vec).collect();
        batches.shuffle(rng);
        Self(batches)
    }

    /// Batches for evaluation: sorted by length, longest first.
    pub fn by_length(lengths: &[usize], batch: usize) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&example| std::cmp::Reverse(lengths[example]));
        Self(order.chunks(batch).map(<[_]>::to_vec).collect())
    }

    /// The examples of each batch.
    pub fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.0.iter().map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pads_in_front() {
        let texts = [vec![5, 6, 5], vec![7], vec![]];
        let masked = Batch::new(&[0, 1, 2], &texts, None);
        let m = Batch::MASKED;
        assert_eq!((masked.steps, &masked.ids[..]), (3, &[5, 6, 7][..]));
        assert_eq!(masked.tokens, [0, m, m, 1, m, m, 0, 2, m]);
        let padded = Batch::new(&[1, 0], &texts, Some(4));
        assert_eq!((padded.steps, &padded.ids[..]), (4, &[0, 7, 5, 6][..]));
        assert_eq!(padded.tokens, [0, 0, 0, 2, 0, 3, 1, 2]);
    }

    #[test]
    fn every_example_comes_once() {
        let lengths: Vec<usize> = (0..1000).map(|i| i * 7919 % 301).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for bucket in [false, true] {
            let batches = Batches::shuffled(&lengths, 32, bucket, &mut rng);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            assert_ne!(seen, (0..1000).collect::<Vec<_>>(), "not shuffled");
            seen.sort_unstable();
            assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        }
    }
}
