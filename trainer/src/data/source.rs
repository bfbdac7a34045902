//! A file of data, and the formats that it may be of.

use std::path::{Path, PathBuf};

use super::formats::Format;
use crate::error::InputError;

/// A file with examples, in a format of the family `F`.
pub(super) struct Source<F: ?Sized + 'static = dyn Format> {
    pub(super) path: PathBuf,
    pub(super) format: &'static F,
}

impl<F: ?Sized> Clone for Source<F> {
    fn clone(&self) -> Self {
        Self { path: self.path.clone(), format: self.format }
    }
}

/// All formats of one kind of input: those of texts, or those of recordings.
pub(super) trait Family: 'static {
    /// Whether a file `channels.txt` belongs to such data.
    const HAS_CHANNELS: bool;
    /// What a folder that is a part holds, for messages.
    const FOLDERS: &'static str;
    /// That a folder holds nothing of this.
    const NO_FOLDERS: &'static str;

    /// How names of files of this format end, before a `.gz`.
    fn endings(&self) -> &'static [&'static str];

    /// Whether a file has one class only, which its path names.
    fn is_of_one_class(&self) -> bool;

    /// Whether a name before the part's is usual: `BasicMotions_TRAIN.ts`.
    fn has_names_before_parts(&self) -> bool {
        false
    }

    /// The formats that a file's name distinguishes.
    fn all() -> &'static [&'static Self];

    /// The format of a file.
    fn of(path: &Path) -> Result<&'static Self, InputError>;

    /// The files of a folder that holds its classes apart, if it does; what else lies in it goes to `unread`.
    fn by_class(folder: &Path, unread: &mut Vec<PathBuf>) -> Result<Option<Part<Self>>, InputError>;
}

/// The files of a part, and the file or folder that they are.
pub(super) struct Part<F: ?Sized + Family = dyn Format> {
    pub(super) path: PathBuf,
    pub(super) sources: Vec<Source<F>>,
}

impl<F: ?Sized + Family> Part<F> {
    /// A file by itself.
    pub(super) fn of_file(path: PathBuf, format: &'static F) -> Self {
        Self { sources: vec![Source { path: path.clone(), format }], path }
    }
}
