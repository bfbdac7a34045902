//! The loader: it checks a model once, so that computing with it can neither fail nor overflow nor read out of range.

use crate::check::{at_least_one, at_most, exactly};
use crate::layers::{Activation, Dense, Incoming, Layer};
use crate::shape::Shape;
use crate::{Contents, Error, Head, Input, PadStates, Padding, Sequence, Text, file};

/// A model that has been checked: every length, index, shift and sum is known to be in range.
///
/// Its tables stay in the file's bytes, which are in flash on a microcontroller; the struct has references to them and
/// takes some 150 bytes.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// use kilornn::{Classifier, Model};
///
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// static MODEL: &[u8] = BYTES; // kilornn::include_model!("my-model.kilo")
///
/// let model = Model::from_bytes(MODEL)?;
/// let mut classifier: Classifier<32> = Classifier::new(&model)?;
/// # classifier.push("");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    contents: Contents<'a>,
    shape: Shape,
    rows: u32,
}

/// Its dimensions, not its tables.
#[cfg(feature = "defmt")]
impl defmt::Format for Model<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Model {{ classes: {}, layers: {}, units: {}, rows: {} }}",
            self.classes(),
            self.contents.layers.len(),
            self.contents.units(),
            self.rows
        );
    }
}

impl<'a> Model<'a> {
    /// Checks a `.kilo` file, which must begin at a multiple of four in memory, and returns the model in it.
    /// See [`Model`] for an example.
    ///
    /// # Errors
    ///
    /// Those of [`file::decode`](crate::file::decode); then [`Error::UnicodeNeeded`], [`Error::Unaligned`], or
    /// [`Error::Invalid`] with the name of the first value that is out of range. `bytes` may be anything.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut model = Self { contents: Contents::EMPTY, shape: Shape::EMPTY, rows: 0 };
        file::decode_into(bytes, &mut model.contents)?;
        model.check()?;
        Ok(model)
    }

    /// Checks contents that lie in memory part by part, and returns the model of them: for who makes models, and wants to
    /// run one before there is a file. Their weights must lie at a multiple of four.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the contents: see [`Error`].
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// use kilornn::{Contents, Model};
    ///
    /// let model = Model::from_bytes(BYTES)?;
    /// let renamed = Contents { labels: "bad\ngood", ..*model.contents() };
    /// assert_eq!(Model::from_contents(renamed)?.label(1), "good");
    /// assert!(Model::from_contents(Contents { labels: "one", ..renamed }).is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn from_contents(contents: Contents<'a>) -> Result<Self, Error> {
        let mut model = Self { contents, shape: Shape::EMPTY, rows: 0 };
        model.check()?;
        Ok(model)
    }

    /// Checks the contents, and keeps what is computed of them.
    #[inline]
    fn check(&mut self) -> Result<(), Error> {
        check(&self.contents)?;
        (self.shape, self.rows) = (Shape::of(&self.contents), self.contents.rows());
        Ok(())
    }

    /// The parts of the model.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().units(), 32);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn contents(&self) -> &Contents<'a> {
        &self.contents
    }

    /// The number of classes, at least 2.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// assert_eq!(kilornn::Model::from_bytes(BYTES)?.classes(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn classes(&self) -> u32 {
        self.dense().classes()
    }

    /// The name of a class, which is a number from 0; `""` if there is no such class.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// assert_eq!(kilornn::Model::from_bytes(BYTES)?.label(1), "positive");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn label(&self, class: u32) -> &'a str {
        // Not by `str::split`, which brings the code for a panic that cannot happen into every firmware.
        let (mut rest, mut before) = (self.contents.labels, class);
        loop {
            let end = rest.bytes().position(|byte| byte == SEPARATOR).unwrap_or(rest.len());
            if before == 0 {
                return rest.get(..end).unwrap_or_default();
            }
            let Some(others) = rest.get(end + 1..) else { return "" };
            (rest, before) = (others, before - 1);
        }
    }

    /// The bytes of memory that a [`Session`](crate::Session) needs for the model on this target: states, what a step needs
    /// beside them, the words that it must remember ([`Sequence::window`]), and three bytes to align them.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// use kilornn::{Model, Session};
    ///
    /// let model = Model::from_bytes(BYTES)?;
    /// let mut workspace = vec![0; model.workspace()];
    /// let session = Session::new(&model, &mut workspace)?;
    /// # let _ = session;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn workspace(&self) -> usize {
        4 * (self.shape.words() + self.contents.window() as usize) + 3
    }

    /// Rows of the embedding.
    #[inline]
    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// What a state of the model is like.
    #[inline]
    pub(crate) const fn shape(&self) -> Shape {
        self.shape
    }

    #[inline]
    pub(crate) const fn text(&self) -> &Text<'a> {
        let Input::Text(text) = &self.contents.input;
        text
    }

    #[inline]
    pub(crate) const fn dense(&self) -> &Dense<'a> {
        let Head::Classes(dense) = &self.contents.head;
        dense
    }
}

/// The byte between the names of the classes.
const SEPARATOR: u8 = b'\n';

/// Checks that no later step can fail: each part checks itself, and this function how they fit together.
#[inline(never)] // in one function with the rest, most of the code would move values about
fn check(contents: &Contents<'_>) -> Result<(), Error> {
    let Contents { labels, input: Input::Text(text), layers, head: Head::Classes(dense) } = contents;
    let Text { normalization, vocabulary, unknown: _, sequence, embedding } = text;
    let rows = contents.rows();
    normalization.check()?;
    vocabulary.check()?;
    let mut incoming = Incoming {
        width: embedding.width(),
        largest: embedding.check(rows)?,
        rows: embedding.is_folded().then_some(rows),
        #[cfg(kilornn_gates)]
        from_layer: false,
    };
    for layer in layers.iter() {
        layer.check(incoming)?;
        incoming = Incoming {
            width: layer.units(),
            largest: layer.largest_output(),
            rows: None,
            #[cfg(kilornn_gates)]
            from_layer: true,
        };
    }
    dense.check(incoming.width, incoming.largest)?;
    exactly("labels", dense.classes() as usize, 1 + labels.bytes().filter(|&b| b == SEPARATOR).count())?;
    let Sequence { maxlen, truncating: _, padding } = sequence;
    if let Some(states) = padding.as_ref().and_then(Padding::states) {
        check_pads(states, layers)?;
    }
    if sequence.window() > 0 || padding.is_some() {
        at_least_one("window", *maxlen as usize)?;
        at_most("window (at most)", 1 << 16, *maxlen as usize)?;
    }
    Ok(())
}

/// Checks the states after pads, which only a single SimpleRNN may have.
fn check_pads(states: &PadStates<'_>, layers: &[Layer<'_>]) -> Result<(), Error> {
    let &PadStates { states, count, cycle } = states;
    exactly("layers of a model with pad states", 1, layers.len())?;
    let [Layer::SimpleRnn(rnn), ..] = layers else {
        return exactly("layers with gates of a model with pad states", 0, 1);
    };
    let count = count as usize;
    exactly("bytes of pad states", count.saturating_mul(rnn.units as usize), states.len())?;
    at_least_one("pad states", count)?;
    at_most("pad cycle (at most)", count - 1, cycle as usize)?;
    for &value in states {
        // States of ReLU are not negative.
        let value = match rnn.activation {
            Activation::Relu => value,
            Activation::Tanh => (value as i8).unsigned_abs(),
        };
        at_most("pad state (at most)", 127, usize::from(value))?;
    }
    Ok(())
}
