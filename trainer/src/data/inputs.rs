//! What a person names as data, and which files that means.

use std::path::{Path, PathBuf};

use super::form::Reading;
use super::formats::stem;
use super::labels;
use super::layout::{self, Found};
use super::source::{Family, Part, Source};
use crate::error::{InputError, STANDARD_INPUT};
use crate::warning::{Kind, Warning};

/// What to train on.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Inputs {
    /// The data: a folder with a train part, or files to train on (- is standard input)
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
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    pub without: Vec<String>,
    /// How the files are to be read.
    #[command(flatten)]
    pub reading: Reading,
    /// Other files that are read for the same purpose, and may lie in the same folder.
    #[arg(skip)]
    pub beside: Vec<PathBuf>,
}

/// The files of each part.
pub(super) struct Parts<F: ?Sized + Family> {
    pub(super) train: Vec<Source<F>>,
    pub(super) dev: Vec<Source<F>>,
    pub(super) test: Vec<Source<F>>,
    pub(super) labels: Option<Vec<String>>,
    /// Files that name the channels.
    pub(super) channels: Vec<PathBuf>,
    pub(super) warnings: Vec<Warning>,
}

impl<F: ?Sized + Family> Default for Parts<F> {
    fn default() -> Self {
        let [train, dev, test] = [Vec::new(), Vec::new(), Vec::new()];
        Self { train, dev, test, labels: None, channels: Vec::new(), warnings: Vec::new() }
    }
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
        if path.as_os_str() == STANDARD_INPUT {
            return "stdin".to_owned();
        }
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
        let mut option = |name: &str, value: Option<String>| {
            arguments.push(format!("--{name}"));
            arguments.extend(value);
        };
        self.dev.iter().for_each(|file| option("dev", Some(path(file))));
        self.test.iter().for_each(|file| option("test", Some(path(file))));
        self.labels.iter().for_each(|file| option("labels", Some(path(file))));
        self.without.iter().for_each(|label| option("without", Some(label.clone())));
        self.reading.options().into_iter().for_each(|(name, value)| option(name, value));
        shell_words::join(arguments)
    }

    /// Which files these are.
    pub(super) fn find<F: ?Sized + Family>(&self) -> Result<Parts<F>, InputError> {
        let named = [&self.data[..], &self.dev, &self.test, self.labels.as_slice(), &self.beside].concat();
        read_once(&named)?;
        let mut parts = Parts::<F>::default();
        let taken = |part: Option<Part<F>>, replaced: &[PathBuf], unread: &mut Vec<PathBuf>| match part {
            Some(part) if replaced.is_empty() => part.sources,
            Some(part) => {
                unread.push(part.path);
                Vec::new()
            }
            None => Vec::new(),
        };
        for path in &self.data {
            let Found { train, dev, test, whole, labels, channels, mut unread } = layout::find::<F>(path)?;
            let Some(train) = train.or(whole) else {
                return Err(InputError::in_file(path, layout::expected::<F>(path, "train")));
            };
            parts.train.extend(train.sources);
            parts.channels.extend(channels);
            parts.dev.extend(taken(dev, &self.dev, &mut unread));
            parts.test.extend(taken(test, &self.test, &mut unread));
            match (&self.labels, labels) {
                (None, Some(file)) => self.same_labels(&file, &mut parts.labels)?,
                (Some(_), Some(file)) => unread.push(file),
                (_, None) => {}
            }
            parts.warnings.extend(not_read::<F>(path, unread, &named));
        }
        if let Some(file) = &self.labels {
            parts.labels = Some(labels::read(file, self.reading.form.encoding)?);
        }
        if !self.dev.is_empty() {
            let found = part_of(&self.dev, "dev", &named, |found| found.dev)?;
            parts.dev = found.sources;
            parts.warnings.extend(found.warnings);
        }
        if !self.test.is_empty() {
            let found = part_of(&self.test, "test", &named, |found| found.test)?;
            parts.test = found.sources;
            parts.warnings.extend(found.warnings);
        }
        Ok(parts)
    }

    /// Reads the names of classes; refuses others than those read before.
    fn same_labels(&self, file: &Path, known: &mut Option<Vec<String>>) -> Result<(), InputError> {
        let found = labels::read(file, self.reading.form.encoding)?;
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
}

/// What to test on.
pub(super) struct TestPart<F: ?Sized + Family> {
    pub(super) sources: Vec<Source<F>>,
    /// The names of classes that lie beside them.
    pub(super) labels: Vec<PathBuf>,
    /// The names of channels that lie beside them.
    pub(super) channels: Vec<PathBuf>,
    pub(super) warnings: Vec<Warning>,
}

impl<F: ?Sized + Family> Default for TestPart<F> {
    fn default() -> Self {
        let [labels, channels] = [Vec::new(), Vec::new()];
        Self { sources: Vec::new(), labels, channels, warnings: Vec::new() }
    }
}

/// The files to test on, of files and folders.
pub(super) fn find_test<F: ?Sized + Family>(paths: &[PathBuf]) -> Result<TestPart<F>, InputError> {
    read_once(paths)?;
    part_of(paths, "test", paths, |found| found.test)
}

/// All of what is not split, and one part of what is; `named` are all paths that a person named.
fn part_of<F: ?Sized + Family>(
    paths: &[PathBuf],
    name: &str,
    named: &[PathBuf],
    part: impl Fn(Found<F>) -> Option<Part<F>>,
) -> Result<TestPart<F>, InputError> {
    let mut all = TestPart::default();
    for path in paths {
        let mut found = layout::find(path)?;
        all.labels.extend(found.labels.take());
        all.channels.extend(found.channels.take());
        all.warnings.extend(not_read::<F>(path, std::mem::take(&mut found.unread), named));
        match found.whole.take().or_else(|| part(found)) {
            Some(part) => all.sources.extend(part.sources),
            None => {
                let reason = format!("{} (a file can be given as well)", layout::expected::<F>(path, name));
                return Err(InputError::in_file(path, reason));
            }
        }
    }
    Ok(all)
}

/// Warns of what lies in a folder and is not read there, and was not named by itself.
fn not_read<F: ?Sized + Family>(
    folder: &Path,
    mut entries: Vec<PathBuf>,
    named: &[PathBuf],
) -> Option<Warning> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named: Vec<PathBuf> = named.iter().map(|path| whole(path)).collect();
    entries.retain(|entry| !named.contains(&whole(entry)));
    entries.sort_unstable();
    if entries.is_empty() {
        return None;
    }
    let is = if entries.len() == 1 { "is" } else { "are" };
    let lists = if F::HAS_CHANNELS { ", labels.txt and channels.txt" } else { " and labels.txt" };
    let message = format!(
        "{}: {} {is} not read. In a folder, kilornn reads train, dev (or val, valid, validation), test{lists}; \
         name other data with --dev, --test and --labels. Files that are no data may stay",
        folder.display(),
        layout::named(folder, &entries),
    );
    Some(Warning::new(Kind::FilesNotRead, message))
}

/// Standard input can be read once.
fn read_once<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), InputError> {
    match paths.into_iter().filter(|path| path.as_os_str() == STANDARD_INPUT).count() {
        0 | 1 => Ok(()),
        n => {
            let reason = format!(
                "standard input (-) is named {n} times and can be read once (give all but one as files)"
            );
            Err(InputError::new(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::Form;
    use super::super::formats::Format;
    use super::*;

    #[test]
    fn says_how_it_was_called() {
        let form = Form {
            text: Some("review".into()),
            encoding: "latin1".parse().ok(),
            delimiter: ";".parse().ok(),
            no_header: true,
        };
        let inputs = Inputs {
            data: vec!["a.csv".into(), "it's b.csv".into()],
            test: vec!["t.csv".into()],
            without: vec!["oos".into()],
            reading: Reading { form, label: Some("my stars".into()), ..Reading::default() },
            ..Inputs::default()
        };
        assert_eq!(
            inputs.command_line(),
            r"a.csv 'it'\''s b.csv' --test t.csv --without oos --text review --label 'my stars' --encoding windows-1252 --delimiter ';' --no-header"
        );
        assert_eq!(inputs.name(), "a");
    }

    #[test]
    fn standard_input_is_named_once() {
        let inputs = Inputs { data: vec!["-".into()], test: vec!["-".into()], ..Inputs::default() };
        assert_eq!(inputs.name(), "stdin");
        assert!(
            inputs
                .find::<dyn Format>()
                .err()
                .unwrap()
                .to_string()
                .starts_with("standard input (-) is named 2 times")
        );
    }
}
