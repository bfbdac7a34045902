//! Installing what building and running the firmware needs: a target's `core` and QEMU.

mod apt;
mod build_core;
mod qemu;
mod rust_src;
mod target;

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::boards::{self, Board};
use crate::{bench, process};

pub(crate) use qemu::Emulator;

/// rustup with its output on this terminal. Its server may be out of reach, and closed networks either refuse
/// at once or let a connection hang for ever: hence a limit.
fn rustup(args: &[&str], limit: Duration) -> Result<()> {
    if process::find("rustup").is_none() {
        bail!("rustup is not on PATH");
    }
    // A backtrace through rustup tells nobody anything about the network.
    process::run_at_most(Command::new("rustup").args(args).env_remove("RUST_BACKTRACE"), limit)
}

/// Makes sure that stable rustc can build for `triple`.
pub(crate) fn target(triple: &str) -> Result<()> {
    target::ensure(triple)
}

/// Makes sure that an emulator is on PATH.
pub(crate) fn emulator(emulator: Emulator) -> Result<()> {
    qemu::ensure(emulator)
}

/// What the firmware needs on the board that runs where none is named.
pub(crate) fn firmware() -> Result<()> {
    Board::find(boards::DEFAULT)?.set_up()
}

/// What all boards need.
pub(crate) fn boards() -> Result<()> {
    Board::all()?.iter().try_for_each(Board::set_up)
}

/// `cargo xtask setup`: the firmware's needs, those of all tasks if asked for, and any further targets.
pub(crate) fn run(all: bool, more_targets: &[String]) -> Result<()> {
    firmware()?;
    if all {
        boards()?;
        bench::device::set_up()?;
    }
    for triple in more_targets {
        target(triple)?;
    }
    println!("setup: PASS - this machine can build the firmware and run it in QEMU");
    Ok(())
}
