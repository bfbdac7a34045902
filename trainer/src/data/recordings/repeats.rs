//! When two recordings are the same, and when that is no coincidence.

use std::hash::{Hash, Hasher};

use super::Recording;

/// A recording of fewer values than this may well be there twice by chance.
const CERTAIN: usize = 16;

/// The values of a recording, which are all finite.
#[derive(Debug, PartialEq)]
pub(super) struct Values<'a>(pub(super) &'a [f32]);

impl Eq for Values<'_> {}

impl Hash for Values<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.len().hash(hasher);
        // 0 and -0 are equal.
        self.0.iter().for_each(|value| (value + 0.0).to_bits().hash(hasher));
    }
}

/// Whether a recording is no coincidence: it is long enough, and more than silence.
pub(super) fn is_certain(recording: &Recording) -> bool {
    let values = &recording.values;
    values.len() >= CERTAIN && values.windows(2).filter(|pair| pair[0] != pair[1]).count() >= CERTAIN / 2
}
