//! Building the firmware, changing the model in it, and getting it onto a board.

mod flash;
mod image;
mod size;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::boards::Board;
use crate::machine::{self, Serial};
use crate::process;

pub(crate) use flash::flash;
pub(crate) use size::{Size, size};

/// Builds the firmware for a board with a model in it, or with the board's own, and returns its ELF file.
pub(crate) fn build(board: &Board, model: Option<&Path>) -> Result<PathBuf> {
    let dir = process::firmware_dir();
    let mut build = process::cargo(&dir, ["build", "--release", "--bin", "kilornn-firmware"]);
    build.args(["--no-default-features", "--features", &board.name, "--target", &board.target]);
    build.arg("--target-dir").arg(Path::new("target").join(&board.name));
    if let Some(model) = model {
        let model = model.canonicalize().with_context(|| format!("there is no model {}", model.display()))?;
        build.env("KILORNN_MODEL", model);
    }
    // RUSTFLAGS in the environment are meant for this machine (a target-cpu, say), not for the board.
    process::run(build.env_remove("RUSTFLAGS"))?;
    Ok(elf(board))
}

/// Writes the file for a board's drive, if it has one, from the program that was built last.
pub(crate) fn image(board: &Board) -> Result<Option<PathBuf>> {
    board.image.map(|image| image::write(board, image, &elf(board))).transpose()
}

/// Where a board's program is once it is built.
fn elf(board: &Board) -> PathBuf {
    let target = process::firmware_dir().join("target").join(&board.name);
    target.join(&board.target).join("release").join("kilornn-firmware")
}

/// `cargo xtask run`: the firmware in QEMU, with its serial line on this terminal.
pub(crate) fn run(board: &Board, model: Option<&Path>) -> Result<()> {
    board.emulated()?;
    board.set_up()?;
    let elf = build(board, model)?;
    let end = match board.emulated()?.semihosting {
        true => "Ctrl-D on an empty line ends it",
        false => "Ctrl-A, then X, ends it",
    };
    println!("{} in QEMU, its serial line here; {end}.", board.about);
    process::run(&mut machine::command(board, &elf, Serial::Terminal)?)
}

/// Writes the program `elf` to `path`, with another model of the same length in the place of its own: what the
/// flash would hold then.
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

/// Where cargo puts what it builds from `dir`: the person's own configuration may have moved it.
pub(crate) fn target_dir(dir: &Path) -> Result<PathBuf> {
    let metadata =
        process::output(&mut process::cargo(dir, ["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(target.into())
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
