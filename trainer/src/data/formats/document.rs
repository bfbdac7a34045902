//! One file a text: `pos/0_9.txt`.

use std::path::Path;

use super::{Columns, Format, Row};
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

    fn rows(&self, path: &Path, content: &str, _: &Columns) -> Result<Vec<Row>, InputError> {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let text = content.trim_end_matches(['\r', '\n']);
        Ok(vec![Row { line: None, label: folder.to_string_lossy().into_owned(), text: text.to_owned() }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_class() {
        let rows =
            Document.rows(Path::new("train/pos/0_9.txt"), "Two\nlines\n", &Columns::default()).unwrap();
        assert_eq!(rows, [Row { line: None, label: "pos".into(), text: "Two\nlines".into() }]);
    }
}
