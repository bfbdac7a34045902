//! Runs the firmware, so that what is reported is what the device does.
//!
//! [`boards`] says which boards there are, and [`firmware`] builds the program for one. [`client`] talks to a device
//! over a [`line`], a serial port or [`qemu`]'s. [`batch`] is faster than a line where the emulated firmware may read
//! files; [`compare`] puts the device's answers beside the host's.

pub mod batch;
pub mod boards;
pub mod client;
pub mod compare;
pub mod firmware;
pub mod line;
pub mod qemu;
