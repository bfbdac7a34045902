//! Where the integers stand: chosen by trial on a sample of the training texts.

use anyhow::{Context, Result};
use kilornn::layers::Activation;

use crate::data::{Batch, Batches};
use crate::evaluate::logits;
use crate::network::{Grid, Network};
use crate::progress;
use crate::recipe::EmbeddingBits;

/// Texts on which candidates are compared.
const TEXTS: usize = 1000;

/// A sample, evenly spread, of the texts that calibrate.
pub fn calibration<T: Clone>(texts: &[T]) -> Vec<T> {
    texts.iter().step_by(texts.len().div_ceil(TEXTS).max(1)).cloned().collect()
}

/// The grid on which the network's logits move least; with a folded embedding, or with numbers of so many bits.
pub fn choose_grid(
    network: &Network,
    texts: &[Vec<u32>],
    pad_to: Option<usize>,
    bits: Option<EmbeddingBits>,
) -> Result<Grid> {
    let float = logits(network, texts, pad_to, None)?;
    let states = States::new(network, texts, pad_to, None);
    let mut candidates = Vec::new();
    // The scale of a tanh state is given.
    let quantiles: &[f64] = match network.activation {
        Activation::Relu => &[1.0, 0.9999, 0.999],
        Activation::Tanh => &[1.0],
    };
    // The largest number of a word is seldom one that matters.
    let ranges: &[f32] = match bits {
        None => &[1.0, 0.5],
        Some(EmbeddingBits::Eight) => &[1.0],
        Some(EmbeddingBits::Four) => &[1.0, 0.7, 0.5, 0.35, 0.25],
    };
    for &quantile in quantiles {
        for state_shift in (0..=5).rev() {
            candidates.extend(ranges.iter().map(|&range| (quantile, state_shift, range)));
        }
    }
    let progress = progress::bar("quantizing", candidates.len(), "grids");
    let mut best: Option<(f64, Grid)> = None;
    for (quantile, state_shift, range) in candidates {
        let scales = match network.activation {
            Activation::Relu => states.scales(quantile),
            Activation::Tanh => vec![1.0 / 128.0; network.units()],
        };
        let grid = Grid::new(network, &scales, state_shift, bits, range);
        let error = root_mean_square(&float, &logits(network, texts, pad_to, Some(&grid))?);
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, grid));
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    best.map(|(_, grid)| grid).context("no grid to choose from")
}

/// Root of the mean squared difference.
pub(super) fn root_mean_square(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (squares / a.len().max(1) as f64).sqrt()
}

/// The hidden states of the calibration texts.
pub(super) struct States {
    /// The states of each unit that are not zero, sorted.
    active: Vec<Vec<f32>>,
    steps: usize,
}

impl States {
    /// Runs the network over encoded texts; on the device's grid, if given.
    pub(super) fn new(
        network: &Network,
        texts: &[Vec<u32>],
        pad_to: Option<usize>,
        grid: Option<&Grid>,
    ) -> Self {
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let units = network.units();
        let mut active = vec![Vec::new(); units];
        let mut steps = 0;
        for examples in Batches::by_length(&lengths, 128).iter() {
            let batch = Batch::new(examples, texts, pad_to);
            let states = network.states(&batch, grid);
            for (state, &token) in states.chunks_exact(units).zip(&batch.tokens) {
                if token != Batch::MASKED {
                    steps += 1;
                    let open = active.iter_mut().zip(state).filter(|(_, h)| **h != 0.0);
                    open.for_each(|(seen, &h)| seen.push(h));
                }
            }
        }
        active.iter_mut().for_each(|seen| seen.sort_unstable_by(f32::total_cmp));
        Self { active, steps }
    }

    /// The share of states that are zero.
    pub(super) fn zeros(&self) -> f64 {
        let active: usize = self.active.iter().map(Vec::len).sum();
        1.0 - active as f64 / (self.steps * self.active.len()).max(1) as f64
    }

    /// For each unit the scale at which this share of its active states fits into 0 to 127.
    pub(super) fn scales(&self, quantile: f64) -> Vec<f32> {
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
