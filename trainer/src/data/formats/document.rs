//! One file a text: `pos/0_9.txt`.

use std::path::Path;

use super::{Format, Name, Record, only};
use crate::error::InputError;

/// A file that is one text as a whole, whose label is the name of its folder. A folder's layout
/// tells that a file is meant so, not its name.
pub(in crate::data) struct Document;

impl Format for Document {
    fn endings(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn is_of_one_class(&self) -> bool {
        true
    }

    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError> {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let text = content.trim_end_matches(['\r', '\n']);
        let values = only(path, names, text, &folder.to_string_lossy())?;
        Ok(vec![Record { line: None, values }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Columns, Row};
    use super::*;

    #[test]
    fn the_folder_names_the_class() {
        let rows =
            Document.rows(Path::new("train/pos/0_9.txt"), "Two\nlines\n", &Columns::default()).unwrap();
        assert_eq!(rows, [Row { line: None, label: "pos".into(), text: "Two\nlines".into(), group: None }]);
    }
}
