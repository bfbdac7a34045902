//! How large a model file will be, known before anything is trained.

use anyhow::{Context, Result};
use kilornn::{Model, Padding, file};
use serde::Serialize;

use super::{assemble, contents_size, number_bits};
use crate::network::{Grid, Network};
use crate::random::Stream;
use crate::recipe::Recipe;
use crate::text::{Encoder, PerfectHash};

/// Bytes of a model file. Only where the network runs over pads does training decide something: after how many of
/// them the state repeats. Then the bounds differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

impl FileSize {
    /// Of what [`export`](super::export) will write for these words and labels: that is, of an untrained network's file.
    pub fn of(recipe: &Recipe, encoder: &Encoder, labels: &[String], hash: &PerfectHash) -> Result<Self> {
        Ok(Self::with_model(recipe, encoder, labels, hash)?.0)
    }

    /// The same, and the untrained network's file.
    pub fn with_model(
        recipe: &Recipe,
        encoder: &Encoder,
        labels: &[String],
        hash: &PerfectHash,
    ) -> Result<(Self, Vec<u8>)> {
        let outputs = Network::outputs_for(labels.len());
        let mut network = Network::new(recipe, encoder.rows(), outputs, &mut Stream::Weights.rng(0));
        // A network of zeros stays at the state zero over any number of pads: one state is stored.
        network.embedding.values.fill(0.0);
        network.others_mut().into_iter().for_each(|parameter| parameter.values.fill(0.0));
        let scales = vec![1.0; network.units()];
        let grid = Grid::new(&network, &scales, 0, number_bits(recipe, &network), 1.0);
        let least = assemble(&network, encoder, recipe, &labels.join("\n"), hash, &grid, 1.0)?;

        let mut contents = *Model::from_bytes(&least)?.contents();
        let states;
        if let Some(padding) = &mut contents.sequence.padding {
            let count = recipe.maxlen as u32 + 1;
            states = vec![0; count as usize * contents.rnn.units as usize];
            // The largest numbers, which take most bytes.
            *padding = Padding { states: &states, count, cycle: count - 1 };
        }
        let mut buffer = vec![0; 4096 + contents.labels.len() + contents_size(&contents)];
        let most =
            file::encode(&contents, &mut buffer).context("the model file is larger than its tables")?;
        let size = Self { least: least.len(), most: most.len() };
        Ok((size, least))
    }
}
