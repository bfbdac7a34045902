//! `cargo xtask flash`: the firmware onto a board that is connected.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use kilornn_host::boards::Board;

use super::{build, image};
use crate::{process, setup};

/// A program that writes a board's flash.
struct Tool {
    program: &'static str,
    advice: &'static str,
    commands: Vec<Command>,
}

/// Builds the firmware, writes the file for the board's drive if it has one, and flashes it if the tool for that is
/// there.
pub(crate) fn flash(board: &Board, model: Option<&Path>) -> Result<()> {
    if board.chip.is_none() && board.openocd.is_none() {
        bail!("{} is only ever emulated: `cargo xtask run {}`", board.name, board.name);
    }
    setup::target(&board.target)?;
    let elf = build(board, model)?;
    let image = image(board, &elf)?;
    if let Some(image) = &image {
        println!("    {} is the file for the board's drive: drag it there", shown(image));
    }
    let Tool { program, advice, commands } = tool(board, &elf);
    if process::find(program).is_some() {
        for mut command in commands {
            process::run(&mut command).with_context(|| format!("{program} did not flash {}", board.name))?;
        }
        println!("flash: PASS - {} runs; open its serial port at 115,200 baud", board.name);
        return Ok(());
    }
    let Some(image) = image else {
        bail!("{} is built, but {program} is not on PATH: {advice}", shown(&elf));
    };
    println!("    {program} is not on PATH, which would flash it through a probe: {advice}");
    println!("flash: PASS - built; copy {} to the board's drive", shown(&image));
    Ok(())
}

/// What flashes a board.
fn tool(board: &Board, elf: &Path) -> Tool {
    if let Some(chip) = &board.chip {
        let probe = |verb: &str, arguments: &[&Path]| {
            let mut command = Command::new("probe-rs");
            command.args([verb, "--chip", chip]).args(arguments);
            command
        };
        let advice = "`cargo install probe-rs-tools`, or see https://probe.rs";
        return Tool {
            program: "probe-rs",
            advice,
            commands: vec![probe("download", &[elf]), probe("reset", &[])],
        };
    }
    let mut command = Command::new("openocd");
    let script = board.openocd.as_deref().unwrap_or_default();
    command.args(["-f", script, "-c"]).arg(format!("program {{{}}} verify reset exit", elf.display()));
    let advice = "it comes with most systems, and from https://openocd.org";
    Tool { program: "openocd", advice, commands: vec![command] }
}

/// A path, seen from the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(process::root()).unwrap_or(path).display().to_string()
}
