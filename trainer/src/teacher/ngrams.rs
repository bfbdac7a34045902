//! Texts as sparse vectors of their word n-grams.

use kilornn::text::Normalization;
use rayon::prelude::*;

use crate::text::for_each_word;

/// Different numbers that an n-gram can have. Rare ones share a number now and then, which costs a linear model little
/// (Weinberger et al. 2009, "Feature hashing for large scale multitask learning").
pub(super) const SLOTS: usize = 1 << 22;

/// For each text, how often each of its n-grams occurs.
#[derive(Debug, Clone)]
pub(super) struct NgramCounts {
    texts: Vec<Vec<(u32, f32)>>,
    /// Numbers that occur in any text.
    used: usize,
}

impl NgramCounts {
    /// Counts n-grams of up to `longest` words, on all cores.
    pub(super) fn of(texts: &[&str], normalization: Normalization, longest: usize) -> Self {
        let mut texts: Vec<_> = texts.par_iter().map(|text| count(text, normalization, longest)).collect();
        // A model has a weight for each number, and there is a model for each class: numbers without a gap make them as
        // small as the texts allow. Their order is kept.
        let mut places = vec![0_u32; SLOTS];
        texts.iter().flatten().for_each(|&(number, _)| places[number as usize] = 1);
        let mut used = 0;
        for place in &mut places {
            let is_used = std::mem::replace(place, used);
            used += is_used;
        }
        texts.par_iter_mut().flatten().for_each(|(number, _)| *number = places[*number as usize]);
        Self { texts, used: used as usize }
    }

    /// Texts.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// N-grams of all texts have numbers below this.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// A text's n-grams, by rising number.
    pub(super) fn text(&self, index: usize) -> &[(u32, f32)] {
        &self.texts[index]
    }
}

fn count(text: &str, normalization: Normalization, longest: usize) -> Vec<(u32, f32)> {
    let mut words = Vec::new();
    for_each_word(normalization, text, |word| words.push(hash(word.as_bytes())));
    let mut numbers = Vec::with_capacity(words.len() * longest);
    for first in 0..words.len() {
        let mut gram = 0;
        for &word in words[first..].iter().take(longest) {
            gram = mix(gram ^ word);
            numbers.push((gram >> 42) as u32);
        }
    }
    numbers.sort_unstable();
    numbers.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f32)).collect()
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Makes every bit depend on every other (the last steps of MurmurHash3).
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gap_and_are_shared_between_texts() {
        let counts = NgramCounts::of(&["a b", "b c", ""], Normalization::KERAS, 1);
        assert_eq!((counts.len(), counts.used()), (3, 3));
        let numbers = |text| counts.text(text).iter().map(|&(number, _)| number).collect::<Vec<_>>();
        let mut all = [numbers(0), numbers(1)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all, numbers(2)), (vec![0, 1, 2], vec![]));
    }

    #[test]
    fn counts_words_and_their_neighbours() {
        let of = |text: &str, longest| count(text, Normalization::KERAS, longest);
        // a, b; a b, b a; nothing else.
        assert_eq!(of("a b a", 2).len(), 4);
        assert_eq!(of("a b a", 1).iter().map(|(_, count)| count).sum::<f32>(), 3.0);
        assert_eq!(of("a b a", 9).iter().map(|(_, count)| count).sum::<f32>(), 6.0);
        assert_eq!(of("", 3), []);
        // Order matters, and the tokenizer is the device's.
        assert_ne!(of("a b", 2), of("b a", 2));
        assert_eq!(of("A, b!", 3), of("a b", 3));
        assert!(of("so many words", 3).iter().all(|&(number, _)| (number as usize) < SLOTS));
    }
}
