//! A training on disk: what it was asked for, and all that it had come to after an epoch.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{State, Task};
use crate::error::InputError;

/// What a checkpoint begins with; the last byte is the version of the form.
const MAGIC: [u8; 8] = *b"KILOCKP\x01";

/// What a training was asked for. Only the same can be resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    recipe: String,
    seed: u64,
    /// A checksum of everything that is trained and validated on, in numbers.
    data: u32,
}

impl Asked {
    /// By a task.
    pub fn of(task: &Task<'_>) -> Result<Self> {
        let mut hash = crc32fast::Hasher::new();
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
        }
        Ok(Self { recipe: toml::to_string(task.recipe)?, seed: task.seed, data: hash.finalize() })
    }

    /// The first thing in which another training differs.
    fn difference(&self, now: &Self) -> Option<String> {
        if self.seed != now.seed {
            return Some(format!("it has --seed {}, not {}", self.seed, now.seed));
        }
        let table = |toml: &str| toml.parse::<toml::Table>().unwrap_or_default();
        let (before, after) = (table(&self.recipe), table(&now.recipe));
        let changed = crate::recipe::KEYS.iter().find(|key| before.get(key.name) != after.get(key.name));
        if let Some(key) = changed {
            let shown =
                |table: &toml::Table| table.get(key.name).map_or("nothing".to_owned(), |v| v.to_string());
            return Some(format!("it has {} = {}, not {}", key.name, shown(&before), shown(&after)));
        }
        (self.data != now.data).then(|| "its texts or labels were others".to_owned())
    }
}

/// The bytes of a checkpoint: magic, CRC-32 of the rest, and a postcard structure.
pub fn to_bytes(asked: &Asked, state: &State) -> Result<Vec<u8>> {
    let body = postcard::to_extend(&(asked, state), Vec::new())?;
    let crc = crc32fast::hash(&body).to_le_bytes();
    Ok([&MAGIC[..], &crc, &body].concat())
}

/// The state in a checkpoint's bytes. Fails if they are damaged, or of a training that was asked for something else.
pub fn from_bytes(path: &Path, bytes: &[u8], asked: &Asked) -> Result<State, InputError> {
    let fault = |reason: &str| InputError::in_file(path, format!("{reason} (--force trains from the start)"));
    let Some((magic, rest)) = bytes.split_at_checked(MAGIC.len()) else {
        return Err(fault("it is cut short"));
    };
    if magic != MAGIC {
        return Err(fault("not a checkpoint of this version of kilornn"));
    }
    let body = match rest.split_first_chunk() {
        Some((crc, body)) if u32::from_le_bytes(*crc) == crc32fast::hash(body) => body,
        _ => return Err(fault("it is damaged or cut short")),
    };
    let unreadable = |error: postcard::Error| fault(&format!("it cannot be read: {error}"));
    // What was asked for stands in front, so that the state of another shape need not be understood.
    let (before, rest): (Asked, _) = postcard::take_from_bytes(body).map_err(unreadable)?;
    if let Some(difference) = before.difference(asked) {
        return Err(fault(&format!("the interrupted training was another: {difference}")));
    }
    postcard::from_bytes(rest).map_err(unreadable)
}
