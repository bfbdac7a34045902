//! Building the firmware.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

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
