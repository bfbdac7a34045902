//! The runtime's tests, one program.

mod classifier;
mod common;
mod format;
#[cfg(feature = "unicode")]
mod keras;
#[cfg(feature = "unicode")]
#[allow(dead_code, reason = "the trainer's tests read the rest of it")]
mod keras_fixture;
mod text;
