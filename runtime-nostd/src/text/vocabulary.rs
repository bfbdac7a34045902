//! The vocabulary: a perfect hash from words to rows of the embedding, which is read where it is in flash.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::check::{at_least_one, at_most, exactly};

/// A 32-bit hash of a word, computed character by character, so that no text is kept: FNV-1a of its UTF-8 bytes, then
/// the finalizer of MurmurHash3, since the last bytes change only some bits of FNV-1a.
///
/// ```
/// use kilornn::text::WordHash;
///
/// let mut hash = WordHash::new(7);
/// "film".chars().for_each(|c| hash.char(c));
/// assert_eq!(hash.finish(), WordHash::of(7, "film"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WordHash(u32);

const FNV_OFFSET: u32 = 0x811C_9DC5;
const FNV_PRIME: u32 = 0x0100_0193;

impl WordHash {
    /// The hash of no characters yet, of the hash function that `seed` chooses.
    ///
    /// ```
    /// use kilornn::text::WordHash;
    ///
    /// assert_ne!(WordHash::new(1).finish(), WordHash::new(2).finish());
    /// ```
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        Self(FNV_OFFSET ^ seed)
    }

    /// Takes the next character of the word.
    ///
    /// ```
    /// use kilornn::text::WordHash;
    ///
    /// let mut hash = WordHash::new(0);
    /// hash.char('é');
    /// assert_eq!(hash.finish(), WordHash::of(0, "é"));
    /// ```
    #[inline]
    pub fn char(&mut self, c: char) {
        for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
            self.byte(byte);
        }
    }

    /// Takes the next byte of the word's UTF-8.
    ///
    /// ```
    /// use kilornn::text::WordHash;
    ///
    /// let mut hash = WordHash::new(0);
    /// "é".bytes().for_each(|byte| hash.byte(byte));
    /// assert_eq!(hash.finish(), WordHash::of(0, "é"));
    /// ```
    #[inline]
    pub const fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ byte as u32).wrapping_mul(FNV_PRIME);
    }

    /// The hash of the characters so far.
    ///
    /// ```
    /// assert_ne!(kilornn::text::WordHash::of(0, "ab"), kilornn::text::WordHash::of(0, "ba"));
    /// ```
    #[must_use]
    pub const fn finish(self) -> u32 {
        mix(self.0)
    }

    /// The hash of a whole word.
    ///
    /// ```
    /// use kilornn::text::WordHash;
    ///
    /// assert_eq!(WordHash::of(3, ""), WordHash::new(3).finish());
    /// ```
    #[must_use]
    pub fn of(seed: u32, word: &str) -> u32 {
        let mut hash = Self::new(seed);
        word.chars().for_each(|c| hash.char(c));
        hash.finish()
    }

    /// The hash of two neighbouring tokens, given those of each.
    ///
    /// ```
    /// use kilornn::text::WordHash;
    ///
    /// let [not, good] = ["not", "good"].map(|word| WordHash::of(0, word));
    /// assert_ne!(WordHash::pair(not, good), WordHash::pair(good, not));
    /// ```
    #[must_use]
    pub const fn pair(before: u32, word: u32) -> u32 {
        mix(before.rotate_left(16) ^ word)
    }
}

/// MurmurHash3's 32-bit finalizer: every input bit reaches every output bit.
const fn mix(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x85EB_CA6B);
    h ^= h >> 13;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

/// Maps a hash evenly to `0..n` without a division (Lemire, "Fast random integer generation in an interval", 2019).
const fn reduce(hash: u32, n: u32) -> u32 {
    ((hash as u64 * n as u64) >> 32) as u32
}

/// A perfect hash like PTHash (Pibiri and Trani, SIGIR 2021). The hash of a word chooses a bucket. The bucket has a
/// *pilot*: a number, found at export, with which the hashes of its words lead to slots that no other word has.
///
/// The hash of a word that is not in the vocabulary also leads to some slot. A fingerprint of 8 or 16 bits tells it from
/// the slot's word; of such words, one in 256 or in 65,536 has the same fingerprint and is taken for the slot's word.
///
/// The rows of the embedding are in the order of the slots, so that no table from hashes to rows is needed. With one
/// slot for each word, one pilot for four words and 8-bit fingerprints, the vocabulary takes 1.5 bytes for each word.
///
/// ```
/// use kilornn::text::{Vocabulary, WordHash};
///
/// // One word, one bucket, one slot: any pilot will do.
/// let hash = WordHash::of(0, "film");
/// let fingerprint = [hash as u8];
/// let vocabulary = Vocabulary { seed: 0, slots: 1, pilots: &[0, 0], fingerprints: &fingerprint };
/// assert_eq!(vocabulary.slot(hash), Some(0));
/// assert_eq!(vocabulary.slot(WordHash::of(0, "unheard-of")), None);
/// ```
///
/// An entry of the vocabulary is a word or, if [`Unit::has_pairs`](super::Unit::has_pairs), a pair of neighbouring words,
/// whose hash is [`WordHash::pair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Vocabulary<'a> {
    /// The seed of the words' hashes ([`WordHash::new`]).
    pub seed: u32,
    /// The number of slots, at most 2^24. Some may be empty.
    pub slots: u32,
    /// The pilots: a little-endian `u16` for each bucket.
    #[serde(borrow)]
    pub pilots: &'a [u8],
    /// The fingerprints: one or two bytes for each slot, little-endian, with the low bits of the hash of its word.
    pub fingerprints: &'a [u8],
}

impl Vocabulary<'_> {
    /// The bucket for a hash: a number less than `buckets`.
    ///
    /// ```
    /// use kilornn::text::Vocabulary;
    ///
    /// assert_eq!(Vocabulary::bucket(u32::MAX, 10), 9);
    /// ```
    #[must_use]
    pub const fn bucket(hash: u32, buckets: u32) -> u32 {
        reduce(hash, buckets)
    }

    /// The slot for a hash and the pilot of its bucket: a number less than `slots`.
    ///
    /// ```
    /// use kilornn::text::Vocabulary;
    ///
    /// assert!(Vocabulary::position(0xDEAD_BEEF, 3, 100) < 100);
    /// ```
    #[must_use]
    pub const fn position(hash: u32, pilot: u16, slots: u32) -> u32 {
        reduce(mix(hash ^ (pilot as u32).wrapping_mul(0x9E37_79B9)), slots)
    }

    /// The slot of the word with this hash, or `None` if the vocabulary does not have it.
    /// See [`Vocabulary`] for an example.
    #[inline]
    #[must_use]
    pub fn slot(&self, hash: u32) -> Option<u32> {
        let (pilots, _) = self.pilots.as_chunks::<2>();
        let bucket = Self::bucket(hash, pilots.len() as u32);
        let pilot = u16::from_le_bytes(*pilots.get(bucket as usize)?);
        let slot = Self::position(hash, pilot, self.slots);
        let known = if self.wide_fingerprints() {
            let (fingerprints, _) = self.fingerprints.as_chunks::<2>();
            u16::from_le_bytes(*fingerprints.get(slot as usize)?) == hash as u16
        } else {
            *self.fingerprints.get(slot as usize)? == hash as u8
        };
        known.then_some(slot)
    }

    /// Whether fingerprints have 16 bits.
    fn wide_fingerprints(&self) -> bool {
        self.fingerprints.len() > self.slots as usize
    }

    /// Checks that every bucket has a pilot and every slot a fingerprint.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let per_slot = if self.wide_fingerprints() { 2 } else { 1 };
        at_most("slots (at most)", 1 << 24, self.slots as usize)?;
        exactly("bytes of fingerprints", per_slot * self.slots as usize, self.fingerprints.len())?;
        exactly("pilot bytes, modulo 2,", 0, self.pilots.len() % 2)?;
        if self.slots > 0 {
            at_least_one("pilots", self.pilots.len() / 2)?;
        }
        Ok(())
    }
}
