//! `.npz`, as `numpy.savez` writes it: `X` of sequences x steps x channels, and `y` with their labels.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::npy::{Array, shown};
use super::{Channels, Collector, File, Form, Found, Parsed, Wanted, no_groups, number};
use crate::error::InputError;
use crate::excerpt::excerpt;

/// Arrays in a zip file, compressed or not. Beside `X` and `y` there may be `lengths`, how many steps of each sequence
/// count; `channels`, their names; and an array of groups with the name that `--group` says.
pub(super) struct Npz;

/// The first bytes of a zip file, which may be empty.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

impl Form for Npz {
    fn endings(&self) -> &'static [&'static str] {
        &["npz"]
    }

    fn is_told_by(&self, begin: &[u8], _wanted: &Wanted<'_>) -> bool {
        ZIP.iter().any(|magic| begin.starts_with(magic))
    }

    fn read(&self, file: File<'_>, wanted: &Wanted<'_>) -> Result<Parsed, InputError> {
        let File { path, number, bytes, .. } = file;
        let fault = |reason: String| InputError::in_file(path, reason);
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            fault(format!("no .npz file that can be read: {error} (save it again with np.savez)"))
        })?;
        let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
        let mut array = |name: &str| -> Result<Option<Array>, InputError> {
            let is_it =
                |entry: &&String| entry.strip_suffix(".npy").unwrap_or(entry).eq_ignore_ascii_case(name);
            let Some(entry) = names.iter().find(is_it) else { return Ok(None) };
            let mut bytes = Vec::new();
            let read = archive.by_name(entry).map_err(|error| error.to_string());
            let read =
                read.and_then(|mut file| file.read_to_end(&mut bytes).map_err(|error| error.to_string()));
            read.map_err(|error| {
                fault(format!("{entry} cannot be read: {error} (save the file again with np.savez)"))
            })?;
            Array::parse(bytes).map(Some).map_err(|reason| fault(format!("{entry}: {reason}")))
        };
        let holds = || match names.len() {
            0 => "nothing".to_owned(),
            _ => excerpt(
                &names.iter().map(|name| name.trim_end_matches(".npy")).collect::<Vec<_>>().join(", "),
            ),
        };
        let missing = |name: &str, what: &str| {
            fault(format!(
                "holds no array `{name}`, {what}; it holds {} (np.savez(\"train.npz\", X=X, y=y), with a file for each part)",
                holds()
            ))
        };
        let x = array("X")?.ok_or_else(|| missing("X", "the recordings"))?;
        let y = match array("y")?.filter(|_| wanted.has_labels) {
            None if wanted.has_labels => return Err(missing("y", "their labels")),
            found => found,
        };
        let &[sequences, steps, channels] = &x.shape[..] else {
            let remedy = match x.shape.len() {
                2 => " (if there is one channel: X[:, :, None])",
                _ => "",
            };
            let reason = format!(
                "X has the shape {}, and should have sequences x steps x channels{remedy}",
                shown(&x.shape)
            );
            return Err(fault(reason));
        };
        if !x.is_of_numbers() {
            return Err(fault(
                "X has texts where numbers should be (convert them: X.astype(\"float32\"))".to_owned(),
            ));
        }
        if steps == 0 || channels == 0 {
            return Err(fault(format!(
                "X has the shape {}: there is nothing in the sequences",
                shown(&x.shape)
            )));
        }
        let one_each = |name: &str, array: &Array, remedy: &str| match array.shape[..] {
            [count] | [count, 1] if count == sequences => Ok(()),
            _ => Err(fault(format!(
                "{name} has the shape {}, and should have one value for each of the {sequences} sequences of X{remedy}",
                shown(&array.shape)
            ))),
        };
        if let Some(y) = &y {
            let is_of_columns = y.shape.len() == 2;
            let remedy =
                if is_of_columns { " (if it has a column for each class: y.argmax(axis=1))" } else { "" };
            one_each("y", y, remedy)?;
        }
        let lengths = array("lengths")?;
        if let Some(lengths) = &lengths {
            one_each("lengths", lengths, "")?;
        }
        let groups = match wanted.reading.group.as_deref() {
            Some(name) => match array(name)? {
                None if wanted.needs_groups => {
                    return Err(no_groups(path, name, "an .npz file without such an array"));
                }
                found => found.map(|array| one_each(name, &array, "").map(|()| array)).transpose()?,
            },
            None => None,
        };
        let names = match array("channels")? {
            Some(names) if names.shape == [channels] && !names.is_of_numbers() => {
                Channels::named((0..channels).map(|channel| names.text(&[channel])).collect())
            }
            Some(names) => {
                let reason = format!(
                    "channels has the shape {}, and should have the names of the {channels} channels of X",
                    shown(&names.shape)
                );
                return Err(fault(reason));
            }
            None => Channels::numbered(channels),
        };
        // Of one value for each sequence, whether it stands in a column or not.
        let indices = |array: &Array, sequence: usize| [sequence, 0][..array.shape.len()].to_vec();
        let mut all = Collector::new(path, number, names, wanted);
        for sequence in 0..sequences {
            let name = format!("X[{sequence}]");
            let length = match &lengths {
                None => steps,
                Some(lengths) => {
                    let said = lengths.text(&indices(lengths, sequence));
                    match said.parse() {
                        Ok(length) if (1..=steps).contains(&length) => length,
                        _ => {
                            let reason = format!(
                                "lengths[{sequence}] is {said}, and should be from 1 to the {steps} steps of X"
                            );
                            return Err(fault(reason));
                        }
                    }
                }
            };
            let mut values = Vec::with_capacity(length * channels);
            for step in 0..length {
                for channel in 0..channels {
                    let value = x.number(&[sequence, step, channel]);
                    values.push(number::check(value).map_err(|reason| {
                        let place = format!("{name}: step {}, channel {}", step + 1, channel + 1);
                        fault(reason.reason(&value.to_string(), &place))
                    })?);
                }
            }
            let group = groups.as_ref().map(|groups| groups.text(&indices(groups, sequence)).into());
            let label = y.as_ref().map_or_else(String::new, |y| y.text(&indices(y, sequence)));
            all.push(Found { line: 0, name: Some(name.into()), group, label: &label, values })?;
        }
        all.finish()
    }
}
