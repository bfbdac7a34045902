//! Tables of frames: a header that names the columns, then a frame a row.

use csv::StringRecord;

use super::{Channels, HEADER_AGAIN, Text, Wanted, number, time};
use crate::data::form::Delimiter;
use crate::data::formats::{self, Found, Records, there_are};
use crate::error::InputError;
use crate::excerpt::excerpt;
use crate::recipe::hint;

/// What may separate columns, if nobody says.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table that is being read.
pub(super) struct Sheet<'a> {
    text: Text<'a>,
    pub(super) header: Vec<String>,
    records: Records<'a>,
}

impl<'a> Sheet<'a> {
    pub(super) fn open(text: Text<'a>, content: &'a str, wanted: &Wanted<'_>) -> Result<Self, InputError> {
        let path = text.path;
        if wanted.reading.form.no_header {
            let reason = "--no-header: recordings need a header that names the channels (write one, and leave the option out)";
            return Err(InputError::in_file(path, reason));
        }
        let delimiter = delimiter(content, wanted);
        let mut records = Records::checked(formats::File { path, content }, delimiter)?;
        let Some(Found { record, .. }) = records.next(path)? else {
            return Err(InputError::in_file(path, "the file is empty: it should begin with a header"));
        };
        let header: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { text, header, records })
    }

    /// The next row and its line.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &StringRecord)>, InputError> {
        let path = self.text.path;
        let Some(Found { record, line, content }) = self.records.next(path)? else { return Ok(None) };
        self.text.progress.inc(content.len() as u64 + 1);
        let fault = |reason: String| Err(InputError::at_line(path, line, reason));
        if record.iter().map(str::trim).eq(self.header.iter().map(String::as_str)) {
            return fault(HEADER_AGAIN.to_owned());
        }
        match record.len().cmp(&self.header.len()) {
            std::cmp::Ordering::Equal => Ok(Some((line, record))),
            other => {
                let s = if record.len() == 1 { "" } else { "s" };
                let what = if other.is_lt() { "a value is missing" } else { "one is too many" };
                fault(format!(
                    "{} field{s}, but the header names {}: {what} (every row has a field for each column)",
                    record.len(),
                    self.header.len()
                ))
            }
        }
    }

    /// Where the column of a name stands, if there is one.
    pub(super) fn place(&self, name: &str) -> Result<Option<usize>, String> {
        let mut found = (0..self.header.len()).filter(|&column| self.header[column] == name.trim());
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(format!("two columns are named `{}` (rename one)", excerpt(name))),
            (found, _) => Ok(found),
        }
    }

    /// Where the column of a name stands that must be there.
    pub(super) fn needed(&self, name: &str, option: &str) -> Result<usize, String> {
        self.place(name)?.ok_or_else(|| {
            let names = self.names();
            let hint = hint(name, names.iter().copied());
            format!(
                "no column is named `{}`{hint}; {} (choose with {option} NAME)",
                excerpt(name),
                there_are(&names)
            )
        })
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.header.iter().map(String::as_str).collect()
    }

    /// The column of the time, if there is one.
    pub(super) fn time(&self, wanted: &Wanted<'_>) -> Result<Option<usize>, String> {
        match &wanted.framing.time {
            Some(name) => self.needed(name, "--time").map(Some),
            None if !wanted.framing.channels.is_empty() => Ok(None),
            None => Ok(self.header.iter().position(|name| time::is_usual(name))),
        }
    }

    /// The channels: those that were named, or all columns that are not `taken` for something else.
    pub(super) fn frames(&self, taken: &[usize], wanted: &Wanted<'_>) -> Result<Frames, String> {
        let asked = wanted.channels;
        let columns = match asked.is_empty() {
            false => {
                asked.iter().map(|name| self.needed(name, "--channels")).collect::<Result<Vec<_>, _>>()?
            }
            true => (0..self.header.len()).filter(|column| !taken.contains(column)).collect(),
        };
        if columns.is_empty() {
            return Err(format!("no column is left that could be a channel; {}", there_are(&self.names())));
        }
        for (index, &column) in columns.iter().enumerate() {
            let name = &self.header[column];
            if taken.contains(&column) {
                let name = excerpt(name);
                return Err(format!(
                    "the column `{name}` is no channel: it is read for something else (name other channels)"
                ));
            }
            if name.is_empty() {
                let named: Vec<&str> = columns
                    .iter()
                    .map(|&column| self.header[column].as_str())
                    .filter(|name| !name.is_empty())
                    .collect();
                return Err(format!(
                    "column {} has no name, as where pandas writes row numbers (save without them: index=False, or name the \
                     channels: --channels {})",
                    column + 1,
                    shell_words::quote(&named.join(","))
                ));
            }
            if columns[..index].iter().any(|&other| self.header[other] == *name) {
                return Err(format!("two channels are named `{}` (rename one)", excerpt(name)));
            }
        }
        let names = columns.iter().map(|&column| self.header[column].clone()).collect();
        Ok(Frames { columns, channels: Channels::named(names), are_chosen: !asked.is_empty() })
    }
}

/// Which columns of a row are the frame.
pub(super) struct Frames {
    columns: Vec<usize>,
    pub(super) channels: Channels,
    are_chosen: bool,
}

impl Frames {
    /// Adds the frame of a row.
    pub(super) fn take(&self, record: &StringRecord, values: &mut Vec<f32>) -> Result<(), String> {
        for (&column, name) in self.columns.iter().zip(&self.channels.names) {
            let field = &record[column];
            match number::parse(field) {
                Ok(value) => values.push(value),
                Err(number::Fault::Text) if !self.are_chosen => {
                    let others: Vec<&str> = self
                        .channels
                        .names
                        .iter()
                        .filter(|other| *other != name)
                        .map(String::as_str)
                        .collect();
                    return Err(format!(
                        "channel `{}`: `{}` stands where a number should be (correct it; if the column is no channel, name \
                         those that are: --channels {})",
                        excerpt(name),
                        excerpt(field),
                        shell_words::quote(&others.join(","))
                    ));
                }
                Err(fault) => return Err(fault.reason(field, &format!("channel `{}`", excerpt(name)))),
            }
        }
        Ok(())
    }
}

/// What separates the columns: what was told, or what makes most columns of the first line.
pub(super) fn delimiter(content: &str, wanted: &Wanted<'_>) -> u8 {
    if let Some(Delimiter(told)) = wanted.reading.form.delimiter {
        return told;
    }
    let header = content.trim_start_matches('\n').lines().next().unwrap_or_default().as_bytes();
    let count = |delimiter: u8| header.iter().filter(|&&byte| byte == delimiter).count();
    // The first of several that are alike.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}
