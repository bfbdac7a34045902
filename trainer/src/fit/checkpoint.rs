//! Checkpoints: a training on disk after an epoch, with what it was asked for, so that it can be resumed.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use crc32fast::Hasher;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use super::{Task, TrainingState};
use crate::error::InputError;
use crate::network::Network;
use crate::recipe::Recipe;

/// What a checkpoint begins with; the last byte is the version of the form.
const MAGIC: [u8; 8] = *b"KILOCKP\x04";

/// What a training was asked for: recipe, seed, data. Only a training that is asked for the same can be resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    recipe: String,
    seed: u64,
    /// A checksum of everything that is trained and validated on, in numbers.
    data: u32,
}

impl Asked {
    /// By a task.
    pub(crate) fn of(task: &Task<'_>) -> Result<Self> {
        let mut hash = Hasher::new();
        let mut number = |n: usize| hash.update(&(n as u64).to_le_bytes());
        number(task.objective.class_weights.len());
        number(task.unknown.map_or(0, |id| id as usize + 1));
        for part in std::iter::once(task.train).chain(task.validation) {
            number(part.texts.len());
            for (text, &class) in part.texts.iter().zip(part.classes) {
                number(class);
                number(text.len());
                text.iter().for_each(|&id| number(id as usize));
            }
            part.opinions.into_iter().flatten().for_each(|opinion| number(opinion.to_bits() as usize));
        }
        Ok(Self { recipe: toml::to_string(task.recipe)?, seed: task.seed, data: hash.finalize() })
    }

    /// The first thing in which another training differs.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        if self.seed != now.seed {
            return Some(format!("it has --seed {}, not {}", self.seed, now.seed));
        }
        let table = |toml: &str| toml.parse::<toml::Table>().unwrap_or_default();
        let (before, after) = (table(&self.recipe), table(&now.recipe));
        // A key that there was not yet when the recipe was written has the default, which changes nothing.
        let defaults = toml::Table::try_from(Recipe::default()).unwrap_or_default();
        for key in crate::recipe::KEYS {
            let value = |table: &toml::Table| table.get(key.name).or(defaults.get(key.name)).cloned();
            let (before, after) = (value(&before), value(&after));
            if before != after {
                let shown =
                    |value: Option<toml::Value>| value.map_or("nothing".to_owned(), |v| v.to_string());
                return Some(format!("it has {} = {}, not {}", key.name, shown(before), shown(after)));
            }
        }
        (self.data != now.data).then(|| "its texts or labels were others".to_owned())
    }
}

/// Writes a checkpoint: magic, a postcard structure, and its CRC-32. Nothing of it is in memory as a whole.
pub(crate) fn write(out: impl Write, asked: &Asked, network: &Network, state: &TrainingState) -> Result<()> {
    let mut sink = Sink { out: BufWriter::new(out), hash: Hasher::new(), fault: None };
    sink.out.write_all(&MAGIC)?;
    let weights: Vec<&Vec<f32>> =
        network.parameters().into_iter().map(|parameter| &parameter.values).collect();
    if let Err(error) = postcard::serialize_with_flavor(&(asked, weights, state), &mut sink) {
        return Err(sink.fault.map_or(error.into(), Into::into));
    }
    sink.out.write_all(&sink.hash.finalize().to_le_bytes())?;
    Ok(sink.out.flush()?)
}

/// Where postcard's bytes go.
struct Sink<W: Write> {
    out: BufWriter<W>,
    hash: Hasher,
    /// What postcard's errors cannot tell.
    fault: Option<io::Error>,
}

impl<W: Write> Flavor for &mut Sink<W> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(|fault| {
            self.fault = Some(fault);
            postcard::Error::SerializeBufferFull
        })
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Takes network and state from a checkpoint's bytes. Fails, and leaves the network as it was, if they are damaged, or
/// of a training that was asked for something else.
pub(crate) fn read(
    path: &Path,
    bytes: &[u8],
    asked: &Asked,
    network: &mut Network,
) -> Result<TrainingState, InputError> {
    let fault = |reason: &str| InputError::in_file(path, format!("{reason} (--force trains from the start)"));
    let Some((magic, rest)) = bytes.split_at_checked(MAGIC.len()) else {
        return Err(fault("it is cut short"));
    };
    if magic != MAGIC {
        return Err(fault("not a checkpoint of this version of kilornn"));
    }
    let body = match rest.split_last_chunk() {
        Some((body, crc)) if u32::from_le_bytes(*crc) == crc32fast::hash(body) => body,
        _ => return Err(fault("it is damaged or cut short")),
    };
    let unreadable = |error: postcard::Error| fault(&format!("it cannot be read: {error}"));
    // What was asked for stands in front, so that the state of another shape need not be understood.
    let (before, rest): (Asked, _) = postcard::take_from_bytes(body).map_err(unreadable)?;
    if let Some(difference) = before.difference(asked) {
        return Err(fault(&format!("the interrupted training was another: {difference}")));
    }
    let (weights, state): (Vec<Vec<f32>>, TrainingState) = postcard::from_bytes(rest).map_err(unreadable)?;
    if !weights.iter().map(Vec::len).eq(network.parameters().iter().map(|parameter| parameter.values.len())) {
        return Err(fault("its weights are of another shape"));
    }
    network.set_weights(weights);
    Ok(state)
}
