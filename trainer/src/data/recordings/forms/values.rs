//! A line for each recording: `label<TAB>steps<TAB>channels<TAB>values`.

use super::{
    Channels, Collector, File, Form, Found, HEADER_AGAIN, Parsed, Wanted, as_text, no_groups, number,
};
use crate::data::lines;
use crate::error::InputError;
use crate::excerpt::excerpt;

/// The columns beside that of the label.
const COLUMNS: [&str; 3] = ["steps", "channels", "values"];

/// Tab-separated values with a header. The values are separated by blanks, frame after frame.
pub(super) struct Values;

/// What a line says beside label and group.
struct Row {
    channels: usize,
    values: Vec<f32>,
}

/// Where columns stand.
struct Places {
    width: usize,
    label: Option<usize>,
    group: Option<usize>,
    counts: [usize; 3],
}

impl Form for Values {
    fn endings(&self) -> &'static [&'static str] {
        &["tsv"]
    }

    fn is_told_by(&self, begin: &[u8], _wanted: &Wanted<'_>) -> bool {
        let header = as_text(begin).lines().next().unwrap_or_default();
        COLUMNS.iter().all(|name| header.split('\t').any(|column| column.trim() == *name))
    }

    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError> {
        let (text, content) = file.text(wanted.reading.form.encoding)?;
        let path = text.path;
        let mut lines = lines::of(path, &content)?;
        let header = lines.next().map(|(_, line)| line).unwrap_or_default();
        let places = Places::of(header, wanted).map_err(|reason| InputError::at_line(path, 1, reason))?;
        if let (Some(group), true, None) = (&wanted.reading.group, wanted.needs_groups, places.group) {
            return Err(no_groups(path, group, "the header"));
        }
        let lines: Vec<(usize, &str)> = lines.collect();
        let rows = text.of_lines(&lines, |number, line| {
            places.row(header, line).map_err(|reason| InputError::at_line(path, number, reason))
        })?;
        let channels = rows.first().map_or(0, |row| row.channels);
        let mut all = Collector::new(path, text.number, Channels::numbered(channels), wanted);
        for ((number, line), row) in lines.iter().zip(rows) {
            if row.channels != channels {
                let reason = format!(
                    "{}, but the recordings before have {channels}: all recordings have the same channels (add what is \
                     missing, or remove the recording)",
                    shown(row.channels)
                );
                return Err(InputError::at_line(path, *number, reason));
            }
            let field = |place: usize| line.split('\t').nth(place).unwrap_or_default();
            let group = places.group.map(|place| field(place).trim().into());
            let label = places.label.map_or("", field);
            all.push(Found { line: *number, name: None, group, label, values: row.values })?;
        }
        all.finish()
    }
}

fn shown(channels: usize) -> String {
    format!("{channels} channel{}", if channels == 1 { "" } else { "s" })
}

impl Places {
    fn of(header: &str, wanted: &Wanted<'_>) -> Result<Self, String> {
        let names: Vec<&str> = header.split('\t').map(str::trim).collect();
        let place = |name: &str| names.iter().position(|column| *column == name);
        let label = wanted.reading.label();
        let missing = |name: &str| {
            format!(
                "no column is named `{}`: recordings in lines have the header `label`, `steps`, `channels`, `values`, with a \
                 tab between two of them",
                excerpt(name)
            )
        };
        let mut counts = [0; 3];
        for (name, count) in COLUMNS.iter().zip(&mut counts) {
            *count = place(name).ok_or_else(|| missing(name))?;
        }
        let label = place(label).filter(|_| wanted.has_labels);
        if wanted.has_labels && label.is_none() {
            return Err(missing(wanted.reading.label()) + " (choose the label's with --label NAME)");
        }
        let group = wanted.reading.group.as_deref().and_then(place);
        Ok(Self { width: names.len(), label, group, counts })
    }

    fn row(&self, header: &str, line: &str) -> Result<Row, String> {
        if line.is_empty() {
            return Err("an empty line (remove it)".to_owned());
        }
        if line.trim() == header.trim() {
            return Err(HEADER_AGAIN.to_owned());
        }
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != self.width {
            let s = if fields.len() == 1 { "" } else { "s" };
            return Err(format!(
                "{} field{s}, but the header names {} (one tab separates two fields, and blanks separate values)",
                fields.len(),
                self.width
            ));
        }
        let count = |which: usize| {
            let field = fields[self.counts[which]].trim();
            field.parse::<usize>().ok().filter(|&count| count > 0).ok_or_else(|| {
                let name = COLUMNS[which];
                format!(
                    "{name}: `{}` is no number from 1 on (write how many {name} the recording has)",
                    excerpt(field)
                )
            })
        };
        let (steps, channels) = (count(0)?, count(1)?);
        let field = fields[self.counts[2]];
        // What the line says may be anything; what it holds is limited.
        let mut values = Vec::with_capacity(steps.saturating_mul(channels).min(field.len() / 2 + 1));
        for value in field.split_ascii_whitespace() {
            let place = || {
                let (step, channel) = (values.len() / channels + 1, values.len() % channels + 1);
                format!("step {step}, channel {channel}")
            };
            values.push(number::parse(value).map_err(|fault| fault.reason(value, &place()))?);
        }
        if Some(values.len()) != steps.checked_mul(channels) {
            return Err(format!(
                "{} values, but {steps} steps of {} are {} (is a value missing, or one too many?)",
                values.len(),
                shown(channels),
                steps as u128 * channels as u128,
            ));
        }
        Ok(Row { channels, values })
    }
}
