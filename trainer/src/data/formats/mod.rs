//! Formats of files: each turns the content of one file into records. A new one is a file here and a
//! line in [`FORMATS`].

mod any;
mod columns;
mod csv;
mod document;
mod jsonl;
mod lines;
mod tsv;

use std::path::Path;

pub(super) use any::Any;
pub(super) use csv::{Found, Records};
pub(super) use document::Document;
pub(super) use lines::Lines;

use super::form::{Form, Reading};
use crate::error::{InputError, STANDARD_INPUT};
use crate::excerpt::excerpt;

/// The formats that a file's name distinguishes.
pub(super) const FORMATS: [&dyn Format; 4] = [&tsv::Tsv, &csv::Csv, &jsonl::JsonLines, &Lines];

/// What a file of a kind says, record by record.
pub(super) trait Format: Sync {
    /// How names of such files end, before a `.gz`.
    fn endings(&self) -> &'static [&'static str];

    /// Whether a file has one class only, which its path names. The texts of such files are mixed.
    fn is_of_one_class(&self) -> bool {
        false
    }

    /// Whether its records are rows of columns, which `--delimiter` and `--no-header` are about.
    fn has_columns(&self) -> bool {
        false
    }

    /// The format of this content; another one than the name's where only the content can say.
    fn of_content(&self, _content: &str, _form: &Form) -> Option<&'static dyn Format> {
        None
    }

    /// Hands over what each record of a file says in the fields that are wanted, in their order.
    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError>;
}

/// Takes a record: the line where it begins, from 1 (none if the file as a whole is the record), and its values.
pub(super) type Each<'a> = &'a mut dyn FnMut(Option<usize>, &[&str]) -> Result<(), InputError>;

/// A file that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) content: &'a str,
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

/// What is to be read of a file.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// No more than [`Wanted::MOST`].
    pub(super) names: Vec<Name<'a>>,
    pub(super) form: &'a Form,
    /// Whether the texts are only to calibrate a model.
    pub(super) calibrates: bool,
}

impl<'a> Wanted<'a> {
    /// The most fields there are.
    pub(super) const MOST: usize = 3;

    /// Text and label, and the group if that matters.
    pub(super) fn examples(reading: &'a Reading) -> Self {
        let mut names = vec![Name(Field::Text, reading.form.text()), Name(Field::Label, reading.label())];
        names.extend(reading.group.as_deref().map(|name| Name(Field::Group, name)));
        Self { names, form: &reading.form, calibrates: reading.calibrates }
    }

    /// One field.
    pub(super) fn one(field: Field, name: &'a str, form: &'a Form) -> Self {
        Self { names: vec![Name(field, name)], form, calibrates: false }
    }
}

/// Why what has no labels cannot calibrate, and what can.
pub(super) const CALIBRATES: &str = "texts to calibrate with have the form of training data, each with its label (give the \
     data that the model was trained on, or add a column or key `label` with the class of each text)";

/// What can be read where there are numbers, and what to do.
pub(super) const NUMBERS: &str = "what is read as texts has words, not numbers (if another column or key holds the texts, \
     choose it with --text NAME; if the numbers are codes, put a letter in front of each, as in `x12`; recordings of numbers \
     have forms of their own: kilornn data --help)";

/// One value for each field of a text whose file says nothing but the text and its class.
fn only<'a>(
    path: &Path,
    wanted: &Wanted<'_>,
    text: &'a str,
    label: &'a str,
) -> Result<[&'a str; Wanted::MOST], InputError> {
    let mut values = [""; Wanted::MOST];
    for (Name(field, name), value) in wanted.names.iter().zip(&mut values) {
        *value = match field {
            Field::Text => text,
            Field::Label => label,
            Field::Group => {
                let reason = format!("a text file has no column `{name}` (name a file with --groups FILE)");
                return Err(InputError::in_file(path, reason));
            }
        };
    }
    Ok(values)
}

/// The format of a file by its name; for standard input, its content decides.
pub(super) fn of(path: &Path) -> Result<&'static dyn Format, InputError> {
    if path.as_os_str() == STANDARD_INPUT {
        return Ok(&Any);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    FORMATS
        .into_iter()
        .find(|format| ending.is_some_and(|ending| format.endings().contains(&ending)))
        .ok_or_else(|| {
            let what_to_do = match ending {
                Some("xlsx" | "xls" | "ods" | "parquet" | "arrow" | "feather" | "pkl" | "sqlite" | "db") => {
                    "save it as .csv".to_owned()
                }
                _ => format!(
                    "rename it, or let its content tell: - < {}",
                    shell_words::quote(&path.to_string_lossy())
                ),
            };
            let endings = endings_of(FORMATS.into_iter().map(Format::endings));
            let reason = format!("of no known format: its name should end in {endings} ({what_to_do})");
            InputError::in_file(path, reason)
        })
}

/// The endings of some formats, for messages.
pub(super) fn endings_of(formats: impl Iterator<Item = &'static [&'static str]>) -> String {
    let endings: Vec<String> = formats.flatten().map(|ending| format!(".{ending}")).collect();
    format!("{}, with or without .gz", endings.join(", "))
}

/// The name of a file without its ending and a `.gz`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// Says which names there are.
pub(super) fn there_are(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{}`", excerpt(name))).collect();
    match (shown.len(), names.len()) {
        (0, _) => "there are none".to_owned(),
        (1, _) => format!("there is only {}", shown[0]),
        (n, all) if n < all => format!("there are {}, ... ({all} in all)", shown.join(", ")),
        _ => format!("there are {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of literal content: line, label and text of each. Faults as a person reads them.
    pub(super) fn read(
        format: &dyn Format,
        content: &str,
        reading: &Reading,
    ) -> Result<Vec<(usize, String, String)>, String> {
        let mut rows = Vec::new();
        let file = File { path: Path::new("file"), content };
        let mut each = |line: Option<usize>, values: &[&str]| {
            rows.push((line.unwrap_or(0), values[1].to_owned(), values[0].to_owned()));
            Ok(())
        };
        let read = format.records(file, &Wanted::examples(reading), &mut each);
        read.map(|()| rows).map_err(|error| error.to_string())
    }

    /// The fault with the usual columns.
    pub(super) fn fault(format: &dyn Format, content: &str) -> String {
        read(format, content, &Reading::default()).unwrap_err()
    }

    pub(super) fn named(text: &str, label: &str) -> Reading {
        let form = Form { text: Some(text.into()), ..Form::default() };
        Reading { form, label: Some(label.into()), ..Reading::default() }
    }

    pub(super) fn row(line: usize, label: &str, text: &str) -> (usize, String, String) {
        (line, label.to_owned(), text.to_owned())
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
        assert!(ending("a.xlsx").unwrap_err().to_string().ends_with("(save it as .csv)"));
        assert!(ending("my data").unwrap_err().to_string().ends_with("its content tell: - < 'my data')"));
        assert_eq!(stem(Path::new("a/very.good.txt.gz")), "very.good");
    }
}
