//! The exporter: a float network becomes a `.kilo` file.
//!
//! The integers stand on a [`Grid`], which is chosen by trial: the candidate on which the network's
//! logits move least on a sample of the training texts. A network that was trained on its grid keeps it.

mod calibrate;
mod layers;
mod size;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashMap;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use kilornn::layers::{Activation, Embedding, Order, State};
use kilornn::text::Vocabulary;
use kilornn::{Contents, Model, Padding, Sequence, Truncating, Unknown, file};

pub use calibrate::{calibration, choose_grid};
pub use size::FileSize;

use self::calibrate::{Answers, States};
use self::layers::{IntDense, IntRecurrence};
use crate::answer::answer_all;
use crate::evaluate::logits;
use crate::network::{Grid, Network, Ruined};
use crate::recipe::{EmbeddingBits, Fold, Pads, Recipe};
use crate::text::{Encoder, PAD, PerfectHash};

/// A folded table may take as much flash even if the unfolded one is smaller.
const FOLDED_LIMIT: usize = 1 << 20;

/// Below this share of zeros in the state, multiplying with them is cheaper than leaving them out.
const DENSE: f64 = 0.4;

/// The outcome of [`export`].
#[derive(Debug, Clone)]
pub struct Exported {
    /// The `.kilo` file.
    pub file: Vec<u8>,
    /// Root of the mean squared difference of real logits to those of the network as it was trained, on the calibration
    /// texts; of answers that are far surer than most only what makes them less so.
    pub logit_error: f64,
    /// The share of zeros in its hidden states, on the same texts.
    pub zeros: f64,
}

/// Quantizes a trained network, on the grid on which it was trained or on the best for it.
/// `texts` are training texts: a sample of them calibrates. Fails with [`Ruined`] if the network's weights
/// are.
pub fn export(
    network: &Network,
    encoder: &Encoder,
    recipe: &Recipe,
    labels: &[String],
    texts: &[&str],
    trained_on: Option<&Grid>,
) -> Result<Exported> {
    let sample = calibration(texts);
    let encoded = encoder.encode_all(&sample);
    let grid = match trained_on {
        Some(grid) => grid.clone(),
        None => choose_grid(network, &encoded, recipe.pad_to(), number_bits(recipe, network))?,
    };
    let hash = encoder.perfect_hash()?;
    let zeros = States::new(network, &encoded, recipe.pad_to(), trained_on).zeros();
    let file = assemble(network, encoder, recipe, &labels.join("\n"), hash, &grid, zeros)?;
    let trained = logits(network, &encoded, recipe.pad_to(), trained_on)?;
    let logit_error = Answers::new(trained).distance(&device_logits(&file, &sample)?);
    Ok(Exported { file, logit_error, zeros })
}

/// Bits of a word's numbers in the file; none if the embedding is folded.
pub fn number_bits(recipe: &Recipe, network: &Network) -> Option<EmbeddingBits> {
    // All rows but the pad's.
    let [rows, width] = network.embedding.shape;
    let folded = (rows - 1) * network.units();
    let narrow = (rows - 1) * width * usize::from(u8::from(recipe.embedding_bits)) / 8;
    let fold = match recipe.fold {
        Fold::Always => true,
        Fold::Never => false,
        Fold::Auto => folded <= narrow.max(FOLDED_LIMIT),
    };
    (!fold).then_some(recipe.embedding_bits)
}

/// Real logits of the texts, as the device computes them.
fn device_logits(file: &[u8], texts: &[&str]) -> Result<Vec<f32>> {
    let model = Model::from_bytes(file)?;
    let scale = model.contents().dense.scale;
    let answers = answer_all(&model, texts, &ProgressBar::hidden());
    Ok(answers.iter().flat_map(|answer| &answer.logits).map(|&logit| logit as f32 * scale).collect())
}

/// Writes the file.
fn assemble(
    network: &Network,
    encoder: &Encoder,
    recipe: &Recipe,
    labels: &str,
    hash: &PerfectHash,
    grid: &Grid,
    zeros: f64,
) -> Result<Vec<u8>> {
    let vocabulary = hash.vocabulary();
    // Rows in the order of slots; empty slots are never read, but for false fingerprints.
    let unknown = encoder.unknown_id();
    let empty = unknown.unwrap_or(PAD);
    let words = hash.words();
    let ids: Vec<u32> = words.iter().map(|word| word.map_or(empty, |word| word + 1)).chain(unknown).collect();

    let recurrence = IntRecurrence::new(network, grid);
    let order = order(network.activation, recurrence.inputs(), zeros);
    let dense = IntDense::new(network, grid);
    let orbit;
    let padding = match recipe.padding {
        Pads::Masked => None,
        Pads::Tokens => {
            orbit = Orbit::of_pads(&recurrence, &dense, encoder, labels, recipe.maxlen, order)?;
            Some(orbit.view())
        }
    };
    let tables = recurrence.tables(&ids, order);
    encode(&Contents {
        labels,
        normalization: encoder.normalization(),
        vocabulary,
        unknown: recipe.unknown.into(),
        sequence: Sequence { maxlen: recipe.maxlen as u32, truncating: recipe.truncating.into(), padding },
        embedding: tables.embedding(),
        rnn: tables.rnn(),
        dense: dense.view(),
    })
}

/// How the kernel's weights lie best, for states of which this share is zero.
pub fn order(activation: Activation, inputs: usize, zeros: f64) -> Order {
    match activation {
        Activation::Tanh => Order::Pairs,
        Activation::Relu if inputs.is_multiple_of(4) && zeros < DENSE => Order::Pairs,
        Activation::Relu => Order::Columns,
    }
}

/// The states after 0, 1, 2, ... pads, up to where they repeat.
struct Orbit {
    states: Vec<u8>,
    count: u32,
    /// The state that follows the last.
    cycle: u32,
}

impl Orbit {
    /// By the device's own step, up to `longest` pads.
    fn of_pads(
        recurrence: &IntRecurrence<'_>,
        dense: &IntDense,
        encoder: &Encoder,
        labels: &str,
        longest: usize,
        order: Order,
    ) -> Result<Self> {
        // A model that has no word but the pad.
        let tables = recurrence.tables(&[PAD], order);
        let file = encode(&Contents {
            labels,
            normalization: encoder.normalization(),
            vocabulary: Vocabulary { seed: 0, slots: 0, pilots: &[], fingerprints: &[] },
            unknown: Unknown::Row,
            sequence: Sequence { maxlen: 0, truncating: Truncating::Post, padding: None },
            embedding: tables.embedding(),
            rnn: tables.rnn(),
            dense: dense.view(),
        })?;
        let model = Model::from_bytes(&file)?;
        let mut state = State::<512>::zero(&model)?;
        let mut seen: HashMap<Vec<i8>, u32> = HashMap::new();
        let mut states = Vec::new();
        for index in 0..=longest as u32 {
            if let Some(&cycle) = seen.get(state.values()) {
                return Ok(Self { states, count: index, cycle });
            }
            seen.insert(state.values().to_vec(), index);
            states.extend(state.values().iter().map(|&h| h as u8));
            model.step(0, &mut state);
        }
        Ok(Self { states, count: longest as u32 + 1, cycle: 0 })
    }

    fn view(&self) -> Padding<'_> {
        Padding { states: &self.states, count: self.count, cycle: self.cycle }
    }
}

/// The file of these contents, which the runtime accepts.
fn encode(contents: &Contents<'_>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 4096 + contents.labels.len() + contents_size(contents)];
    let file = file::encode(contents, &mut buffer).context("the model file is larger than its tables")?;
    let file = file.to_vec();
    match Model::from_bytes(&file) {
        Ok(_) => Ok(file),
        Err(error) => {
            let reason =
                format!("the network's weights are beyond what a device's integers can hold: {error}");
            Err(Ruined(reason).into())
        }
    }
}

/// Bytes of all tables together.
fn contents_size(contents: &Contents<'_>) -> usize {
    let table = match contents.embedding {
        Embedding::Folded => 0,
        Embedding::Projected { table, .. } => table.bytes().len(),
    };
    let padding = contents.sequence.padding.map_or(0, |padding| padding.states.len());
    contents.vocabulary.pilots.len()
        + contents.vocabulary.fingerprints.len()
        + table
        + padding
        + contents.rnn.weights.len()
        + contents.dense.kernel.len()
        + contents.dense.bias.len()
}
