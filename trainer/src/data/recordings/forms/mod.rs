//! Forms of recordings in files. A new one is a file here and a line in [`FORMS`].

mod class_folder;
mod columns;
mod npy;
mod npz;
mod number;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod ts;
mod values;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;
use rayon::prelude::*;

pub(super) use class_folder::{IN_CLASS, IN_GROUP};
pub(super) use time::{are_alike, shown as interval_shown};

use super::Recording;
use super::channels::Channels;
use super::framing::Framing;
use crate::data::column::Label;
use crate::data::form::Reading;
use crate::data::{Encoding, Origin, bytes, labels};
use crate::error::InputError;
use crate::excerpt::excerpt;

/// The forms that the content of a file distinguishes. The last one is taken where none of the others is recognized.
pub(super) static FORMS: [&dyn Form; 4] = [&npz::Npz, &ts::Ts, &values::Values, &table::Table];

/// How recordings are written in a file of a kind.
pub(in crate::data) trait Form: Sync {
    /// How names of such files end, before a `.gz`.
    fn endings(&self) -> &'static [&'static str];

    /// Whether a file is one recording, and its folder its class.
    fn is_of_one_class(&self) -> bool {
        false
    }

    /// Whether a name before the part's is usual: `BasicMotions_TRAIN.ts`.
    fn has_names_before_parts(&self) -> bool {
        false
    }

    /// Whether a file that begins so can be nothing else, if it is data of numbers at all. A person may have named other
    /// columns than usual.
    fn is_told_by(&self, begin: &[u8], wanted: &Wanted<'_>) -> bool;

    /// Reads a file.
    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError>;
}

/// The form of a file that begins so, if one is certain.
pub(super) fn told_by(begin: &[u8], wanted: &Wanted<'_>) -> Option<&'static dyn Form> {
    FORMS.into_iter().find(|form| form.is_told_by(begin, wanted))
}

/// A file that is to be read.
pub(in crate::data) struct File<'a> {
    pub(super) path: &'a Path,
    /// Its number among the files of the data.
    pub(super) number: usize,
    pub(super) bytes: Vec<u8>,
    /// Counts bytes.
    pub(super) progress: &'a ProgressBar,
}

impl<'a> File<'a> {
    /// The file's path, number, text and progress.
    fn text(self, encoding: Option<Encoding>) -> Result<(Text<'a>, String), InputError> {
        let Self { path, number, bytes, progress } = self;
        let content = bytes::content(path, bytes, encoding)?;
        progress.inc_length(content.len() as u64);
        Ok((Text { path, number, progress }, content))
    }
}

/// A file of text.
#[derive(Clone, Copy)]
struct Text<'a> {
    path: &'a Path,
    number: usize,
    progress: &'a ProgressBar,
}

impl Text<'_> {
    /// Makes something of lines, on all cores. If several are at fault, the error is about the first.
    fn of_lines<T: Send>(
        &self,
        lines: &[(usize, &str)],
        make: impl Fn(usize, &str) -> Result<T, InputError> + Sync,
    ) -> Result<Vec<T>, InputError> {
        let made: Vec<Result<T, InputError>> = lines
            .par_iter()
            .map(|&(number, line)| {
                self.progress.inc(line.len() as u64 + 1);
                make(number, line)
            })
            .collect();
        made.into_iter().collect()
    }
}

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) struct Wanted<'a> {
    pub(super) reading: &'a Reading,
    pub(super) framing: &'a Framing,
    /// The channels that a table must have; if there are none, it says which ones there are.
    pub(super) channels: &'a [String],
    /// Whether a file must say the groups of its recordings, if groups were asked for.
    pub(super) needs_groups: bool,
    /// Whether a file must say the labels of its recordings; otherwise they are not read.
    pub(super) has_labels: bool,
}

/// What a file says.
pub(in crate::data) struct Parsed {
    pub(super) channels: Channels,
    /// Until `column` has said which classes the labels mean, a class is the index of a label.
    pub(super) recordings: Vec<Recording>,
    /// Its different labels.
    pub(super) labels: Vec<Label>,
    /// Whether a column names the recordings.
    pub(super) has_names: bool,
    /// The time from frame to frame, if the file says it.
    pub(super) interval: Option<f64>,
    /// A column of time that is not of numbers.
    pub(super) unchecked_time: Option<String>,
}

/// Collects the recordings of a file.
struct Collector<'a> {
    path: &'a Path,
    file: usize,
    has_labels: bool,
    known: HashMap<String, usize>,
    parsed: Parsed,
}

/// A recording as a file says it.
struct Found<'a> {
    /// 0 if the form has no lines.
    line: usize,
    name: Option<Arc<str>>,
    group: Option<Arc<str>>,
    /// Empty if labels are not read.
    label: &'a str,
    values: Vec<f32>,
}

impl<'a> Collector<'a> {
    fn new(path: &'a Path, file: usize, channels: Channels, wanted: &Wanted<'_>) -> Self {
        let parsed = Parsed {
            channels,
            recordings: Vec::new(),
            labels: Vec::new(),
            has_names: false,
            interval: None,
            unchecked_time: None,
        };
        Self { path, file, has_labels: wanted.has_labels, known: HashMap::new(), parsed }
    }

    fn push(&mut self, found: Found<'_>) -> Result<(), InputError> {
        let Found { line, name, group, label, values } = found;
        let origin = Origin { file: self.file as u32, line: line as u32 };
        let label = label.trim();
        let class = match self.known.get(label) {
            Some(&class) => class,
            None if !self.has_labels => 0,
            None => {
                if let Some(reason) = labels::fault(label) {
                    let reason = match (line, &name) {
                        (0, Some(name)) => format!("{name}: {reason}"),
                        _ => reason.to_owned(),
                    };
                    return Err(at(self.path, line, reason));
                }
                self.known.insert(label.to_owned(), self.parsed.labels.len());
                self.parsed.labels.push(Label { name: label.to_owned(), origin });
                self.parsed.labels.len() - 1
            }
        };
        self.parsed.recordings.push(Recording { class, values, name, group, origin });
        Ok(())
    }

    fn finish(self) -> Result<Parsed, InputError> {
        match self.parsed.recordings.is_empty() {
            true => Err(InputError::in_file(self.path, "there are no recordings in it")),
            false => Ok(self.parsed),
        }
    }
}

/// A fault in a line, or, for line 0, in the file as a whole.
fn at(path: &Path, line: usize, reason: impl Into<String>) -> InputError {
    match line {
        0 => InputError::in_file(path, reason),
        line => InputError::at_line(path, line, reason),
    }
}

/// Says that a form has no groups.
fn no_groups(path: &Path, group: &str, what: &str) -> InputError {
    let reason = format!(
        "{what} says no group `{}` (name a file that has the group of each recording: --groups FILE)",
        excerpt(group)
    );
    InputError::in_file(path, reason)
}

/// What a second header in the middle of a file means.
const HEADER_AGAIN: &str = "the header stands here again: were two files joined? (remove this line)";

/// The beginning of a text, without a byte order mark.
fn as_text(begin: &[u8]) -> &str {
    let begin = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begin);
    match str::from_utf8(begin) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&begin[..error.valid_up_to()]).unwrap_or_default(),
    }
}
