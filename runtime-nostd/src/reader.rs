//! The one flow: bytes -> words -> rows of the embedding -> states -> prediction. [`Classifier`](crate::Classifier) and
//! [`Session`](crate::Session) differ only in whose memory it runs in.

use crate::kernels::{Memory, Running};
use crate::text::{Tokenizer, WordHash, WordSink};
use crate::{Prediction, Truncating, Unknown, Values};

/// Reads texts, one after the other, with a state in `M` and remembered words in `W`.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'m, M, W> {
    tokenizer: Tokenizer,
    words: Words<'m, M, W>,
    /// The last text is finished: the next byte begins another.
    finished: bool,
}

impl<'m, M: Memory, W: AsRef<[u32]> + AsMut<[u32]>> Reader<'m, M, W> {
    /// At the beginning of a text. There is room in `window` for the words that the model must remember.
    #[inline] // where it would be copied, the state would be on the stack twice
    pub(crate) fn new(network: Running<'m, M>, window: W) -> Self {
        Self {
            tokenizer: Tokenizer::new(network.model().text().normalization),
            words: Words::new(network, window),
            finished: false,
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        if self.finished {
            self.reset();
        }
        self.tokenizer.push(text, &mut self.words);
    }

    pub(crate) fn finish(&mut self) -> Prediction<'_> {
        if self.finished {
            self.reset(); // nothing was pushed since the last prediction: an empty text
        }
        self.finished = true;
        self.tokenizer.finish(&mut self.words);
        self.words.catch_up();
        self.words.prediction()
    }

    pub(crate) fn last(&self) -> Option<Prediction<'_>> {
        self.finished.then(|| self.words.prediction())
    }

    pub(crate) fn reset(&mut self) {
        self.tokenizer = Tokenizer::new(self.words.network.model().text().normalization);
        self.words.reset();
        self.finished = false;
    }

    pub(crate) fn state(&self) -> Values<'_> {
        self.words.network.values()
    }

    #[cfg(feature = "defmt")]
    pub(crate) fn model(&self) -> &'m crate::Model<'m> {
        self.words.network.model()
    }
}

/// Takes the words from the tokenizer and steps the network.
#[derive(Debug, Clone)]
struct Words<'m, M, W> {
    network: Running<'m, M>,
    hash: WordHash,
    /// The hash of the word before, if `words` says that there is one.
    before: u32,
    words: u32,
    known: u32,
    /// Words that became rows, of texts whose length is limited.
    rows: u32,
    /// The rows of the last words, if the first step depends on how long the text is: a ring buffer, in which the row of
    /// word `n` stands at `n % sequence.window()`.
    window: W,
    /// How many rows are in the window.
    remembered: usize,
}

impl<'m, M: Memory, W: AsRef<[u32]> + AsMut<[u32]>> Words<'m, M, W> {
    #[inline]
    fn new(network: Running<'m, M>, window: W) -> Self {
        let hash = WordHash::new(network.model().text().vocabulary.seed);
        Self { network, hash, before: 0, words: 0, known: 0, rows: 0, window, remembered: 0 }
    }

    /// Forgets the text. It does so in place, since the window may be large.
    fn reset(&mut self) {
        self.hash = WordHash::new(self.network.model().text().vocabulary.seed);
        (self.words, self.known, self.rows) = (0, 0, 0);
        self.remembered = 0;
        self.network.set(&[]);
    }

    fn prediction(&self) -> Prediction<'_> {
        Prediction::new(self.network.model(), self.network.values(), self.words, self.known)
    }

    /// Takes the next word, as a row of the embedding.
    fn read(&mut self, row: u32) {
        // Without a greatest length, nothing has to be counted.
        if self.network.model().text().sequence.maxlen == 0 || self.is_next(row) {
            self.network.step(row);
        }
    }

    /// Counts a word of a text whose length is limited. Whether its step is the next one: if that depends on how long the text
    /// is, the word is remembered instead.
    fn is_next(&mut self, row: u32) -> bool {
        let sequence = &self.network.model().text().sequence;
        if sequence.truncating == Truncating::Post && self.rows >= sequence.maxlen {
            return false;
        }
        let place = place(self.rows, sequence.window());
        if let Some(place) = place {
            // There is a place: the capacity was checked at the beginning.
            if let Some(place) = self.window.as_mut().get_mut(place as usize) {
                *place = row;
            }
            self.remembered = (self.remembered + 1).min(sequence.window() as usize);
        }
        self.rows = self.rows.wrapping_add(1);
        // A text may be endless. Beyond the window only the place in the ring buffer matters.
        if self.rows >= 2 * sequence.window() {
            self.rows -= sequence.window();
        }
        place.is_none()
    }

    /// At the end of the text, takes the steps that had to wait for it.
    fn catch_up(&mut self) {
        let Self { network, window, .. } = self;
        let model = network.model();
        let sequence = &model.text().sequence;
        let remembered = core::mem::take(&mut self.remembered);
        if let Some(padding) = &sequence.padding {
            let pads = sequence.window().saturating_sub(remembered as u32);
            match padding.states() {
                Some(states) => {
                    network.set(states.state(pads, model.contents().units()).unwrap_or_default());
                }
                // A step for each, with the last row.
                None => (0..pads).for_each(|_| network.step_apart(model.rows().wrapping_sub(1))),
            }
        }
        let oldest = match place(self.rows, sequence.window()) {
            Some(place) if remembered as u32 == sequence.window() => place as usize,
            _ => 0,
        };
        let rows = window.as_ref().get(..remembered).unwrap_or_default();
        let (newer, older) = rows.split_at_checked(oldest).unwrap_or_default();
        for &row in older.iter().chain(newer) {
            network.step_apart(row);
        }
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

impl<M: Memory, W: AsRef<[u32]> + AsMut<[u32]>> WordSink for Words<'_, M, W> {
    #[inline]
    fn char(&mut self, c: char) {
        self.hash.char(c);
    }

    #[inline]
    fn ascii(&mut self, byte: u8) {
        self.hash.byte(byte);
    }

    fn end(&mut self) {
        let text = self.network.model().text();
        let vocabulary = &text.vocabulary;
        let hash = core::mem::replace(&mut self.hash, WordHash::new(vocabulary.seed)).finish();
        let before = core::mem::replace(&mut self.before, hash);
        let mut slot = None;
        if self.words > 0 && text.normalization.unit.has_pairs() {
            slot = vocabulary.slot(WordHash::pair(before, hash));
        }
        if slot.is_none() {
            slot = vocabulary.slot(hash);
        }
        self.words = self.words.saturating_add(1);
        match (slot, text.unknown) {
            (Some(slot), _) => {
                self.known = self.known.saturating_add(1);
                self.read(slot);
            }
            (None, Unknown::Row) => self.read(vocabulary.slots),
            (None, Unknown::Drop) => {}
        }
    }
}
