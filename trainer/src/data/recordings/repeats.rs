//! Recordings that are there more than once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::Recording;

/// A recording of fewer values than this may well be there twice by chance.
const CERTAIN: usize = 16;

/// Recordings that are equal to the bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Repeats {
    /// Training recordings that stood in the training part before.
    pub(crate) within_train: usize,
    /// Dev recordings that are training recordings. This and what follows can be only recordings that may be equal by
    /// chance: the data are refused otherwise.
    pub(crate) dev_in_train: usize,
    /// Test recordings that are training recordings.
    pub(crate) test_in_train: usize,
    /// Test recordings that are dev recordings.
    pub(crate) test_in_dev: usize,
    /// Different recordings that have more than one label, in all parts together.
    pub(crate) contradictory: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) repeats: Repeats,
    /// The first recording that stands in two parts and is no coincidence, and where it stood before.
    pub(super) leak: Option<(Place<'a>, Place<'a>)>,
    /// The first recording with another label than before.
    pub(super) contradiction: Option<(Place<'a>, Place<'a>)>,
}

/// A recording and the number of its part.
pub(super) type Place<'a> = (usize, &'a Recording);

/// Compares the recordings of training, dev and test part.
pub(super) fn find<'a>(parts: [&'a [Recording]; 3]) -> Found<'a> {
    // Different recordings, and in which parts each stands.
    let mut known: HashMap<u64, Vec<(Place<'a>, [bool; 3], bool)>> = HashMap::new();
    let mut found = Found::default();
    for (part, recordings) in parts.into_iter().enumerate() {
        for recording in recordings {
            let alike = known.entry(hash(&recording.values)).or_default();
            let Some((before, stands_in, contradicts)) =
                alike.iter_mut().find(|((_, other), ..)| other.values == recording.values)
            else {
                let mut stands_in = [false; 3];
                stands_in[part] = true;
                alike.push(((part, recording), stands_in, false));
                continue;
            };
            let repeats = &mut found.repeats;
            match part {
                0 => repeats.within_train += 1,
                1 => repeats.dev_in_train += usize::from(stands_in[0]),
                _ => {
                    repeats.test_in_train += usize::from(stands_in[0]);
                    repeats.test_in_dev += usize::from(stands_in[1]);
                }
            }
            if before.0 != part && is_certain(recording) {
                found.leak.get_or_insert(((part, recording), *before));
            }
            if before.1.class != recording.class && !*contradicts {
                *contradicts = true;
                repeats.contradictory += 1;
                found.contradiction.get_or_insert(((part, recording), *before));
            }
            stands_in[part] = true;
        }
    }
    found
}

/// Whether a recording is no coincidence: it is long enough, and more than silence.
fn is_certain(recording: &Recording) -> bool {
    let values = &recording.values;
    values.len() >= CERTAIN && values.windows(2).filter(|pair| pair[0] != pair[1]).count() >= CERTAIN / 2
}

fn hash(values: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    values.len().hash(&mut hasher);
    // 0 and -0 are equal.
    values.iter().for_each(|value| (value + 0.0).to_bits().hash(&mut hasher));
    hasher.finish()
}
