//! One CSV file with columns for recording, time, channels and label.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::columns::Sheet;
use super::time::Clock;
use super::{Collector, File, Form, Found, Parsed, Wanted, as_text, no_groups, number};
use crate::data::formats::{self, Records, stem};
use crate::data::labels;
use crate::error::InputError;
use crate::excerpt::excerpt;

/// A frame a row; the rows of a recording stand together, in the order of time.
pub(super) struct Table;

/// What a row says beside its frame.
struct Row<'a> {
    line: usize,
    name: &'a str,
    group: Option<&'a str>,
    label: Option<&'a str>,
}

/// The recording whose rows are being read, or its piece of one label.
struct Current {
    line: usize,
    name: String,
    group: Option<String>,
    label: String,
    values: Vec<f32>,
}

impl Form for Table {
    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }

    /// A header with the columns of recording and label and without one of texts, and a row of numbers below it.
    fn is_told_by(&self, begin: &[u8], wanted: &Wanted<'_>) -> bool {
        let content = as_text(begin).replace("\r\n", "\n");
        let file = formats::File { path: Path::new(""), content: &content };
        // The last line may be cut.
        let records = Records::checked(file, super::columns::delimiter(&content, wanted));
        let Ok(mut records) = records else { return false };
        let mut row = || {
            let found = records.next(file.path).ok().flatten()?;
            Some(found.record.iter().map(|field| field.trim().to_owned()).collect::<Vec<_>>())
        };
        let (Some(header), Some(first)) = (row(), row()) else { return false };
        let has = |name: &str| header.iter().any(|column| column == name.trim());
        let (recording, label) = (wanted.framing.recording(), wanted.reading.label());
        has(recording)
            && has(label)
            && !has(wanted.reading.form.text())
            && header.iter().zip(&first).any(|(name, field)| {
                ![recording, label].contains(&name.as_str())
                    && !super::time::is_usual(name)
                    && number::parse(field).is_ok()
            })
    }

    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError> {
        let (text, content) = file.text(wanted.reading.form.encoding)?;
        let path = text.path;
        let mut sheet = Sheet::open(text, &content, wanted)?;
        let in_header = |reason: String| InputError::at_line(path, 1, reason);
        let label = match wanted.has_labels {
            true => Some(sheet.needed(wanted.reading.label(), "--label").map_err(in_header)?),
            false => None,
        };
        let recording = recording(&sheet, wanted).map_err(in_header)?;
        let time = sheet.time(wanted).map_err(in_header)?;
        let group = match wanted.reading.group.as_deref() {
            None => None,
            Some(name) => match sheet.place(name).map_err(in_header)? {
                None if wanted.needs_groups => return Err(no_groups(path, name, "the header")),
                place => place,
            },
        };
        let taken: Vec<usize> = [label, recording, time, group].into_iter().flatten().collect();
        let frames = sheet.frames(&taken, wanted).map_err(in_header)?;

        let time_name = time.map(|column| sheet.header[column].clone());
        let mut all = Collector::new(path, text.number, frames.channels.clone(), wanted);
        let mut ended: HashMap<String, usize> = HashMap::new();
        let mut clock = Clock::default();
        let mut current: Option<Current> = None;
        let stem = stem(path);
        while let Some((line, record)) = sheet.next()? {
            let fault = |reason: String| InputError::at_line(path, line, reason);
            let field = |place: usize| record[place].trim();
            let row = Row {
                line,
                name: recording.map_or(stem.as_str(), field),
                group: group.map(field),
                label: label.map(field),
            };
            row.check().map_err(fault)?;
            if current.as_ref().is_none_or(|current| current.name != row.name) {
                if let Some(before) = current.take() {
                    clock.end().map_err(|(line, reason)| InputError::at_line(path, line, reason))?;
                    ended.insert(before.name.clone(), line - 1);
                    before.end(&mut all)?;
                }
                if let Some(end) = ended.get(row.name) {
                    return Err(fault(format!(
                        "recording `{}` goes on here, and ended in line {end}: its rows stand together, in the order of time \
                         (sort the file by recording and time, or, if it is another recording, give it another name)",
                        excerpt(row.name)
                    )));
                }
            }
            if let Some(piece) = &mut current
                && !piece.goes_on(&row, wanted).map_err(fault)?
            {
                std::mem::replace(piece, row.begin()).end(&mut all)?;
            }
            let current = current.get_or_insert_with(|| row.begin());
            if let Some(time) = time {
                clock.tick(line, &record[time]).map_err(fault)?;
            }
            frames.take(record, &mut current.values).map_err(fault)?;
        }
        if let Some(last) = current {
            clock.end().map_err(|(line, reason)| InputError::at_line(path, line, reason))?;
            last.end(&mut all)?;
        }
        all.parsed.has_names = recording.is_some();
        all.parsed.interval = clock.interval();
        all.parsed.unchecked_time = time_name.filter(|_| clock.is_unchecked());
        all.finish()
    }
}

impl Row<'_> {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err(
                "no recording: the field is empty (say to which recording the row belongs)".to_owned()
            );
        }
        self.label.and_then(labels::fault).map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    fn begin(&self) -> Current {
        Current {
            line: self.line,
            name: self.name.to_owned(),
            group: self.group.map(str::to_owned),
            label: self.label.unwrap_or_default().to_owned(),
            values: Vec::new(),
        }
    }
}

impl Current {
    /// Whether a further row of the same recording belongs to the same piece.
    fn goes_on(&self, row: &Row<'_>, wanted: &Wanted<'_>) -> Result<bool, String> {
        let name = excerpt(row.name);
        if self.group.as_deref() != row.group {
            return Err(format!(
                "recording `{name}` is of group `{}` here and of group `{}` before (a recording has one)",
                excerpt(row.group.unwrap_or_default()),
                excerpt(self.group.as_deref().unwrap_or_default()),
            ));
        }
        let label = row.label.unwrap_or_default();
        if self.label != label && wanted.framing.window.is_none() {
            return Err(format!(
                "recording `{name}` has the label `{}` here, and `{}` in line {} (correct it; or, if what it shows changes, cut \
                 it into windows of one label each: --window FRAMES)",
                excerpt(label),
                excerpt(&self.label),
                self.line
            ));
        }
        Ok(self.label == label)
    }

    fn end(self, all: &mut Collector<'_>) -> Result<(), InputError> {
        let Self { line, name, group, label, values } = self;
        let name: Arc<str> = name.into();
        all.push(Found { line, name: Some(name), group: group.map(Into::into), label: &label, values })
    }
}

/// The column that says to which recording a row belongs. Without one, all rows are one recording: one that is cut, or that
/// needs no label.
fn recording(sheet: &Sheet<'_>, wanted: &Wanted<'_>) -> Result<Option<usize>, String> {
    let name = wanted.framing.recording();
    if wanted.framing.recording.is_some() {
        return sheet.needed(name, "--recording").map(Some);
    }
    match sheet.place(name)? {
        None if wanted.framing.window.is_none() && wanted.has_labels => Err(format!(
            "no column is named `{name}`; {}: which rows are a recording? (choose the column that says so with --recording \
             NAME; or, if all of them are one, cut it into windows: --window FRAMES; files of one recording each belong in a \
             folder for each class)",
            formats::there_are(&sheet.names())
        )),
        found => Ok(found),
    }
}
