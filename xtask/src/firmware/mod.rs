//! Building the repository's firmware, replacing the model in it, and flashing it.

mod flash;
mod image;
mod size;

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use kilornn_host::boards::Board;
use kilornn_host::firmware::{Build, Program};
use kilornn_host::qemu::{self, Serial};

use crate::process::firmware_dir;
use crate::{boards, process, setup};

pub(crate) use flash::flash;
pub(crate) use size::{Size, check_program, size};

/// Builds the firmware for a board with a model in it, or with the board's own, and returns its ELF file.
pub(crate) fn build(board: &Board, model: Option<&Path>) -> Result<PathBuf> {
    let folder = &firmware_dir();
    let build = Build { folder, board, model, program: Program::Firmware };
    process::run(&mut build.command()?)?;
    Ok(build.elf())
}

/// The same without a word, unless it fails.
pub(crate) fn build_quietly(board: &Board, model: &Path) -> Result<PathBuf> {
    output_of(board, model, Program::Firmware)
        .with_context(|| format!("the firmware for {} does not build", board.name))
}

/// Builds a bench for a board with a model in it, without a word, and returns its ELF file.
pub(crate) fn build_bench(board: &Board, model: &Path, program: Program) -> Result<PathBuf> {
    output_of(board, model, program).with_context(|| format!("the bench for {} does not build", board.name))
}

/// Builds a program and keeps what cargo says for the error.
fn output_of(board: &Board, model: &Path, program: Program) -> Result<PathBuf> {
    let build = Build { folder: &firmware_dir(), board, model: Some(model), program };
    process::output(&mut build.command()?)?;
    Ok(build.elf())
}

/// Writes the file for a board's drive, if it has one, from the program that was built.
pub(crate) fn image(board: &Board, elf: &Path) -> Result<Option<PathBuf>> {
    board.image.map(|image| image::write(board, image, elf)).transpose()
}

/// `cargo xtask run`: the firmware in QEMU, with its serial line on this terminal.
pub(crate) fn run(board: &Board, model: Option<&Path>) -> Result<()> {
    let emulation = boards::emulation(board)?;
    setup::board(board)?;
    let elf = build(board, model)?;
    let end = match emulation.semihosting {
        true => "Ctrl-D on an empty line ends it",
        false => "Ctrl-A, then X, ends it",
    };
    println!("{} in QEMU, its serial line here; {end}.", board.about);
    // QEMU loses what is piped into a line that it shares with the keys for itself.
    let serial = if io::stdin().is_terminal() { Serial::Terminal } else { Serial::Pipes };
    process::run(&mut qemu::command(emulation, &elf, serial))
}

/// Writes the program `elf` to `path` with another model of the same length in place of its own.
pub(crate) fn replace_model(elf: &Path, model: &[u8], other: &[u8], path: &Path) -> Result<()> {
    ensure!(model.len() == other.len(), "a model can only be replaced by one of the same length");
    let mut image = fs::read(elf)?;
    let start = image
        .windows(model.len())
        .position(|window| window == model)
        .context("the program does not hold the model file as it is")?;
    image[start..][..other.len()].copy_from_slice(other);
    fs::write(path, image).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_in_a_program_is_replaced_where_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let (elf, patched) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&elf, b"...model...").unwrap();
        replace_model(&elf, b"model", b"other", &patched).unwrap();
        assert_eq!(fs::read(&patched).unwrap(), b"...other...");
        assert!(replace_model(&elf, b"model", b"longer", &patched).is_err());
        assert!(replace_model(&elf, b"absent", b"absenT", &patched).is_err());
    }
}
