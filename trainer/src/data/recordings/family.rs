//! Files and folders of recordings.

use std::path::{Path, PathBuf};

use super::forms::{FORMS, Form, IN_CLASS, IN_GROUP, Wanted, told_by};
use super::framing::Framing;
use crate::data::bytes;
use crate::data::form::Reading;
use crate::data::layout::{Listed, list};
use crate::data::source::{Family, Part, Source};
use crate::error::InputError;

impl Family for dyn Form {
    const HAS_CHANNELS: bool = true;
    const FOLDERS: &'static str = "a folder of .csv files for each class, one recording a file";
    const NO_FOLDERS: &'static str = "no folder of .csv files for each class in it";

    fn endings(&self) -> &'static [&'static str] {
        Form::endings(self)
    }

    fn is_of_one_class(&self) -> bool {
        Form::is_of_one_class(self)
    }

    fn has_names_before_parts(&self) -> bool {
        Form::has_names_before_parts(self)
    }

    fn all() -> &'static [&'static Self] {
        &FORMS
    }

    /// The content decides. What could be anything is taken for a table, whose reading says what is missing.
    fn of(path: &Path) -> Result<&'static Self, InputError> {
        let begin = bytes::beginning(path)?;
        let (reading, framing) = (Reading::default(), Framing::default());
        let wanted = Wanted {
            reading: &reading,
            framing: &framing,
            channels: &[],
            needs_groups: false,
            has_labels: true,
        };
        if let Some(form) = told_by(&begin, &wanted) {
            return Ok(form);
        }
        // UTF-16 has zeros, too, and a mark that says so.
        let is_text = begin.starts_with(b"\xFF\xFE") || begin.starts_with(b"\xFE\xFF") || !begin.contains(&0);
        FORMS.last().copied().filter(|_| is_text).ok_or_else(|| {
            let reason =
                "of no known form: recordings are .csv, .tsv, .npz or .ts files (save it as one of them)";
            InputError::in_file(path, reason)
        })
    }

    fn by_class(folder: &Path, unread: &mut Vec<PathBuf>) -> Result<Option<Part<Self>>, InputError> {
        let Listed { folders, files } = list(folder)?;
        let mut classes = Vec::new();
        for class in folders {
            let mut sources: Vec<Source<dyn Form>> = Vec::new();
            let mut others = Vec::new();
            let Listed { folders, files } = list(&class)?;
            let mut take = |files: Vec<PathBuf>, form: &'static dyn Form| {
                let (tables, more): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_table(file));
                others.extend(more);
                sources.extend(tables.into_iter().map(|path| Source { path, format: form }));
            };
            take(files, &IN_CLASS);
            for group in folders {
                let Listed { folders, files } = list(&group)?;
                take(files, &IN_GROUP);
                // Nothing lies deeper.
                take(folders, &IN_GROUP);
            }
            classes.push((class, sources, others));
        }
        if classes.iter().all(|(_, sources, _)| sources.is_empty()) {
            unread.extend(classes.into_iter().map(|(class, ..)| class).chain(files));
            return Ok(None);
        }
        if let Some((class, ..)) = classes.iter().find(|(_, sources, _)| sources.is_empty()) {
            let reason = "no .csv file in the folder of this class (remove the folder if it is no class)";
            return Err(InputError::in_file(class, reason));
        }
        unread.extend(files);
        let mut all = Vec::new();
        for (_, sources, others) in classes {
            all.extend(sources);
            unread.extend(others);
        }
        Ok(Some(Part { path: folder.to_owned(), sources: all }))
    }
}

fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    path.is_file() && (name.ends_with(".csv") || name.ends_with(".csv.gz"))
}
