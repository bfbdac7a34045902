//! The tokenizer against the standard library, and against itself in every chunking.

use kilornn::text::{AsciiSet, Lowercase, Normalization, Tokenizer, Unit, Utf8Decoder};
use proptest::prelude::*;

use crate::common::Words;

/// The words of a text that comes in chunks.
fn words(normalization: Normalization, chunks: &[&[u8]]) -> Vec<String> {
    let mut words = Words::default();
    let mut tokenizer = Tokenizer::new(normalization);
    chunks.iter().for_each(|chunk| tokenizer.push(chunk, &mut words));
    tokenizer.finish(&mut words);
    assert_eq!(words.current, "", "a word that never ended");
    words.done
}

/// Text-like bytes: mostly ASCII, with whole and broken multi-byte characters.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-zA-Z' ,.!\t-]{0,6}".prop_map(String::into_bytes),
        2 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        2 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn decodes_like_the_standard_library(bytes in text()) {
        let mut decoder = Utf8Decoder::default();
        let mut decoded = String::new();
        bytes.iter().for_each(|&byte| decoder.push(byte, |c| decoded.push(c)));
        decoder.finish(|c| decoded.push(c));
        prop_assert_eq!(decoded, String::from_utf8_lossy(&bytes));
    }

    /// Keras's `text_to_word_sequence`, written as Keras has it: lower, translate, split.
    #[test]
    #[cfg(feature = "unicode")]
    fn splits_like_keras(bytes in text()) {
        let whole: String = String::from_utf8_lossy(&bytes).chars().flat_map(char::to_lowercase).collect();
        let separators = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";
        let translated: String =
            whole.chars().map(|c| if separators.contains(c) { ' ' } else { c }).collect();
        let expected: Vec<&str> = translated.split(' ').filter(|word| !word.is_empty()).collect();
        prop_assert_eq!(words(Normalization::KERAS, &[&bytes]), expected);
    }

    #[test]
    fn chunks_do_not_matter(bytes in text(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let plain = Normalization { lowercase: Lowercase::Ascii, ..Normalization::KERAS };
        prop_assert_eq!(words(plain, &chunks), words(plain, &[&bytes]));
    }

    #[test]
    fn every_character_is_a_token_at_character_level(text in ".{0,40}") {
        let characters = Normalization { unit: Unit::Character, lowercase: Lowercase::Off, separators: AsciiSet::new(" .") };
        let expected: Vec<String> = text.chars().map(String::from).collect();
        prop_assert_eq!(words(characters, &[text.as_bytes()]), expected);
    }
}

#[test]
fn the_separators_are_keras_s() {
    let all: String =
        (0u8..128).map(char::from).filter(|&c| Normalization::KERAS.separators.contains(c)).collect();
    let mut keras: Vec<char> = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n ".chars().collect();
    keras.sort_unstable();
    assert_eq!(all, keras.iter().collect::<String>());
}
