//! Building the firmware around a model.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::boards::Board;

/// The model that the firmware for `board` has where none is named.
#[must_use]
pub fn default_model(board: &Board, firmware: &Path) -> PathBuf {
    // Beside the firmware's folder, wherever that is: a short path, if it is there at all.
    let project = fs::canonicalize(firmware).ok().and_then(|firmware| Some(firmware.parent()?.to_owned()));
    project.unwrap_or_else(|| firmware.join("..")).join("models").join(format!("{}.kilo", board.model))
}

/// Builds the firmware for `board` with the model in it; returns the ELF file.
///
/// The next build for the same board replaces it.
///
/// # Errors
///
/// If it does not build, with cargo's own words.
pub fn build(board: &Board, model: &Path, firmware: &Path) -> Result<PathBuf> {
    let model =
        fs::canonicalize(model).with_context(|| format!("cannot read the model {}", model.display()))?;
    let firmware = fs::canonicalize(firmware)
        .with_context(|| format!("the firmware's sources are not in {}", firmware.display()))?;
    let target_dir = firmware.join("target").join(&board.name);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .current_dir(&firmware)
        .args(["build", "--quiet", "--release", "--no-default-features"])
        .args(["--features", &board.name, "--target", &board.target, "--target-dir"])
        .arg(&target_dir)
        .env("KILORNN_MODEL", &model)
        .stdin(Stdio::null())
        .output()
        .context("cannot start cargo to build the firmware")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let advice = if said.contains("E0463") {
            format!("\nThe target {} is not installed: run `cargo xtask setup`", board.target)
        } else {
            String::new()
        };
        bail!("the firmware for {} does not build:\n{}{advice}", board.name, said.trim_end());
    }
    Ok(target_dir.join(&board.target).join("release").join("kilornn-firmware"))
}
