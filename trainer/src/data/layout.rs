//! Layouts of folders: which files hold the examples of which part.
//!
//! A folder is split into parts, each a file (`train.csv`) or a folder (`train/`), or it is one
//! part as a whole. A part that is a folder has a folder a class (`pos/0_9.txt`, one text a file)
//! or a file a class (`positive.txt`, one text a line). What else lies in it is not read, and named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::bytes;
use super::formats::{self, Document, FORMATS, Format, Lines};
use super::source::{Family, Part, Source};
use crate::error::{InputError, STANDARD_INPUT};
use crate::excerpt::first_of;

/// The file that names the classes.
const LABELS: &str = "labels.txt";

/// The file that names the channels of recordings.
pub(super) const CHANNELS: &str = "channels.txt";

/// A folder of texts without classes, in the Large Movie Review Dataset (`aclImdb`).
const UNLABELLED: &str = "unsup";

/// Names of the parts. The first name is the one that is used here, the others are common ones.
pub(super) const TRAIN: &[&str] = &["train"];
pub(super) const DEV: &[&str] = &["dev", "val", "valid", "validation"];
pub(super) const TEST: &[&str] = &["test"];

/// What a folder, or a file, holds.
pub(super) struct Found<F: ?Sized + Family = dyn Format> {
    pub(super) train: Option<Part<F>>,
    pub(super) dev: Option<Part<F>>,
    pub(super) test: Option<Part<F>>,
    /// All of it, if it is not split.
    pub(super) whole: Option<Part<F>>,
    pub(super) labels: Option<PathBuf>,
    pub(super) channels: Option<PathBuf>,
    /// What lies in it and is none of this.
    pub(super) unread: Vec<PathBuf>,
}

impl<F: ?Sized + Family> Default for Found<F> {
    fn default() -> Self {
        let unread = Vec::new();
        Self { train: None, dev: None, test: None, whole: None, labels: None, channels: None, unread }
    }
}

/// Looks at what a person named.
pub(super) fn find<F: ?Sized + Family>(path: &Path) -> Result<Found<F>, InputError> {
    if path.as_os_str() != STANDARD_INPUT && !path.exists() {
        return Err(bytes::missing(path));
    }
    if !path.is_dir() {
        let whole = Some(Part::of_file(path.to_owned(), F::of(path)?));
        return Ok(Found { whole, ..Found::default() });
    }
    let labels = Some(path.join(LABELS)).filter(|labels| labels.is_file());
    let channels = Some(path.join(CHANNELS)).filter(|channels| F::HAS_CHANNELS && channels.is_file());
    let mut unread = Vec::new();
    let [train, dev, test] = [TRAIN, DEV, TEST].map(|names| part(path, names, &mut unread));
    let (train, dev, test) = (train?, dev?, test?);
    let parts: BTreeSet<&PathBuf> =
        [&train, &dev, &test].into_iter().flatten().map(|part| &part.path).collect();
    let is_known = |entry: &PathBuf| labels.iter().chain(&channels).any(|known| known == entry);
    if !parts.is_empty() {
        let Listed { folders, files } = list(path)?;
        let beside = folders.into_iter().chain(files);
        unread.extend(beside.filter(|entry| !parts.contains(entry) && !is_known(entry)));
        return Ok(Found { train, dev, test, whole: None, labels, channels, unread });
    }
    let whole = F::by_class(path, &mut unread)?;
    unread.retain(|entry| !is_known(entry));
    Ok(Found { whole, labels, channels, unread, ..Found::default() })
}

/// Says what a folder may look like, where it looks like nothing known.
pub(super) fn expected<F: ?Sized + Family>(folder: &Path, part: &str) -> String {
    let lie_there = match list(folder) {
        Ok(Listed { folders, files }) if !(folders.is_empty() && files.is_empty()) => {
            let (texts, others) = texts_of(files);
            let all: Vec<PathBuf> = folders.into_iter().chain(texts).chain(others).collect();
            format!(" (in it: {})", named(folder, &all))
        }
        _ => String::new(),
    };
    let endings =
        formats::endings_of(F::all().iter().filter(|it| !it.is_of_one_class()).map(|it| it.endings()));
    format!(
        "no {part} part in this folder{lie_there}: there should be a file {part} ({endings}), or a folder {part} with {}",
        F::FOLDERS
    )
}

/// Names of what lies in a folder, or the first of many.
pub(super) fn named(folder: &Path, entries: &[PathBuf]) -> String {
    const SHOWN: usize = 10;
    let name = |entry: &PathBuf| entry.strip_prefix(folder).unwrap_or(entry).display().to_string();
    first_of(entries.iter().map(name), SHOWN, ", ")
}

/// The part of a folder that has one of these names.
fn part<F: ?Sized + Family>(
    folder: &Path,
    names: &[&str],
    unread: &mut Vec<PathBuf>,
) -> Result<Option<Part<F>>, InputError> {
    let mut found = Vec::new();
    for name in names {
        for &format in F::all().iter().filter(|format| !format.is_of_one_class()) {
            for ending in format.endings() {
                let files = [format!("{name}.{ending}"), format!("{name}.{ending}.gz")];
                let with_a_name_before = match format.has_names_before_parts() {
                    true => list(folder)?
                        .files
                        .into_iter()
                        .filter(|path| is_behind_a_name(path, &files))
                        .collect(),
                    false => Vec::new(),
                };
                let files = files.iter().map(|file| folder.join(file)).filter(|path| path.is_file());
                found.extend(files.chain(with_a_name_before).map(|path| Part::of_file(path, format)));
            }
        }
        let subfolder = folder.join(name);
        if subfolder.is_dir() {
            found.push(
                F::by_class(&subfolder, unread)?
                    .ok_or_else(|| InputError::in_file(&subfolder, F::NO_FOLDERS))?,
            );
        }
    }
    if found.len() > 1 {
        let paths: Vec<_> = found.iter().map(|part| part.path.display().to_string()).collect();
        let reason = format!(
            "more than one {} part: {} (keep one, or give the files themselves)",
            names[0],
            paths.join(", ")
        );
        return Err(InputError::in_file(folder, reason));
    }
    Ok(found.pop())
}

/// Whether a file is called like one of these, with a name and `_` before it, in capital letters or not.
fn is_behind_a_name(path: &Path, files: &[String]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    files.iter().any(|file| name.strip_suffix(file.as_str()).is_some_and(|before| before.ends_with('_')))
}

impl Family for dyn Format {
    const HAS_CHANNELS: bool = false;
    const FOLDERS: &'static str =
        "a folder of .txt files for each class, or with one .txt file for each class";
    const NO_FOLDERS: &'static str =
        "neither a folder of .txt files for each class nor one .txt file for each class in it";

    fn endings(&self) -> &'static [&'static str] {
        Format::endings(self)
    }

    fn is_of_one_class(&self) -> bool {
        Format::is_of_one_class(self)
    }

    fn all() -> &'static [&'static Self] {
        &FORMATS
    }

    fn of(path: &Path) -> Result<&'static Self, InputError> {
        formats::of(path)
    }

    fn by_class(folder: &Path, unread: &mut Vec<PathBuf>) -> Result<Option<Part>, InputError> {
        let Listed { folders, files } = list(folder)?;
        let (texts, others) = texts_of(files);
        unread.extend(others);
        let (unlabelled, folders): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|folder| folder.ends_with(UNLABELLED));
        let mut classes = Vec::new();
        for class in folders {
            let Listed { folders, files } = list(&class)?;
            let (texts, others) = texts_of(files);
            classes.push((class, texts, [folders, others].concat()));
        }
        let part = |sources| Part { path: folder.to_owned(), sources };
        // Where there are folders of texts, files beside them are something else (`aclImdb`'s lists of addresses).
        if classes.iter().any(|(_, texts, _)| !texts.is_empty()) {
            if let Some((class, ..)) = classes.iter().find(|(_, texts, _)| texts.is_empty()) {
                let reason = "no .txt file in the folder of this class (remove the folder if it is no class)";
                return Err(InputError::in_file(class, reason));
            }
            unread.extend(unlabelled);
            unread.extend(texts);
            let mut sources = Vec::new();
            for (_, texts, others) in classes {
                unread.extend(others);
                sources
                    .extend(texts.into_iter().map(|path| Source { path, format: &Document as &dyn Format }));
            }
            return Ok(Some(part(sources)));
        }
        unread.extend(unlabelled.into_iter().chain(classes.into_iter().map(|(folder, ..)| folder)));
        let sources: Vec<Source> =
            texts.into_iter().map(|path| Source { path, format: &Lines as &dyn Format }).collect();
        Ok(Some(sources).filter(|sources| !sources.is_empty()).map(part))
    }
}

/// Text files, of which `labels.txt` is none, and the others.
fn texts_of(files: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    files.into_iter().partition(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name != LABELS && (name.ends_with(".txt") || name.ends_with(".txt.gz"))
    })
}

/// What lies in a folder, each by name.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// Lists a folder, without what is hidden.
pub(super) fn list(folder: &Path) -> Result<Listed, InputError> {
    let fault = |error: std::io::Error| InputError::in_file(folder, error.to_string());
    let mut listed = Listed::default();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // The entry knows its kind without another call, unless it is a link.
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            listed.folders.push(path);
        } else {
            listed.files.push(path);
        }
    }
    listed.folders.sort_unstable();
    listed.files.sort_unstable();
    Ok(listed)
}
