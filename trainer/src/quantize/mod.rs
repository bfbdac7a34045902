//! The exporter: a float network becomes a `.kilo` file.
//!
//! The integers stand on a [`Grid`], which is chosen by trial: the candidate on which the network's
//! logits move least on a sample of the training texts. A network that was trained on its grid keeps it.

mod layers;
mod perfect_hash;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use indicatif::ProgressBar;
use kilornn::{Contents, Model, Padding, Sequence, file};

pub use perfect_hash::PerfectHash;

use self::layers::{IntDense, IntEmbedding, IntRnn};
use crate::answer::answer_all;
use crate::data::{Batch, Batches};
use crate::network::{Grid, Network};
use crate::recipe::{Fold, Pads, Recipe};
use crate::text::{Encoder, PAD};

/// Texts on which candidates are compared.
pub const CALIBRATION: usize = 1000;

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
    let sample = every_nth(texts, CALIBRATION);
    let encoded = encoder.encode_all(&sample);
    let grid = match trained_on {
        Some(grid) => grid.clone(),
        None => choose_grid(network, recipe, &encoded)?,
    };
    let hash = PerfectHash::build(encoder.words(), recipe.fingerprint_bytes())?;
    let file = assemble(network, encoder, recipe, &labels.join("\n"), &hash, &grid)?;
    let trained = States::new(network, recipe, &encoded, trained_on)?;
    let device = device_logits(&file, &sample)?;
    Ok(Exported { logit_error: root_mean_square(&trained.logits, &device), zeros: trained.zeros, file })
}

/// The grid on which the network's logits move least.
pub fn choose_grid(network: &Network, recipe: &Recipe, texts: &[Vec<u32>]) -> Result<Grid> {
    let float = States::new(network, recipe, texts, None)?;
    let mut best: Option<(f64, Grid)> = None;
    for quantile in [1.0, 0.9999, 0.999] {
        let scales = float.scales(quantile);
        for (fraction_bits, clipped_bits) in (4..=9).flat_map(|bits| [(bits, 0), (bits, 1)]) {
            let grid = Grid::new(network, &scales, fraction_bits, clipped_bits);
            let rounded = States::new(network, recipe, texts, Some(&grid))?;
            let error = root_mean_square(&float.logits, &rounded.logits);
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, grid));
            }
        }
    }
    best.map(|(_, grid)| grid).context("no grid to choose from")
}

/// At most `count` items, evenly spread.
pub fn every_nth<T: Clone>(items: &[T], count: usize) -> Vec<T> {
    items.iter().step_by(items.len().div_ceil(count).max(1)).cloned().collect()
}

/// The length to which texts are padded with pads that the network reads.
pub fn pad_to(recipe: &Recipe) -> Option<usize> {
    (recipe.padding == Pads::Tokens).then_some(recipe.maxlen)
}

/// What the float network makes of the calibration texts.
#[derive(Debug, Clone)]
pub struct States {
    /// `texts × outputs`.
    pub logits: Vec<f32>,
    /// The share of states that are zero.
    pub zeros: f64,
    /// The states of each unit that are not zero, sorted.
    active: Vec<Vec<f32>>,
}

impl States {
    /// Runs the network over encoded texts; on the device's grid, if given.
    pub fn new(network: &Network, recipe: &Recipe, texts: &[Vec<u32>], grid: Option<&Grid>) -> Result<Self> {
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let (units, outputs) = (network.units(), network.outputs());
        let projected = network.projected(grid);
        let tensor = Tensor::from_slice(&projected, (network.embedding.shape[0], units), &Device::Cpu)?;
        let mut logits = vec![0.0; texts.len() * outputs];
        let mut active = vec![Vec::new(); units];
        let mut steps = 0;
        for examples in Batches::by_length(&lengths, 128).iter() {
            let batch = Batch::new(examples, texts, pad_to(recipe));
            let found = network.logits(&tensor, &batch, grid)?;
            for (&example, found) in examples.iter().zip(found.chunks_exact(outputs)) {
                logits[example * outputs..][..outputs].copy_from_slice(found);
            }
            for (state, &token) in
                network.states(&projected, &batch, grid).chunks_exact(units).zip(&batch.tokens)
            {
                if token != Batch::MASKED {
                    steps += 1;
                    let open = active.iter_mut().zip(state).filter(|(_, h)| **h > 0.0);
                    open.for_each(|(seen, &h)| seen.push(h));
                }
            }
        }
        let zeros = 1.0 - active.iter().map(Vec::len).sum::<usize>() as f64 / (steps * units).max(1) as f64;
        active.iter_mut().for_each(|seen| seen.sort_unstable_by(f32::total_cmp));
        ensure!(
            logits.iter().all(|logit| logit.is_finite()),
            "the network diverged: its states overflow on some texts (lower learning_rate, or set clip_norm)"
        );
        Ok(Self { logits, zeros, active })
    }

    /// For each unit the scale at which this share of its states fits into 0 to 127.
    pub fn scales(&self, quantile: f64) -> Vec<f32> {
        let range = |seen: &Vec<f32>| {
            let index = (seen.len() as f64 * quantile).ceil() as usize;
            seen.get(index.clamp(1, seen.len().max(1)) - 1).copied().unwrap_or(0.0)
        };
        let ranges: Vec<f32> = self.active.iter().map(range).collect();
        // A unit that is never active still needs a scale; any will do.
        let largest = ranges.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        ranges.iter().map(|range| range.max(largest * 1e-3) / 127.0).collect()
    }
}

/// Real logits of the texts, as the device computes them.
fn device_logits(file: &[u8], texts: &[&str]) -> Result<Vec<f32>> {
    let model = Model::from_bytes(file)?;
    let scale = model.contents().dense.scale;
    let answers = answer_all(&model, texts, &ProgressBar::hidden());
    Ok(answers.iter().flat_map(|answer| &answer.logits).map(|&logit| logit as f32 * scale).collect())
}

fn root_mean_square(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (squares / a.len().max(1) as f64).sqrt()
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
