//! What a model is made of, in the order in which text flows through it.

use serde::{Deserialize, Serialize};

use crate::layers::{Dense, Embedding, SimpleRnn};
use crate::text::{Normalization, Vocabulary};

/// What becomes of words that are not in the vocabulary.
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

/// Which end of a text that is too long is cut off (Keras's `truncating`).
///
/// ```
/// assert_ne!(kilornn::Truncating::Pre, kilornn::Truncating::Post);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Truncating {
    /// The beginning: the last words count. The classifier must remember as many word ids.
    Pre,
    /// The end: the first words count.
    Post,
}

/// How Keras's `pad_sequences` is reproduced.
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
    /// The most words that count, or 0 if all do.
    pub maxlen: u32,
    /// Which words count in a longer text.
    pub truncating: Truncating,
    /// Present if the model was trained to run over the pads that stand in front of a short text.
    #[serde(borrow)]
    pub padding: Option<Padding<'a>>,
}

impl Sequence<'_> {
    /// How many word ids the classifier must remember before it can take its first step: `maxlen`
    /// where the first step depends on how long the text will be, else none.
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

/// The hidden states after 0, 1, 2, ... pads, so that no step is spent on them.
///
/// Pads stand in front of the text, where the state does not depend on the text yet, and states
/// are integers: the sequence of states is the model's alone and sooner or later runs in a cycle.
/// The exporter stores it up to there.
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
    /// States, one after the other, an `i8` for each unit.
    #[serde(borrow)]
    pub states: &'a [u8],
    /// How many there are.
    pub count: u32,
    /// The state that follows the last one.
    pub cycle: u32,
}

impl<'a> Padding<'a> {
    /// The state of `units` units after `pads` pads. See [`Padding`] for an example.
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

/// `a % n`, by shifts: not every core divides, and those that do not need 400 bytes of code for it.
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

/// Everything that a `.kilo` file holds, as borrowed views into its bytes.
///
/// This is the exporter's side. A firmware sees only [`Model`](crate::Model), which is a
/// `Contents` whose every dimension, index, shift and sum has been proven in range.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../tests/golden/v2-starter.kilo");
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
    /// From bytes to words.
    pub normalization: Normalization,
    /// From words to rows.
    #[serde(borrow)]
    pub vocabulary: Vocabulary<'a>,
    /// What becomes of other words.
    pub unknown: Unknown,
    /// Which words count.
    #[serde(borrow)]
    pub sequence: Sequence<'a>,
    /// From rows to what they add to the recurrence.
    #[serde(borrow)]
    pub embedding: Embedding<'a>,
    /// The recurrence.
    #[serde(borrow)]
    pub rnn: SimpleRnn<'a>,
    /// From the last state to logits.
    #[serde(borrow)]
    pub dense: Dense<'a>,
}

impl Contents<'_> {
    /// Rows of the embedding: one for each slot, and one for unknown words if they have one.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../tests/golden/v2-starter.kilo");
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

    /// Inputs of a step: the hidden units, and the numbers of a row where the embedding is projected. A
    /// [`Classifier`](crate::Classifier) must have room for as many.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../tests/golden/v2-starter.kilo");
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
