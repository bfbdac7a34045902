//! Runs the firmware, so that what is reported is what the device does.

pub mod qemu;
