//! Python environments with the programs that we compare ourselves with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process::{self, root};

/// A script or a list of packages.
pub(crate) fn file(name: &str) -> PathBuf {
    root().join("xtask/peers").join(name)
}

/// A Python in `folder` with what `requirements` names, made the first time.
pub(crate) fn python(folder: &Path, requirements: &str) -> Result<PathBuf> {
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let requirements = file(requirements);
    let (wanted, done) = (fs::read_to_string(&requirements)?, folder.join("python.installed"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("making a Python environment with the peers; this takes minutes the first time");
    fs::create_dir_all(folder)?;
    process::run_aside(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--disable-pip-version-check", "--requirement"];
    process::run_aside(Command::new(&python).args(install).arg(&requirements))?;
    fs::write(done, wanted)?;
    Ok(python)
}
