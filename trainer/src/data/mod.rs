//! Labelled texts, read and checked before anything else happens.
//!
//! [`Inputs`] is what a person names; `layout` finds the files in it, `bytes` reads one and
//! `formats` turns it into rows, `labels` turns rows into [`Example`]s. [`counts`] says what came
//! of it, [`Batches`] lay it out for training.

mod batch;
mod bytes;
pub mod counts;
mod formats;
mod inputs;
mod labels;
mod layout;
pub mod starter;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

pub use batch::{Batch, Batches};
pub use formats::Columns;
pub use inputs::Inputs;

use crate::error::InputError;
use crate::progress;
use formats::{Field, Format, Name, Row};

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

/// Where an example stands. [`Dataset::place`] puts it in words.
#[derive(Debug, Clone, Copy, Default)]
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
}

impl Dataset {
    /// Reads data to train on. Without a list of classes, the labels of the training part are the classes.
    pub fn read(inputs: &Inputs) -> Result<Self> {
        let parts = inputs.find()?;
        let mut train = read_all(&parts.train, &inputs.columns)?;
        let groups: Option<Vec<String>> = train.iter_mut().flatten().map(|row| row.group.take()).collect();
        let listed = match parts.labels {
            Some(labels) => labels,
            None => labels::infer(train.iter().flatten().map(|row| row.label.as_str()))
                .map_err(|reason| in_sources(&parts.train, reason))?,
        };
        let kept = labels::Kept::new(&listed, &inputs.without)?;
        let labels = &kept.labels;
        let mut files = Vec::new();
        let all = join(&parts.train, train, &listed, &mut files)?;
        let groups = groups.map(|groups| {
            let of = groups.into_iter().zip(&all);
            of.filter(|(_, example)| kept.has(example)).map(|(group, _)| group).collect()
        });
        let train: Vec<Example> = all.into_iter().filter_map(|example| kept.example(example)).collect();
        let mut examples = vec![0; labels.len()];
        train.iter().for_each(|example| examples[example.class] += 1);
        if let Some(class) = examples.iter().position(|&examples| examples == 0) {
            let reason = format!(
                "class {class} (`{}`) has no example (add some, or take it out of the list of classes)",
                labels[class]
            );
            return Err(in_sources(&parts.train, reason).into());
        }
        if labels.len() < 2 {
            let reason =
                format!("there must be at least two classes; there is only `{}`", labels::shown(labels));
            return Err(in_sources(&parts.train, reason).into());
        }
        let columns = Columns { group: None, ..inputs.columns.clone() };
        let mut part = |sources: &[Source]| -> Result<Option<Vec<Example>>> {
            if sources.is_empty() {
                return Ok(None);
            }
            let all = join(sources, read_all(sources, &columns)?, &listed, &mut files)?;
            let part: Vec<Example> = all.into_iter().filter_map(|example| kept.example(example)).collect();
            Ok((!part.is_empty()).then_some(part))
        };
        let (dev, test) = (part(&parts.dev)?, part(&parts.test)?);
        Ok(Self { train, groups, unlabelled: Vec::new(), dev, test, labels: kept.labels, files })
    }

    /// Where an example of these data stands: `train.csv:12`.
    pub fn place(&self, Origin { file, line }: Origin) -> String {
        let file = self.files.get(file as usize).map_or("?".into(), |path| path.display().to_string());
        if line == 0 { file } else { format!("{file}:{line}") }
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

    /// Reads what a model with these labels is to be tested on: files, and folders' test parts, without some classes,
    /// whether the model knows them or was trained without them, too.
    pub fn read_test(
        paths: &[PathBuf],
        columns: &Columns,
        labels: &[String],
        without: &[String],
    ) -> Result<Vec<Example>> {
        let (sources, lists) = inputs::find_test(paths)?;
        let mut all = labels.to_vec();
        for list in lists {
            let found = labels::read(&list)?;
            let is_of_more = labels::Kept::new(&found, without).is_ok_and(|kept| kept.labels == labels);
            if is_of_more {
                all = found;
            } else if found != labels {
                let reason = format!(
                    "its classes are {}, the model's {}",
                    labels::shown(&found),
                    labels::shown(labels)
                );
                return Err(InputError::in_file(&list, reason).into());
            }
        }
        let kept = labels::Kept::new(&all, without)?;
        // The model's own number of each class that stays: it may have one for what is left out.
        let number: Vec<Option<usize>> =
            kept.labels.iter().map(|label| labels.iter().position(|known| known == label)).collect();
        let examples = join(&sources, read_all(&sources, columns)?, &all, &mut Vec::new())?.into_iter();
        let examples = examples.filter_map(|example| {
            let example = kept.example(example)?;
            Some(Example { class: number[example.class]?, ..example })
        });
        let examples: Vec<Example> = examples.collect();
        if examples.is_empty() {
            return Err(in_sources(&sources, "all its examples are left out".to_owned()).into());
        }
        Ok(examples)
    }
}

/// Reads the groups of examples that lie in a file of their own: in the column or under the key `name`, or one a line.
pub fn read_groups(path: &Path, name: &str) -> Result<Vec<String>, InputError> {
    let format = formats::of(path)?;
    let field = if format.is_of_one_class() { Field::Text } else { Field::Group };
    let records = format.records(path, &bytes::read_text(path)?, &[Name(field, name)])?;
    Ok(records.into_iter().flat_map(|record| record.values).collect())
}

/// Reads texts without labels, from the column or under the key `name`, or one a line.
pub fn read_unlabelled(path: &Path, name: &str) -> Result<Vec<String>, InputError> {
    let records = formats::of(path)?.records(path, &bytes::read_text(path)?, &[Name(Field::Text, name)])?;
    Ok(records.into_iter().flat_map(|record| record.values).collect())
}

/// A file with examples.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    format: &'static dyn Format,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}", self.path.display(), self.format.endings()[0])
    }
}

/// Reads files on all cores. Of several faults the first in the order of the files is told.
fn read_all(sources: &[Source], columns: &Columns) -> Result<Vec<Vec<Row>>, InputError> {
    let progress = progress::bar("reading", sources.len(), "files");
    let read = |Source { path, format }: &Source| {
        let rows = format.rows(path, &bytes::read_text(path)?, columns)?;
        progress.inc(1);
        match rows.is_empty() {
            true => Err(InputError::in_file(path, "there are no examples in it")),
            false => Ok(rows),
        }
    };
    let rows: Vec<Result<Vec<Row>, InputError>> = sources.par_iter().map(read).collect();
    progress.finish_and_clear();
    rows.into_iter().collect()
}

/// The examples of a part's files, in the order of the files, or mixed if each file has one class only. Adds the files
/// to those that were read.
fn join(
    sources: &[Source],
    rows: Vec<Vec<Row>>,
    labels: &[String],
    files: &mut Vec<PathBuf>,
) -> Result<Vec<Example>, InputError> {
    let mut examples = Vec::new();
    for (source, rows) in sources.iter().zip(rows) {
        examples.extend(labels::classify(source, files.len(), rows, labels)?);
        files.push(source.path.clone());
    }
    if sources.iter().all(|source| source.format.is_of_one_class()) {
        mix(&mut examples, labels.len());
    }
    Ok(examples)
}

/// Spreads each class evenly over the whole, and keeps its order. Class after class, the last part
/// of the texts, which `validation_split` validates on, would be of one class.
fn mix(examples: &mut Vec<Example>, classes: usize) {
    let mut all = vec![0_u64; classes];
    examples.iter().for_each(|example| all[example.class] += 1);
    let mut before = vec![0_u64; classes];
    let mut placed: Vec<(u64, Example)> = std::mem::take(examples)
        .into_iter()
        .map(|example| {
            // The middle of its share of the whole, as a fraction of 2^33.
            let place = ((2 * before[example.class] + 1) << 32) / all[example.class];
            before[example.class] += 1;
            (place, example)
        })
        .collect();
    placed.sort_by_key(|(place, example)| (*place, example.class));
    examples.extend(placed.into_iter().map(|(_, example)| example));
}

/// A fault of files as a whole.
fn in_sources(sources: &[Source], reason: String) -> InputError {
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
