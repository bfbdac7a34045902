//! Comma-separated values with quoting (RFC 4180).

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::{Format, Name, Record, find};
use crate::error::InputError;

/// Records with a header. A field in quotes may contain commas, line ends and, doubled, quotes.
pub(super) struct Csv;

impl Format for Csv {
    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError> {
        check_quotes(content).map_err(|(line, reason)| InputError::at_line(path, line, reason))?;
        // Counts of fields are compared here, where the fault can be put in words.
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content.as_bytes());
        let mut lines = LineCounter { content, line: 1, counted: 0 };
        let mut record = StringRecord::new();
        let mut next = |record: &mut StringRecord| -> Result<Option<usize>, InputError> {
            let begin = reader.position().byte() as usize;
            let line = lines.of_record(begin);
            let found = reader.read_record(record);
            // It reads from memory and what it reads is UTF-8, so this is not to be expected.
            let found = found.map_err(|error| InputError::at_line(path, line, error.to_string()))?;
            Ok(found.then_some(line))
        };
        if next(&mut record)?.is_none() {
            return Err(InputError::in_file(path, "the file is empty: it should begin with a header"));
        }
        let header: Vec<&str> = record.iter().collect();
        let places = find(path, &header, names)?;
        let width = header.len();
        let mut records = Vec::new();
        let mut record = StringRecord::new();
        while let Some(line) = next(&mut record)? {
            if record.len() != width {
                let fields = if record.len() == 1 { "field" } else { "fields" };
                let reason = format!(
                    "{} {fields}, but the header names {width} (a field with a comma in it needs quotes around it)",
                    record.len()
                );
                return Err(InputError::at_line(path, line, reason));
            }
            let values = places.iter().map(|&place| record[place].into()).collect();
            records.push(Record { line: Some(line), values });
        }
        Ok(records)
    }
}

/// Numbers of lines for growing positions.
struct LineCounter<'a> {
    content: &'a str,
    line: usize,
    counted: usize,
}

impl LineCounter<'_> {
    /// The line of the record that is read next from `position`: behind the line ends before it.
    fn of_record(&mut self, position: usize) -> usize {
        let rest = &self.content[position..];
        let begin = self.content.len() - rest.trim_start_matches(['\r', '\n']).len();
        self.line += self.content[self.counted..begin].matches('\n').count();
        self.counted = begin;
        self.line
    }
}

/// Refuses what the `csv` crate reads in its own way: a quote that nothing closes, which would
/// swallow the rest of the file, and characters between a closing quote and the next comma.
fn check_quotes(content: &str) -> Result<(), (usize, String)> {
    enum At {
        FieldStart,
        Plain,
        Quoted { opened: usize },
        Quote { opened: usize },
    }
    let (mut at, mut line) = (At::FieldStart, 1);
    for byte in content.bytes() {
        at = match (at, byte) {
            (At::FieldStart, b'"') => At::Quoted { opened: line },
            (At::Quoted { opened }, b'"') => At::Quote { opened },
            (At::Quoted { opened }, _) => At::Quoted { opened },
            (At::Quote { opened }, b'"') => At::Quoted { opened },
            (_, b',' | b'\n' | b'\r') => At::FieldStart,
            (At::Quote { opened }, _) => {
                let reason = format!(
                    "broken quoting: something follows the quote that closes the one of line {opened} \
                     (write a quote within quotes twice: \"\")"
                );
                return Err((line, reason));
            }
            (At::FieldStart | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    match at {
        At::Quoted { opened } => {
            Err((opened, "broken quoting: nothing closes the quote that opens here".to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Columns;
    use super::super::tests::{fault, named, read, row};
    use super::*;

    #[test]
    fn reads_quotes_line_ends_and_other_columns() {
        let content =
            "label,text\r\n1,\"so, \"\"good\"\"\r\nand long\"\r\n\r\n0,5\" too short\r\n\"a b\",\"\"\r\n";
        let rows = read(&Csv, content, &Columns::default()).unwrap();
        let expected =
            [row(2, "1", "so, \"good\"\r\nand long"), row(5, "0", "5\" too short"), row(6, "a b", "")];
        assert_eq!(rows, expected);
        let rows = read(&Csv, "\n\nid,review,\"stars, in all\"\n3,fine,5", &named("review", "stars, in all"));
        assert_eq!(rows.unwrap(), [row(4, "5", "fine")]);
    }

    #[test]
    fn names_line_and_reason() {
        assert_eq!(fault(&Csv, ""), "file: the file is empty: it should begin with a header");
        assert_eq!(
            fault(&Csv, "label;text\n0;a\n"),
            "file:1: no column is named `text`; there is only `label;text` (choose with --text NAME)"
        );
        let hint = "(a field with a comma in it needs quotes around it)";
        assert_eq!(
            fault(&Csv, "label,text\n0,\"a\nb\"\n1,b, c\n"),
            format!("file:4: 3 fields, but the header names 2 {hint}")
        );
        assert_eq!(
            fault(&Csv, "label,text\r\n0,a\r\n1\r\n"),
            format!("file:3: 1 field, but the header names 2 {hint}")
        );
        assert_eq!(
            fault(&Csv, "label,text\n0,a\n1,\"b\n0,c\n0,d\n"),
            "file:3: broken quoting: nothing closes the quote that opens here"
        );
        assert_eq!(
            fault(&Csv, "label,text\n0,\"a\n1,\"b\"\n"),
            "file:3: broken quoting: something follows the quote that closes the one of line 2 \
             (write a quote within quotes twice: \"\")"
        );
    }
}
