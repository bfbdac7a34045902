//! The text of an error, in memory of fixed size.

use core::fmt::{self, Write as _};

use heapless::String;

/// Room for the longest error of the loader.
pub(crate) struct Reason(String<160>);

impl Reason {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    /// The text of an error, cut if it is too long.
    pub(crate) fn of(&mut self, error: &impl fmt::Display) -> &str {
        self.0.clear();
        // Pieces that do not fit are left out.
        let _ = write!(self.0, "{error}");
        &self.0
    }
}
