//! Checks of numbers in a model file. Each is a test and the error that says what was needed and what was found.

use crate::Error;

/// `Ok` if `found` is what it must be.
pub(crate) fn exactly(what: &'static str, needed: usize, found: usize) -> Result<(), Error> {
    if found == needed { Ok(()) } else { Err(invalid(what, needed, found)) }
}

/// `Ok` if `found` does not exceed `limit`.
pub(crate) fn at_most(what: &'static str, limit: usize, found: usize) -> Result<(), Error> {
    if found <= limit { Ok(()) } else { Err(invalid(what, limit, found)) }
}

/// `Ok` if `found` is not less than `limit`.
pub(crate) fn at_least(what: &'static str, limit: usize, found: usize) -> Result<(), Error> {
    if found >= limit { Ok(()) } else { Err(invalid(what, limit, found)) }
}

/// `Ok` if there are any.
pub(crate) fn at_least_one(what: &'static str, found: usize) -> Result<(), Error> {
    at_least(what, 1, found)
}

/// `Ok` if weights lie at a multiple of four in memory.
pub(crate) fn aligned(weights: &[u8]) -> Result<(), Error> {
    let found = weights.as_ptr().addr() % 4;
    if found == 0 { Ok(()) } else { Err(Error::Unaligned { found: found as u32 }) }
}

fn invalid(what: &'static str, needed: usize, found: usize) -> Error {
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Error::Invalid { what, needed: clamp(needed), found: clamp(found) }
}
