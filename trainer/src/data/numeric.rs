//! Numbers that stand where texts should: measurements, or the wrong column.

use super::Example;
use super::formats::NUMBERS;
use crate::excerpt::excerpt;

/// The first text of numbers, and why it is refused, if nearly all texts are such.
pub(super) fn instead_of_texts(examples: &[Example]) -> Option<(&Example, String)> {
    let mut numbers = examples.iter().filter(|example| is_of_numbers(&example.text));
    let first = numbers.next()?;
    let count = 1 + numbers.count();
    // Nineteen in twenty.
    (20 * count >= 19 * examples.len()).then(|| {
        let of = if count == 1 { "the text" } else { "the texts" };
        let count = format!("{count} of {}", examples.len());
        (first, format!("`{}`: {of} ({count}) are numbers, and {NUMBERS}", excerpt(&first.text)))
    })
}

/// Whether a text is one number, or several of which one has a fraction. Rows of whole numbers may be codes of words.
fn is_of_numbers(text: &str) -> bool {
    let (mut numbers, mut fractions) = (0, 0);
    for token in text.split([' ', '\t', '\n', ',', ';', '[', ']']).filter(|token| !token.is_empty()) {
        // `inf` and `nan` are words, too.
        if !token.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
            || token.parse::<f64>().is_err()
        {
            return false;
        }
        numbers += 1;
        fractions += usize::from(token.contains('.') || token.contains(['e', 'E']));
    }
    numbers == 1 || fractions > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_are_told_from_texts_and_codes() {
        for numbers in ["5", "-1.5", "0.25 0.5 1", "[0.1, 2e-3]", "1,2.5;3"] {
            assert!(is_of_numbers(numbers), "{numbers}");
        }
        for text in
            ["", " ", "12 7 99", "x0.5", "call 5551234", "2020-01-01", "nan", "3.5 stars", "1.2.3", "-"]
        {
            assert!(!is_of_numbers(text), "{text}");
        }
    }

    #[test]
    fn a_few_numbers_among_texts_are_texts() {
        let examples = |numbers: usize| -> Vec<Example> {
            (0..20).map(|i| Example::new(0, if i < numbers { "0.5" } else { "a text" })).collect()
        };
        assert!(instead_of_texts(&examples(18)).is_none());
        let (first, reason) = instead_of_texts(&examples(19)).map(|(e, r)| (e.text.clone(), r)).unwrap();
        assert_eq!(first, "0.5");
        assert!(
            reason.starts_with("`0.5`: the texts (19 of 20) are numbers, and what is read as texts"),
            "{reason}"
        );
    }
}
