//! Data of either kind.

use anyhow::Result;

use super::Dataset;
use super::grouping::Grouping;
use super::inputs::Inputs;
use super::recordings::{Framing, Recordings, are_recordings};

/// What a person named as data: texts or recordings.
#[derive(Debug, Clone)]
pub enum Data {
    /// Labelled texts.
    Texts(Dataset),
    /// Labelled recordings of numbers.
    Recordings(Recordings),
}

impl Data {
    /// Reads data to train on, and finds out which kind they are.
    ///
    /// # Errors
    ///
    /// With an [`InputError`](crate::error::InputError) if they cannot be used.
    pub fn read(inputs: &Inputs, framing: &Framing, grouping: &Grouping) -> Result<Self> {
        match are_recordings(inputs, framing)? {
            true => Ok(Self::Recordings(Recordings::read(inputs, framing, grouping)?)),
            false => Ok(Self::Texts(Dataset::read_in_groups(inputs, grouping)?)),
        }
    }
}
