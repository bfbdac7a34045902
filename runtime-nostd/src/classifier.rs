//! The classifier: bytes -> words -> rows of the embedding -> hidden state -> prediction.

use heapless::Vec;

use crate::text::{Tokenizer, WordHash, WordSink};
use crate::{Error, Model, Prediction, State, Truncating, Unknown};

/// Classifies texts, one after the other, in memory of fixed size.
///
/// `UNITS` is the capacity for the inputs of a step: hidden units and, with a projected embedding, the numbers of its
/// row ([`Contents::inputs`](crate::Contents::inputs)). `WINDOW` is the capacity for remembered words
/// ([`Sequence::window`](crate::Sequence::window)), which models need that read only the last words of a text or were
/// trained on padded texts; other models need 0. A model runs if it needs no more than both.
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
    tokenizer: Tokenizer,
    reader: Reader<'m, UNITS, WINDOW>,
    /// The last text is finished: the next byte begins another.
    finished: bool,
}

/// The model's dimensions and the state.
#[cfg(feature = "defmt")]
impl<const UNITS: usize, const WINDOW: usize> defmt::Format for Classifier<'_, UNITS, WINDOW> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Classifier {{ model: {}, state: {} }}", self.reader.model, self.reader.state);
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
    pub fn new(model: &'m Model<'m>) -> Result<Self, Error> {
        let contents = model.contents();
        let window = contents.sequence.window();
        let state = State::zero(model)?;
        if window as usize > WINDOW {
            return Err(Error::WindowCapacity { needed: window, found: WINDOW as u32 });
        }
        Ok(Self {
            tokenizer: Tokenizer::new(contents.normalization),
            reader: Reader::new(model, state),
            finished: false,
        })
    }

    /// Reads the next piece of the text: UTF-8, cut anywhere. See [`Classifier`] for an example.
    ///
    /// This cannot fail. Malformed UTF-8 is read as [`Utf8Decoder`](crate::text::Utf8Decoder) says, and texts and words
    /// may be of any length.
    pub fn push(&mut self, text: impl AsRef<[u8]>) {
        if self.finished {
            self.reset();
        }
        self.tokenizer.push(text.as_ref(), &mut self.reader);
    }

    /// Ends the text and returns the prediction for it. The next [`push`](Self::push) begins another text.
    /// See [`Classifier`] for an example.
    pub fn finish(&mut self) -> Prediction<'_> {
        if self.finished {
            self.reset(); // nothing was pushed since the last prediction: an empty text
        }
        self.finished = true;
        self.tokenizer.finish(&mut self.reader);
        self.reader.catch_up();
        let Reader { model, state, words, known, .. } = &self.reader;
        Prediction::new(model, state.values(), *words, *known)
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
        let Reader { model, state, words, known, .. } = &self.reader;
        self.finished.then(|| Prediction::new(model, state.values(), *words, *known))
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
        self.tokenizer = Tokenizer::new(self.reader.model.contents().normalization);
        self.reader.reset();
        self.finished = false;
    }

    /// The hidden state after the words so far: `units` values, each in the scale of its unit. With a window
    /// ([`Sequence::window`](crate::Sequence::window)) it stays zero until the end of the text, where all steps are taken.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// assert_eq!(classifier.state(), [0; 32]);
    /// classifier.push("wonderful ");
    /// assert_ne!(classifier.state(), [0; 32]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn state(&self) -> &[i8] {
        self.reader.state.values()
    }
}

/// Takes the words from the tokenizer and steps the network.
#[derive(Debug, Clone)]
struct Reader<'m, const UNITS: usize, const WINDOW: usize> {
    model: &'m Model<'m>,
    hash: WordHash,
    /// The hash of the word before, if `words` says that there is one.
    before: u32,
    words: u32,
    known: u32,
    /// Words that became rows.
    rows: u32,
    /// The rows of the last words, if the first step depends on how long the text is: a ring buffer, in which the row of
    /// word `n` stands at `n % sequence.window()`.
    window: Vec<u32, WINDOW>,
    state: State<UNITS>,
}

impl<'m, const UNITS: usize, const WINDOW: usize> Reader<'m, UNITS, WINDOW> {
    fn new(model: &'m Model<'m>, state: State<UNITS>) -> Self {
        let hash = WordHash::new(model.contents().vocabulary.seed);
        Self { model, hash, before: 0, words: 0, known: 0, rows: 0, window: Vec::new(), state }
    }

    /// Forgets the text. It does so in place, since the window may be large.
    fn reset(&mut self) {
        self.hash = WordHash::new(self.model.contents().vocabulary.seed);
        (self.words, self.known, self.rows) = (0, 0, 0);
        self.window.clear();
        self.state.set(&[]);
    }

    /// Takes the next word, as a row of the embedding.
    fn read(&mut self, row: u32) {
        let sequence = &self.model.contents().sequence;
        let past_the_end = sequence.maxlen > 0 && self.rows >= sequence.maxlen;
        if past_the_end && sequence.truncating == Truncating::Post {
            return;
        }
        match place(self.rows, sequence.window()) {
            None => self.model.step(row, &mut self.state),
            Some(place) => match self.window.get_mut(place as usize) {
                Some(oldest) => *oldest = row,
                // This cannot fail: `Classifier::new` has checked the capacity.
                None => drop(self.window.push(row)),
            },
        }
        self.rows = self.rows.wrapping_add(1);
        // A text may be endless. Beyond the window only the place in the ring buffer matters.
        if self.rows >= 2 * sequence.window() {
            self.rows -= sequence.window();
        }
    }

    /// At the end of the text, takes the steps that had to wait for it.
    fn catch_up(&mut self) {
        let contents = self.model.contents();
        let sequence = &contents.sequence;
        let Self { model, window, state, .. } = self;
        if let Some(padding) = sequence.padding {
            let pads = sequence.window().saturating_sub(window.len() as u32);
            state.set(padding.state(pads, contents.rnn.units).unwrap_or_default());
        }
        let oldest = match place(self.rows, sequence.window()) {
            Some(place) if window.len() as u32 == sequence.window() => place as usize,
            _ => 0,
        };
        let (newer, older) = window.split_at_checked(oldest).unwrap_or_default();
        for &row in older.iter().chain(newer) {
            model.step(row, state);
        }
        window.clear();
    }
}

/// `rows % window` for `rows` less than twice the window, without a division, which not every core has.
const fn place(rows: u32, window: u32) -> Option<u32> {
    match window {
        0 => None,
        _ if rows < window => Some(rows),
        _ => Some(rows - window),
    }
}

impl<const UNITS: usize, const WINDOW: usize> WordSink for Reader<'_, UNITS, WINDOW> {
    #[inline]
    fn char(&mut self, c: char) {
        self.hash.char(c);
    }

    #[inline]
    fn ascii(&mut self, byte: u8) {
        self.hash.byte(byte);
    }

    fn end(&mut self) {
        let contents = self.model.contents();
        let vocabulary = &contents.vocabulary;
        let hash = core::mem::replace(&mut self.hash, WordHash::new(vocabulary.seed)).finish();
        let before = core::mem::replace(&mut self.before, hash);
        let mut slot = None;
        if self.words > 0 && contents.normalization.unit.has_pairs() {
            slot = vocabulary.slot(WordHash::pair(before, hash));
        }
        if slot.is_none() {
            slot = vocabulary.slot(hash);
        }
        self.words = self.words.saturating_add(1);
        match (slot, contents.unknown) {
            (Some(slot), _) => {
                self.known = self.known.saturating_add(1);
                self.read(slot);
            }
            (None, Unknown::Row) => self.read(vocabulary.slots),
            (None, Unknown::Drop) => {}
        }
    }
}
