//! Finds the perfect hash that [`kilornn::text::Vocabulary`] evaluates.

use std::collections::HashSet;

use anyhow::{Result, bail, ensure};
use kilornn::text::{Unit, Vocabulary};

use super::entries::hash;

/// Words in a bucket, on average. More make the pilots' table smaller and the search longer.
const WORDS_PER_BUCKET: usize = 4;

/// Seeds that are tried before slots are added.
const SEEDS: u32 = 4;

/// A perfect hash over a list of words: each word has a slot of its own, in which the device keeps a fingerprint of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerfectHash {
    seed: u32,
    pilots: Vec<u8>,
    fingerprints: Vec<u8>,
    /// The word of each slot, as its place in the order in which they were given; none for an empty slot.
    words: Vec<Option<u32>>,
}

impl PerfectHash {
    /// Searches for it. The result is always the same for the same words. The unit says which of them are pairs.
    ///
    /// A hash has 32 bits, so among hundreds of thousands of words some have the same one under every seed (about nine
    /// pairs of 284,000). The device cannot tell them apart: they share a slot, which is that of the first.
    ///
    /// # Errors
    ///
    /// If words are not distinct, or no perfect hash is found.
    pub fn build(words: &[String], unit: Unit, fingerprint_bytes: usize) -> Result<Self> {
        let distinct: HashSet<&String> = words.iter().collect();
        ensure!(distinct.len() == words.len(), "no perfect hash: {} words are not distinct", words.len());
        let all: Vec<Hashes> = (0..SEEDS).map(|seed| Hashes::new(words, unit, seed)).collect();
        let most = all.iter().map(|hashes| hashes.distinct.len()).max().unwrap_or(0);
        // As many slots as words if it can be had within the pilots' 16 bits, which fails only for
        // tens of thousands of words: then a few slots more, until it can.
        for round in 0..64 {
            let slot_count = most + round * most / 512;
            for hashes in all.iter().filter(|hashes| hashes.distinct.len() == most) {
                if let Some(found) = hashes.search(fingerprint_bytes, slot_count as u32) {
                    return Ok(found);
                }
            }
        }
        bail!("no perfect hash over {} words was found", words.len())
    }

    /// One without words that takes as many bytes in a file as that of so many words will; of tens of thousands of words,
    /// the real one may have a few slots more.
    pub fn stand_in(words: usize, fingerprint_bytes: usize) -> Self {
        Self {
            // The largest that is tried.
            seed: SEEDS - 1,
            pilots: vec![0; 2 * words.div_ceil(WORDS_PER_BUCKET)],
            fingerprints: vec![0; words * fingerprint_bytes],
            words: (0..words as u32).map(Some).collect(),
        }
    }

    /// The word of each slot, as its place in the order in which they were given; none for an empty slot.
    pub fn words(&self) -> &[Option<u32>] {
        &self.words
    }

    /// The word that the device takes an entry of the vocabulary for, as its place in the order in which words were given.
    pub fn word(&self, unit: Unit, entry: &str) -> Option<u32> {
        let slot = self.vocabulary().slot(hash(unit, self.seed, entry))?;
        self.words[slot as usize]
    }

    /// As the model file holds it.
    pub fn vocabulary(&self) -> Vocabulary<'_> {
        Vocabulary {
            seed: self.seed,
            slots: self.words.len() as u32,
            pilots: &self.pilots,
            fingerprints: &self.fingerprints,
        }
    }
}

/// The hashes of words under one seed.
struct Hashes {
    seed: u32,
    /// Of each word.
    of_words: Vec<u32>,
    /// Each of them once, in the order of the words.
    distinct: Vec<u32>,
}

impl Hashes {
    fn new(words: &[String], unit: Unit, seed: u32) -> Self {
        let of_words: Vec<u32> = words.iter().map(|word| hash(unit, seed, word)).collect();
        let mut seen = HashSet::new();
        let distinct = of_words.iter().copied().filter(|&hash| seen.insert(hash)).collect();
        Self { seed, of_words, distinct }
    }

    /// A perfect hash with so many slots, if there is one.
    fn search(&self, fingerprint_bytes: usize, slot_count: u32) -> Option<PerfectHash> {
        let hashes = &self.distinct;
        let bucket_count = hashes.len().div_ceil(WORDS_PER_BUCKET);
        let mut buckets = vec![Vec::new(); bucket_count];
        for &hash in hashes {
            buckets[Vocabulary::bucket(hash, bucket_count as u32) as usize].push(hash);
        }
        // The fullest buckets first, while there is most room.
        let mut order: Vec<usize> = (0..bucket_count).collect();
        order.sort_by_key(|&bucket| (std::cmp::Reverse(buckets[bucket].len()), bucket));

        let mut taken = vec![false; slot_count as usize];
        let mut pilots = vec![0u16; bucket_count];
        let mut places = Vec::new();
        for bucket in order {
            pilots[bucket] = (0..=u16::MAX).find(|&pilot| {
                places.clear();
                buckets[bucket].iter().all(|&hash| {
                    let slot = Vocabulary::position(hash, pilot, slot_count);
                    let free = !taken[slot as usize] && !places.contains(&slot);
                    places.push(slot);
                    free
                })
            })?;
            places.iter().for_each(|&slot| taken[slot as usize] = true);
        }
        let mut words = vec![None; slot_count as usize];
        let mut fingerprints = vec![0; slot_count as usize * fingerprint_bytes];
        // Backwards, so that of words with the same hash the first is kept.
        for (word, &hash) in self.of_words.iter().enumerate().rev() {
            let pilot = pilots[Vocabulary::bucket(hash, bucket_count as u32) as usize];
            let slot = Vocabulary::position(hash, pilot, slot_count) as usize;
            words[slot] = Some(word as u32);
            fingerprints[slot * fingerprint_bytes..][..fingerprint_bytes]
                .copy_from_slice(&hash.to_le_bytes()[..fingerprint_bytes]);
        }
        let pilots = pilots.iter().flat_map(|pilot| pilot.to_le_bytes()).collect();
        Some(PerfectHash { seed: self.seed, pilots, fingerprints, words })
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(vocabulary.slots as usize, n, "no slot is wasted");
            for (index, word) in (0..).zip(words(n)) {
                let slot = vocabulary.slot(WordHash::of(vocabulary.seed, &word)).unwrap();
                assert_eq!(hash.words()[slot as usize], Some(index), "{word} of {n}");
            }
        }
    }

    #[test]
    fn a_stand_in_takes_the_same_bytes() {
        for n in [0, 1, 5, 4000] {
            let (real, other) =
                (PerfectHash::build(&words(n), Unit::Word, 2).unwrap(), PerfectHash::stand_in(n, 2));
            let bytes = |hash: &PerfectHash| (hash.pilots.len(), hash.fingerprints.len(), hash.words.len());
            assert_eq!(bytes(&real), bytes(&other));
        }
    }

    #[test]
    fn a_large_vocabulary_wastes_little() {
        let hash = PerfectHash::build(&words(90_000), Unit::Word, 1).unwrap();
        assert!(hash.vocabulary().slots < 91_000, "{} slots", hash.vocabulary().slots);
    }

    #[test]
    fn words_of_one_hash_share_a_slot() {
        // Among 300,000 hashes of 32 bits, ten pairs of equal ones are expected, whatever the seed. (Numbers behind the
        // same letters have fewer.)
        let all: Vec<String> =
            (0..300_000u64).map(|i| format!("{:x}", i.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        let hash = PerfectHash::build(&all, Unit::Word, 1).unwrap();
        let (vocabulary, mut shared) = (hash.vocabulary(), 0);
        let of = |word: &str| WordHash::of(vocabulary.seed, word);
        for (index, word) in all.iter().enumerate() {
            let slot = vocabulary.slot(of(word)).unwrap();
            let first = hash.words()[slot as usize].unwrap() as usize;
            if first != index {
                assert!(first < index && of(&all[first]) == of(word), "{} stands for {word}", all[first]);
                shared += 1;
            }
        }
        assert!((1..40).contains(&shared), "{shared} share a slot");
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
