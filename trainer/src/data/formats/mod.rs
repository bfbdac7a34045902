//! Formats of files: each turns the content of one file into rows. A new one is a file here and a
//! line in [`FORMATS`].

mod csv;
mod document;
mod jsonl;
mod lines;
mod tsv;

use std::path::Path;

pub(super) use document::Document;
pub(super) use lines::Lines;

use crate::error::InputError;

/// The formats that a file's name tells apart.
pub(super) const FORMATS: [&dyn Format; 4] = [&tsv::Tsv, &csv::Csv, &jsonl::JsonLines, &Lines];

/// What a file of a kind says, row by row.
pub(super) trait Format: Sync {
    /// How names of such files end, before a `.gz`.
    fn endings(&self) -> &'static [&'static str];

    /// Whether a file has one class only, which its path names. The texts of such files are mixed.
    fn is_of_one_class(&self) -> bool {
        false
    }

    /// What a file with this content says in these fields, record by record.
    fn records(&self, path: &Path, content: &str, names: &[Name<'_>]) -> Result<Vec<Record>, InputError>;

    /// The rows of a file with this content.
    fn rows(&self, path: &Path, content: &str, columns: &Columns) -> Result<Vec<Row>, InputError> {
        let mut names = vec![Name(Field::Text, &columns.text), Name(Field::Label, &columns.label)];
        names.extend(columns.group.as_deref().map(|name| Name(Field::Group, name)));
        let records = self.records(path, content, &names)?;
        Ok(records
            .into_iter()
            .map(|Record { line, values }| {
                let mut values = values.into_iter();
                let mut next = || values.next().unwrap_or_default();
                Row { line, text: next(), label: next(), group: values.next() }
            })
            .collect())
    }
}

/// What a field of a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Text,
    Label,
    /// What must not be torn apart when training and validation are.
    Group,
}

impl Field {
    /// The option that names its column or key.
    fn option(self) -> &'static str {
        match self {
            Self::Text => "--text",
            Self::Label => "--label",
            Self::Group => "--group",
        }
    }
}

/// A field, and the name of its column or key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a>(pub(super) Field, pub(super) &'a str);

/// The values of the fields that were asked for, in that order.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins in the file, from 1; none if the file as a whole is the record.
    pub(super) line: Option<usize>,
    pub(super) values: Vec<String>,
}

/// An example as it stands in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it begins in the file, from 1; none if the file as a whole is the example.
    pub(super) line: Option<usize>,
    /// The name or number of its class.
    pub(super) label: String,
    /// The text.
    pub(super) text: String,
    /// What it belongs to, if that was asked for.
    pub(super) group: Option<String>,
}

/// Which columns (of TSV and CSV) or keys (of JSON Lines) hold text and label.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Columns {
    /// The column or key that holds the text
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text: String,
    /// The column or key that holds the label
    #[arg(long, value_name = "NAME", default_value = "label")]
    pub label: String,
    /// The column or key that holds the group of an example, if that matters.
    #[arg(skip)]
    pub group: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { text: "text".into(), label: "label".into(), group: None }
    }
}

/// Where fields stand among the names of a header, which is the first line.
fn find(path: &Path, header: &[&str], names: &[Name<'_>]) -> Result<Vec<usize>, InputError> {
    let position = |&Name(field, name): &Name<'_>| {
        let mut found = (0..header.len()).filter(|&index| header[index] == name);
        let reason = match (found.next(), found.next()) {
            (Some(index), None) => return Ok(index),
            (Some(_), Some(_)) => format!("two columns are named `{name}` (rename one)"),
            (None, _) => {
                let there = there_are(header);
                format!("no column is named `{name}`; {there} (choose with {} NAME)", field.option())
            }
        };
        Err(InputError::at_line(path, 1, reason))
    };
    names.iter().map(position).collect()
}

/// One value for each field of a text whose file says nothing but the text and its class.
fn only(path: &Path, names: &[Name<'_>], text: &str, label: &str) -> Result<Vec<String>, InputError> {
    names
        .iter()
        .map(|Name(field, name)| match field {
            Field::Text => Ok(text.to_owned()),
            Field::Label => Ok(label.to_owned()),
            Field::Group => {
                let reason = format!("a text file has no column `{name}` (name a file with --groups FILE)");
                Err(InputError::in_file(path, reason))
            }
        })
        .collect()
}

/// The format of a file, by its name.
pub(super) fn of(path: &Path) -> Result<&'static dyn Format, InputError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    FORMATS
        .into_iter()
        .find(|format| ending.is_some_and(|ending| format.endings().contains(&ending)))
        .ok_or_else(|| {
            InputError::in_file(path, format!("of no known format: its name should end in {}", endings()))
        })
}

/// All endings, for messages.
pub(super) fn endings() -> String {
    let endings: Vec<String> =
        FORMATS.iter().flat_map(|format| format.endings()).map(|ending| format!(".{ending}")).collect();
    format!("{}, with or without .gz", endings.join(", "))
}

/// The name of a file without its ending and a `.gz`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// The lines of a text with their numbers, without line ends; behind the last line feed there is none.
fn numbered(content: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(content.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)))
}

/// Says which names there are.
fn there_are(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(12)
        .map(|name| format!("`{}`", name.chars().take(40).collect::<String>()))
        .collect();
    match (shown.len(), names.len()) {
        (1, _) => format!("there is only {}", shown[0]),
        (n, all) if n < all => format!("there are {}, ... ({all} in all)", shown.join(", ")),
        _ => format!("there are {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads literal content in a format; faults as a person reads them.
    pub(super) fn read(format: &dyn Format, content: &str, columns: &Columns) -> Result<Vec<Row>, String> {
        format.rows(Path::new("file"), content, columns).map_err(|error| error.to_string())
    }

    /// The fault with the usual columns.
    pub(super) fn fault(format: &dyn Format, content: &str) -> String {
        read(format, content, &Columns::default()).unwrap_err()
    }

    pub(super) fn named(text: &str, label: &str) -> Columns {
        Columns { text: text.into(), label: label.into(), group: None }
    }

    pub(super) fn row(line: usize, label: &str, text: &str) -> Row {
        Row { line: Some(line), label: label.into(), text: text.into(), group: None }
    }

    #[test]
    fn the_name_tells_the_format() {
        let ending = |name: &str| of(Path::new(name)).map(|format| format.endings()[0]);
        assert_eq!(ending("a/b.c.tsv").unwrap(), "tsv");
        assert_eq!(ending("train.CSV.gz").unwrap(), "csv");
        assert_eq!(ending("x.ndjson").unwrap(), "jsonl");
        assert_eq!(ending("negative.txt").unwrap(), "txt");
        for name in ["a.parquet", "csv", "tsv.gz", ""] {
            let said = ending(name).unwrap_err().to_string();
            assert!(said.contains("should end in .tsv, .csv, .jsonl, "), "{name}: {said}");
        }
        assert_eq!(stem(Path::new("a/very.good.txt.gz")), "very.good");
    }
}
