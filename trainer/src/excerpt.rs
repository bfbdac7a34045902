//! Pieces of a person's input, as messages quote them.

/// Characters of a piece that are shown.
const LONGEST: usize = 60;

/// The beginning of a piece of input. What a terminal would obey or not show is written out: `\r`, `\u{feff}`.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push_str("...");
            break;
        }
        if is_unseen(character) {
            shown.extend(character.escape_debug());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The first of several, at most `most`, in a sentence.
pub(crate) fn first_of(all: impl ExactSizeIterator<Item = String>, most: usize, separator: &str) -> String {
    let more = all.len().saturating_sub(most);
    let first = all.take(most).collect::<Vec<_>>().join(separator);
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// Whether a character is a control character, or leaves no mark although it makes a text another one. (Those that
/// join letters and emoji belong to what is seen.)
pub(crate) fn is_unseen(character: char) -> bool {
    let leaves_no_mark = matches!(
        character,
        '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}'
    );
    character.is_control() || leaves_no_mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_cannot_be_seen_and_no_more_than_the_beginning() {
        assert_eq!(excerpt("a\r\nb\tc\u{FEFF}d\u{1B}[1m"), "a\\r\\nb\\tc\\u{feff}d\\u{1b}[1m");
        assert_eq!(excerpt("it's \"naïve\" 很好 👩\u{200D}🚀"), "it's \"naïve\" 很好 👩\u{200D}🚀");
        assert_eq!(excerpt(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(excerpt(&"é".repeat(61)), format!("{}...", "é".repeat(60)));
    }
}
