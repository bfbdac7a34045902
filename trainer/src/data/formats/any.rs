//! Standard input, whose format only its content tells.

use super::csv::Csv;
use super::jsonl::JsonLines;
use super::tsv::Tsv;
use super::{Each, File, Form, Format, InputError, Wanted};
use crate::data::form::Delimiter;

/// JSON Lines, TSV or CSV.
pub(in crate::data) struct Any;

impl Format for Any {
    fn endings(&self) -> &'static [&'static str] {
        &["any"]
    }

    fn of_content(&self, content: &str, form: &Form) -> Option<&'static dyn Format> {
        let first = content.lines().next().unwrap_or_default();
        Some(match first.trim_start().as_bytes() {
            [b'{' | b'[', ..] => &JsonLines,
            first if form.delimiter.is_none_or(|of| of == Delimiter(b'\t')) && first.contains(&b'\t') => &Tsv,
            _ => &Csv,
        })
    }

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        self.of_content(file.content, wanted.form).unwrap_or(&Csv).records(file, wanted, each)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::data::form::Reading;

    #[test]
    fn the_content_tells() {
        for content in [
            "{\"text\": \"a\", \"label\": 1}\n",
            "label\ttext\n1\ta\n",
            "label,text\n1,a\n",
            "\"label\";\"text\"\n1;\"a\"\n",
        ] {
            let rows = read(&Any, content, &Reading::default()).unwrap();
            assert_eq!((rows.len(), rows[0].1.as_str(), rows[0].2.as_str()), (1, "1", "a"), "{content}");
        }
    }
}
