//! The classifier: a reader of texts in memory of its own.

use crate::kernels::Running;
use crate::reader::Reader;
use crate::{Error, Model, Prediction, State, Values};

/// Classifies texts, one after the other, in memory of fixed size.
///
/// `UNITS` is the capacity for the inputs of a step: hidden units and, with a projected embedding, the numbers of its
/// row; with other layers than one SimpleRNN, [`Contents::inputs`](crate::Contents::inputs) says which is enough. `WINDOW` is the capacity for remembered words
/// ([`Sequence::window`](crate::Sequence::window)), which models need that read only the last words of a text or were
/// trained on padded texts; other models need 0. A model runs if it needs no more than both. A [`Session`](crate::Session) runs any model that fits
/// into a buffer.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// use kilornn::{Classifier, Model};
///
/// let model = Model::from_bytes(BYTES)?;
/// let mut classifier: Classifier<64> = Classifier::new(&model)?;
/// classifier.push("What a wonder"); // any chunking: words may straddle chunks
/// classifier.push(b"ful film!");
/// assert_eq!(classifier.finish().label(), "positive");
///
/// classifier.push("Awful."); // the next text
/// assert_eq!(classifier.finish().label(), "negative");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Classifier<'m, const UNITS: usize, const WINDOW: usize = 0> {
    reader: Reader<'m, State<UNITS>, [u32; WINDOW]>,
}

/// The model's dimensions and the state.
#[cfg(feature = "defmt")]
impl<const UNITS: usize, const WINDOW: usize> defmt::Format for Classifier<'_, UNITS, WINDOW> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Classifier {{ model: {}, state: {} }}", self.reader.model(), self.reader.state());
    }
}

impl<'m, const UNITS: usize, const WINDOW: usize> Classifier<'m, UNITS, WINDOW> {
    /// A classifier at the beginning of a text.
    ///
    /// # Errors
    ///
    /// [`Error::UnitsCapacity`] or [`Error::WindowCapacity`] if the model needs more than `UNITS` or `WINDOW`.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// use kilornn::{Classifier, Error, Model};
    ///
    /// let model = Model::from_bytes(BYTES)?;
    /// let error = Classifier::<8>::new(&model).unwrap_err();
    /// assert_eq!(error, Error::UnitsCapacity { needed: 32, found: 8 });
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn new(model: &'m Model<'m>) -> Result<Self, Error> {
        let window = model.contents().window();
        let network = Running::new(model)?;
        if window as usize > WINDOW {
            return Err(Error::WindowCapacity { needed: window, found: WINDOW as u32 });
        }
        Ok(Self { reader: Reader::new(network, [0; WINDOW]) })
    }

    /// Reads the next piece of the text: UTF-8, cut anywhere. See [`Classifier`] for an example.
    ///
    /// This cannot fail. Malformed UTF-8 is read as [`Utf8Decoder`](crate::text::Utf8Decoder) says, and texts and words
    /// may be of any length.
    pub fn push(&mut self, text: impl AsRef<[u8]>) {
        self.reader.push(text.as_ref());
    }

    /// Ends the text and returns the prediction for it. The next [`push`](Self::push) begins another text.
    /// See [`Classifier`] for an example.
    pub fn finish(&mut self) -> Prediction<'_> {
        self.reader.finish()
    }

    /// The prediction of the last [`finish`](Self::finish) again, or `None` if something has been pushed since.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// classifier.push("wonderful");
    /// assert!(classifier.last().is_none());
    /// let words = classifier.finish().words();
    /// assert_eq!(classifier.last().map(|prediction| prediction.words()), Some(words));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<Prediction<'_>> {
        self.reader.last()
    }

    /// Forgets what was pushed of the current text: the next [`push`](Self::push) begins another.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// classifier.push("half a sen");
    /// classifier.reset();
    /// assert_eq!(classifier.finish().words(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset(&mut self) {
        self.reader.reset();
    }

    /// The outputs of the last layer after the words so far, a number for each unit. With a window
    /// ([`Sequence::window`](crate::Sequence::window)) they stay zero until the end of the text, where all steps are taken.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// assert_eq!(classifier.state().int8(), Some(&[0; 32][..]));
    /// classifier.push("wonderful ");
    /// assert!(classifier.state().iter().any(|value| value != 0));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn state(&self) -> Values<'_> {
        self.reader.state()
    }
}
