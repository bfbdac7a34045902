//! What a person names as data, and which files that means.

use std::path::{Path, PathBuf};

use super::formats::{Columns, stem};
use super::layout::{self, Found};
use super::{Source, labels};
use crate::error::InputError;

/// What to train on.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Inputs {
    /// The data: a folder with a train part, or files to train on
    #[arg(required = true, value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Validate on this file, not on a folder's dev part (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub dev: Vec<PathBuf>,
    /// Test on this file, not on a folder's test part (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub test: Vec<PathBuf>,
    /// A file that names the classes in order, one a line [default: labels.txt in a folder]
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Leave out this class and all its examples, as if they were not there (can be repeated)
    #[arg(long, value_name = "LABEL")]
    pub without: Vec<String>,
    /// Columns or keys of the files
    #[command(flatten)]
    pub columns: Columns,
}

/// The files of each part.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) train: Vec<Source>,
    pub(super) dev: Vec<Source>,
    pub(super) test: Vec<Source>,
    pub(super) labels: Option<Vec<String>>,
}

impl From<&Path> for Inputs {
    /// A folder, or a file to train on.
    fn from(path: &Path) -> Self {
        Self { data: vec![path.to_owned()], ..Self::default() }
    }
}

impl Inputs {
    /// What these data are called: the last name of the first path, without an ending.
    pub fn name(&self) -> String {
        let Some(path) = self.data.first() else { return String::new() };
        // `.` and `..` have names, too.
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        if path.is_dir() {
            path.file_name().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            stem(&path)
        }
    }

    /// The arguments that name these data, for a shell.
    pub fn command_line(&self) -> String {
        let path = |path: &PathBuf| path.display().to_string();
        let mut arguments: Vec<String> = self.data.iter().map(path).collect();
        let mut option = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        self.dev.iter().for_each(|file| option("dev", path(file)));
        self.test.iter().for_each(|file| option("test", path(file)));
        self.labels.iter().for_each(|file| option("labels", path(file)));
        self.without.iter().for_each(|label| option("without", label.clone()));
        let usual = Columns::default();
        for (name, value, usual) in
            [("text", &self.columns.text, usual.text), ("label", &self.columns.label, usual.label)]
        {
            if *value != usual {
                option(name, value.clone());
            }
        }
        shell_words::join(arguments)
    }

    /// Which files these are.
    pub(super) fn find(&self) -> Result<Parts, InputError> {
        let mut parts = Parts::default();
        for path in &self.data {
            let found = layout::find(path)?;
            let Some(train) = found.train.or(found.whole) else {
                return Err(InputError::in_file(path, layout::expected("train")));
            };
            parts.train.extend(train);
            parts.dev.extend(found.dev.into_iter().flatten());
            parts.test.extend(found.test.into_iter().flatten());
            if let (None, Some(file)) = (&self.labels, &found.labels) {
                same_labels(file, &mut parts.labels)?;
            }
        }
        if let Some(file) = &self.labels {
            parts.labels = Some(labels::read(file)?);
        }
        if !self.dev.is_empty() {
            parts.dev = part_of(&self.dev, "dev", |found| found.dev)?.0;
        }
        if !self.test.is_empty() {
            parts.test = part_of(&self.test, "test", |found| found.test)?.0;
        }
        Ok(parts)
    }
}

/// The files to test on, of files and folders, and the names of classes that lie beside them.
pub(super) fn find_test(paths: &[PathBuf]) -> Result<(Vec<Source>, Vec<PathBuf>), InputError> {
    part_of(paths, "test", |found| found.test)
}

/// All of what is not split, and one part of what is.
fn part_of(
    paths: &[PathBuf],
    name: &str,
    part: impl Fn(Found) -> Option<Vec<Source>>,
) -> Result<(Vec<Source>, Vec<PathBuf>), InputError> {
    let (mut sources, mut labels) = (Vec::new(), Vec::new());
    for path in paths {
        let mut found = layout::find(path)?;
        labels.extend(found.labels.take());
        match found.whole.take().or_else(|| part(found)) {
            Some(part) => sources.extend(part),
            None => {
                let reason = format!("{} (a file can be given as well)", layout::expected(name));
                return Err(InputError::in_file(path, reason));
            }
        }
    }
    Ok((sources, labels))
}

/// Reads the names of classes; refuses others than those read before.
fn same_labels(file: &Path, known: &mut Option<Vec<String>>) -> Result<(), InputError> {
    let found = labels::read(file)?;
    if let Some(known) = known
        && *known != found
    {
        let (found, known) = (labels::shown(&found), labels::shown(known));
        let reason = format!("its classes are {found}, those before {known} (choose with --labels FILE)");
        return Err(InputError::in_file(file, reason));
    }
    *known = Some(found);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_it_was_called() {
        let inputs = Inputs {
            data: vec!["a.csv".into(), "it's b.csv".into()],
            test: vec!["t.csv".into()],
            without: vec!["oos".into()],
            columns: Columns { text: "review".into(), ..Columns::default() },
            ..Inputs::default()
        };
        assert_eq!(inputs.command_line(), r"a.csv 'it'\''s b.csv' --test t.csv --without oos --text review");
        assert_eq!(inputs.name(), "a");
    }
}
