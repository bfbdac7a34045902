//! The parts of a model, in the order in which text flows through them.

use serde::{Deserialize, Serialize};

use crate::layers::{Dense, Embedding, SimpleRnn};
use crate::text::{Normalization, Vocabulary};

/// How words are treated that are not in the vocabulary.
///
/// ```
/// assert_ne!(kilornn::Unknown::Drop, kilornn::Unknown::Row);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Unknown {
    /// They are left out, as Keras's `Tokenizer` does without an `oov_token`.
    Drop,
    /// They share one row of the embedding, the one behind the last slot.
    Row,
}

/// Which end of a text with too many words is cut off (Keras's `truncating`).
///
/// ```
/// assert_ne!(kilornn::Truncating::Pre, kilornn::Truncating::Post);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Truncating {
    /// The beginning: the last [`maxlen`](Sequence::maxlen) words are read, which the classifier must remember.
    Pre,
    /// The end: the first [`maxlen`](Sequence::maxlen) words are read.
    Post,
}

/// Which words of a text are read, and what stands before them (Keras's `pad_sequences`).
///
/// ```
/// use kilornn::{Sequence, Truncating};
///
/// // Read every word of the text, however long; nothing stands in front of it.
/// let all = Sequence { maxlen: 0, truncating: Truncating::Post, padding: None };
/// assert_eq!(all.window(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sequence<'a> {
    /// The number of words that are read at most, up to 65,536; 0 if all are.
    pub maxlen: u32,
    /// Which words of a longer text are read.
    pub truncating: Truncating,
    /// The states after pads, if the model was trained on texts that are padded in front to `maxlen` words.
    #[serde(borrow)]
    pub padding: Option<Padding<'a>>,
}

impl Sequence<'_> {
    /// How many words the classifier must remember before it can take its first step: `maxlen` if the first step depends
    /// on how long the text will be, else 0.
    ///
    /// ```
    /// use kilornn::{Sequence, Truncating};
    ///
    /// let last = Sequence { maxlen: 100, truncating: Truncating::Pre, padding: None };
    /// assert_eq!(last.window(), 100);
    /// let first = Sequence { truncating: Truncating::Post, ..last };
    /// assert_eq!(first.window(), 0);
    /// ```
    #[must_use]
    pub const fn window(&self) -> u32 {
        match (self.truncating, self.padding) {
            (Truncating::Post, None) => 0,
            _ => self.maxlen,
        }
    }
}

/// The hidden states after 0, 1, 2, ... pads, computed at export, so that the device takes no steps for pads.
///
/// Pads stand in front of the text, so that the states after them do not depend on it. Since states are integers, their
/// sequence ends in a cycle, and the exporter stores it up to there.
///
/// ```
/// use kilornn::Padding;
///
/// // Two units; the state comes to rest after two pads.
/// let padding = Padding { states: &[0, 0, 5, 9, 6, 9], count: 3, cycle: 2 };
/// assert_eq!(padding.state(1, 2), Some(&[5, 9][..]));
/// assert_eq!(padding.state(77, 2), Some(&[6, 9][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Padding<'a> {
    /// The states: `count × units` numbers, as `i8`.
    #[serde(borrow)]
    pub states: &'a [u8],
    /// The number of states, at least 1.
    pub count: u32,
    /// The number of the state that follows the last one, less than `count`.
    pub cycle: u32,
}

impl<'a> Padding<'a> {
    /// The state after `pads` pads: `units` numbers, as `i8`; `None` if `states` is too short for it.
    /// See [`Padding`] for an example.
    #[must_use]
    pub fn state(&self, pads: u32, units: u32) -> Option<&'a [u8]> {
        let index = match pads.checked_sub(self.count) {
            None => pads,
            Some(more) => self.cycle + remainder(more, self.count.checked_sub(self.cycle)?)?,
        };
        let start = index.checked_mul(units)? as usize;
        self.states.get(start..start + units as usize)
    }
}

/// `a % n` by shifts, or `None` if `n` is 0. Not every core divides, and code for a division takes 400 bytes.
fn remainder(mut a: u32, n: u32) -> Option<u32> {
    if n == 0 {
        return None;
    }
    for shift in (0..u32::BITS).rev() {
        if a >> shift >= n {
            a -= n << shift;
        }
    }
    Some(a)
}

/// The contents of a `.kilo` file: everything is borrowed from its bytes.
///
/// An exporter fills it in and writes it with [`file::encode`](crate::file::encode). A firmware needs only
/// [`Model`](crate::Model), whose contents have been checked.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// let model = kilornn::Model::from_bytes(BYTES)?;
/// let contents = model.contents();
/// assert_eq!(contents.labels, "negative\npositive");
/// assert_eq!(contents.rnn.units, 32);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Contents<'a> {
    /// The names of the classes, separated by line feeds.
    pub labels: &'a str,
    /// How text becomes words.
    pub normalization: Normalization,
    /// How words become rows of the embedding.
    #[serde(borrow)]
    pub vocabulary: Vocabulary<'a>,
    /// How other words are treated.
    pub unknown: Unknown,
    /// Which words are read.
    #[serde(borrow)]
    pub sequence: Sequence<'a>,
    /// What a row adds to the recurrence.
    #[serde(borrow)]
    pub embedding: Embedding<'a>,
    /// The recurrence.
    #[serde(borrow)]
    pub rnn: SimpleRnn<'a>,
    /// How the last state becomes logits.
    #[serde(borrow)]
    pub dense: Dense<'a>,
}

impl Contents<'_> {
    /// The number of rows of the embedding: one for each slot of the vocabulary, and one more if unknown words have one.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().rows(), model.contents().vocabulary.slots + 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn rows(&self) -> u32 {
        match self.unknown {
            Unknown::Drop => self.vocabulary.slots,
            Unknown::Row => self.vocabulary.slots.saturating_add(1),
        }
    }

    /// The number of inputs of a step: the hidden units and, if the embedding is projected, the numbers of its row. It is
    /// the least `UNITS` of a [`Classifier`](crate::Classifier).
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().inputs(), model.contents().rnn.units);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn inputs(&self) -> u32 {
        self.rnn.units.saturating_add(self.embedding.width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_right() {
        for a in [0, 1, 2, 99, 1 << 31, u32::MAX - 1, u32::MAX] {
            for n in [1, 2, 3, 7, 1 << 16, 1 << 31, u32::MAX] {
                assert_eq!(remainder(a, n), Some(a % n), "{a} % {n}");
            }
        }
        assert_eq!(remainder(5, 0), None);
    }
}
