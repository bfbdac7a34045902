//! The runtime's tests, one program.

mod classifier;
mod common;
mod format;
#[cfg(feature = "unicode")]
mod keras;
mod text;
