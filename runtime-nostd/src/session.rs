//! The session: a reader of texts in a caller's memory.

use crate::kernels::{Borrowed, Running};
use crate::reader::Reader;
use crate::{Error, Model, Prediction, Values};

/// Reads texts, one after the other, in memory that the caller lends: at least [`Model::workspace`] bytes.
///
/// It does what a [`Classifier`](crate::Classifier) does. But the size of its memory need not be known when the program is
/// built, so that one program can run any model for which its buffer is large enough.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// use kilornn::{Model, Session};
///
/// let model = Model::from_bytes(BYTES)?;
/// let mut buffer = [0; 1000];
/// let mut session = Session::new(&model, &mut buffer)?;
/// session.push("What a wonder"); // any chunking: words may straddle chunks
/// session.push(b"ful film!");
/// assert_eq!(session.finish().label(), "positive");
///
/// session.push("Awful."); // the next text
/// assert_eq!(session.finish().label(), "negative");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session<'m, 'w> {
    reader: Reader<'m, Borrowed<'w>, &'w mut [u32]>,
}

/// The model's dimensions and the state.
#[cfg(feature = "defmt")]
impl defmt::Format for Session<'_, '_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Session {{ model: {}, state: {} }}", self.reader.model(), self.reader.state());
    }
}

impl<'m, 'w> Session<'m, 'w> {
    /// A session at the beginning of a text. What `workspace` contains does not matter, nor where it lies.
    ///
    /// # Errors
    ///
    /// [`Error::WorkspaceCapacity`] if the model needs more than `workspace`.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// use kilornn::{Error, Model, Session};
    ///
    /// let model = Model::from_bytes(BYTES)?;
    /// let error = Session::new(&model, &mut [0; 10]).unwrap_err();
    /// assert_eq!(error, Error::WorkspaceCapacity { needed: model.workspace() as u32, found: 10 });
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(model: &'m Model<'m>, workspace: &'w mut [u8]) -> Result<Self, Error> {
        let found = workspace.len() as u32;
        let too_small = Error::WorkspaceCapacity { needed: model.workspace() as u32, found };
        let (_, words, _) = bytemuck::pod_align_to_mut::<u8, u32>(workspace);
        let (states, window) = words.split_at_mut_checked(model.shape().words()).ok_or(too_small)?;
        let remembered = model.contents().window() as usize;
        let window = window.get_mut(..remembered).ok_or(too_small)?;
        let network = Running::within(model, states).ok_or(too_small)?;
        Ok(Self { reader: Reader::new(network, window) })
    }

    /// Reads the next piece of the text: UTF-8, cut anywhere. See [`Session`] for an example.
    ///
    /// This cannot fail. Malformed UTF-8 is read as [`Utf8Decoder`](crate::text::Utf8Decoder) says, and texts and words
    /// may be of any length.
    pub fn push(&mut self, text: impl AsRef<[u8]>) {
        self.reader.push(text.as_ref());
    }

    /// Ends the text and returns the prediction for it. The next [`push`](Self::push) begins another text.
    /// See [`Session`] for an example.
    pub fn finish(&mut self) -> Prediction<'_> {
        self.reader.finish()
    }

    /// The prediction of the last [`finish`](Self::finish) again, or `None` if something has been pushed since.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut buffer = [0; 1000];
    /// # let mut session = kilornn::Session::new(&model, &mut buffer)?;
    /// session.push("wonderful");
    /// assert!(session.last().is_none());
    /// let words = session.finish().words();
    /// assert_eq!(session.last().map(|prediction| prediction.words()), Some(words));
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
    /// # let mut buffer = [0; 1000];
    /// # let mut session = kilornn::Session::new(&model, &mut buffer)?;
    /// session.push("half a sen");
    /// session.reset();
    /// assert_eq!(session.finish().words(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset(&mut self) {
        self.reader.reset();
    }

    /// The outputs of the last layer after the words so far, as [`Classifier::state`](crate::Classifier::state) has them.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut buffer = [0; 1000];
    /// # let mut session = kilornn::Session::new(&model, &mut buffer)?;
    /// session.push("wonderful ");
    /// assert!(session.state().iter().any(|value| value != 0));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn state(&self) -> Values<'_> {
        self.reader.state()
    }
}
