//! `.ts`, as the UCR and UEA archives have it, and aeon and sktime write it: `@` lines, then a line for each recording, its
//! dimensions separated by `:`, and its label last.

use super::{Channels, Collector, File, Form, Found, Parsed, Wanted, as_text, no_groups, number};
use crate::data::labels::shown;
use crate::data::lines;
use crate::error::InputError;
use crate::excerpt::excerpt;

/// What begins such a file, in small letters.
const BEGIN: [&str; 3] = ["@problemname", "@timestamps", "@univariate"];

/// Recordings of a time-series archive.
pub(super) struct Ts;

/// What the lines with `@` say.
#[derive(Default)]
struct Header {
    dimensions: Option<usize>,
    labels: Option<Vec<String>>,
    has_data: bool,
}

impl Form for Ts {
    fn endings(&self) -> &'static [&'static str] {
        &["ts"]
    }

    fn has_names_before_parts(&self) -> bool {
        true
    }

    fn is_told_by(&self, begin: &[u8], _wanted: &Wanted<'_>) -> bool {
        let mut lines = as_text(begin).lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', '%']));
        first.is_some_and(|line| {
            let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
            BEGIN.contains(&word.as_str())
        })
    }

    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError> {
        let (text, content) = file.text(wanted.reading.form.encoding)?;
        let path = text.path;
        if let (Some(group), true) = (&wanted.reading.group, wanted.needs_groups) {
            return Err(no_groups(path, group, "a .ts file"));
        }
        let mut header = Header::default();
        let mut data: Vec<(usize, &str)> = Vec::new();
        for (number, line) in lines::of(path, &content)? {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '%']) {
                continue;
            }
            match header.has_data {
                true => data.push((number, line)),
                false => header.take(line).map_err(|reason| InputError::at_line(path, number, reason))?,
            }
        }
        let missing = match (header.has_data, &header.labels) {
            (false, _) => Some("no @data: the recordings stand behind a line `@data`"),
            (true, None) if wanted.has_labels => Some(
                "no @classLabel: the recordings have no labels to learn from (add `@classLabel true` with the labels, and a \
                 label at the end of each line)",
            ),
            _ => None,
        };
        if let Some(reason) = missing {
            return Err(InputError::in_file(path, reason));
        }
        let rows = text.of_lines(&data, |number, line| {
            recording(line, header.labels.as_deref(), wanted)
                .map_err(|reason| InputError::at_line(path, number, reason))
        })?;
        let dimensions = header.dimensions.or(rows.first().map(|row| row.0)).unwrap_or(0);
        let mut all = Collector::new(path, text.number, Channels::numbered(dimensions), wanted);
        for ((line, content), (found, values)) in data.into_iter().zip(rows) {
            if found != dimensions {
                let s = if found == 1 { "" } else { "s" };
                let before = match header.dimensions {
                    Some(_) => "@dimensions says",
                    None => "the recordings before have",
                };
                let reason = format!(
                    "{found} dimension{s}, but {before} {dimensions}: all recordings have the same channels (`:` separates \
                     them, and the label is the last)"
                );
                return Err(InputError::at_line(path, line, reason));
            }
            let label = content.rsplit(':').next().filter(|_| wanted.has_labels).unwrap_or_default();
            all.push(Found { line, name: None, group: None, label, values })?;
        }
        all.finish()
    }
}

impl Header {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default().to_lowercase();
        let rest: Vec<&str> = words.collect();
        let is_true = rest.first().is_some_and(|word| word.eq_ignore_ascii_case("true"));
        match name.as_str() {
            "@data" => self.has_data = true,
            "@timestamps" if is_true => {
                return Err("time stamps in pairs such as (0,1.5) are not read (write the values alone, at regular steps, \
                            and `@timeStamps false`)"
                    .to_owned());
            }
            "@targetlabel" if is_true => {
                return Err("@targetLabel: these recordings have numbers to predict, and KiloRNN learns classes (write \
                            `@classLabel true` with the labels)"
                    .to_owned());
            }
            "@dimensions" | "@dimension" => {
                let count =
                    rest.first().and_then(|word| word.parse().ok()).filter(|&count: &usize| count > 0);
                self.dimensions =
                    Some(count.ok_or("no number from 1 on behind it (write how many channels there are)")?);
            }
            "@classlabel" if is_true => {
                self.labels = Some(rest[1..].iter().map(|&label| label.to_owned()).collect());
            }
            name if name.starts_with('@') => {}
            _ => {
                return Err(format!(
                    "`{}` stands before the line `@data` (lines before it begin with @ or #)",
                    excerpt(line)
                ));
            }
        }
        Ok(())
    }
}

/// How many dimensions a line has, and its values, frame after frame.
fn recording(
    line: &str,
    labels: Option<&[String]>,
    wanted: &Wanted<'_>,
) -> Result<(usize, Vec<f32>), String> {
    let mut fields: Vec<&str> = line.split(':').collect();
    if let Some(labels) = labels {
        let label = fields.pop().unwrap_or_default().trim();
        if wanted.has_labels && !labels.iter().any(|known| known == label) {
            let is_value = label.contains(',') || fields.is_empty();
            let what = if is_value {
                "no label at the end of the line".to_owned()
            } else {
                format!("unknown label `{}`", excerpt(label))
            };
            return Err(format!(
                "{what}; @classLabel names {} (correct it, or name it there)",
                shown(labels)
            ));
        }
    }
    if fields.is_empty() {
        return Err("no values before the label (`:` separates dimensions and label)".to_owned());
    }
    if line.starts_with('(') {
        return Err(
            "time stamps in pairs such as (0,1.5) are not read (write the values alone, at regular steps)"
                .to_owned(),
        );
    }
    let mut dimensions: Vec<Vec<f32>> = Vec::with_capacity(fields.len());
    for (channel, field) in fields.into_iter().enumerate() {
        let mut values = Vec::new();
        for value in field.split(',') {
            let place = || format!("dimension {}, step {}", channel + 1, values.len() + 1);
            values.push(number::parse(value).map_err(|fault| fault.reason(value, &place()))?);
        }
        let steps = dimensions.first().map_or(values.len(), Vec::len);
        if values.len() != steps {
            return Err(format!(
                "dimension {} has {} values, and dimension 1 has {steps}: a frame has a value of every channel (is a value \
                 missing, or one too many?)",
                channel + 1,
                values.len()
            ));
        }
        dimensions.push(values);
    }
    let steps = dimensions.first().map_or(0, Vec::len);
    let frames = (0..steps).flat_map(|step| dimensions.iter().map(move |values| values[step]));
    Ok((dimensions.len(), frames.collect()))
}
