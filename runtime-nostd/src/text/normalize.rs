//! Normalization: how characters become tokens.

use core::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::Error;

/// What a token is, and whether the vocabulary may have pairs of neighbouring tokens.
///
/// With pairs, a token is first looked up together with the one before it, then alone if the vocabulary has no such
/// pair. So `good` after `not` may have a row of its own. It is one step either way. It does not matter whether the
/// token before is in the vocabulary or part of a pair itself. The first token of a text has none before it.
///
/// ```
/// use kilornn::text::{Normalization, Unit};
///
/// assert_eq!(Normalization::KERAS.unit, Unit::Word);
/// assert!(Unit::CharacterPair.is_character() && Unit::CharacterPair.has_pairs());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Unit {
    /// The characters between separators.
    Word,
    /// Every character by itself, separators too (Keras's `char_level=True` applies no filters).
    Character,
    /// Words, and pairs of them.
    WordPair,
    /// Characters, and pairs of them.
    CharacterPair,
}

impl Unit {
    /// Whether every character is a token. See [`Unit`] for an example.
    #[inline]
    #[must_use]
    pub const fn is_character(self) -> bool {
        matches!(self, Self::Character | Self::CharacterPair)
    }

    /// Whether the vocabulary may have pairs of tokens. See [`Unit`] for an example.
    #[inline]
    #[must_use]
    pub const fn has_pairs(self) -> bool {
        matches!(self, Self::WordPair | Self::CharacterPair)
    }
}

/// Which letters are lower-cased.
///
/// Since text is a stream, each character is lower-cased alone, with the tables of the Rust release that built the
/// program. The result differs from Python's `str.lower`, and so from Keras, in two cases:
///
/// - a capital sigma at a word's end becomes `σ`, not the final `ς`;
/// - Python does not change letters that its version of Unicode does not have. Since Unicode 14 (Python 3.11) only these
///   capitals were added:
///
/// | Unicode | capitals |
/// |---|---|
/// | 16 | U+1C89, U+A7CB to U+A7CC, U+A7DA, U+A7DC, U+10D50 to U+10D65 |
/// | 17 | U+A7CE, U+A7D2, U+A7D4, U+16EA0 to U+16EB8 |
///
/// If a host and a device were built by Rust releases with different versions of Unicode (`char::UNICODE_VERSION`), they
/// read these letters differently.
///
/// ```
/// use kilornn::text::Lowercase;
///
/// let mut text = String::new();
/// "ÀÉ".chars().for_each(|c| Lowercase::Ascii.map(c, |c| text.push(c)));
/// assert_eq!(text, "ÀÉ");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Lowercase {
    /// None (Keras's `lower=False`).
    Off,
    /// A to Z.
    Ascii,
    /// Every letter that Unicode maps (needs the `unicode` feature).
    Unicode,
}

impl Lowercase {
    /// Calls `emit` with the lower-case form of `c`, which can be several characters.
    ///
    /// ```
    /// use kilornn::text::Lowercase;
    ///
    /// let mut text = String::new();
    /// Lowercase::Off.map('A', |c| text.push(c));
    /// Lowercase::Ascii.map('A', |c| text.push(c));
    /// assert_eq!(text, "Aa");
    /// # #[cfg(feature = "unicode")] {
    /// Lowercase::Unicode.map('İ', |c| text.push(c));
    /// assert_eq!(text, "Aai\u{307}");
    /// # }
    /// ```
    #[inline]
    pub fn map(self, c: char, mut emit: impl FnMut(char)) {
        match self {
            Lowercase::Off => emit(c),
            Lowercase::Ascii => emit(c.to_ascii_lowercase()),
            // The common case, without the tables.
            Lowercase::Unicode if c.is_ascii() => emit(c.to_ascii_lowercase()),
            #[cfg(feature = "unicode")]
            Lowercase::Unicode => super::lowercase::map(c, emit),
            #[cfg(not(feature = "unicode"))]
            Lowercase::Unicode => emit(c), // `Normalization::check` refused such a model
        }
    }
}

/// A set of ASCII characters: 128 bits, one for each.
///
/// ```
/// use kilornn::text::AsciiSet;
///
/// let set = AsciiSet::new(" ,.");
/// assert!(set.contains(',') && !set.contains('a') && !set.contains('，'));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AsciiSet([u8; 16]);

/// Like the derived implementation, but with a loop instead of sixteen copies of the code for one byte.
impl<'de> Deserialize<'de> for AsciiSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = AsciiSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("sixteen bytes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<AsciiSet, A::Error> {
                let mut set = [0; 16];
                for (index, byte) in set.iter_mut().enumerate() {
                    *byte = bytes.next_element()?.ok_or_else(|| de::Error::invalid_length(index, &self))?;
                }
                Ok(AsciiSet(set))
            }
        }
        deserializer.deserialize_tuple(16, Bytes)
    }
}

impl AsciiSet {
    /// The set of the characters of `members`; those outside ASCII are left out.
    ///
    /// ```
    /// use kilornn::text::AsciiSet;
    ///
    /// assert_eq!(AsciiSet::new("ab"), AsciiSet::new("ba"));
    /// ```
    #[must_use]
    pub const fn new(members: &str) -> Self {
        let bytes = members.as_bytes();
        let mut set = [0; 16];
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] < 128 {
                set[(bytes[i] >> 3) as usize] |= 1 << (bytes[i] & 7);
            }
            i += 1;
        }
        Self(set)
    }

    /// Whether `c` is in the set.
    ///
    /// ```
    /// assert!(kilornn::text::AsciiSet::new("\t").contains('\t'));
    /// ```
    #[inline]
    #[must_use]
    pub fn contains(&self, c: char) -> bool {
        let code = u32::from(c);
        self.0.get((code >> 3) as usize).is_some_and(|bits| bits >> (code & 7) & 1 == 1)
    }

    /// Whether a byte is a character of the set or not ASCII.
    #[inline]
    pub(super) fn contains_or_is_no_ascii(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 3)).is_none_or(|bits| bits >> (byte & 7) & 1 == 1)
    }
}

/// How text becomes words: what Keras's `Tokenizer` calls `char_level`, `lower` and `filters`.
///
/// ```
/// use kilornn::text::{AsciiSet, Lowercase, Normalization, Unit};
///
/// let plain = Normalization { unit: Unit::Word, lowercase: Lowercase::Off, separators: AsciiSet::new(" ") };
/// assert_ne!(plain, Normalization::KERAS);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Normalization {
    /// What a token is.
    pub unit: Unit,
    /// Which letters are lower-cased.
    pub lowercase: Lowercase,
    /// The characters between words, which are part of none (Keras's `filters` and `split`).
    pub separators: AsciiSet,
}

impl Normalization {
    /// The defaults of Keras's `Tokenizer` (`keras/src/legacy/preprocessing/text.py`): apostrophes,
    /// carriage returns and everything outside ASCII are part of words.
    ///
    /// ```
    /// use kilornn::text::Normalization;
    ///
    /// assert!(Normalization::KERAS.separators.contains('-'));
    /// assert!(!Normalization::KERAS.separators.contains('\''));
    /// ```
    pub const KERAS: Self = Self {
        unit: Unit::Word,
        lowercase: Lowercase::Unicode,
        separators: AsciiSet::new(" !\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n"),
    };

    /// Checks that this build has the tables for it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.lowercase == Lowercase::Unicode && !cfg!(feature = "unicode") {
            return Err(Error::UnicodeNeeded);
        }
        Ok(())
    }
}
