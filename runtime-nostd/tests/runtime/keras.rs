//! The tokenizer against Keras's own, on recorded cases.

use kilornn::text::{AsciiSet, Lowercase, Normalization, Tokenizer, Unit};

use crate::common::Words;
use kilornn_keras_fixture::{self as keras_fixture, Case, Settings};

fn normalization(settings: &Settings) -> Normalization {
    Normalization {
        unit: if settings.char_level { Unit::Character } else { Unit::Word },
        lowercase: if settings.lower { Lowercase::Unicode } else { Lowercase::Off },
        separators: AsciiSet::new(&format!("{} ", settings.filters)),
    }
}

fn words(case: &Case) -> Vec<String> {
    let mut words = Words::default();
    let mut tokenizer = Tokenizer::new(normalization(&case.settings));
    tokenizer.push(case.text.as_bytes(), &mut words);
    tokenizer.finish(&mut words);
    words.done
}

#[test]
fn reads_the_words_that_keras_reads() {
    let cases = keras_fixture::read().cases;
    assert!(cases.len() >= 2800, "only {} cases", cases.len());
    for case in &cases {
        assert_eq!(words(case), case.words, "{case:?}");
    }
}

/// Python's `str.lower` makes a capital sigma at a word's end a final one; character by character
/// it becomes `σ` everywhere, and nothing else differs.
#[test]
fn a_final_sigma_is_the_only_letter_that_depends_on_its_neighbours() {
    let cases = keras_fixture::read().final_sigma;
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    for case in &cases {
        let (found, keras) = (words(case).join(" "), case.words.join(" "));
        assert_eq!(found.chars().count(), keras.chars().count());
        let different: Vec<_> =
            found.chars().zip(keras.chars()).filter(|(ours, theirs)| ours != theirs).collect();
        assert!(!different.is_empty(), "equal after all: {case:?}");
        assert!(different.iter().all(|&pair| pair == ('σ', 'ς')), "{found} for {keras}");
        assert!(case.text.matches('Σ').count() >= different.len(), "{case:?}");
    }
}

/// The capitals that the documentation of `Lowercase` lists for Unicode's versions up to `newest`.
fn documented(newest: u8) -> Vec<u32> {
    let code = |text: &str| u32::from_str_radix(text.trim().strip_prefix("U+").unwrap(), 16).unwrap();
    let mut codes = Vec::new();
    for row in include_str!("../../src/text/normalize.rs").lines().filter(|line| line.contains("| U+")) {
        let (version, capitals) = row.trim_start_matches("/// | ").split_once(" | ").unwrap();
        let version: u8 = version.split(' ').next().unwrap().parse().unwrap();
        for range in capitals.trim_end_matches('|').split(',').filter(|_| version <= newest) {
            let (first, last) = range.split_once(" to ").unwrap_or((range, range));
            codes.extend(code(first)..=code(last));
        }
    }
    codes.sort_unstable();
    codes
}

/// Every character of Unicode, by itself, against Python's `str.lower`.
#[test]
fn characters_differ_from_python_only_where_the_documentation_says() {
    let python = keras_fixture::read().lower;
    assert!(python.len() > 1400);
    let mut python = python.into_iter().peekable();
    let mut newer = Vec::new();
    for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
        let expected = python.next_if(|&(from, _)| from == c).map_or_else(|| c.to_string(), |(_, to)| to);
        let mut found = String::new();
        Lowercase::Unicode.map(c, |c| found.push(c));
        if found != expected {
            assert_eq!(expected, c.to_string(), "Python knows {c:?} and lower-cases it otherwise");
            newer.push(u32::from(c));
        }
    }
    assert_eq!(python.next(), None);
    let (unicode, ..) = char::UNICODE_VERSION;
    let documented = documented(unicode);
    if unicode <= 17 {
        assert_eq!(newer, documented, "the table in the documentation of `Lowercase` is not complete");
    } else {
        // A toolchain from the future: its new letters are not in the table yet.
        assert!(documented.iter().all(|code| newer.contains(code)));
    }
}
