//! Texts that a person gives: as arguments, as lines of a file, or as lines of standard input.

use anyhow::Result;

use crate::data::{Encoding, TextLines, with_line_feeds};

/// Has the texts that are `given` answered, or else (also for a single `-`) every line of standard input: all at once
/// where the answer is one JSON object, and otherwise line by line, so that a person at a terminal gets each answer at
/// once.
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
