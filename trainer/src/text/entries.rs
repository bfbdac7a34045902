//! Entries of a vocabulary: words, and pairs of neighbouring words. (Or characters and pairs of characters, where each
//! character is a token.)
//!
//! An entry is written as the text that it stands for: a pair of words with a space between, which no word has in it, a
//! pair of characters without.

use kilornn::text::{Normalization, Unit, WordHash};

use super::for_each_word;

/// Calls `each` with every word of `text` and, if there may be pairs and the text has a word before it, the pair of both.
pub(super) fn for_each_entry(
    normalization: Normalization,
    text: &str,
    mut each: impl FnMut(Option<&str>, &str),
) {
    if !normalization.unit.has_pairs() {
        return for_each_word(normalization, text, |word| each(None, word));
    }
    let between = if normalization.unit.is_character() { "" } else { " " };
    let (mut pair, mut is_first) = (String::new(), true);
    for_each_word(normalization, text, |word| {
        // So far it is the word before.
        let length = pair.len();
        pair.push_str(between);
        pair.push_str(word);
        each((!is_first).then_some(&*pair), word);
        pair.drain(..length + between.len());
        is_first = false;
    });
}

/// The two of which a pair is made; `None` for one word.
pub(super) fn halves(unit: Unit, entry: &str) -> Option<(&str, &str)> {
    match unit {
        Unit::Word | Unit::Character => None,
        Unit::WordPair => entry.split_once(' '),
        Unit::CharacterPair => {
            let (second, _) = entry.char_indices().nth(1)?;
            Some(entry.split_at(second))
        }
    }
}

/// The hash by which the device finds an entry.
pub(super) fn hash(unit: Unit, seed: u32, entry: &str) -> u32 {
    match halves(unit, entry) {
        None => WordHash::of(seed, entry),
        Some((before, word)) => WordHash::pair(WordHash::of(seed, before), WordHash::of(seed, word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(unit: Unit, text: &str) -> Vec<String> {
        let mut entries = Vec::new();
        for_each_entry(Normalization { unit, ..Normalization::KERAS }, text, |pair, word| {
            entries.extend(pair.map(str::to_owned));
            entries.push(word.to_owned());
        });
        entries
    }

    #[test]
    fn every_word_but_the_first_makes_a_pair() {
        assert_eq!(entries(Unit::Word, "Not good, no"), ["not", "good", "no"]);
        assert_eq!(entries(Unit::WordPair, "Not good, no"), ["not", "not good", "good", "good no", "no"]);
        assert_eq!(entries(Unit::CharacterPair, "不 好"), ["不", "不 ", " ", " 好", "好"]);
        assert_eq!(entries(Unit::WordPair, ""), Vec::<String>::new());
    }

    #[test]
    fn pairs_can_be_told_from_words_and_taken_apart() {
        assert_eq!(halves(Unit::WordPair, "not good"), Some(("not", "good")));
        assert_eq!(halves(Unit::WordPair, "good"), None);
        assert_eq!(halves(Unit::CharacterPair, "不好"), Some(("不", "好")));
        assert_eq!(halves(Unit::CharacterPair, "  "), Some((" ", " ")));
        assert_eq!(halves(Unit::CharacterPair, "好"), None);
        assert_eq!(halves(Unit::Character, "不好"), None);
        assert_eq!(hash(Unit::WordPair, 1, "good"), WordHash::of(1, "good"));
        assert_ne!(hash(Unit::WordPair, 1, "not good"), hash(Unit::WordPair, 1, "good not"));
    }
}
