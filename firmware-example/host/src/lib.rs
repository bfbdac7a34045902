//! The host side of a KiloRNN device: everything that a program on a desktop machine needs to build the firmware, to
//! run it, to talk to it, and to compare its predictions with those that the host computes.
//!
//! - [`boards`] reads `boards.toml`, the table of the boards that the firmware runs on; [`numbers`] writes numbers for
//!   people. Both need no feature.
//! - With the feature `client`: `client` asks a device over a `line`, which is any stream of bytes in both directions;
//!   `prediction` is what a model says of a text, and `compare` finds where two predictions differ. `cost` is the time
//!   that a device takes; `cores` is what the engine takes on each processor core, as it was measured.
//! - With the feature `qemu`: `firmware` finds the firmware's sources and builds them, `qemu` runs them in the emulator,
//!   `batch` and `emulated` classify many texts at once there.
//! - With the feature `serial`: `port` is a serial port.
//!
//! `kilornn device`, `kilornn evaluate --qemu` and the project's `cargo xtask` are made of these.

#[cfg(feature = "qemu")]
pub mod batch;
pub mod boards;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod compare;
#[cfg(feature = "qemu")]
mod control;
#[cfg(feature = "client")]
pub mod cores;
#[cfg(feature = "client")]
pub mod cost;
#[cfg(feature = "qemu")]
pub mod emulated;
#[cfg(feature = "qemu")]
pub mod firmware;
#[cfg(feature = "client")]
pub mod line;
pub mod numbers;
#[cfg(feature = "serial")]
pub mod port;
#[cfg(feature = "client")]
pub mod prediction;
#[cfg(feature = "qemu")]
pub mod qemu;
#[cfg(feature = "qemu")]
mod shares;

pub use boards::{Board, Emulation};
#[cfg(feature = "client")]
pub use prediction::OwnedPrediction;
