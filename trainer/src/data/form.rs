//! Options for reading files: what neither their names nor their contents say.

use std::fmt;
use std::str::FromStr;

use super::encoding::Encoding;

/// The form of files with texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Form {
    /// The column or key that holds the text [default: text; 2 with --no-header]
    #[arg(long, value_name = "NAME")]
    pub text: Option<String>,
    /// What the files are encoded in that are not UTF-8, such as windows-1252, utf-16le or shift_jis
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// What separates the columns of .csv and .tsv files: a character, or `tab` [default: a tab in .tsv; in .csv a comma, or
    /// what else gives the columns asked for: a semicolon, a tab or `|`]
    #[arg(long, value_name = "C")]
    pub delimiter: Option<Delimiter>,
    /// The first line of .csv and .tsv files is an example, too: columns are named by their number, from 1
    #[arg(long)]
    pub no_header: bool,
}

/// How files with labelled texts are to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Reading {
    /// Of all texts.
    #[command(flatten)]
    pub form: Form,
    /// The column or key that holds the label [default: label; 1 with --no-header]
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// The column or key that holds the group of an example, if that matters.
    #[arg(skip)]
    pub group: Option<String>,
    /// Whether the texts only calibrate a model that is trained already.
    #[arg(skip)]
    pub calibrates: bool,
}

impl Form {
    /// The name of the column or key with the text.
    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(if self.no_header { "2" } else { "text" })
    }
}

impl Reading {
    /// The name of the column or key with the label.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(if self.form.no_header { "1" } else { "label" })
    }

    /// The options that say this, with their values.
    pub(super) fn options(&self) -> Vec<(&'static str, Option<String>)> {
        let Form { text, encoding, delimiter, no_header } = &self.form;
        let given = [
            ("text", text.clone()),
            ("label", self.label.clone()),
            ("encoding", encoding.map(|encoding| encoding.to_string())),
            ("delimiter", delimiter.map(|delimiter| delimiter.to_string())),
        ];
        let given = given.into_iter().filter(|(_, value)| value.is_some());
        given.chain(no_header.then_some(("no-header", None))).collect()
    }
}

/// What separates columns: a character of ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub(super) u8);

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.as_bytes() {
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            [b'"' | b'\n' | b'\r'] => {
                Err("quotes and line ends have a meaning of their own in these files".into())
            }
            [byte] if byte.is_ascii() => Ok(Self(*byte)),
            _ => Err("it must be one character of ASCII, such as ';', or the word `tab`".into()),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            byte => write!(f, "{}", char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_come_back_as_they_were_given() {
        for name in [";", "|", ",", "tab", " "] {
            assert_eq!(name.parse::<Delimiter>().unwrap().to_string(), name);
        }
        assert_eq!("\\t".parse(), Ok(Delimiter(b'\t')));
        assert_eq!("\t".parse(), Ok(Delimiter(b'\t')));
        for name in ["", ";;", "\"", "\n", "é", "semicolon"] {
            assert!(name.parse::<Delimiter>().is_err(), "{name:?}");
        }
    }
}
