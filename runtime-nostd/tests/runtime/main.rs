//! The runtime's tests, one program.

mod classifier;
mod common;
mod format;
#[cfg(all(feature = "gru", feature = "lstm"))]
mod gates;
#[cfg(feature = "unicode")]
mod keras;
#[cfg(all(feature = "gru", feature = "lstm"))]
mod stacks;
mod text;
