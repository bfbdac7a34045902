//! Statistics of texts that decide what a model costs, and how many words it can use.

use std::collections::HashMap;

use kilornn::text::Normalization;

use crate::text::for_each_word;

/// Statistics of texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Texts {
    /// Bytes of a word, with what separates it from the next, on average.
    pub bytes_per_word: f64,
    /// Words of a text, on average.
    pub words_per_text: f64,
    /// Different words.
    pub different: usize,
    /// Different words that occur more than once: only these can be learned.
    pub repeated: usize,
}

impl Texts {
    /// Counts.
    pub fn of<'a>(normalization: Normalization, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let (mut bytes, mut words, mut count_of_texts) = (0, 0, 0);
        for text in texts {
            count_of_texts += 1;
            // What ends a text separates its last word from the next text.
            bytes += text.len() + 1;
            for_each_word(normalization, text, |word| {
                words += 1;
                match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(word.to_owned(), 1)),
                }
            });
        }
        Self {
            bytes_per_word: bytes as f64 / words.max(1) as f64,
            words_per_text: words as f64 / count_of_texts.max(1) as f64,
            different: counts.len(),
            repeated: counts.values().filter(|&&count| count > 1).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shared_among_words_and_words_counted_once() {
        let texts = Texts::of(Normalization::KERAS, ["A rose is a rose,", "is it?"]);
        assert_eq!((texts.different, texts.repeated), (4, 3));
        assert!((texts.bytes_per_word - 25.0 / 7.0).abs() < 1e-9, "{texts:?}");
        assert!((texts.words_per_text - 3.5).abs() < 1e-9, "{texts:?}");
    }
}
