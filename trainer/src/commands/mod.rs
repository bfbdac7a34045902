//! The commands of the program: each parses its arguments, calls the library and prints.
//!
//! Exit code 0: done; 1: a fault of the program; 2: a fault in what was given.

mod budget;
pub mod completions;
pub mod data;
mod delivery;
pub mod device;
pub mod evaluate;
mod firmware;
mod given;
pub mod import;
pub mod inspect;
pub mod predict;
mod quantities;
pub mod recipes;
pub mod starter;
pub mod sweep;
mod tested;
pub mod train;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use kilornn::Model;
use serde::Serialize;

use crate::error::InputError;
use crate::numbers::grouped;
use crate::run_folder;
use crate::warning::Warning;

/// Where a command speaks: to a person on standard output, or, when a script wants one JSON object
/// there, to the person on standard error.
#[derive(Debug, Clone, Copy)]
struct Console {
    json: bool,
}

impl Console {
    /// Prints a line for a person.
    fn say(self, line: impl AsRef<str>) -> Result<()> {
        if self.json {
            writeln!(std::io::stderr(), "{}", line.as_ref())?;
        } else {
            writeln!(std::io::stdout(), "{}", line.as_ref())?;
        }
        Ok(())
    }

    /// Prints warnings, each in a line of its own.
    fn warn(self, warnings: &[Warning]) -> Result<()> {
        warnings.iter().try_for_each(|warning| self.say(warning.to_string()))
    }

    /// Ends with the object for a script, if one was asked for.
    fn conclude(self, object: &impl Serialize) -> Result<()> {
        if self.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(object)?)?;
        }
        Ok(())
    }
}

/// The bytes of a model file, given by itself or by the folder of the run that made it.
fn read_model(path: &Path) -> Result<(PathBuf, Vec<u8>)> {
    let file = if path.is_dir() { path.join(run_folder::MODEL) } else { path.to_owned() };
    match std::fs::read(&file) {
        Ok(bytes) => Ok((file, bytes)),
        Err(error) => Err(InputError::in_file(&file, error.to_string()).into()),
    }
}

/// Checks the bytes as the device would.
fn parse_model<'a>(path: &Path, bytes: &'a [u8]) -> Result<Model<'a>> {
    Model::from_bytes(bytes).map_err(|error| InputError::in_file(path, error.to_string()).into())
}

/// The names of a model's classes.
fn labels(model: &Model<'_>) -> Vec<String> {
    model.contents().labels.split('\n').map(str::to_owned).collect()
}
