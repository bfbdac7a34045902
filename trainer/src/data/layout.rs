//! Layouts of folders: which files hold the examples of which part.
//!
//! A folder is split into parts, each a file (`train.csv`) or a folder (`train/`), or it is one
//! part as a whole. A part that is a folder has a folder a class (`pos/0_9.txt`, one text a file)
//! or a file a class (`positive.txt`, one text a line). What else lies in it is not read, and named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Source;
use super::bytes;
use super::formats::{self, Document, FORMATS, Lines};
use crate::error::{InputError, STANDARD_INPUT};

/// The file that names the classes.
const LABELS: &str = "labels.txt";

/// A folder of texts without classes, in the Large Movie Review Dataset (`aclImdb`).
const UNLABELLED: &str = "unsup";

/// Names of the parts. The first name is the one that is used here, the others are common ones.
pub(super) const TRAIN: &[&str] = &["train"];
pub(super) const DEV: &[&str] = &["dev", "val", "valid", "validation"];
pub(super) const TEST: &[&str] = &["test"];

/// What a folder, or a file, holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) train: Option<Part>,
    pub(super) dev: Option<Part>,
    pub(super) test: Option<Part>,
    /// All of it, if it is not split.
    pub(super) whole: Option<Part>,
    pub(super) labels: Option<PathBuf>,
    /// What lies in it and is none of this.
    pub(super) unread: Vec<PathBuf>,
}

/// The files of a part, and the file or folder that they are.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) sources: Vec<Source>,
}

/// Looks at what a person named.
pub(super) fn find(path: &Path) -> Result<Found, InputError> {
    if path.as_os_str() != STANDARD_INPUT && !path.exists() {
        return Err(bytes::missing(path));
    }
    if !path.is_dir() {
        let sources = vec![Source { path: path.to_owned(), format: formats::of(path)? }];
        return Ok(Found { whole: Some(Part { path: path.to_owned(), sources }), ..Found::default() });
    }
    let labels = Some(path.join(LABELS)).filter(|labels| labels.is_file());
    let mut unread = Vec::new();
    let [train, dev, test] = [TRAIN, DEV, TEST].map(|names| part(path, names, &mut unread));
    let (train, dev, test) = (train?, dev?, test?);
    let parts: BTreeSet<&PathBuf> =
        [&train, &dev, &test].into_iter().flatten().map(|part| &part.path).collect();
    if !parts.is_empty() {
        let Listed { folders, texts, others } = list(path)?;
        let beside = folders.into_iter().chain(texts).chain(others);
        unread.extend(beside.filter(|entry| !parts.contains(entry) && Some(entry) != labels.as_ref()));
        return Ok(Found { train, dev, test, whole: None, labels, unread });
    }
    let whole = by_class(path, &mut unread)?;
    unread.retain(|entry| Some(entry) != labels.as_ref());
    Ok(Found { whole, labels, unread, ..Found::default() })
}

/// Says what a folder may look like, where it looks like nothing known.
pub(super) fn expected(folder: &Path, part: &str) -> String {
    let lie_there = match list(folder) {
        Ok(Listed { folders, texts, others })
            if !(folders.is_empty() && texts.is_empty() && others.is_empty()) =>
        {
            let all: Vec<PathBuf> = folders.into_iter().chain(texts).chain(others).collect();
            format!(" (in it: {})", named(folder, &all))
        }
        _ => String::new(),
    };
    format!(
        "no {part} part in this folder{lie_there}: there should be a file {part} ({}), or a folder {part} with a folder of \
         .txt files for each class, or with one .txt file for each class",
        formats::endings(|format| !format.is_of_one_class())
    )
}

/// Names of what lies in a folder, or the first of many.
pub(super) fn named(folder: &Path, entries: &[PathBuf]) -> String {
    const SHOWN: usize = 10;
    let name = |entry: &PathBuf| entry.strip_prefix(folder).unwrap_or(entry).display().to_string();
    let shown = entries.iter().take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    match entries.len() {
        n if n > SHOWN => format!("{shown} and {} more", n - SHOWN),
        _ => shown,
    }
}

/// The part of a folder that has one of these names.
fn part(folder: &Path, names: &[&str], unread: &mut Vec<PathBuf>) -> Result<Option<Part>, InputError> {
    let mut found = Vec::new();
    for name in names {
        for format in FORMATS.into_iter().filter(|format| !format.is_of_one_class()) {
            for ending in format.endings() {
                for path in
                    [format!("{name}.{ending}"), format!("{name}.{ending}.gz")].map(|name| folder.join(name))
                {
                    if path.is_file() {
                        found.push(Part { sources: vec![Source { path: path.clone(), format }], path });
                    }
                }
            }
        }
        let subfolder = folder.join(name);
        if subfolder.is_dir() {
            found.push(by_class(&subfolder, unread)?.ok_or_else(|| {
                let reason =
                    "neither a folder of .txt files for each class nor one .txt file for each class in it";
                InputError::in_file(&subfolder, reason)
            })?);
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

/// The files of a folder that holds its classes apart, if it does.
fn by_class(folder: &Path, unread: &mut Vec<PathBuf>) -> Result<Option<Part>, InputError> {
    let Listed { folders, texts, others } = list(folder)?;
    unread.extend(others);
    let (unlabelled, folders): (Vec<_>, Vec<_>) =
        folders.into_iter().partition(|folder| folder.ends_with(UNLABELLED));
    let mut classes = Vec::new();
    for class in folders {
        let listed = list(&class)?;
        classes.push((class, listed));
    }
    let part = |sources| Part { path: folder.to_owned(), sources };
    // Where there are folders of texts, files beside them are something else (`aclImdb`'s lists of addresses).
    if classes.iter().any(|(_, listed)| !listed.texts.is_empty()) {
        if let Some((class, _)) = classes.iter().find(|(_, listed)| listed.texts.is_empty()) {
            let reason = "no .txt file in the folder of this class (remove the folder if it is no class)";
            return Err(InputError::in_file(class, reason));
        }
        unread.extend(unlabelled);
        unread.extend(texts);
        let mut sources = Vec::new();
        for (_, Listed { folders, texts, others }) in classes {
            unread.extend(folders.into_iter().chain(others));
            sources.extend(texts.into_iter().map(|path| Source { path, format: &Document }));
        }
        return Ok(Some(part(sources)));
    }
    unread.extend(unlabelled.into_iter().chain(classes.into_iter().map(|(folder, _)| folder)));
    let sources: Vec<Source> = texts.into_iter().map(|path| Source { path, format: &Lines }).collect();
    Ok(Some(sources).filter(|sources| !sources.is_empty()).map(part))
}

/// What lies in a folder, each by name.
#[derive(Debug, Default)]
struct Listed {
    folders: Vec<PathBuf>,
    /// Text files; `labels.txt` is none.
    texts: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

/// Lists a folder, without what is hidden.
fn list(folder: &Path) -> Result<Listed, InputError> {
    let fault = |error: std::io::Error| InputError::in_file(folder, error.to_string());
    let mut listed = Listed::default();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // The entry knows its kind without another call, unless it is a link.
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            listed.folders.push(path);
        } else if name != LABELS && (name.ends_with(".txt") || name.ends_with(".txt.gz")) {
            listed.texts.push(path);
        } else {
            listed.others.push(path);
        }
    }
    listed.folders.sort_unstable();
    listed.texts.sort_unstable();
    listed.others.sort_unstable();
    Ok(listed)
}
