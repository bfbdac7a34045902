//! Layouts of folders: which files hold the examples of which part.
//!
//! A folder is split into parts, each a file (`train.csv`) or a folder (`train/`), or it is one
//! part as a whole. A part that is a folder has a folder a class (`pos/0_9.txt`, one text a file)
//! or a file a class (`positive.txt`, one text a line).

use std::path::{Path, PathBuf};

use super::Source;
use super::formats::{self, Document, FORMATS, Lines};
use crate::error::InputError;

/// The file that names the classes.
const LABELS: &str = "labels.txt";

/// A folder of texts without classes, in the Large Movie Review Dataset (`aclImdb`).
const UNLABELLED: &str = "unsup";

/// What a folder, or a file, holds.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) train: Option<Vec<Source>>,
    pub(super) dev: Option<Vec<Source>>,
    pub(super) test: Option<Vec<Source>>,
    /// All of it, if it is not split.
    pub(super) whole: Option<Vec<Source>>,
    pub(super) labels: Option<PathBuf>,
}

/// Looks at what a person named.
pub(super) fn find(path: &Path) -> Result<Found, InputError> {
    let unsplit = |whole| Found { train: None, dev: None, test: None, whole, labels: None };
    if !path.is_dir() {
        // A file that is not there is told by its reading, with the system's words.
        return Ok(unsplit(Some(vec![Source { path: path.to_owned(), format: formats::of(path)? }])));
    }
    let labels = Some(path.join(LABELS)).filter(|labels| labels.is_file());
    let [train, dev, test] = ["train", "dev", "test"].map(|name| part(path, name));
    let (train, dev, test) = (train?, dev?, test?);
    if train.is_some() || dev.is_some() || test.is_some() {
        return Ok(Found { train, dev, test, whole: None, labels });
    }
    Ok(Found { labels, ..unsplit(by_class(path)?) })
}

/// Says what a folder may look like, where it looks like nothing known.
pub(super) fn expected(part: &str) -> String {
    format!(
        "no {part} part in this folder: there should be a file {part} ({}), or a folder {part} with a folder of .txt \
         files for each class, or with one .txt file for each class",
        formats::endings()
    )
}

/// The part `name` of a folder.
fn part(folder: &Path, name: &str) -> Result<Option<Vec<Source>>, InputError> {
    let mut found = Vec::new();
    for format in FORMATS.into_iter().filter(|format| !format.is_of_one_class()) {
        for ending in format.endings() {
            for path in
                [format!("{name}.{ending}"), format!("{name}.{ending}.gz")].map(|name| folder.join(name))
            {
                if path.is_file() {
                    found.push(vec![Source { path, format }]);
                }
            }
        }
    }
    let subfolder = folder.join(name);
    if subfolder.is_dir() {
        found.push(by_class(&subfolder)?.ok_or_else(|| {
            let reason =
                "neither a folder of .txt files for each class nor one .txt file for each class in it";
            InputError::in_file(&subfolder, reason)
        })?);
    }
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|sources| sources[0].path.display().to_string()).collect();
        let reason = format!(
            "more than one {name} part: {} (keep one, or give the files themselves)",
            names.join(", ")
        );
        return Err(InputError::in_file(folder, reason));
    }
    Ok(found.pop())
}

/// The files of a folder that holds its classes apart, if it does.
fn by_class(folder: &Path) -> Result<Option<Vec<Source>>, InputError> {
    let (folders, files) = list(folder)?;
    let mut classes = Vec::new();
    for class in folders.into_iter().filter(|folder| !folder.ends_with(UNLABELLED)) {
        let texts = list(&class)?.1;
        classes.push((class, texts));
    }
    // Where there are folders of texts, files beside them are something else (`aclImdb`'s lists of addresses).
    if classes.iter().any(|(_, texts)| !texts.is_empty()) {
        if let Some((class, _)) = classes.iter().find(|(_, texts)| texts.is_empty()) {
            let reason = "no .txt file in the folder of this class (remove the folder if it is no class)";
            return Err(InputError::in_file(class, reason));
        }
        let texts = classes.into_iter().flat_map(|(_, texts)| texts);
        return Ok(Some(texts.map(|path| Source { path, format: &Document }).collect()));
    }
    let sources: Vec<Source> = files.into_iter().map(|path| Source { path, format: &Lines }).collect();
    Ok(Some(sources).filter(|sources| !sources.is_empty()))
}

/// The folders and the text files in a folder, each by name; without hidden ones and `labels.txt`.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), InputError> {
    let fault = |error: std::io::Error| InputError::in_file(folder, error.to_string());
    let (mut folders, mut files) = (Vec::new(), Vec::new());
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
            folders.push(path);
        } else if name != LABELS && (name.ends_with(".txt") || name.ends_with(".txt.gz")) {
            files.push(path);
        }
    }
    folders.sort_unstable();
    files.sort_unstable();
    Ok((folders, files))
}
