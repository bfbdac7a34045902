//! One file a class: `negative.txt` with one text a line.

use super::{Each, File, Format, Wanted, only, stem};
use crate::data::lines;
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

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        let label = stem(file.path);
        for (line, text) in lines::of(file.path, file.content)? {
            if !text.trim().is_empty() {
                let values = only(file.path, wanted, text, &label)?;
                each(Some(line), &values[..wanted.names.len()])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fault, read, row};
    use super::*;
    use crate::data::form::Reading;

    #[test]
    fn the_file_names_the_class_of_its_lines() {
        let rows = read(&Lines, "label\ttext\n\n \nlast", &Reading::default()).unwrap();
        assert_eq!(rows, [row(1, "file", "label\ttext"), row(4, "file", "last")]);
        assert!(fault(&Lines, "a\nb\rc\n").starts_with("file:2: a carriage return"));
        assert!(fault(&Lines, "a\n\u{FEFF}b\n").starts_with("file:2: a byte order mark"));
    }
}
