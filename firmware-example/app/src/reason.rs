//! What is wrong with a model, in words, in memory of fixed size.

use core::fmt::{self, Write as _};

use heapless::String;

/// Room for the longest error of the loader.
pub(crate) struct Reason(String<160>);

impl Reason {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    /// The words of an error, cut where there is no more room.
    pub(crate) fn of(&mut self, error: &impl fmt::Display) -> &str {
        self.0.clear();
        // What does not fit is left out, piece by piece.
        let _ = write!(self.0, "{error}");
        &self.0
    }
}
