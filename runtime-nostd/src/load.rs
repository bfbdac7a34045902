//! The loader: it checks a model once, so that computing with it can neither fail nor overflow nor read out of range.

use crate::check::{at_least_one, at_most, exactly};
use crate::layers::Activation;
use crate::{Contents, Error, file};

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
    /// Hidden units, and inputs of a step.
    shape: [u16; 2],
    rows: u32,
}

/// Its dimensions, not its tables.
#[cfg(feature = "defmt")]
impl defmt::Format for Model<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let ([units, inputs], classes) = (self.shape, self.classes());
        defmt::write!(
            f,
            "Model {{ classes: {}, units: {}, inputs: {}, rows: {} }}",
            classes,
            units,
            inputs,
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
        Self::from_contents(file::decode(bytes)?)
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
    /// # static BYTES: &[u8] = kilornn::include_model!("../tests/golden/v2-starter.kilo");
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
        check(&contents)?;
        let shape = [contents.rnn.units as u16, contents.inputs() as u16];
        Ok(Self { contents, shape, rows: contents.rows() })
    }

    /// The parts of the model.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// let model = kilornn::Model::from_bytes(BYTES)?;
    /// assert_eq!(model.contents().rnn.units, 32);
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
        self.contents.dense.classes()
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

    /// Rows of the embedding.
    #[inline]
    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// Hidden units, and inputs of a step.
    #[inline]
    pub(crate) const fn shape(&self) -> [u16; 2] {
        self.shape
    }

    /// Inputs of a step.
    #[inline]
    pub(crate) const fn inputs(&self) -> usize {
        self.shape[1] as usize
    }
}

/// The byte between the names of the classes.
const SEPARATOR: u8 = b'\n';

/// Checks that no later step can fail: each part checks itself, and this function how they fit together.
#[inline(never)] // in one function with the rest, most of the code would move values about
fn check(contents: &Contents<'_>) -> Result<(), Error> {
    let Contents { labels, normalization, vocabulary, unknown: _, sequence, embedding, rnn, dense } =
        contents;
    let units = rnn.units;
    normalization.check()?;
    vocabulary.check()?;
    let multiplier = embedding.check(contents.rows())?;
    rnn.check(embedding, contents.rows(), multiplier)?;
    dense.check(units)?;
    exactly("labels", dense.classes() as usize, 1 + labels.bytes().filter(|&b| b == SEPARATOR).count())?;
    if let Some(padding) = sequence.padding {
        let count = padding.count as usize;
        exactly("bytes of pad states", count.saturating_mul(units as usize), padding.states.len())?;
        at_least_one("pad states", count)?;
        at_most("pad cycle (at most)", count - 1, padding.cycle as usize)?;
        for &value in padding.states {
            // States of ReLU are not negative.
            let value = match rnn.activation {
                Activation::Relu => value,
                Activation::Tanh => (value as i8).unsigned_abs(),
            };
            at_most("pad state (at most)", 127, usize::from(value))?;
        }
    }
    if sequence.window() > 0 || sequence.padding.is_some() {
        at_least_one("window", sequence.maxlen as usize)?;
        at_most("window (at most)", 1 << 16, sequence.maxlen as usize)?;
    }
    Ok(())
}
