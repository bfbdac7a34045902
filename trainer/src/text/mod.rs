//! From text to ids of words, with the device's own tokenizer, and the vocabulary with its perfect hash.
//!
//! Ids are rows of the float embedding: 0 is the pad, `1..=words` are the words of the vocabulary
//! by falling frequency, and one more stands for unknown words if the recipe keeps them.

use std::collections::HashMap;
use std::sync::OnceLock;

use anyhow::Result;
use kilornn::text::{AsciiSet, Lowercase, Normalization, Tokenizer, Unit, WordSink};
use kilornn::{Truncating, Unknown};
use rayon::prelude::*;

use crate::recipe::{Letters, Recipe};

mod entries;
mod information;
mod perfect_hash;

use self::entries::for_each_entry;
use self::entries::halves;
use self::information::most_informative;
pub use self::perfect_hash::PerfectHash;

/// The id of the pad.
pub const PAD: u32 = 0;

/// Truncates words to the last or the first `longest`; 0 keeps all of them.
pub fn cut(words: &mut Vec<u32>, longest: usize, truncating: Truncating) {
    if longest > 0 && words.len() > longest {
        match truncating {
            Truncating::Pre => drop(words.drain(..words.len() - longest)),
            Truncating::Post => words.truncate(longest),
        }
    }
}

/// Calls `each` with every word of `text`, as the device reads it.
pub fn for_each_word(normalization: Normalization, text: &str, each: impl FnMut(&str)) {
    struct Collect<F> {
        word: String,
        each: F,
    }
    impl<F: FnMut(&str)> WordSink for Collect<F> {
        fn char(&mut self, c: char) {
            self.word.push(c);
        }
        fn end(&mut self) {
            (self.each)(&self.word);
            self.word.clear();
        }
    }
    let mut tokenizer = Tokenizer::new(normalization);
    let mut sink = Collect { word: String::new(), each };
    tokenizer.push(text.as_bytes(), &mut sink);
    tokenizer.finish(&mut sink);
}

/// The normalization that a recipe asks for.
pub fn normalization(recipe: &Recipe) -> Normalization {
    let mut separators = recipe.filters.clone();
    separators.push(' ');
    Normalization {
        unit: match (recipe.char_level, recipe.pairs) {
            (false, false) => Unit::Word,
            (true, false) => Unit::Character,
            (false, true) => Unit::WordPair,
            (true, true) => Unit::CharacterPair,
        },
        lowercase: match recipe.lowercase {
            Letters::None => Lowercase::Off,
            Letters::Ascii => Lowercase::Ascii,
            Letters::Unicode => Lowercase::Unicode,
        },
        separators: AsciiSet::new(&separators),
    }
}

/// Rows of an embedding for so many words: one each, one for the pad, and one for unknown words if they are kept.
pub fn rows(unknown: Unknown, words: usize) -> usize {
    1 + words + usize::from(unknown == Unknown::Row)
}

/// Keras's `Tokenizer` and `pad_sequences`, fitted to texts.
#[derive(Debug, Clone)]
pub struct Encoder {
    normalization: Normalization,
    unknown: Unknown,
    maxlen: usize,
    truncating: Truncating,
    words: Vec<String>,
    ids: HashMap<String, u32>,
    /// Bytes of a word's fingerprint on the device.
    fingerprint_bytes: usize,
    /// The device's hash over the words, once somebody has asked for it: its search takes long.
    hash: OnceLock<PerfectHash>,
    /// Whether words are looked up in that hash.
    is_on_device: bool,
}

impl Encoder {
    /// Counts the words of `texts` and keeps the most frequent ones; among equally frequent words
    /// the one seen first comes first, as in Keras.
    pub fn fit<'a>(recipe: &Recipe, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let normalization = normalization(recipe);
        let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
        for text in texts {
            let mut count = |entry: &str| {
                let seen = counts.len();
                match counts.get_mut(entry) {
                    Some((count, _)) => *count += 1,
                    None => {
                        counts.insert(entry.to_owned(), (1, seen));
                    }
                }
            };
            for_each_entry(normalization, text, |pair, word| {
                count(word);
                pair.into_iter().for_each(&mut count);
            });
        }
        let mut words: Vec<(String, (usize, usize))> = counts.into_iter().collect();
        words.sort_unstable_by_key(|&(_, (count, seen))| (std::cmp::Reverse(count), seen));
        if recipe.vocabulary > 0 {
            words.truncate(recipe.vocabulary);
        }
        Self::new(recipe, words.into_iter().map(|(word, _)| word).collect())
    }

    /// Keeps the words whose presence says most about the class of a text. `texts` come with the probability of each class.
    pub fn by_information(recipe: &Recipe, texts: &[(&str, Vec<f32>)]) -> Self {
        Self::new(recipe, most_informative(normalization(recipe), recipe.vocabulary, texts))
    }

    /// An encoder for a known vocabulary.
    pub fn new(recipe: &Recipe, words: Vec<String>) -> Self {
        let ids = words.iter().cloned().zip(1..).collect();
        Self {
            normalization: normalization(recipe),
            unknown: recipe.unknown.into(),
            maxlen: recipe.maxlen,
            truncating: recipe.truncating.into(),
            words,
            ids,
            fingerprint_bytes: recipe.fingerprint_bytes(),
            hash: OnceLock::new(),
            is_on_device: false,
        }
    }

    /// The perfect hash by which the device looks words up. It is searched for at the first call and then kept.
    ///
    /// # Errors
    ///
    /// If there is no perfect hash over the vocabulary.
    pub fn perfect_hash(&self) -> Result<&PerfectHash> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let hash = PerfectHash::build(&self.words, self.normalization.unit, self.fingerprint_bytes)?;
        Ok(self.hash.get_or_init(|| hash))
    }

    /// The same vocabulary, but words are looked up as on the device, which takes an unknown word for a known one if their
    /// fingerprints are equal.
    ///
    /// # Errors
    ///
    /// If there is no perfect hash over the vocabulary.
    pub fn on_device(self) -> Result<Self> {
        self.perfect_hash()?;
        Ok(Self { is_on_device: true, ..self })
    }

    /// The vocabulary; word (or pair) `i` has id `i + 1`.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How text becomes words.
    pub fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// The id of unknown words, if they are kept.
    pub fn unknown_id(&self) -> Option<u32> {
        (self.unknown == Unknown::Row).then_some(self.words.len() as u32 + 1)
    }

    /// For each row of a pair, the id that is read for the pair's second word alone: its row, or that of unknown words if they
    /// are kept. Nothing for other rows.
    pub fn ties(&self) -> Vec<Option<u32>> {
        let mut ties = vec![None; self.rows()];
        for (entry, tie) in self.words.iter().zip(&mut ties[1..]) {
            *tie = halves(self.normalization.unit, entry)
                .and_then(|(_, word)| self.ids.get(word).copied().or(self.unknown_id()));
        }
        ties
    }

    /// Rows that an embedding needs for these ids.
    pub fn rows(&self) -> usize {
        rows(self.unknown, self.words.len())
    }

    /// The id of a pair that ends with a word, or else of the word.
    fn id(&self, pair: Option<&str>, word: &str) -> Option<u32> {
        let hash = self.hash.get().filter(|_| self.is_on_device);
        let id = |entry| match hash {
            None => self.ids.get(entry).copied(),
            Some(hash) => hash.word(self.normalization.unit, entry).map(|word| word + 1),
        };
        pair.and_then(id).or_else(|| id(word))
    }

    /// The ids of a text's words, truncated but not padded.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        for_each_entry(self.normalization, text, |pair, word| {
            ids.extend(self.id(pair, word).or(self.unknown_id()));
        });
        cut(&mut ids, self.maxlen, self.truncating);
        ids
    }

    /// How many words a text has before any is dropped or truncated, and how many of them are not in the vocabulary.
    pub fn count_words(&self, text: &str) -> (usize, usize) {
        let (mut words, mut unknown) = (0, 0);
        for_each_entry(self.normalization, text, |pair, word| {
            words += 1;
            let known = |entry| self.ids.contains_key(entry);
            unknown += usize::from(!pair.is_some_and(known) && !known(word));
        });
        (words, unknown)
    }

    /// [`encode`](Self::encode) for many texts, on all cores, in order.
    pub fn encode_all(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        texts.par_iter().map(|text| self.encode(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each_word(Normalization::KERAS, text, |word| words.push(word.to_owned()));
        words
    }

    /// The corners of Keras's `text_to_word_sequence`, as it answers them.
    #[test]
    fn splits_as_keras_does() {
        assert_eq!(words("a\r\nb c\u{a0}d\u{3000}e\u{b}f"), ["a\r", "b", "c\u{a0}d\u{3000}e\u{b}f"]);
        assert_eq!(words("Don't STOP<br />me, now!"), ["don't", "stop", "br", "me", "now"]);
        assert_eq!(words("  \t\n .,;"), Vec::<String>::new());
        assert_eq!(words("ΟΔΟΣ"), ["οδοσ"], "Python's str.lower gives a final sigma; a stream cannot");
        assert_eq!(words("İ"), ["i\u{307}"]);
    }

    fn recipe(toml: &str) -> Recipe {
        Recipe::from_toml(toml).unwrap()
    }

    #[test]
    fn ranks_by_frequency_then_first_sight() {
        let encoder = Encoder::fit(&recipe(""), ["b a c a", "c d"]);
        assert_eq!(encoder.words(), ["a", "c", "b", "d"]);
        assert_eq!(encoder.encode("d a x b"), [4, 1, 3], "unknown words are dropped");
        assert_eq!(encoder.rows(), 5);
    }

    #[test]
    fn keeps_unknown_words_as_one_id_if_asked() {
        let encoder = Encoder::fit(&recipe("vocabulary = 2\nunknown = \"row\""), ["a a a b b c"]);
        assert_eq!(encoder.words(), ["a", "b"]);
        assert_eq!(encoder.encode("c a b z"), [3, 1, 2, 3]);
        assert_eq!(encoder.rows(), 4);
    }

    #[test]
    fn truncates_after_dropping_unknown_words() {
        let last = Encoder::fit(&recipe("maxlen = 2"), ["a b c"]);
        assert_eq!(last.encode("a b x c x"), [2, 3]);
        let first = Encoder::fit(&recipe("maxlen = 2\ntruncating = \"post\""), ["a b c"]);
        assert_eq!(first.encode("x a b x c"), [1, 2]);
    }

    #[test]
    fn pairs_take_the_place_of_their_second_word() {
        let encoder =
            Encoder::new(&recipe("pairs = true"), ["good", "not good", "not"].map(str::to_owned).into());
        assert_eq!(encoder.encode("Not good, good"), [3, 2, 1]);
        assert_eq!(encoder.count_words("not a good film"), (4, 2));
    }

    /// The device's own reader says how many words it takes for known ones.
    #[test]
    fn reads_as_the_device_does_if_asked() {
        let words: Vec<String> = (0..300).map(|i| format!("w{i}")).chain(["w1 w2".to_owned()]).collect();
        let encoder = Encoder::new(&recipe("pairs = true"), words).on_device().unwrap();
        assert_eq!(encoder.encode("w1 w2 w3"), [2, 301, 4]);
        // One in 256 of two lookups each.
        let unheard: Vec<String> = (0..20_000).map(|i| format!("unheard{i}")).collect();
        let mistaken = encoder.encode(&unheard.join(" ")).len();
        assert!((100..220).contains(&mistaken), "{mistaken} of 20,000; 156 expected");
        assert_eq!(
            encoder.count_words(&unheard.join(" ")),
            (20_000, 20_000),
            "what is known is counted by the words"
        );
    }
}
