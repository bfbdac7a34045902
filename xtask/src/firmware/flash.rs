//! `cargo xtask flash`: the firmware onto a board that is connected.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{build, image};
use crate::boards::Board;
use crate::process;
use crate::setup;

/// Builds the firmware, writes the file for the board's drive if it has one, and flashes it through a probe if it can.
pub(crate) fn flash(board: &Board, model: Option<&Path>) -> Result<()> {
    let Some(chip) = &board.chip else {
        bail!("{} cannot be flashed: it is {}", board.name, board.about);
    };
    setup::target(&board.target)?;
    let elf = build(board, model)?;
    let image = image(board)?;
    if let Some(image) = &image {
        println!("    {} is the file for the board's drive: drag it there", shown(image));
    }
    if process::find("probe-rs").is_some() {
        let probe = |verb: &str| {
            let mut command = Command::new("probe-rs");
            command.args([verb, "--chip", chip]);
            command
        };
        process::run(probe("download").arg(&elf)).context("the probe did not take the program")?;
        process::run(&mut probe("reset"))?;
        println!("flash: PASS - {} runs; open its serial port at 115,200 baud", board.name);
        return Ok(());
    }
    let advice =
        "`cargo install probe-rs-tools` (or see probe.rs) installs probe-rs, which flashes through a probe";
    match image {
        Some(image) => {
            println!("    {advice}");
            println!("flash: PASS - built; copy {} to the board's drive", shown(&image));
            Ok(())
        }
        None => bail!("{} is built, but probe-rs is not on PATH: {advice}", shown(&elf)),
    }
}

/// A path, seen from the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(process::root()).unwrap_or(path).display().to_string()
}
