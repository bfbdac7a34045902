//! What the person gave cannot be used: told apart from faults of the program, by type and exit code.

use std::fmt;
use std::path::{Path, PathBuf};

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// A fault in what the person gave: a file, a recipe, an argument. `kilornn` exits with code 2 for
/// these and 1 for all others.
#[derive(Debug)]
pub struct InputError {
    place: Option<(PathBuf, Option<usize>)>,
    reason: String,
}

impl InputError {
    /// A fault that is in no file.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { place: None, reason: reason.into() }
    }

    /// A fault in a file as a whole.
    pub fn in_file(path: &Path, reason: impl Into<String>) -> Self {
        Self { place: Some((path.to_owned(), None)), reason: reason.into() }
    }

    /// A fault in a line of a file, counted from 1.
    pub fn at_line(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self { place: Some((path.to_owned(), Some(line))), reason: reason.into() }
    }

    /// The same fault, if so many lines stand before those that were looked at.
    pub fn behind(mut self, lines: usize) -> Self {
        if let Some((_, Some(line))) = &mut self.place {
            *line += lines;
        }
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some((path, line)) => write!(f, "{}: {}", place(path, *line), self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for InputError {}

/// A file, or a line of it, as a person reads it.
pub fn place(path: &Path, line: Option<usize>) -> String {
    let file = match path.as_os_str() == STANDARD_INPUT {
        true => "standard input".into(),
        false => path.to_string_lossy(),
    };
    match line {
        Some(line) => format!("{file}:{line}"),
        None => file.into_owned(),
    }
}
