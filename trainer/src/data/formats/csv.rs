//! Comma-separated values with quoting (RFC 4180), and what else separates values in such files.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Terminator};

use super::columns::{Header, has_all};
use super::{Each, File, Format, Wanted};
use crate::data::form::Delimiter;
use crate::data::lines::{self, BYTE_ORDER_MARK};
use crate::error::InputError;

/// Records with a header. A field in quotes may contain commas, line ends and, doubled, quotes.
pub(super) struct Csv;

impl Format for Csv {
    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn has_columns(&self) -> bool {
        true
    }

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        let File { path, content } = file;
        let delimiter = wanted.form.delimiter.map_or_else(|| delimiter(content, wanted), |Delimiter(it)| it);
        let mut first = Records::checked(file, delimiter)?;
        let Some(Found { record, content: line, .. }) = first.next(path)? else {
            let reason = "the file is empty: it should begin with a header";
            return Err(InputError::in_file(path, reason));
        };
        let header = record.clone();
        let header = Header::new(file, header.iter().collect(), line, wanted, None)?;
        let mut records = if wanted.form.no_header { Records::new(content, delimiter) } else { first };
        while let Some(Found { record, line, content }) = records.next(path)? {
            if content.starts_with(BYTE_ORDER_MARK) {
                return Err(lines::marked(path, line));
            }
            header.check(file, line, content, record.iter())?;
            if record.len() != header.width() {
                let hint = match delimiter {
                    b',' => "a field with a comma in it needs quotes around it".to_owned(),
                    other => format!("a field with {} in it needs quotes around it", shown(other)),
                };
                return Err(InputError::at_line(path, line, header.other_width(record.len(), &hint)));
            }
            let mut values = [""; Wanted::MOST];
            header.places.iter().zip(&mut values).for_each(|(&place, value)| *value = &record[place]);
            each(Some(line), &values[..header.places.len()])?;
        }
        Ok(())
    }
}

/// What separates the columns: a comma, unless one other character alone gives all columns that are wanted.
fn delimiter(content: &str, wanted: &Wanted<'_>) -> u8 {
    let gives_all = |&delimiter: &u8| {
        let mut record = StringRecord::new();
        let mut reader = reader(content, delimiter);
        reader.read_record(&mut record).is_ok() && has_all(&record.iter().collect::<Vec<_>>(), wanted)
    };
    if gives_all(&b',') {
        return b',';
    }
    let mut others = [b';', b'\t', b'|'].into_iter().filter(gives_all);
    match (others.next(), others.next()) {
        (Some(only), None) => only,
        _ => b',',
    }
}

/// Counts of fields are compared here, where the fault can be put in words.
fn reader(content: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(content.as_bytes())
}

/// The records of a file one by one.
pub(in crate::data) struct Records<'a> {
    content: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: StringRecord,
    /// A line, and the position up to which its ends were counted.
    line: usize,
    counted: usize,
}

/// A record.
pub(in crate::data) struct Found<'r, 'a> {
    pub(in crate::data) record: &'r StringRecord,
    pub(in crate::data) line: usize,
    /// As it stands in the file.
    pub(in crate::data) content: &'a str,
}

impl<'a> Records<'a> {
    fn new(content: &'a str, delimiter: u8) -> Self {
        let record = StringRecord::new();
        Self { content, reader: reader(content, delimiter), record, line: 1, counted: 0 }
    }

    /// Refuses a file that would be read otherwise than it was meant.
    pub(in crate::data) fn checked(file: File<'a>, delimiter: u8) -> Result<Self, InputError> {
        check(file.content, delimiter).map_err(|(line, fault)| fault.in_line(file, line))?;
        Ok(Self::new(file.content, delimiter))
    }

    pub(in crate::data) fn next(&mut self, path: &Path) -> Result<Option<Found<'_, 'a>>, InputError> {
        // Empty lines before a record are no part of it.
        let rest = &self.content[self.reader.position().byte() as usize..];
        let begin = self.content.len() - rest.trim_start_matches('\n').len();
        self.line += self.content[self.counted..begin].matches('\n').count();
        self.counted = begin;
        let found = self.reader.read_record(&mut self.record);
        // It reads from memory and what it reads is UTF-8, so this is not to be expected.
        let found = found.map_err(|error| InputError::at_line(path, self.line, error.to_string()))?;
        let end = self.reader.position().byte() as usize;
        let content = self.content.get(begin..end).unwrap_or_default().trim_end_matches('\n');
        Ok(found.then_some(Found { record: &self.record, line: self.line, content }))
    }
}

/// What the `csv` crate reads in its own way, and nobody meant.
enum Broken {
    /// A quote that nothing closes, which would swallow the rest of the file.
    Open,
    /// Characters between the quote that closes the one of this line and the end of the field.
    Follows(usize),
    /// A carriage return in the middle of a line, outside quotes.
    Return,
}

impl Broken {
    fn in_line(self, file: File<'_>, line: usize) -> InputError {
        let reason = match self {
            Self::Open => "broken quoting: nothing closes the quote that opens here".to_owned(),
            Self::Follows(opened) => format!(
                "broken quoting: something follows the quote that closes the one of line {opened} \
                 (write a quote within quotes twice: \"\")"
            ),
            Self::Return => return lines::lone(file.path, line),
        };
        InputError::at_line(file.path, line, reason)
    }
}

/// Refuses what would be read otherwise than it was meant.
fn check(content: &str, delimiter: u8) -> Result<(), (usize, Broken)> {
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
            (_, b'\n') => At::FieldStart,
            (_, byte) if byte == delimiter => At::FieldStart,
            (_, b'\r') => return Err((line, Broken::Return)),
            (At::Quote { opened }, _) => return Err((line, Broken::Follows(opened))),
            (At::FieldStart | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    match at {
        At::Quoted { opened } => Err((opened, Broken::Open)),
        _ => Ok(()),
    }
}

/// A delimiter in a sentence.
fn shown(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        byte => format!("`{}`", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fault, named, read, row};
    use super::*;
    use crate::data::form::{Form, Reading};

    #[test]
    fn reads_quotes_line_ends_and_other_columns() {
        let content = "label,text\n1,\"so, \"\"good\"\"\nand long\"\n\n0,5\" too short\n\"a b\",\"\"\n";
        let rows = read(&Csv, content, &Reading::default()).unwrap();
        let expected =
            [row(2, "1", "so, \"good\"\nand long"), row(5, "0", "5\" too short"), row(6, "a b", "")];
        assert_eq!(rows, expected);
        let rows = read(&Csv, "\n\nid,review,\"stars, in all\"\n3,fine,5", &named("review", "stars, in all"));
        assert_eq!(rows.unwrap(), [row(4, "5", "fine")]);
    }

    #[test]
    fn finds_the_delimiter_where_only_one_will_do() {
        let rows = [row(2, "1", "a; b"), row(3, "0", "c, d")];
        for (delimiter, option) in [(';', None), ('|', None), ('\t', None), (':', Some(Delimiter(b':')))] {
            let content = format!(
                "id{delimiter}label{delimiter}text\n7{delimiter}1{delimiter}\"a; b\"\n8{delimiter}0{delimiter}\"c, d\"\n"
            );
            let reading =
                Reading { form: Form { delimiter: option, ..Form::default() }, ..Reading::default() };
            assert_eq!(read(&Csv, &content, &reading).unwrap(), rows, "{delimiter}");
        }
        let commas = read(&Csv, "label,text,a;b\n1,x,y\n", &Reading::default()).unwrap();
        assert_eq!(commas, [row(2, "1", "x")], "a comma gives them all");
        let form = Form { no_header: true, ..Form::default() };
        let bare = Reading { form, ..Reading::default() };
        assert_eq!(read(&Csv, "1;a\n0;\"b; c\"\n", &bare).unwrap(), [row(1, "1", "a"), row(2, "0", "b; c")]);
        assert_eq!(
            read(&Csv, "1;a\n0;b; c\n", &bare).unwrap_err(),
            "file:2: 3 fields, but the first line has 2 (a field with `;` in it needs quotes around it)"
        );
    }

    #[test]
    fn names_line_and_reason() {
        assert_eq!(fault(&Csv, ""), "file: the file is empty: it should begin with a header");
        assert_eq!(
            fault(&Csv, "body;label\na;0\n"),
            "file:1: no column is named `text`; there is only `body;label` (choose with --text NAME)"
        );
        let hint = "(a field with a comma in it needs quotes around it)";
        assert_eq!(
            fault(&Csv, "label,text\n0,\"a\nb\"\n1,b, c\n"),
            format!("file:4: 3 fields, but the header names 2 {hint}")
        );
        assert_eq!(
            fault(&Csv, "label,text\n0,a\n1\n"),
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

    #[test]
    fn a_carriage_return_stands_in_quotes_or_is_named() {
        let rows = read(&Csv, "label,text\n1,\"a\rb\"\n0,c\n", &Reading::default()).unwrap();
        assert_eq!(rows, [row(2, "1", "a\rb"), row(3, "0", "c")]);
        let said = fault(&Csv, "label,text\n1,\"a\nb\"\n0,c\rd\n");
        assert!(said.starts_with("file:4: a carriage return (\\r) in the middle of the line"), "{said}");
    }

    #[test]
    fn tells_where_files_were_joined() {
        for joined in [
            "label,text\n",
            "\u{FEFF}label,text\n",
            "\u{FEFF}1,b\n",
            "\u{FEFF}\"1\",b\n",
            "\"text\",\"label\"\n",
            "1,blabel,text\n0,c\n",
        ] {
            let said = fault(&Csv, &format!("label,text\n0,\"a\n\"\n{joined}"));
            assert!(said.starts_with("file:4: ") && said.contains("were two files joined"), "{said}");
        }
    }
}
