//! Labelled texts, and recordings of numbers: found, read and checked before anything is trained.
//!
//! [`Data`] is either; `recordings` has what is special of recordings. [`Inputs`] is what a person names. `layout` finds the files in it; `bytes`, `encoding` and `lines` decode a file,
//! `formats` parses its records, and `files` makes examples of them. `column` decides which classes the labels mean, and
//! `labels` what the classes are called. `names` and `numeric` look for likely mistakes, and `counts` for statistics.

mod bytes;
mod column;
pub(crate) mod counts;
mod encoding;
mod files;
mod form;
mod formats;
mod grouping;
mod inputs;
mod kind;
mod labels;
mod layout;
mod lines;
mod names;
mod numeric;
pub(crate) mod recordings;
mod repair;
mod repeats;
mod source;
pub(crate) mod starter;
mod test;
#[cfg(test)]
mod tests;
mod text_lines;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use encoding::Encoding;
pub use form::{Delimiter, Form, Reading};
pub use grouping::Grouping;
pub use inputs::Inputs;
pub use kind::Data;
pub use recordings::{Framing, InputKind, Recording, Recordings, Standardization, Statistics};
pub use test::Test;

use crate::error::{InputError, place};
use crate::warning::Warning;
use column::Column;
use files::{ParsedFile, mix, read_all};
use formats::Format;
use source::Source;

pub(crate) use self::column::classes_of;
pub(crate) use self::files::{read_document, read_lines, read_unlabelled};
pub(crate) use self::labels::{fault as label_fault, shown as names_shown};
pub(crate) use self::lines::within as with_line_feeds;
pub(crate) use self::text_lines::TextLines;

/// A text and its class. Two are equal if both are, wherever they stand.
#[derive(Debug, Clone)]
pub struct Example {
    /// The number of its class.
    pub class: usize,
    /// The text.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}

impl Example {
    /// A text that stands nowhere.
    pub fn new(class: usize, text: impl Into<String>) -> Self {
        Self { class, text: text.into(), origin: Origin::default() }
    }
}

impl PartialEq for Example {
    fn eq(&self, other: &Self) -> bool {
        (self.class, &self.text) == (other.class, &other.text)
    }
}

impl Eq for Example {}

/// The texts of examples, in order.
pub fn texts_of(examples: &[Example]) -> Vec<&str> {
    examples.iter().map(|example| example.text.as_str()).collect()
}

/// Where an example stands. [`Dataset::place`] puts it in words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// Which of the files, by index.
    file: u32,
    /// The line where it begins, from 1; 0 if the file as a whole is the text.
    line: u32,
}

/// Labelled texts in their parts.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// What to train on.
    pub train: Vec<Example>,
    /// The group of each of these, if a column of groups was asked for.
    pub groups: Option<Vec<String>>,
    /// Texts of no known class, which a teacher may judge.
    pub unlabelled: Vec<String>,
    /// What to validate on, if there is any.
    pub dev: Option<Vec<Example>>,
    /// What to test on, if there is any.
    pub test: Option<Vec<Example>>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What a person should look at in them.
    pub warnings: Vec<Warning>,
}

impl Dataset {
    /// Reads data to train on. Without a list of classes, the labels of the training part are the classes.
    ///
    /// # Errors
    ///
    /// With an [`InputError`] that says where, if files cannot be read, are not of the form that they should have, or have
    /// fewer than two classes.
    pub fn read(inputs: &Inputs) -> Result<Self> {
        let parts = inputs.find::<dyn Format>()?;
        let reading = &inputs.reading;
        let sources: Vec<&Source> = [&parts.train, &parts.dev, &parts.test].into_iter().flatten().collect();
        let (before_dev, before_test) = (parts.train.len(), parts.train.len() + parts.dev.len());
        let mut contents = read_all(&parts.train, 0, reading)?;
        let ungrouped = Reading { group: None, ..reading.clone() };
        contents.extend(read_all(&parts.dev, before_dev, &ungrouped)?);
        contents.extend(read_all(&parts.test, before_test, &ungrouped)?);

        let labels = contents.iter().map(|contents| &contents.labels[..]);
        let column = Column::new(sources.iter().copied().zip(labels));
        let (listed, classes) = column.read(&parts.train, parts.labels)?;
        let kept = labels::Kept::new(&listed, &inputs.without)?;
        let mut contents = contents.into_iter().zip(classes);
        let mut take =
            |sources: &[Source]| join(sources, contents.by_ref().take(sources.len()), listed.len());
        let (all, groups) = take(&parts.train);
        let groups = reading.group.is_some().then(|| {
            let of = groups.into_iter().zip(&all);
            of.filter(|(_, example)| kept.has(example)).map(|(group, _)| group).collect()
        });
        let keep = |all: Vec<Example>| -> Vec<Example> {
            all.into_iter().filter_map(|example| kept.example(example)).collect()
        };
        let train = keep(all);
        let dev = Some(keep(take(&parts.dev).0)).filter(|part| !part.is_empty());
        let test = Some(keep(take(&parts.test).0)).filter(|part| !part.is_empty());
        let files = sources.iter().map(|source| source.path.clone()).collect();
        let (labels, warnings) = (kept.labels, parts.warnings);
        let mut data = Self { labels, train, groups, unlabelled: Vec::new(), dev, test, files, warnings };
        data.check_classes(&parts.train, reading)?;
        check_texts(&data.train, &data.files)?;
        let examples = data.train.iter().map(|example| (example.class, example.origin));
        let found = names::look(&data.labels, examples, |origin| data.place(origin));
        data.warnings.extend(found);
        Ok(data)
    }

    /// The same, with groups.
    pub(crate) fn read_in_groups(inputs: &Inputs, grouping: &Grouping) -> Result<Self> {
        let mut inputs = grouping.beside(inputs);
        inputs.reading.group = grouping.column();
        let mut data = Self::read(&inputs)?;
        if let Some(groups) = grouping.read(data.train.len(), &inputs.reading.form)? {
            data.groups = Some(groups);
        }
        Ok(data)
    }

    /// Refuses classes without an example, and too few of them.
    fn check_classes(&self, sources: &[Source], reading: &Reading) -> Result<(), InputError> {
        let labels = &self.labels;
        let reason = if let Some(reason) =
            names::without_example(labels, self.train.iter().map(|it| it.class))
        {
            reason
        } else if labels.len() < 2 {
            let only = labels::shown(labels);
            match sources {
                [Source { format, .. }] if format.is_of_one_class() && reading.calibrates => {
                    format!("texts without labels: {}", formats::CALIBRATES)
                }
                [Source { format, .. }] if format.is_of_one_class() => format!(
                    "there must be at least two classes; there is only `{only}`, for all lines of a .txt file are of the \
                     class that its name says (give a file for each class)"
                ),
                _ => format!("there must be at least two classes; there is only `{only}`"),
            }
        } else {
            return Ok(());
        };
        Err(in_sources(sources, reason))
    }

    /// Where an example of these data stands: `train.csv:12`.
    pub fn place(&self, origin: Origin) -> String {
        let Origin { file, line } = origin;
        let file = self.files.get(file as usize).map_or(Path::new("?"), PathBuf::as_path);
        place(file, (line > 0).then_some(line as usize))
    }

    /// What validates, and what that part is called: the training examples that are `held` out for it, by index, or the
    /// dev part, if there is one.
    pub fn validating(&self, held: &[usize]) -> Option<(&'static str, Cow<'_, [Example]>)> {
        if held.is_empty() {
            return Some(("dev", self.dev.as_deref()?.into()));
        }
        let held: Vec<Example> = held.iter().map(|&example| self.train[example].clone()).collect();
        Some(("validation", held.into()))
    }
}

/// The examples of a part's files, with their classes, in the order of the files, or mixed if each file has one class
/// only; and their groups.
fn join(
    sources: &[Source],
    contents: impl Iterator<Item = (ParsedFile, Vec<usize>)>,
    classes: usize,
) -> (Vec<Example>, Vec<String>) {
    let (mut examples, mut groups) = (Vec::new(), Vec::new());
    for (mut contents, class_of) in contents {
        contents.examples.iter_mut().for_each(|example| example.class = class_of[example.class]);
        match examples.is_empty() {
            // Of one file, which may be large, nothing is copied.
            true => examples = contents.examples,
            false => examples.append(&mut contents.examples),
        }
        groups.append(&mut contents.groups);
    }
    if sources.iter().all(|source| source.format.is_of_one_class()) {
        mix(&mut examples, classes, |example| example.class);
    }
    (examples, groups)
}

/// Refuses numbers where texts should be.
fn check_texts(examples: &[Example], files: &[PathBuf]) -> Result<(), InputError> {
    let Some((first, reason)) = numeric::instead_of_texts(examples) else { return Ok(()) };
    let Origin { file, line } = first.origin;
    Err(match line {
        0 => InputError::in_file(&files[file as usize], reason),
        line => InputError::at_line(&files[file as usize], line as usize, reason),
    })
}

/// A fault of files as a whole.
fn in_sources<F: ?Sized>(sources: &[Source<F>], reason: String) -> InputError {
    match sources {
        [source] => InputError::in_file(&source.path, reason),
        [first, .., last] => {
            let folder = first.path.ancestors().skip(1).find(|folder| last.path.starts_with(folder));
            InputError::in_file(
                folder.filter(|f| f.file_name().is_some()).unwrap_or(Path::new("DATA")),
                reason,
            )
        }
        [] => InputError::new(reason),
    }
}
