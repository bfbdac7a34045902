//! What is measured of data to choose a recipe.

use std::ops::Add;

use rayon::prelude::*;

use crate::data::Dataset;
use crate::footprint::Texts;
use crate::numbers::grouped;
use crate::recipe::Recipe;
use crate::text::normalization;

/// Properties of the training texts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Traits {
    /// Texts with a label.
    pub texts: usize,
    /// Texts without one, which a teacher may judge.
    pub unlabelled: usize,
    /// Classes.
    pub classes: usize,
    /// Whether most letters are of scripts that write no space between words.
    pub is_unspaced: bool,
    /// Whether a token is a character.
    pub by_character: bool,
    /// Tokens of a text, on average.
    pub tokens_per_text: f64,
    /// Different tokens.
    pub different: usize,
}

impl Traits {
    /// Tokens of all texts.
    pub(super) fn tokens(&self) -> f64 {
        self.tokens_per_text * (self.texts + self.unlabelled) as f64
    }

    /// In words, for a person.
    pub(super) fn in_words(&self) -> String {
        let token = if self.by_character { "characters" } else { "words" };
        let unlabelled = match self.unlabelled {
            0 => String::new(),
            some => format!(" and {} unlabelled ones", grouped(some)),
        };
        format!(
            "{} texts of {} classes{unlabelled}, {:.0} {token} each on average, {} different {token}{}",
            grouped(self.texts),
            grouped(self.classes),
            self.tokens_per_text,
            grouped(self.different),
            if self.is_unspaced { ", mostly in a script that has no spaces" } else { "" },
        )
    }

    /// Measures the training texts. `by_character` is whether a token is a character, if that was decided before.
    pub(super) fn of(data: &Dataset, by_character: Option<bool>) -> Self {
        let texts = || data.train.iter().map(|example| example.text.as_str());
        let letters = data
            .train
            .par_iter()
            .map(|example| Letters::of(&example.text))
            .reduce(Letters::default, Add::add);
        let is_unspaced = 2 * letters.unspaced > letters.all;
        let by_character = by_character.unwrap_or(is_unspaced);
        let normalization = normalization(&Recipe { char_level: by_character, ..Recipe::default() });
        let Texts { words_per_text, different, .. } = Texts::of(normalization, texts());
        Self {
            texts: data.train.len(),
            unlabelled: data.unlabelled.len(),
            classes: data.labels.len(),
            is_unspaced,
            by_character,
            tokens_per_text: words_per_text,
            different,
        }
    }
}

/// Counts of letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Letters {
    all: usize,
    unspaced: usize,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters = Self::default();
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            letters.all += 1;
            letters.unspaced += usize::from(is_unspaced(c));
        }
        letters
    }
}

impl Add for Letters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { all: self.all + other.all, unspaced: self.unspaced + other.unspaced }
    }
}

/// Whether a letter is of a script that writes no space between words: Thai, Lao, Tibetan, Burmese, Khmer, kana, Han. (Korean
/// writes spaces.)
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{0F00}'..='\u{0FFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Example;

    fn of(texts: &[&str]) -> Traits {
        let train = texts.iter().map(|&text| Example::new(0, text)).collect();
        Traits::of(&Dataset { labels: vec!["n".into(), "p".into()], train, ..Dataset::default() }, None)
    }

    #[test]
    fn tokens_are_characters_where_words_have_no_spaces() {
        for text in ["房间很大,服务也好", "とてもよかったです", "ห้องสะอาดมาก"]
        {
            assert!(of(&[text]).by_character, "{text}");
        }
        for text in
            ["방이 아주 좋았다", "Комната была чистой", "الغرفة نظيفة", "a 好 word among others", "", "12"]
        {
            assert!(!of(&[text]).by_character, "{text}");
        }
    }

    #[test]
    fn what_is_decided_is_not_measured() {
        let train = vec![Example::new(0, "很好很好")];
        let data = Dataset { train, ..Dataset::default() };
        let (words, characters) = (Traits::of(&data, Some(false)), Traits::of(&data, None));
        assert_eq!((words.different, words.tokens_per_text), (1, 1.0));
        assert_eq!((characters.different, characters.tokens_per_text), (2, 4.0));
        assert!(words.is_unspaced && !words.by_character);
    }
}
