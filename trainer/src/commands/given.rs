//! Texts that a person gives: as arguments, or as lines of standard input.

use std::io::BufRead as _;

use anyhow::Result;

use crate::error::InputError;

/// Has the texts that are `given` answered, or else every line of standard input: all at once where the answer is one
/// JSON object, and otherwise line by line, so that a person at a terminal gets each answer at once.
pub(super) fn answer(
    given: &[String],
    json: bool,
    mut answer: impl FnMut(&[String]) -> Result<()>,
) -> Result<()> {
    if !given.is_empty() {
        return answer(given);
    }
    let mut lines = (1..).zip(std::io::stdin().lock().lines()).map(|(number, line)| valid(number, line));
    if json {
        return answer(&lines.collect::<Result<Vec<_>>>()?);
    }
    lines.try_for_each(|line| answer(&[line?]))
}

/// A line of standard input, if it is text.
fn valid(number: usize, line: std::io::Result<String>) -> Result<String> {
    line.map_err(|error| InputError::new(format!("standard input, line {number}: {error}")).into())
}
