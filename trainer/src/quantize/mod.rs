//! The exporter: a float network becomes a `.kilo` file.
//!
//! The integers stand on a [`Grid`], which is chosen by trial: the candidate on which the network's
//! logits move least on a sample of the training texts. A network that was trained on its grid keeps it.

mod calibrate;
mod layers;
mod perfect_hash;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use kilornn::{Contents, Model, Padding, Sequence, file};

pub use calibrate::{calibration, choose_grid};
pub use perfect_hash::PerfectHash;

use self::calibrate::{States, root_mean_square};
use self::layers::{IntDense, IntEmbedding, IntRnn};
use crate::answer::answer_all;
use crate::evaluate::logits;
use crate::network::{Grid, Network};
use crate::recipe::{Fold, Pads, Recipe};
use crate::text::{Encoder, PAD};

/// A folded table may take as much flash even if the unfolded one is smaller.
const FOLDED_LIMIT: usize = 1 << 20;

/// The outcome of [`export`].
#[derive(Debug, Clone)]
pub struct Exported {
    /// The `.kilo` file.
    pub file: Vec<u8>,
    /// Root of the mean squared difference of real logits to those of the network as it was trained,
    /// on the calibration texts.
    pub logit_error: f64,
    /// The share of zeros in its hidden states, on the same texts.
    pub zeros: f64,
}

/// Quantizes a trained network, on the grid on which it was trained or on the best for it.
/// `texts` are training texts: a sample of them calibrates.
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
        None => choose_grid(network, &encoded, recipe.pad_to())?,
    };
    let hash = PerfectHash::build(encoder.words(), recipe.fingerprint_bytes())?;
    let file = assemble(network, encoder, recipe, &labels.join("\n"), &hash, &grid)?;
    let trained = logits(network, &encoded, recipe.pad_to(), trained_on)?;
    let zeros = States::new(network, &encoded, recipe.pad_to(), trained_on).zeros();
    let logit_error = root_mean_square(&trained, &device_logits(&file, &sample)?);
    Ok(Exported { file, logit_error, zeros })
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
) -> Result<Vec<u8>> {
    let vocabulary = hash.vocabulary();
    // Rows in the order of slots; empty slots are never read, but for false fingerprints.
    let unknown = encoder.unknown_id();
    let mut ids = vec![unknown.unwrap_or(PAD); vocabulary.slots as usize];
    for (id, &slot) in (1..).zip(hash.slots()) {
        ids[slot as usize] = id;
    }
    ids.extend(unknown);

    let folded = ids.len() * network.units();
    let narrow = ids.len() * network.embedding.shape[1];
    let fold = match recipe.fold {
        Fold::Always => true,
        Fold::Never => false,
        Fold::Auto => folded <= narrow.max(FOLDED_LIMIT),
    };
    let layer = IntEmbedding::new(network, grid, fold);
    let embedding = layer.rows(&ids);
    let pad = layer.rows(&[PAD]);
    let rnn = IntRnn::new(network, grid, &layer);
    let dense = IntDense::new(network, grid);

    let orbit;
    let padding = match recipe.padding {
        Pads::Masked => None,
        Pads::Tokens => {
            orbit = rnn.orbit(&pad, recipe.maxlen);
            Some(Padding { states: &orbit.0, cycle: orbit.1 })
        }
    };
    let contents = Contents {
        labels,
        normalization: encoder.normalization(),
        vocabulary,
        unknown: recipe.unknown.into(),
        sequence: Sequence { maxlen: recipe.maxlen as u32, truncating: recipe.truncating.into(), padding },
        embedding: embedding.view(),
        rnn: rnn.view(),
        dense: dense.view(),
    };
    let mut buffer = vec![0; 4096 + labels.len() + contents_size(&contents)];
    let file = file::encode(&contents, &mut buffer).context("the model file is larger than its tables")?;
    Model::from_bytes(file).context("the exporter wrote a model that the runtime refuses")?;
    Ok(file.to_vec())
}

/// Bytes of all tables together.
fn contents_size(contents: &Contents<'_>) -> usize {
    use kilornn::layers::Embedding;
    let embedding = match contents.embedding {
        Embedding::Folded { table } => table.len(),
        Embedding::Projected { table, kernel, bias, .. } => table.len() + kernel.len() + bias.len(),
    };
    let padding = contents.sequence.padding.map_or(0, |padding| padding.states.len());
    contents.vocabulary.pilots.len()
        + contents.vocabulary.fingerprints.len()
        + embedding
        + padding
        + contents.rnn.kernel.len()
        + contents.dense.kernel.len()
        + contents.dense.bias.len()
}
