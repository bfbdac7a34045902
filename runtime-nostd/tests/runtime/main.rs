//! The runtime's tests, one program.

mod classifier;
mod common;
mod format;
#[cfg(all(feature = "gru", feature = "lstm", feature = "fastgrnn"))]
mod gates;
#[cfg(feature = "unicode")]
mod keras;
#[cfg(all(feature = "gru", feature = "lstm", feature = "fastgrnn"))]
mod stacks;
mod text;
