//! One file a class: `negative.txt` with one text a line.

use std::path::Path;

use super::{Format, Name, Record, numbered, only, stem};
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

    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError> {
        let label = stem(path);
        let lines = numbered(content).filter(|(_, text)| !text.trim().is_empty());
        lines
            .map(|(line, text)| Ok(Record { line: Some(line), values: only(path, names, text, &label)? }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Columns;
    use super::super::tests::row;
    use super::*;

    #[test]
    fn the_file_names_the_class_of_its_lines() {
        let content = "label\ttext\r\n\n \nlast";
        let rows = Lines.rows(Path::new("d/good.txt.gz"), content, &Columns::default()).unwrap();
        assert_eq!(rows, [row(1, "good", "label\ttext"), row(4, "good", "last")]);
    }
}
