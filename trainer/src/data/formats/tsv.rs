//! Tab-separated values: a header, one example a line, no quoting and no escapes.

use super::columns::{Header, has_all};
use super::{Each, Field, File, Format, Name, Wanted};
use crate::data::form::Delimiter;
use crate::data::lines;
use crate::error::InputError;

/// Lines of `label<TAB>text`, or other columns in any order. The last column takes the rest of its
/// line if it is the text, so that a text may contain tabs.
pub(super) struct Tsv;

impl Format for Tsv {
    fn endings(&self) -> &'static [&'static str] {
        &["tsv"]
    }

    fn has_columns(&self) -> bool {
        true
    }

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        let File { path, content } = file;
        let mut lines = lines::of(path, content)?.peekable();
        let Some(&(_, first)) = lines.peek() else {
            let reason = "the file is empty: it should begin with a header";
            return Err(InputError::in_file(path, reason));
        };
        let delimiter = char::from(wanted.form.delimiter.unwrap_or(Delimiter(b'\t')).0);
        let names: Vec<&str> = first.split(delimiter).collect();
        let remedy = other_delimiter(first, &names, wanted).map(|other| {
            let option = shell_words::quote(&other.to_string()).into_owned();
            format!("`{other}` separates the columns, not a tab: --delimiter {option}")
        });
        let header = Header::new(file, names, first, wanted, remedy)?;
        if !wanted.form.no_header {
            lines.next();
        }
        let text_is_last = |(&Name(field, _), &place): (&Name<'_>, &usize)| {
            field == Field::Text && place + 1 == header.width()
        };
        let takes_the_rest = wanted.names.iter().zip(&header.places).any(text_is_last);
        let at_most = if takes_the_rest { header.width() } else { usize::MAX };
        let mut fields: Vec<&str> = Vec::with_capacity(header.width());
        for (number, line) in lines {
            fields.clear();
            fields.extend(line.splitn(at_most, delimiter));
            header.check(file, number, line, fields.iter().copied())?;
            if fields.len() != header.width() {
                let reason = match fields.len() {
                    1 if line.is_empty() => "an empty line (remove it)".to_owned(),
                    found if delimiter == '\t' => {
                        header.other_width(found, "fields are separated by one tab each")
                    }
                    found => {
                        header.other_width(found, &format!("fields are separated by one `{delimiter}` each"))
                    }
                };
                return Err(InputError::at_line(path, number, reason));
            }
            let mut values = [""; Wanted::MOST];
            header.places.iter().zip(&mut values).for_each(|(&place, value)| *value = fields[place]);
            each(Some(number), &values[..header.places.len()])?;
        }
        Ok(())
    }
}

/// What separates the columns of a header instead of tabs, if nobody said and one character alone does.
fn other_delimiter(line: &str, names: &[&str], wanted: &Wanted<'_>) -> Option<char> {
    if wanted.form.delimiter.is_some() || wanted.form.no_header || has_all(names, wanted) {
        return None;
    }
    let mut others = [',', ';', '|']
        .into_iter()
        .filter(|&delimiter| has_all(&line.split(delimiter).collect::<Vec<_>>(), wanted));
    others.next().filter(|_| others.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fault, named, read, row};
    use super::*;
    use crate::data::form::{Form, Reading};

    #[test]
    fn reads_columns_by_name_and_tabs_in_a_last_text() {
        let usual = Reading::default();
        let rows = read(&Tsv, "label\ttext\n0\tbad\tly\n1\t\"good\"\n\t\n", &usual).unwrap();
        assert_eq!(rows, [row(2, "0", "bad\tly"), row(3, "1", "\"good\""), row(4, "", "")]);
        let content = "id\tsentence\tstars\n7\tfine\t5\n8\tpoor\t1";
        let rows = read(&Tsv, content, &named("sentence", "stars")).unwrap();
        assert_eq!(rows, [row(2, "5", "fine"), row(3, "1", "poor")]);
        assert_eq!(read(&Tsv, "label\ttext\n", &usual).unwrap(), []);
    }

    #[test]
    fn reads_other_delimiters_and_files_without_a_header() {
        let form = Form { delimiter: Some(Delimiter(b';')), ..Form::default() };
        let rows = read(&Tsv, "label;text\n0;a;b\n", &Reading { form, ..Reading::default() }).unwrap();
        assert_eq!(rows, [row(2, "0", "a;b")]);
        let form = Form { no_header: true, ..Form::default() };
        let bare = Reading { form, ..Reading::default() };
        assert_eq!(read(&Tsv, "0\ta\n1\tb\tc\n", &bare).unwrap(), [row(1, "0", "a"), row(2, "1", "b\tc")]);
        assert_eq!(
            read(&Tsv, "0\ta\tx\n1\tb\n", &bare).unwrap_err(),
            "file:2: 2 fields, but the first line has 3 (fields are separated by one tab each)"
        );
        let Reading { form, .. } = bare;
        let third = Reading { label: Some("3".into()), form, ..Reading::default() };
        assert_eq!(
            read(&Tsv, "0\ta\n", &third).unwrap_err(),
            "file:1: no column `3`: without a header columns are named by number, and there are 2 columns (choose with \
             --label NUMBER, or --delimiter C)"
        );
    }

    #[test]
    fn names_line_and_reason() {
        assert_eq!(fault(&Tsv, ""), "file: the file is empty: it should begin with a header");
        assert_eq!(
            fault(&Tsv, "text,label\na,0\n"),
            "file:1: no column is named `text`; there is only `text,label` (`,` separates the columns, not a tab: \
             --delimiter ,)"
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

    #[test]
    fn tells_where_files_were_joined() {
        for (content, line) in [
            ("label\ttext\n0\ta\nlabel\ttext\n", 3),
            ("label\ttext\n0\ta\nText\tLabel\n", 3),
            ("label\ttext\n0\ta\n\u{FEFF}label\ttext\n", 3),
            ("label\ttext\n0\ta\n1\tblabel\ttext\n", 3),
            ("label\ttext\n0\ta\n1\tb\u{FEFF}label\ttext\n", 3),
        ] {
            let said = fault(&Tsv, content);
            assert!(
                said.starts_with(&format!("file:{line}: ")) && said.contains("were two files joined"),
                "{said}"
            );
        }
        let rows = read(&Tsv, "label\ttext\nlabel\tof what\n0\tthe label\ttext\n", &Reading::default());
        assert_eq!(rows.unwrap().len(), 2, "a text may have these words");
    }

    #[test]
    fn tells_an_example_from_a_header_and_numbers_from_texts() {
        let said = fault(&Tsv, "1\tnot bad at all\n0\tpoor\n");
        assert!(said.ends_with("(if this line is an example, and no header: --no-header)"), "{said}");
        let said = fault(&Tsv, "7\tnot bad at all\tpos\n");
        assert!(said.ends_with("--no-header)"), "{said}");
        let said = fault(&Tsv, "not bad at all\tpos\t7\n");
        assert!(said.ends_with("no header: --no-header --text 1 --label 2)"), "{said}");
        let said = fault(&Tsv, "label\tsteps\tchannels\tvalues\n1\t2\t1\t0.5 0.25\n");
        assert!(
            said.contains("a sequence of numbers, and no column `text`: what is read as texts"),
            "{said}"
        );
    }
}
