//! One file a class: `negative.txt` with one text a line.

use std::path::Path;

use super::{Columns, Format, Row, numbered, stem};
use crate::error::InputError;

/// Lines of text, whose label is the name of their file. Lines of white space alone are no texts.
pub(in crate::data) struct Lines;

impl Format for Lines {
    fn endings(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn is_of_one_class(&self) -> bool {
        true
    }

    fn rows(&self, path: &Path, content: &str, _: &Columns) -> Result<Vec<Row>, InputError> {
        let label = stem(path);
        let lines = numbered(content).filter(|(_, text)| !text.trim().is_empty());
        Ok(lines
            .map(|(line, text)| Row { line: Some(line), label: label.clone(), text: text.into() })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    #[test]
    fn the_file_names_the_class_of_its_lines() {
        let content = "label\ttext\r\n\n \nlast";
        let rows = Lines.rows(Path::new("d/good.txt.gz"), content, &Columns::default()).unwrap();
        assert_eq!(rows, [row(1, "good", "label\ttext"), row(4, "good", "last")]);
    }
}
