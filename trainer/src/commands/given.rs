//! Texts that a person gives: as arguments, as lines of a file, or as lines of standard input.

use anyhow::Result;

use crate::data::{Encoding, TextLines, with_line_feeds};

/// Calls `answer` with the texts that are `given`, or, if there are none or a single `-`, with the lines of standard input: with
/// all at once if one JSON object is asked for, and otherwise line by line, so that a person at a terminal gets each answer
/// immediately.
pub(super) fn answer(
    given: &[String],
    encoding: Option<Encoding>,
    json: bool,
    mut answer: impl FnMut(&[String]) -> Result<()>,
) -> Result<()> {
    if !given.is_empty() && given != ["-"] {
        return answer(&given.iter().map(|text| with_line_feeds(text).into_owned()).collect::<Vec<_>>());
    }
    let mut lines = TextLines::new(std::io::stdin().lock(), encoding);
    if json {
        return answer(&lines.collect::<Result<Vec<_>, _>>()?);
    }
    lines.try_for_each(|line| answer(&[line?]))
}
