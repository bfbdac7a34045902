//! How large a model file will be, known before anything is trained.

use anyhow::Result;
use kilornn::{Input, PadStates, Padding};
use serde::Serialize;

use super::{Integers, encode, number_bits};
use crate::footprint::Needs;
use crate::network::{Grid, LayerChoice, Network};
use crate::recipe::Recipe;
use crate::text::{PerfectHash, rows};

/// Bytes of a model file. The bounds differ only if the network reads pads: training then decides after how many pads the
/// state repeats, and so how many states are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

impl FileSize {
    /// Of what [`export`](super::export) will write for so many words with this hash, and for these labels.
    ///
    /// # Errors
    ///
    /// If such a network cannot be written at all.
    pub fn of(recipe: &Recipe, words: usize, labels: &[String], hash: &PerfectHash) -> Result<Self> {
        Self::with_needs(recipe, words, labels, hash).map(|(size, _)| size)
    }

    /// The same, and what such a model needs of a device at most.
    ///
    /// # Errors
    ///
    /// Those of [`of`](Self::of).
    pub fn with_needs(
        recipe: &Recipe,
        words: usize,
        labels: &[String],
        hash: &PerfectHash,
    ) -> Result<(Self, Needs)> {
        // A network of zeros stays at the state zero over any number of pads: one state is stored.
        let outputs = Network::outputs_for(labels.len());
        let network = Network::zeros(recipe, rows(recipe.unknown.into(), words), outputs);
        let choices: Vec<LayerChoice> = network.layers.iter().map(LayerChoice::any).collect();
        let grid = Grid::new(&network, &choices, number_bits(recipe, &network), 1.0);
        let zeros = vec![1.0; network.layers.len()];
        let integers = Integers::new(&network, recipe, labels, hash, &grid, &zeros)?;

        let mut contents = integers.contents()?;
        let least = encode(&contents)?.len();
        let needs = Needs::of(&contents, least);
        let units = contents.units() as usize;
        let Input::Text(text) = &mut contents.input else {
            return Ok((Self { least, most: least }, needs));
        };
        let Some(Padding::States(_)) = text.sequence.padding else {
            return Ok((Self { least, most: least }, needs));
        };
        let count = recipe.maxlen as u32 + 1;
        let states = vec![0; count as usize * units];
        // The largest numbers, which take most bytes.
        let states = PadStates { states: &states, count, cycle: count - 1 };
        text.sequence.padding = Some(Padding::States(states));
        let most = encode(&contents)?.len();
        Ok((Self { least, most }, Needs { file: most, ..needs }))
    }
}
