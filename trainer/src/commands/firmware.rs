//! The firmware's sources, for the commands that build it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kilornn_host::boards::{self, Board, Emulation};
use kilornn_host::firmware::{self, Build, Program};

use crate::error::InputError;

/// Where they are.
#[derive(Debug, clap::Args)]
pub(super) struct Firmware {
    /// For QEMU: the folder of the firmware's sources [default: firmware-example of the KiloRNN sources around the current
    /// folder]
    #[arg(
        id = "firmware",
        long = "firmware",
        value_name = "DIR",
        env = firmware::VARIABLE,
        hide_env_values = true,
        value_hint = clap::ValueHint::DirPath,
        global = true
    )]
    given: Option<OsString>,
}

impl Firmware {
    /// The firmware on a board that QEMU emulates. Only this looks for the sources.
    pub(super) fn on(&self, board: &str) -> Result<OnBoard> {
        // A variable that is set to nothing counts as not set.
        let given = self.given.as_deref().filter(|given| !given.is_empty()).map(Path::new);
        let here = env::current_dir().context("there is no current folder")?;
        let folder = firmware::find(given, &here).map_err(|error| InputError::new(error.to_string()))?;
        let boards = boards::read(&folder).map_err(|error| {
            let advice = match error {
                boards::Error::Unreadable { .. } => {
                    " (--firmware DIR, or KILORNN_FIRMWARE, names the folder of the firmware's sources)"
                }
                _ => "",
            };
            InputError::new(format!("{error}{advice}"))
        })?;
        let (board, emulation) =
            boards::emulated(&boards, board).map_err(|error| InputError::new(error.to_string()))?;
        Ok(OnBoard { folder, board, emulation })
    }
}

/// The firmware on one board.
pub(super) struct OnBoard {
    folder: PathBuf,
    pub(super) board: Board,
    pub(super) emulation: Emulation,
}

impl OnBoard {
    /// The model that is built in where none is named.
    pub(super) fn default_model(&self) -> PathBuf {
        firmware::default_model(&self.board, &self.folder)
    }

    /// Builds it with a model; the ELF file.
    pub(super) fn build(&self, model: &Path) -> Result<PathBuf> {
        let Self { folder, board, .. } = self;
        Build { folder, board, model: Some(model), program: Program::Firmware }.run()
    }
}
