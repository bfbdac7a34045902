//! What a model is tested on.

use std::path::PathBuf;

use anyhow::Result;

use crate::data::{Reading, Test};

/// A model, and texts with labels.
#[derive(Debug, clap::Args)]
pub(super) struct Tested {
    /// The model: a .kilo file, or the folder of a run
    pub(super) model: PathBuf,
    /// The texts: a folder with a test part, or files (- is standard input)
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Leave out the texts of this class (can be repeated)
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    pub(super) without: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

impl Tested {
    /// Reads the texts; `labels` are the model's.
    pub(super) fn read(&self, labels: &[String]) -> Result<Test> {
        Test::read(&self.data, &self.reading, labels, &self.without)
    }
}
