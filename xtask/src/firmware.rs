//! Building the firmware, and changing the model in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::process;
use crate::setup::FIRMWARE_TARGET;

/// Builds the firmware with the model in it and returns its ELF file.
pub(crate) fn build(model: &Path) -> Result<PathBuf> {
    let model = model.canonicalize().with_context(|| format!("there is no model {}", model.display()))?;
    let mut build = process::cargo(&process::firmware_dir(), ["build", "--release"]);
    // RUSTFLAGS in the environment are meant for this machine (a target-cpu, say), not for the board.
    process::run(build.env("KILORNN_MODEL", model).env_remove("RUSTFLAGS"))?;
    elf()
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

/// Where the firmware's ELF file is once it is built.
pub(crate) fn elf() -> Result<PathBuf> {
    let target = target_dir(&process::firmware_dir())?;
    Ok(target.join(FIRMWARE_TARGET).join("release").join("kilornn-firmware"))
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
