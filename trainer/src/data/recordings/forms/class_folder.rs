//! A folder for each class, and a recording a file: `walking/01.csv`, or `walking/anna/01.csv` with a folder for each group.

use std::path::Path;

use super::columns::Sheet;
use super::time::Clock;
use super::{Collector, File, Form, Found, Parsed, Wanted, no_groups};
use crate::error::InputError;
use crate::excerpt::excerpt;

/// Files in the folder of their class.
pub(in super::super) static IN_CLASS: ClassFolder = ClassFolder { has_groups: false };

/// Files in the folder of their group, in that of their class.
pub(in super::super) static IN_GROUP: ClassFolder = ClassFolder { has_groups: true };

/// A frame a row, below a header that names the channels. A folder's layout tells that a file is meant so.
pub(in super::super) struct ClassFolder {
    has_groups: bool,
}

impl Form for ClassFolder {
    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }

    fn is_of_one_class(&self) -> bool {
        true
    }

    fn is_told_by(&self, _begin: &[u8], _wanted: &Wanted<'_>) -> bool {
        false
    }

    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError> {
        let (text, content) = file.text(wanted.reading.form.encoding)?;
        let path = text.path;
        let mut sheet = Sheet::open(text, &content, wanted)?;
        let in_header = |reason: String| InputError::at_line(path, 1, reason);
        // A column of labels would be a channel that gives the answer away.
        for name in [wanted.reading.label(), wanted.framing.recording()] {
            if wanted.channels.is_empty() && sheet.place(name).map_err(in_header)?.is_some() {
                return Err(in_header(format!(
                    "a column `{}` in a file that is one recording of its folder's class (name the channels with --channels, or \
                     give the files by themselves if they hold several recordings)",
                    excerpt(name)
                )));
            }
        }
        let time = sheet.time(wanted).map_err(in_header)?;
        let column = match wanted.reading.group.as_deref() {
            Some(name) => sheet.place(name).map_err(in_header)?,
            None => None,
        };
        let mut group = (self.has_groups && wanted.reading.group.is_some()).then(|| name_of(path.parent()));
        if let (Some(name), true, None, None) = (&wanted.reading.group, wanted.needs_groups, column, &group) {
            return Err(no_groups(path, name, "neither the header nor a folder between class and file"));
        }
        let taken: Vec<usize> = time.into_iter().chain(column).collect();
        let frames = sheet.frames(&taken, wanted).map_err(in_header)?;
        let time_name = time.map(|column| sheet.header[column].clone());
        let mut clock = Clock::default();
        let (mut values, mut first) = (Vec::new(), None);
        while let Some((line, record)) = sheet.next()? {
            let fault = |reason: String| InputError::at_line(path, line, reason);
            if let Some(time) = time {
                clock.tick(line, &record[time]).map_err(fault)?;
            }
            if let Some(column) = column {
                let found = record[column].trim();
                let before = first.get_or_insert_with(|| found.to_owned());
                if before != found {
                    return Err(fault(format!(
                        "the recording is of group `{}` here and of group `{}` before (a recording has one)",
                        excerpt(found),
                        excerpt(before)
                    )));
                }
            }
            frames.take(record, &mut values).map_err(fault)?;
        }
        clock.end().map_err(|(line, reason)| InputError::at_line(path, line, reason))?;
        if values.is_empty() {
            return Err(InputError::in_file(path, "a header and no frame below it (remove the file)"));
        }
        group = first.or(group);
        let class = path.ancestors().nth(if self.has_groups { 2 } else { 1 });
        let mut all = Collector::new(path, text.number, frames.channels.clone(), wanted);
        all.push(Found {
            line: 0,
            name: None,
            group: group.map(Into::into),
            label: &name_of(class),
            values,
        })?;
        all.parsed.interval = clock.interval();
        all.parsed.unchecked_time = time_name.filter(|_| clock.is_unchecked());
        all.finish()
    }
}

/// The last name of a path.
fn name_of(path: Option<&Path>) -> String {
    path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
}
