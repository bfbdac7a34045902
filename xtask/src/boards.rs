//! The boards of the repository's firmware, and `cargo xtask boards`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kilornn_host::boards::{self, Board, Emulation};
use kilornn_host::firmware;

use crate::process::firmware_dir;

/// The board that runs where none is named.
pub(crate) const DEFAULT: &str = "mps2-an386";

/// All of them, in the table's order.
pub(crate) fn all() -> Result<Vec<Board>> {
    Ok(boards::read(&firmware_dir())?)
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Result<Board> {
    Ok(boards::find(&all()?, name)?)
}

/// How a board runs in QEMU, if it does.
pub(crate) fn emulation(board: &Board) -> Result<&Emulation> {
    board.qemu.as_ref().with_context(|| {
        format!("QEMU has no {}: connect one and use `cargo xtask flash {}`", board.name, board.name)
    })
}

/// The model that is built in where none is named.
pub(crate) fn default_model(board: &Board) -> PathBuf {
    firmware::default_model(board, &firmware_dir())
}

/// `cargo xtask boards`.
pub(crate) fn list() -> Result<()> {
    for Board { name, about, target, model, qemu, chip, openocd, image, .. } in all()? {
        let ways = [
            qemu.is_some().then(|| "run in QEMU".to_owned()),
            chip.map(|_| "flash by probe-rs".to_owned()),
            openocd.map(|_| "flash by OpenOCD".to_owned()),
            image.map(|image| format!("{image:?} for its drive").to_lowercase()),
        ];
        let ways: Vec<_> = ways.into_iter().flatten().collect();
        println!("{name:<14} {about}");
        println!("{:<14} {target}, {model}: {}", "", ways.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_board_is_there_and_an_unknown_one_is_an_error_that_names_it() {
        assert!(default_model(&find(DEFAULT).unwrap()).is_file());
        let error = find("nonesuch").unwrap_err().to_string();
        assert!(error.contains("nonesuch") && error.contains(DEFAULT), "{error}");
    }
}
