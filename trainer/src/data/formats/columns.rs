//! What formats with columns have in common: a header, or numbers for names, and records as wide as it.

use super::{Field, File, NUMBERS, Name, Wanted, excerpt, there_are};
use crate::data::lines::BYTE_ORDER_MARK;
use crate::error::InputError;

/// The columns that the first record of a file declares.
pub(super) struct Header<'a> {
    names: Vec<&'a str>,
    /// The line as it stands in the file; none without a header.
    line: Option<&'a str>,
    /// Where each field that is wanted stands.
    pub(super) places: Vec<usize>,
}

impl<'a> Header<'a> {
    /// Finds the wanted fields among the names in the first record. If they are not there, `remedy` may tell what to do.
    pub(super) fn new(
        file: File<'_>,
        first: Vec<&'a str>,
        line: &'a str,
        wanted: &Wanted<'_>,
        remedy: Option<String>,
    ) -> Result<Self, InputError> {
        let fault = |reason| InputError::at_line(file.path, 1, reason);
        let places: Result<Vec<usize>, String> = match wanted.form.no_header {
            true => wanted.names.iter().map(|name| number(name, first.len(), wanted)).collect(),
            false => {
                wanted.names.iter().map(|name| position(name, &first, wanted, remedy.as_deref())).collect()
            }
        };
        let line = (!wanted.form.no_header).then_some(line);
        Ok(Self { names: first, line, places: places.map_err(fault)? })
    }

    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// Refuses a record that is a second header, as where two files were joined; `content` is the file's.
    pub(super) fn check<'f>(
        &self,
        file: File<'_>,
        line: usize,
        content: &str,
        fields: impl Iterator<Item = &'f str> + Clone,
    ) -> Result<(), InputError> {
        let Some(header) = self.line else { return Ok(()) };
        if self.is_the_same(fields) {
            let reason = "the header stands here again: were two files joined? (remove this line)";
            return Err(InputError::at_line(file.path, line, reason));
        }
        // The last line of the one file, which had no line end, and the header of the other.
        if self.width() > 1
            && content.ends_with(header)
            && content.len() > header.len()
            && !content[..content.len() - header.len()].ends_with(['\t', ',', ';', '|', '"', ' '])
        {
            let reason = format!(
                "the header stands at the end of this line: were two files joined? (remove `{}` from it)",
                excerpt(header)
            );
            return Err(InputError::at_line(file.path, line, reason));
        }
        Ok(())
    }

    /// Says that a record is not as wide as the first one.
    pub(super) fn other_width(&self, found: usize, hint: &str) -> String {
        let fields = if found == 1 { "field" } else { "fields" };
        let width = self.width();
        match self.line {
            Some(_) => format!("{found} {fields}, but the header names {width} ({hint})"),
            None => format!("{found} {fields}, but the first line has {width} ({hint})"),
        }
    }

    /// Whether a record has the names of all columns, in whatever order. (One column's name may be a text.)
    fn is_the_same<'f>(&self, fields: impl Iterator<Item = &'f str> + Clone) -> bool {
        let are_same = |name: &str, field: &str| {
            let field = field.trim_start_matches(BYTE_ORDER_MARK).trim();
            field.eq_ignore_ascii_case(name.trim())
        };
        let is_a_name = |field| self.names.iter().any(|name| are_same(name, field));
        let has = |name: &&str| fields.clone().any(|field| are_same(name, field));
        // The first field tells it of most records.
        self.width() > 1
            && fields.clone().next().is_some_and(is_a_name)
            && fields.clone().count() == self.width()
            && self.names.iter().all(has)
    }
}

/// Whether a header has all columns that are wanted.
pub(super) fn has_all(header: &[&str], wanted: &Wanted<'_>) -> bool {
    let has = |name: &Name<'_>| match wanted.form.no_header {
        true => number(name, header.len(), wanted).is_ok(),
        false => header.iter().any(|column| column.trim() == name.1.trim()),
    };
    wanted.names.iter().all(has)
}

/// Where a column stands that a number names.
fn number(&Name(field, name): &Name<'_>, width: usize, wanted: &Wanted<'_>) -> Result<usize, String> {
    let columns = if width == 1 { "column" } else { "columns" };
    match name.parse::<usize>() {
        Ok(number) if (1..=width).contains(&number) => Ok(number - 1),
        // Texts beside others with labels have a file of one column.
        _ if (width, wanted.names.len()) == (1, 1) => Ok(0),
        _ => Err(format!(
            "no column `{}`: without a header columns are named by number, and there are {width} {columns} \
             (choose with {} NUMBER, or --delimiter C)",
            excerpt(name),
            field.option()
        )),
    }
}

/// Where a column stands.
fn position(
    &Name(field, name): &Name<'_>,
    header: &[&str],
    wanted: &Wanted<'_>,
    remedy: Option<&str>,
) -> Result<usize, String> {
    let mut found = (0..header.len()).filter(|&index| header[index].trim() == name.trim());
    let shown = excerpt(name);
    match (found.next(), found.next()) {
        (Some(index), None) => return Ok(index),
        (Some(_), Some(_)) => return Err(format!("two columns are named `{shown}` (rename one)")),
        (None, _) => {}
    }
    let there = there_are(header);
    if field == Field::Text && ["steps", "channels", "values"].iter().all(|name| header.contains(name)) {
        return Err(format!("a sequence of numbers, and no column `{shown}`: {NUMBERS}"));
    }
    if field == Field::Label && wanted.calibrates {
        return Err(format!("no column is named `{shown}`; {there}: {}", super::CALIBRATES));
    }
    let option = field.option();
    let remedy = remedy.map(str::to_owned).or_else(|| without_header(header, wanted));
    let remedy = remedy.unwrap_or_else(|| format!("choose with {option} NAME"));
    Err(format!("no column is named `{shown}`; {there} ({remedy})"))
}

/// What to do about a first line that looks like an example.
fn without_header(header: &[&str], wanted: &Wanted<'_>) -> Option<String> {
    let is_said = |field: &&str| {
        let words = field.split_whitespace().count();
        words > 3 || field.parse::<f64>().is_ok()
    };
    let is_wanted = |field: &&str| wanted.names.iter().any(|name| name.1 == *field);
    if header.len() < 2 || !header.iter().any(is_said) || header.iter().any(is_wanted) {
        return None;
    }
    // The longest is the text, and the first of the others is its label.
    let text = (0..header.len()).max_by_key(|&index| (header[index].len(), std::cmp::Reverse(index)))?;
    let label = usize::from(text == 0);
    let columns = match (label, text) {
        (0, 1) => String::new(),
        _ => format!(" --text {} --label {}", text + 1, label + 1),
    };
    Some(format!("if this line is an example, and no header: --no-header{columns}"))
}
