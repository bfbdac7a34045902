//! Installing what building and running the firmware needs: a target's `core` and QEMU.

mod apt;
mod build_core;
mod qemu;
mod rust_src;
mod target;
mod toolchain;

use anyhow::Result;
use kilornn_host::Board;

use crate::boards;

/// Makes sure that stable rustc can build for `triple`.
pub(crate) fn target(triple: &str) -> Result<()> {
    target::ensure(triple)
}

/// What building for a board, and running it in QEMU, needs.
pub(crate) fn board(board: &Board) -> Result<()> {
    target(&board.target)?;
    board.qemu.as_ref().map_or(Ok(()), |emulation| qemu::ensure(&emulation.program))
}

/// What the firmware needs on the board that runs where none is named.
pub(crate) fn firmware() -> Result<()> {
    board(&boards::find(boards::DEFAULT)?)
}

/// `cargo xtask setup`: the firmware's needs, those of all boards if asked for, and any further targets.
pub(crate) fn run(all: bool, more_targets: &[String]) -> Result<()> {
    firmware()?;
    if all {
        boards::all()?.iter().try_for_each(board)?;
    }
    for triple in more_targets {
        target(triple)?;
    }
    println!("setup: PASS - this machine can build the firmware and run it in QEMU");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_s_emulator_can_be_installed() {
        for emulation in boards::all().unwrap().into_iter().filter_map(|board| board.qemu) {
            assert!(qemu::is_known(&emulation.program), "{}", emulation.program);
        }
    }
}
