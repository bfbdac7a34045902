//! Calibration: which quantization grid suits a network best, on a sample of the training texts.

use anyhow::{Context, Result};

use super::cells::{Attempt, Tries, exported};
use crate::evaluate::logits;
use crate::network::{Batch, Batches, Grid, Layer, LayerChoice, Network, Ruined};
use crate::progress;
use crate::recipe::EmbeddingBits;
use crate::text::Encoder;

/// How many texts calibrate, at most.
const TEXTS: usize = 1000;

/// Which of so many texts calibrate: [`TEXTS`] of them, evenly spread.
fn evenly(texts: usize) -> impl Iterator<Item = usize> {
    (0..texts).step_by(texts.div_ceil(TEXTS).max(1))
}

/// The texts that calibrate a quantization, with the ids of their words: at most a thousand, taken evenly from the training
/// texts.
#[derive(Debug, Clone)]
pub struct Sample<'t> {
    pub(super) texts: Vec<&'t str>,
    pub(super) ids: Vec<Vec<u32>>,
}

impl<'t> Sample<'t> {
    /// A sample of these texts, which it encodes.
    pub fn new(encoder: &Encoder, texts: &[&'t str]) -> Self {
        let texts: Vec<&str> = evenly(texts.len()).map(|text| texts[text]).collect();
        Self { ids: encoder.encode_all(&texts), texts }
    }

    /// A sample of texts that are encoded already: `ids` gives the ids of a text's words, by its place in `texts`.
    pub fn of_encoded<'e>(texts: &[&'t str], ids: impl Fn(usize) -> &'e [u32]) -> Self {
        let (texts, ids) = evenly(texts.len()).map(|text| (texts[text], ids(text).to_vec())).unzip();
        Self { texts, ids }
    }
}

/// The grid on which a network's logits change least on a sample of the encoded `texts`; with a folded embedding, or with
/// numbers of so many bits.
///
/// # Errors
///
/// With [`Ruined`] if the network's weights are not finite, or too large for any grid.
pub fn choose_grid(
    network: &Network,
    texts: &[Vec<u32>],
    pad_to: Option<usize>,
    bits: Option<EmbeddingBits>,
) -> Result<Grid> {
    let sample: Vec<Vec<u32>> = evenly(texts.len()).map(|text| texts[text].clone()).collect();
    let answers = ReferenceLogits::new(logits(network, &sample, pad_to, None)?);
    let scales = || States::new(network, &sample, pad_to, None).scales();
    choose(network, &sample, pad_to, bits, &answers, scales)
}

/// The same for texts on which the float network's `answers` are known. `scales` are those that its states ask for, one for
/// each unit of each layer; only ReLU layers need them.
///
/// Neither the scales nor the comparison depend on the largest states and logits alone: those of one text that is far longer
/// than the others may be a thousand times larger.
pub(super) fn choose(
    network: &Network,
    texts: &[Vec<u32>],
    pad_to: Option<usize>,
    bits: Option<EmbeddingBits>,
    answers: &ReferenceLogits,
    scales: impl FnOnce() -> Vec<Vec<Vec<f32>>>,
) -> Result<Grid> {
    let tries: Vec<Tries> = network.layers.iter().map(|layer| exported(layer.cell).tries()).collect();
    let any = |asks: fn(&Tries) -> bool| tries.iter().any(asks);
    let scales = if any(|tries| tries.scales) { scales() } else { vec![Vec::new()] };
    let state_shifts = if any(|tries| tries.state_shifts) { 0..=5 } else { 0..=0 };
    let limits = tries.iter().map(|tries| tries.limits.len()).max().unwrap_or(1);
    let choices = |scales: &[Vec<f32>], state_shift, limit: usize| -> Vec<LayerChoice> {
        let choice = |(index, layer): (usize, &Layer)| {
            let scales = scales.get(index).map_or(&[][..], |scales| scales);
            // Where a layer has fewer to try, its last.
            let limits = tries[index].limits;
            let limit = limits[limit.min(limits.len() - 1)];
            exported(layer.cell).choice(layer, Attempt { scales, state_shift, limit })
        };
        network.layers.iter().enumerate().map(choice).collect()
    };
    let mut candidates = Vec::new();
    // The largest number of a word is seldom one that matters.
    let ranges: &[f32] = match bits {
        None => &[1.0, 0.5],
        Some(EmbeddingBits::Eight) => &[1.0],
        Some(EmbeddingBits::Four) => &[1.0, 0.7, 0.5, 0.35, 0.25],
    };
    for scales in &scales {
        for state_shift in state_shifts.clone().rev() {
            for limit in 0..limits {
                candidates.extend(ranges.iter().map(|&range| (choices(scales, state_shift, limit), range)));
            }
        }
    }
    let progress = progress::bar("quantizing", candidates.len(), "grids");
    let mut best: Option<(f64, Grid)> = None;
    for (choices, range) in candidates {
        progress.inc(1);
        let grid = Grid::new(network, &choices, bits, range);
        if !grid.is_finite() {
            continue;
        }
        let error = answers.distance(&logits(network, texts, pad_to, Some(&grid))?);
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, grid));
        }
    }
    progress.finish_and_clear();
    let ruined = || Ruined("the network's weights are too large for any grid of integers".to_owned());
    best.map(|(_, grid)| grid).with_context(ruined)
}

/// The float network's logits, for comparison.
pub(super) struct ReferenceLogits {
    /// Up to which size, of either sign, logits are compared.
    sure: f32,
    /// The logits, as far as they are.
    logits: Vec<f32>,
}

impl ReferenceLogits {
    /// At this logit a probability is within 1e-7 of certainty.
    const SURE: f32 = 16.0;

    pub(super) fn new(logits: Vec<f32>) -> Self {
        let mut sizes: Vec<f32> = logits.iter().map(|logit| logit.abs()).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let median = sizes.get(sizes.len() / 2).copied().unwrap_or(0.0);
        let sure = Self::SURE.max(8.0 * median);
        Self { sure, logits: within(sure, &logits) }
    }

    /// Root of the mean squared difference of logits. Logits that are far larger than most are cut off: otherwise those of a
    /// single text could count more than those of all others together.
    pub(super) fn distance(&self, others: &[f32]) -> f64 {
        root_mean_square(&self.logits, &within(self.sure, others))
    }
}

/// Logits up to a size, of either sign.
fn within(size: f32, logits: &[f32]) -> Vec<f32> {
    logits.iter().map(|logit| logit.clamp(-size, size)).collect()
}

/// Root of the mean squared difference.
fn root_mean_square(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (squares / a.len().max(1) as f64).sqrt()
}

/// The hidden states of the calibration texts, layer by layer.
pub(super) struct States(Vec<LayerStates>);

/// The hidden states of a layer.
struct LayerStates {
    /// The states of each unit that are not zero, sorted.
    active: Vec<Vec<f32>>,
    /// The largest state of each unit in each text, sorted.
    largest: Vec<Vec<f32>>,
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
        let mut layers: Vec<LayerStates> =
            network.layers.iter().map(|layer| LayerStates::new(layer.units())).collect();
        for examples in Batches::by_length(&lengths, 128).iter() {
            let batch = Batch::new(examples, texts, pad_to);
            for (layer, states) in layers.iter_mut().zip(network.states(&batch, grid)) {
                layer.add(&batch, &states);
            }
        }
        layers.iter_mut().for_each(LayerStates::sort);
        Self(layers)
    }

    /// The share of states that are zero, of each layer.
    pub(super) fn zeros(&self) -> Vec<f64> {
        self.0.iter().map(LayerStates::zeros).collect()
    }

    /// Scales to try, each a list for each layer.
    pub(super) fn scales(&self) -> Vec<Vec<Vec<f32>>> {
        let of_layers: Vec<Vec<Vec<f32>>> = self.0.iter().map(LayerStates::scales).collect();
        let most = of_layers.iter().map(Vec::len).max().unwrap_or(0);
        // Where a layer has fewer to try, its last.
        (0..most)
            .map(|index| of_layers.iter().map(|scales| scales[index.min(scales.len() - 1)].clone()).collect())
            .collect()
    }
}

impl LayerStates {
    fn new(units: usize) -> Self {
        Self { active: vec![Vec::new(); units], largest: vec![Vec::new(); units], steps: 0 }
    }

    /// Those of a batch, `steps × texts × units`.
    fn add(&mut self, batch: &Batch, states: &[f32]) {
        let (units, texts) = (self.active.len(), batch.examples.len());
        let mut of_texts = vec![0f32; texts * units];
        for (place, (state, &token)) in states.chunks_exact(units).zip(&batch.tokens).enumerate() {
            if token != Batch::MASKED {
                self.steps += 1;
                let open = self.active.iter_mut().zip(state).filter(|(_, h)| **h != 0.0);
                open.for_each(|(seen, &h)| seen.push(h));
                let of_text = &mut of_texts[place % texts * units..][..units];
                of_text.iter_mut().zip(state).for_each(|(most, &h)| *most = most.max(h));
            }
        }
        for of_text in of_texts.chunks_exact(units) {
            self.largest.iter_mut().zip(of_text).for_each(|(largest, &most)| largest.push(most));
        }
    }

    fn sort(&mut self) {
        self.active
            .iter_mut()
            .chain(&mut self.largest)
            .for_each(|seen| seen.sort_unstable_by(f32::total_cmp));
    }

    fn zeros(&self) -> f64 {
        let active: usize = self.active.iter().map(Vec::len).sum();
        1.0 - active as f64 / (self.steps * self.active.len()).max(1) as f64
    }

    /// Scales to try, one for each unit: those at which nearly all of its active states fit into 0 to 127, and, if the
    /// states of a few texts lie far beyond those of the others, those at which all states of the other texts do.
    fn scales(&self) -> Vec<Vec<f32>> {
        let mut ranges: Vec<Vec<f32>> =
            [1.0, 0.9999, 0.999].map(|share| quantiles(&self.active, share)).into();
        for share in [0.99, 0.95, 0.9] {
            let of_texts = quantiles(&self.largest, share);
            let before = ranges.last().into_iter().flatten();
            if of_texts.iter().zip(before).any(|(range, before)| *range < 0.5 * before) {
                ranges.push(of_texts);
            }
        }
        ranges.iter().map(|ranges| scales(ranges)).collect()
    }
}

/// Of each unit's sorted values, the smallest that is as large as this share of them.
fn quantiles(values: &[Vec<f32>], share: f64) -> Vec<f32> {
    let quantile = |values: &Vec<f32>| {
        let index = (values.len() as f64 * share).ceil() as usize;
        values.get(index.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(0.0)
    };
    values.iter().map(quantile).collect()
}

/// The scales at which states up to these fit into 0 to 127.
fn scales(ranges: &[f32]) -> Vec<f32> {
    // A unit that is never active still needs a scale; any will do.
    let largest = ranges.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    ranges.iter().map(|range| range.max(largest * 1e-3) / 127.0).collect()
}
