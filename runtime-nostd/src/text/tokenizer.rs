//! The tokenizer: a stream of bytes becomes words, and no text is kept.

use super::{Lowercase, Normalization, Utf8Decoder};

/// Receives the words of a text: the characters of each, one by one, then its end.
///
/// The classifier hashes them ([`WordHash`](super::WordHash)), the trainer collects them. Both use the same
/// [`Tokenizer`].
///
/// ```
/// use kilornn::text::{Normalization, Tokenizer, WordSink};
///
/// /// The words of a text, with a bar behind each of them.
/// struct Barred(String);
///
/// impl WordSink for Barred {
///     fn char(&mut self, c: char) {
///         self.0.push(c);
///     }
///     fn end(&mut self) {
///         self.0.push('|');
///     }
/// }
///
/// let mut words = Barred(String::new());
/// let mut tokenizer = Tokenizer::new(Normalization::KERAS);
/// tokenizer.push(b"Don't pan", &mut words);
/// tokenizer.push(b"ic, it's <br />fine", &mut words);
/// tokenizer.finish(&mut words);
/// assert_eq!(words.0, "don't|panic|it's|br|fine|");
/// ```
pub trait WordSink {
    /// The next character of the current word, already lower-cased.
    fn char(&mut self, c: char);
    /// The next character of the current word, like [`char`](Self::char), if it is ASCII. Most are, and a sink that works
    /// with bytes can implement this to be faster.
    ///
    /// ```
    /// use kilornn::text::WordSink;
    ///
    /// struct Length(usize);
    /// impl WordSink for Length {
    ///     fn char(&mut self, c: char) {
    ///         self.0 += c.len_utf8();
    ///     }
    ///     fn end(&mut self) {}
    /// }
    ///
    /// let mut length = Length(0);
    /// length.ascii(b'x');
    /// assert_eq!(length.0, 1);
    /// ```
    #[inline]
    fn ascii(&mut self, byte: u8) {
        self.char(char::from(byte));
    }
    /// The current word, which has at least one character, is complete.
    fn end(&mut self);
}

/// Splits a stream of UTF-8 into words, as Keras's `Tokenizer` splits a whole string: it lower-cases the text, cuts it at
/// every separator and drops empty words.
///
/// The stream comes in pieces that may be cut anywhere, even inside a character. Words may be of any length. Malformed
/// UTF-8 becomes U+FFFD (see [`Utf8Decoder`]), which is part of a word.
///
/// See [`WordSink`] for an example.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tokenizer {
    normalization: Normalization,
    decoder: Utf8Decoder,
    in_word: bool,
}

impl Tokenizer {
    /// A tokenizer at the beginning of a text.
    ///
    /// ```
    /// use kilornn::text::{Normalization, Tokenizer};
    ///
    /// let tokenizer = Tokenizer::new(Normalization::KERAS);
    /// # let _ = tokenizer;
    /// ```
    #[must_use]
    pub fn new(normalization: Normalization) -> Self {
        Self { normalization, decoder: Utf8Decoder::default(), in_word: false }
    }

    /// Reads the next piece of the text. See [`WordSink`] for an example.
    pub fn push(&mut self, text: &[u8], words: &mut impl WordSink) {
        if self.normalization.unit.is_character() {
            text.iter().for_each(|&byte| self.push_byte(byte, words));
        } else {
            self.push_words(text, words);
        }
    }

    /// Reads words. Most text is ASCII, which is read byte by byte, without decoding characters.
    fn push_words(&mut self, text: &[u8], words: &mut impl WordSink) {
        // The bit that lower-cases a letter from A to Z, if that is asked for.
        let bit = if self.normalization.lowercase == Lowercase::Off { 0 } else { 0x20 };
        let mut bytes = text.iter();
        loop {
            while !self.decoder.is_between_characters() {
                let Some(&byte) = bytes.next() else { return };
                self.push_byte(byte, words);
            }
            let before = bytes.len();
            let stop = loop {
                let Some(&byte) = bytes.next() else { break None };
                let lower = if byte.is_ascii_uppercase() { byte | bit } else { byte };
                if self.normalization.separators.contains_or_is_no_ascii(lower) {
                    break Some(byte);
                }
                words.ascii(lower);
            };
            self.in_word |= before - bytes.len() > usize::from(stop.is_some());
            match stop {
                None => return,
                Some(separator) if separator.is_ascii() => {
                    if core::mem::take(&mut self.in_word) {
                        words.end();
                    }
                }
                Some(lead) => self.push_byte(lead, words),
            }
        }
    }

    #[inline(never)]
    fn push_byte(&mut self, byte: u8, words: &mut impl WordSink) {
        let Self { normalization, decoder, in_word } = self;
        decoder.push(byte, |c| accept(normalization, in_word, c, words));
    }

    /// Ends the text and its last word. The next [`push`](Self::push) begins another text.
    /// See [`WordSink`] for an example.
    pub fn finish(&mut self, words: &mut impl WordSink) {
        let Self { normalization, decoder, in_word } = self;
        decoder.finish(|c| accept(normalization, in_word, c, words));
        if core::mem::take(in_word) {
            words.end();
        }
    }
}

/// Takes one character of the text, before it is lower-cased.
#[inline]
fn accept(normalization: &Normalization, in_word: &mut bool, c: char, words: &mut impl WordSink) {
    normalization.lowercase.map(c, |c| {
        if normalization.unit.is_character() {
            words.char(c);
            words.end();
        } else if !normalization.separators.contains(c) {
            *in_word = true;
            words.char(c);
        } else if core::mem::take(in_word) {
            words.end();
        }
    });
}
