//! The runtime's tests, one program.

mod classifier;
mod common;
mod format;
mod text;
