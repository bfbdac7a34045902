//! The parts of a model, in the order in which text flows through them.

use serde::{Deserialize, Serialize};

use crate::layers::{Dense, Embedding, Layer, Layers};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sequence<'a> {
    /// The number of words that are read at most, up to 65,536; 0 if all are.
    pub maxlen: u32,
    /// Which words of a longer text are read.
    pub truncating: Truncating,
    /// The pads, if the model was trained on texts that are padded in front to `maxlen` words.
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

/// How a model treats the pads in front of a text.
///
/// ```
/// use kilornn::{PadStates, Padding};
///
/// let padding = Padding::States(PadStates { states: &[0, 0, 5, 9], count: 2, cycle: 1 });
/// assert_eq!(padding.states().and_then(|states| states.state(1, 2)), Some(&[5, 9][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Padding<'a> {
    /// The device takes no steps for pads: the states after them are in the file. Only for a network of one
    /// [`SimpleRnn`](crate::layers::SimpleRnn).
    States(PadStates<'a>),
    /// The device takes a step for each pad, with the last row of the embedding.
    /// Needs the feature of a cell with gates.
    #[cfg(kilornn_gates)]
    Row,
}

impl<'a> Padding<'a> {
    /// The states after pads, if they are in the file. See [`Padding`] for an example.
    #[inline]
    #[must_use]
    pub const fn states(&self) -> Option<&PadStates<'a>> {
        match self {
            Padding::States(states) => Some(states),
            #[cfg(kilornn_gates)]
            Padding::Row => None,
        }
    }
}

/// The hidden states after 0, 1, 2, ... pads, computed at export, so that the device takes no steps for pads.
///
/// Pads stand in front of the text, so that the states after them do not depend on it. Since states are integers, their
/// sequence ends in a cycle, and the exporter stores it up to there.
///
/// ```
/// use kilornn::PadStates;
///
/// // Two units; the state comes to rest after two pads.
/// let states = PadStates { states: &[0, 0, 5, 9, 6, 9], count: 3, cycle: 2 };
/// assert_eq!(states.state(1, 2), Some(&[5, 9][..]));
/// assert_eq!(states.state(77, 2), Some(&[6, 9][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PadStates<'a> {
    /// The states: `count × units` numbers, as `i8`.
    #[serde(borrow)]
    pub states: &'a [u8],
    /// The number of states, at least 1.
    pub count: u32,
    /// The number of the state that follows the last one, less than `count`.
    pub cycle: u32,
}

impl<'a> PadStates<'a> {
    /// The state after `pads` pads: `units` numbers, as `i8`; `None` if `states` is too short for it.
    /// See [`PadStates`] for an example.
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

/// What a network reads.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// use kilornn::{Input, Model};
///
/// let model = Model::from_bytes(BYTES)?;
/// assert!(matches!(model.contents().input, Input::Text(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Input<'a> {
    /// Text, in tokens.
    Text(Text<'a>),
}

/// How text becomes what the first layer reads.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// let model = kilornn::Model::from_bytes(BYTES)?;
/// let text = model.contents().text().expect("it reads text");
/// // A row for each slot of the vocabulary, and one for unknown words.
/// assert_eq!(text.rows(), text.vocabulary.slots + 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Text<'a> {
    /// How text becomes words.
    pub normalization: Normalization,
    /// How words become rows of the embedding.
    pub vocabulary: Vocabulary<'a>,
    /// How other words are treated.
    pub unknown: Unknown,
    /// Which words are read.
    pub sequence: Sequence<'a>,
    /// What a row adds to the first layer.
    pub embedding: Embedding<'a>,
}

impl Text<'_> {
    /// The number of rows of the embedding: one for each slot of the vocabulary, then one if unknown words have one, then
    /// one if pads have one. See [`Text`] for an example.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        let rows = match self.unknown {
            Unknown::Drop => self.vocabulary.slots,
            Unknown::Row => self.vocabulary.slots.saturating_add(1),
        };
        match self.sequence.padding {
            #[cfg(kilornn_gates)]
            Some(Padding::Row) => rows.saturating_add(1),
            _ => rows,
        }
    }
}

/// What makes an answer of the last layer's output.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// use kilornn::{Head, Model};
///
/// let model = Model::from_bytes(BYTES)?;
/// assert!(matches!(model.contents().head, Head::Classes(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Head<'a> {
    /// A logit for each class.
    Classes(Dense<'a>),
}

/// The contents of a `.kilo` file: an input, layers and a head. Everything is borrowed from the file's bytes.
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
/// assert_eq!(contents.layers.len(), 1);
/// assert_eq!(contents.units(), 32);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Contents<'a> {
    /// The names of the classes, separated by line feeds.
    pub labels: &'a str,
    /// What the network reads.
    pub input: Input<'a>,
    /// The recurrence: layers, the first one first.
    pub layers: Layers<'a>,
    /// How the last layer's output becomes an answer.
    pub head: Head<'a>,
}

impl<'a> Contents<'a> {
    /// Nothing, to be filled in: a reader that writes each field where it ends up needs the least stack.
    pub(crate) const EMPTY: Self = Self {
        labels: "",
        input: Input::Text(Text {
            normalization: Normalization::KERAS,
            vocabulary: Vocabulary { seed: 0, slots: 0, pilots: &[], fingerprints: &[] },
            unknown: Unknown::Drop,
            sequence: Sequence { maxlen: 0, truncating: Truncating::Pre, padding: None },
            embedding: Embedding::Folded,
        }),
        layers: Layers::EMPTY,
        head: Head::Classes(Dense { outputs: 0, kernel: &[], bias: &[], scale: 0.0 }),
    };

    /// How text becomes what the first layer reads; `None` if the network reads something else.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().text().map(|text| text.sequence.maxlen), Some(0));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn text(&self) -> Option<&Text<'a>> {
        let Input::Text(text) = &self.input;
        Some(text)
    }

    /// The layer that makes a logit for each class; `None` if the network answers something else.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().dense().map(|dense| dense.outputs), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn dense(&self) -> Option<&Dense<'a>> {
        let Head::Classes(dense) = &self.head;
        Some(dense)
    }

    /// The number of units of the last layer. See [`Contents`] for an example.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.layers.last().map_or(0, Layer::units)
    }

    /// The number of rows of the embedding ([`Text::rows`]).
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(Some(model.contents().rows()), model.contents().text().map(|text| text.rows()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn rows(&self) -> u32 {
        let Input::Text(text) = &self.input;
        text.rows()
    }

    /// How many numbers come into the first layer from its input: those of a row of a projected embedding, or none.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().width(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn width(&self) -> u32 {
        let Input::Text(text) = &self.input;
        text.embedding.width()
    }

    /// How many words must be remembered before the first step ([`Sequence::window`]): the least `WINDOW` of a
    /// [`Classifier`](crate::Classifier).
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().window(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn window(&self) -> u32 {
        let Input::Text(text) = &self.input;
        text.sequence.window()
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
