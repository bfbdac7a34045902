//! Finds the perfect hash that [`kilornn::text::Vocabulary`] evaluates.

use anyhow::{Result, bail};
use kilornn::text::{Unit, Vocabulary};

use crate::text::hash;

/// Words in a bucket, on average. More make the pilots' table smaller and the search longer.
const WORDS_PER_BUCKET: usize = 4;

/// Seeds that are tried before slots are added.
const SEEDS: u32 = 4;

/// A perfect hash over a list of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerfectHash {
    seed: u32,
    pilots: Vec<u8>,
    fingerprints: Vec<u8>,
    /// The slot of each word, in the order in which they were given.
    slots: Vec<u32>,
    slot_count: u32,
}

impl PerfectHash {
    /// Searches for it. Words must be distinct; the result is always the same for the same words. The unit says which of
    /// them are pairs.
    pub fn build(words: &[String], unit: Unit, fingerprint_bytes: usize) -> Result<Self> {
        // As many slots as words if it can be had within the pilots' 16 bits, which fails only for
        // tens of thousands of words: then a few slots more, until it can.
        for round in 0..64 {
            let slot_count = words.len() + round * words.len() / 512;
            for seed in 0..SEEDS {
                if let Some(found) = Self::search(words, unit, fingerprint_bytes, seed, slot_count as u32) {
                    return Ok(found);
                }
            }
        }
        bail!("no perfect hash over {} words was found: are they distinct?", words.len())
    }

    fn search(
        words: &[String],
        unit: Unit,
        fingerprint_bytes: usize,
        seed: u32,
        slot_count: u32,
    ) -> Option<Self> {
        let hashes: Vec<u32> = words.iter().map(|word| hash(unit, seed, word)).collect();
        let bucket_count = words.len().div_ceil(WORDS_PER_BUCKET);
        let mut buckets = vec![Vec::new(); bucket_count];
        for (word, &hash) in hashes.iter().enumerate() {
            buckets[Vocabulary::bucket(hash, bucket_count as u32) as usize].push(word);
        }
        // The fullest buckets first, while there is most room.
        let mut order: Vec<usize> = (0..bucket_count).collect();
        order.sort_by_key(|&bucket| (std::cmp::Reverse(buckets[bucket].len()), bucket));

        let mut taken = vec![false; slot_count as usize];
        let mut slots = vec![0; words.len()];
        let mut pilots = vec![0u16; bucket_count];
        let mut places = Vec::new();
        for bucket in order {
            let members = &buckets[bucket];
            pilots[bucket] = (0..=u16::MAX).find(|&pilot| {
                places.clear();
                members.iter().all(|&word| {
                    let slot = Vocabulary::position(hashes[word], pilot, slot_count);
                    let free = !taken[slot as usize] && !places.contains(&slot);
                    places.push(slot);
                    free
                })
            })?;
            for (&word, &slot) in members.iter().zip(&places) {
                taken[slot as usize] = true;
                slots[word] = slot;
            }
        }
        let mut fingerprints = vec![0; slot_count as usize * fingerprint_bytes];
        for (&hash, &slot) in hashes.iter().zip(&slots) {
            let bytes = hash.to_le_bytes();
            fingerprints[slot as usize * fingerprint_bytes..][..fingerprint_bytes]
                .copy_from_slice(&bytes[..fingerprint_bytes]);
        }
        let pilots = pilots.iter().flat_map(|pilot| pilot.to_le_bytes()).collect();
        Some(Self { seed, pilots, fingerprints, slots, slot_count })
    }

    /// One of no word in particular that takes as many bytes as one of so many words: most exactly, but that tens of
    /// thousands of words may need a few slots more.
    pub fn stand_in(words: usize, fingerprint_bytes: usize) -> Self {
        Self {
            // The largest that is tried.
            seed: SEEDS - 1,
            pilots: vec![0; 2 * words.div_ceil(WORDS_PER_BUCKET)],
            fingerprints: vec![0; words * fingerprint_bytes],
            slots: (0..words as u32).collect(),
            slot_count: words as u32,
        }
    }

    /// The slot of each word, in the order in which they were given.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// As the model file holds it.
    pub fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary {
            seed: self.seed,
            slots: self.slot_count,
            pilots: &self.pilots,
            fingerprints: &self.fingerprints,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kilornn::text::WordHash;

    use super::*;

    fn words(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("word{i}")).collect()
    }

    #[test]
    fn every_word_has_a_slot_of_its_own() {
        for n in [0, 1, 2, 3, 7, 100, 4000] {
            let hash = PerfectHash::build(&words(n), Unit::Word, 1).unwrap();
            let vocabulary = hash.vocabulary();
            let distinct: HashSet<u32> = hash.slots().iter().copied().collect();
            assert_eq!(distinct.len(), n);
            assert_eq!(vocabulary.slots as usize, n, "no slot is wasted");
            for (word, &slot) in words(n).iter().zip(hash.slots()) {
                assert_eq!(vocabulary.slot(WordHash::of(vocabulary.seed, word)), Some(slot), "{word} of {n}");
            }
        }
    }

    #[test]
    fn a_stand_in_takes_the_same_bytes() {
        for n in [0, 1, 5, 4000] {
            let (real, other) =
                (PerfectHash::build(&words(n), Unit::Word, 2).unwrap(), PerfectHash::stand_in(n, 2));
            let bytes = |hash: &PerfectHash| (hash.pilots.len(), hash.fingerprints.len(), hash.slots.len());
            assert_eq!((bytes(&real), real.slot_count), (bytes(&other), other.slot_count));
        }
    }

    #[test]
    fn a_large_vocabulary_wastes_little() {
        let hash = PerfectHash::build(&words(90_000), Unit::Word, 1).unwrap();
        assert!(hash.vocabulary().slots < 91_000, "{} slots", hash.vocabulary().slots);
    }

    #[test]
    fn unknown_words_are_mistaken_as_often_as_fingerprints_say() {
        let mistaken = |fingerprint_bytes| {
            let hash = PerfectHash::build(&words(2000), Unit::Word, fingerprint_bytes).unwrap();
            let vocabulary = hash.vocabulary();
            let unknown = (0..100_000).map(|i| format!("unknown{i}"));
            unknown.filter(|word| vocabulary.slot(WordHash::of(vocabulary.seed, word)).is_some()).count()
        };
        let (narrow, wide) = (mistaken(1), mistaken(2));
        assert!((300..500).contains(&narrow), "{narrow} of 100,000; 391 expected");
        assert!(wide < 10, "{wide} of 100,000; 1.5 expected");
    }

    #[test]
    fn repeated_words_are_refused() {
        let mut repeated = words(10);
        repeated[3] = repeated[4].clone();
        assert!(PerfectHash::build(&repeated, Unit::Word, 1).is_err());
    }
}
