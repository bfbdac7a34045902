//! Tab-separated values: a header, one example a line, no quoting and no escapes.

use std::path::Path;

use super::{Field, Format, Name, Record, find, numbered};
use crate::error::InputError;

/// Lines of `label<TAB>text`, or other columns in any order. The last column takes the rest of its
/// line if it is the text, so that a text may contain tabs.
pub(super) struct Tsv;

impl Format for Tsv {
    fn endings(&self) -> &'static [&'static str] {
        &["tsv"]
    }

    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError> {
        let mut lines = numbered(content);
        let Some((_, header)) = lines.next() else {
            return Err(InputError::in_file(path, "the file is empty: it should begin with a header"));
        };
        let header: Vec<&str> = header.split('\t').collect();
        let places = find(path, &header, names)?;
        let text_is_last = |(&Name(field, _), &place): (&Name<'_>, &usize)| {
            field == Field::Text && place + 1 == header.len()
        };
        let at_most = if names.iter().zip(&places).any(text_is_last) { header.len() } else { usize::MAX };
        lines
            .map(|(line, content)| {
                let fields: Vec<&str> = content.splitn(at_most, '\t').collect();
                if fields.len() != header.len() {
                    let reason = match fields.len() {
                        1 if content.is_empty() => "an empty line (remove it)".to_owned(),
                        n => format!(
                            "{n} {}, but the header names {} (fields are separated by one tab each)",
                            if n == 1 { "field" } else { "fields" },
                            header.len()
                        ),
                    };
                    return Err(InputError::at_line(path, line, reason));
                }
                Ok(Record {
                    line: Some(line),
                    values: places.iter().map(|&place| fields[place].into()).collect(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Columns;
    use super::super::tests::{fault, named, read, row};
    use super::*;

    #[test]
    fn reads_columns_by_name_and_tabs_in_a_last_text() {
        let usual = Columns::default();
        let rows = read(&Tsv, "label\ttext\r\n0\tbad\tly\r\n1\t\"good\"\n\t\n", &usual).unwrap();
        assert_eq!(rows, [row(2, "0", "bad\tly"), row(3, "1", "\"good\""), row(4, "", "")]);
        let content = "id\tsentence\tstars\n7\tfine\t5\n8\tpoor\t1";
        let rows = read(&Tsv, content, &named("sentence", "stars")).unwrap();
        assert_eq!(rows, [row(2, "5", "fine"), row(3, "1", "poor")]);
        assert_eq!(read(&Tsv, "label\ttext\n", &usual).unwrap(), []);
    }

    #[test]
    fn names_line_and_reason() {
        assert_eq!(fault(&Tsv, ""), "file: the file is empty: it should begin with a header");
        assert_eq!(
            fault(&Tsv, "text,label\na,0\n"),
            "file:1: no column is named `text`; there is only `text,label` (choose with --text NAME)"
        );
        assert_eq!(
            fault(&Tsv, "text\tstars\na\t0\n"),
            "file:1: no column is named `label`; there are `text`, `stars` (choose with --label NAME)"
        );
        assert_eq!(fault(&Tsv, "text\tlabel\ttext\n"), "file:1: two columns are named `text` (rename one)");
        let few = "file:3: 1 field, but the header names 2 (fields are separated by one tab each)";
        assert_eq!(fault(&Tsv, "label\ttext\n0\ta\n1 b\n"), few);
        let many = "file:2: 3 fields, but the header names 2 (fields are separated by one tab each)";
        assert_eq!(fault(&Tsv, "text\tlabel\na\tb\t0\n"), many);
        assert_eq!(fault(&Tsv, "label\ttext\n0\ta\n\n1\tb\n"), "file:3: an empty line (remove it)");
    }
}
