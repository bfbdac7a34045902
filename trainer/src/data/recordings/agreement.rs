//! The channels: what they are called, and that all files have the same.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::channels::Channels;
use super::forms::{Parsed, are_alike, interval_shown};
use crate::data::form::Form;
use crate::data::formats::there_are;
use crate::data::{bytes, lines};
use crate::error::InputError;
use crate::excerpt::{excerpt, first_of};
use crate::recipe::hint;

/// Reads a file that names the channels, one a line.
fn read(path: &Path, form: &Form) -> Result<Vec<String>, InputError> {
    let content = bytes::read_text(path, form.encoding)?;
    let mut names: Vec<String> = Vec::new();
    for (line, name) in lines::of(path, content.trim_end())? {
        let name = name.trim();
        if name.is_empty() || names.iter().any(|known| known == name) {
            let reason = if name.is_empty() { "an empty name" } else { "this name stands twice" };
            return Err(InputError::at_line(path, line, format!("{reason} (one channel a line)")));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The channels that most files have, and the first of these files.
fn usual(files: &[(&Path, Parsed)]) -> Option<(PathBuf, Channels)> {
    let mut counts: HashMap<Vec<&str>, (usize, usize)> = HashMap::new();
    for (index, (_, parsed)) in files.iter().enumerate() {
        let mut names: Vec<&str> = parsed.channels.names.iter().map(String::as_str).collect();
        names.sort_unstable();
        counts.entry(names).or_insert((0, index)).0 += 1;
    }
    let (_, first) = counts.into_values().max_by_key(|&(count, first)| (count, Reverse(first)))?;
    files.get(first).map(|(path, parsed)| (path.to_path_buf(), parsed.channels.clone()))
}

/// The channels that are to be taken; all, if there are none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) names: &'a [String],
    /// What asks for them: an option, or a model.
    pub(super) by: &'a str,
}

/// Gives all files the channels that were asked for, or else those of most files, in one order; `files` are what was parsed
/// and where. Returns their names.
pub(super) fn agree(
    files: &mut [(&Path, Parsed)],
    lists: &[PathBuf],
    asked: Asked<'_>,
    form: &Form,
) -> Result<Vec<String>, InputError> {
    let Asked { names: asked, by } = asked;
    let Some((first, mut reference)) = usual(files) else { return Ok(Vec::new()) };
    let mut list: Option<(&Path, Vec<String>)> = None;
    for path in lists {
        let names = read(path, form)?;
        if let Some((other, known)) = list.as_ref().filter(|(_, known)| *known != names) {
            let reason = format!(
                "its channels are {}, those of {} {} (give the data channels of the same names)",
                shown(&names),
                other.display(),
                shown(known)
            );
            return Err(InputError::in_file(path, reason));
        }
        list = Some((path, names));
    }
    // Before names are given to channels that have none, there must be as many in all files.
    for (path, parsed) in &*files {
        let found = &parsed.channels;
        let are_other = match found.are_named && reference.are_named {
            true => {
                found.len() != reference.len()
                    || found.names.iter().any(|name| !reference.names.contains(name))
            }
            false => found.len() != reference.len(),
        };
        if are_other {
            return Err(others(path, found, &first, &reference));
        }
    }
    if let Some((path, names)) = list.filter(|_| !reference.are_named) {
        if names.len() != reference.len() {
            let reason = format!(
                "it names {} channels, but the recordings have {} ({}; correct the list)",
                names.len(),
                reference.len(),
                first.display()
            );
            return Err(InputError::in_file(path, reason));
        }
        reference = Channels::named(names);
    }
    let chosen: Vec<String> = match asked.is_empty() {
        true => reference.names.clone(),
        // There is nothing to choose from, so these are names.
        false
            if !reference.are_named
                && asked.len() == reference.len()
                && asked.iter().any(|name| !reference.names.contains(name)) =>
        {
            reference = Channels::named(asked.to_vec());
            asked.to_vec()
        }
        false => asked.to_vec(),
    };
    let twice = (0..chosen.len()).find(|&index| chosen[..index].contains(&chosen[index]));
    if let Some(twice) = twice.map(|index| &chosen[index]) {
        return Err(InputError::new(format!("{by}: `{}` stands twice (name it once)", excerpt(twice))));
    }
    for (_, parsed) in files {
        let names = if parsed.channels.are_named { &parsed.channels.names } else { &reference.names };
        let places = chosen.iter().map(|name| {
            names.iter().position(|known| known == name).ok_or_else(|| {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let hint = hint(name, known.iter().copied());
                InputError::new(format!("{by}: no channel `{}`{hint}; {}", excerpt(name), there_are(&known)))
            })
        });
        let places = places.collect::<Result<Vec<usize>, _>>()?;
        let width = names.len();
        if !places.iter().copied().eq(0..width) {
            for recording in &mut parsed.recordings {
                let frames = recording.values.chunks_exact(width);
                recording.values =
                    frames.flat_map(|frame| places.iter().map(|&place| frame[place])).collect();
            }
        }
    }
    Ok(chosen)
}

/// Says that a file has other channels than most.
fn others(path: &Path, found: &Channels, first: &Path, reference: &Channels) -> InputError {
    let count = |channels: &Channels| match channels.len() {
        1 => "1 channel".to_owned(),
        n => format!("{n} channels"),
    };
    let place = first.display();
    if !(found.are_named && reference.are_named) {
        let reason = format!(
            "{}, but the recordings of {place} have {} (give all files the same channels)",
            count(found),
            reference.len()
        );
        return InputError::in_file(path, reason);
    }
    let lacking = |some: &Channels, of: &Channels| -> Vec<String> {
        of.names.iter().filter(|name| !some.names.contains(name)).cloned().collect()
    };
    let (missing, further) = (lacking(found, reference), lacking(reference, found));
    let mut what = Vec::new();
    if !missing.is_empty() {
        what.push(format!("{} missing", shown(&missing)));
    }
    if !further.is_empty() {
        what.push(format!("{} too many", shown(&further)));
    }
    let common: Vec<&str> =
        reference.names.iter().filter(|name| found.names.contains(name)).map(String::as_str).collect();
    let remedy = match common.is_empty() {
        true => "give all files the same header".to_owned(),
        false => format!(
            "give all files the same header, or take the channels that all have: --channels {}",
            shell_words::quote(&common.join(","))
        ),
    };
    let reason =
        format!("{}, but {place} has {}: {} ({remedy})", count(found), reference.len(), what.join(" and "));
    InputError::at_line(path, 1, reason)
}

/// Names in a sentence.
fn shown(names: &[String]) -> String {
    const SHOWN: usize = 8;
    first_of(names.iter().map(|name| format!("`{}`", excerpt(name))), SHOWN, ", ")
}

/// The time from frame to frame, which must be the same in all files that say it.
pub(super) fn interval(files: &[(&Path, Parsed)]) -> Result<Option<f64>, InputError> {
    let mut said = files.iter().filter_map(|(path, parsed)| Some((path, parsed.interval?)));
    let Some((first, interval)) = said.next() else { return Ok(None) };
    match said.find(|&(_, other)| !are_alike(interval, other)) {
        None => Ok(Some(interval)),
        Some((path, other)) => {
            let reason = format!(
                "frames are {} apart in time, those of {} {} (resample the recordings to one rate, or, if the unit of time \
                 differs, leave the time unchecked: name the channels with --channels)",
                interval_shown(other),
                first.display(),
                interval_shown(interval)
            );
            Err(InputError::in_file(path, reason))
        }
    }
}
