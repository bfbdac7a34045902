//! Lines of text: one way of taking texts from them, whether they train a model, test it or are given to it.
//!
//! Line ends are `\n` and `\r\n`, and `\r` in a file that has no `\n` (old Mac line ends). Elsewhere a `\r` within a
//! line is a fault: it may end a line or belong to a text, and nothing tells which. What is one text as a whole (a file,
//! a field in quotes, a JSON string) may have line ends of any kind, and gets `\n`: a tokenizer takes `\r` for a letter.

use std::borrow::Cow;
use std::path::Path;

use super::repair;
use crate::error::InputError;

/// What some programs write in front of UTF-8.
pub(super) const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The content of a file with `\n` as line ends. What `\r` is left stands within a line; `is_of_more` says that
/// it is part of a file that has `\n`.
pub(super) fn unify(content: String, is_of_more: bool) -> String {
    if !content.contains('\r') {
        return content;
    }
    let lone = if is_of_more || content.contains('\n') { '\r' } else { '\n' };
    replaced(&content, lone)
}

/// A text with `\n` as line ends.
pub(crate) fn within(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { replaced(text, '\n').into() } else { text.into() }
}

/// Line ends of one `\r` or several and a `\n`, and a last one of `\r` alone, become `\n`, any other `\r` becomes `lone`.
fn replaced(content: &str, lone: char) -> String {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\r') {
        let behind = rest[at..].trim_start_matches('\r');
        out.push_str(&rest[..at]);
        let count = rest.len() - at - behind.len();
        match behind.chars().next() {
            Some('\n') => {}
            None if lone == '\r' => out.push('\n'),
            _ => out.extend(std::iter::repeat_n(lone, count)),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The lines of a file's content with their numbers, without line ends; an empty one behind the last line end does not count.
/// Refuses a file that was damaged: a carriage return or a byte order mark within it.
pub(super) fn of<'a>(
    path: &Path,
    content: &'a str,
) -> Result<impl Iterator<Item = (usize, &'a str)> + use<'a>, InputError> {
    if let Some(at) = content.find('\r') {
        return Err(lone(path, number(content, at)));
    }
    let mut marks = content.match_indices(BYTE_ORDER_MARK);
    if let Some((at, _)) = marks.find(|&(at, _)| at == 0 || content.as_bytes()[at - 1] == b'\n') {
        return Err(marked(path, number(content, at)));
    }
    Ok((1..).zip(content.split_terminator('\n')))
}

/// The number of the line at a position.
pub(super) fn number(content: &str, position: usize) -> usize {
    1 + content.as_bytes()[..position].iter().filter(|&&byte| byte == b'\n').count()
}

/// Says that there is a carriage return within a line.
pub(super) fn lone(path: &Path, line: usize) -> InputError {
    let mut reason = "a carriage return (\\r) in the middle of the line, where lines end with \\n".to_owned();
    let [space, end] = ["tr '\\r' ' '", "tr '\\r' '\\n'"].map(|filter| repair::command(path, filter));
    reason += &match (space, end) {
        (Some(space), Some(end)) => {
            format!(" (if it belongs to the text: {space}; if it ends a line: {end})")
        }
        _ => " (write a space or \\n instead)".to_owned(),
    };
    InputError::at_line(path, line, reason)
}

/// Says that a line begins with a byte order mark.
pub(super) fn marked(path: &Path, line: usize) -> InputError {
    let reason = "a byte order mark (U+FEFF) at the beginning of this line: were two files joined here? (remove it, \
                  and a second header)";
    InputError::at_line(path, line, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_any_kind_are_line_feeds() {
        let whole = |content: &str| unify(content.to_owned(), false);
        assert_eq!(whole("a\r\nb\r\n"), "a\nb\n");
        assert_eq!(whole("a\r\r\nb"), "a\nb", "as Python writes to Windows' text files");
        assert_eq!(whole("a\rb\r\rc\r"), "a\nb\n\nc\n", "no line feed, so that they end lines");
        assert_eq!(whole("a\rb\nc\r"), "a\rb\nc\n");
        assert_eq!(unify("b\rc".to_owned(), true), "b\rc", "the rest of a file with line feeds");
        assert_eq!(within("a\r\nb\rc\r"), "a\nb\nc\n");
        assert!(matches!(within("a\nb"), Cow::Borrowed(_)));
    }

    fn all(content: &str) -> Result<Vec<(usize, &str)>, String> {
        of(Path::new("f.tsv"), content).map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[test]
    fn what_happened_to_a_file_is_told_by_line() {
        assert_eq!(all("a\n\nb"), Ok(vec![(1, "a"), (2, ""), (3, "b")]));
        assert_eq!(all("a\u{FEFF}b\n"), Ok(vec![(1, "a\u{FEFF}b")]), "within a line it hurts nobody");
        let said = all("a\nb\rc\n").unwrap_err();
        assert_eq!(
            said,
            "f.tsv:2: a carriage return (\\r) in the middle of the line, where lines end with \\n (if it belongs to the \
             text: tr '\\r' ' ' < f.tsv > f.new.tsv; if it ends a line: tr '\\r' '\\n' < f.tsv > f.new.tsv)"
        );
        assert!(
            all("a\n\u{FEFF}b").unwrap_err().starts_with("f.tsv:2: a byte order mark (U+FEFF) at the beg")
        );
    }
}
