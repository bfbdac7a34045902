//! The exporter: a float network is quantized and becomes a `.kilo` file.
//!
//! The quantization scales ([`Grid`]) are calibrated: of several candidates, those are taken with which the logits of a sample
//! of the training texts change least. A network that was trained in quantized epochs keeps the grid of these.

mod calibrate;
mod cells;
mod layers;
mod size;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use kilornn::State;
use kilornn::layers::{Embedding, Order};
use kilornn::text::{Normalization, Vocabulary};
use kilornn::{Contents, Head, Input, Model, PadStates, Padding, Sequence, Text, Truncating, Unknown, file};

pub use calibrate::{Sample, choose_grid};
pub use cells::order;
pub use size::FileSize;

use self::calibrate::{ReferenceLogits, States, choose};
use self::cells::{exported, filled};
use self::layers::{IntDense, IntNetwork, IntTables, row_width};
use crate::evaluate::{logits, real_logits};
use crate::network::{Cell, Grid, Layer, Network, Ruined};
use crate::predict::predict_all;
use crate::recipe::{EmbeddingBits, Fold, Pads, Recipe, UnknownWords};
use crate::text::{Encoder, PAD, PerfectHash, normalization};

/// A folded table may take as much flash even if the unfolded one is smaller.
const FOLDED_LIMIT: usize = 1 << 20;

/// What [`export`] makes.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The `.kilo` file.
    pub file: Vec<u8>,
    /// Root of the mean squared difference of real logits to those of the network as it was trained, on the calibration
    /// texts; of answers that are far surer than most only what makes them less so.
    pub logit_error: f64,
    /// The share of zeros in its hidden states, on the same texts: the mean of its SimpleRNNs, which gain by them; without one, of
    /// all its layers.
    pub zeros: f64,
}

/// Quantizes a trained network, on the grid on which it was trained or on the best for it. The texts of `sample` calibrate.
///
/// # Errors
///
/// With [`Ruined`] if the network's weights are not finite, or beyond what a device's integers can hold.
pub fn export(
    network: &Network,
    encoder: &Encoder,
    recipe: &Recipe,
    labels: &[String],
    sample: &Sample<'_>,
    trained_on: Option<&Grid>,
) -> Result<Exported> {
    let (ids, pad_to) = (&sample.ids, recipe.pad_to());
    // The network as it was trained: after quantized epochs that is the one on their grid.
    let answers = ReferenceLogits::new(logits(network, ids, pad_to, trained_on)?);
    let states = States::new(network, ids, pad_to, trained_on);
    let zeros = states.zeros();
    let grid = match trained_on {
        Some(grid) => Cow::Borrowed(grid),
        None => {
            let bits = number_bits(recipe, network);
            Cow::Owned(choose(network, ids, pad_to, bits, &answers, || states.scales())?)
        }
    };
    let integers = Integers::new(network, recipe, labels, encoder.perfect_hash()?, &grid, &zeros)?;
    let file = encode(&integers.contents()?)?;
    let model = Model::from_bytes(&file).map_err(beyond_integers)?;
    let logit_error = answers.distance(&device_logits(&model, &sample.texts));
    let is_simple = |layer: &&(&Layer, &f64)| matches!(layer.0.cell, Cell::SimpleRnn { .. });
    let layers: Vec<(&Layer, &f64)> = network.layers.iter().zip(&zeros).collect();
    let simple: Vec<f64> = layers.iter().filter(is_simple).map(|(_, zeros)| **zeros).collect();
    let counted = if simple.is_empty() { &zeros } else { &simple };
    let zeros = counted.iter().sum::<f64>() / counted.len() as f64;
    Ok(Exported { file, logit_error, zeros })
}

/// Bits of a word's numbers in the file; none if the embedding is folded.
pub fn number_bits(recipe: &Recipe, network: &Network) -> Option<EmbeddingBits> {
    // All rows but the pad's.
    let rows = network.embedding.shape[0];
    let folded = (rows - 1) * network.lowest().kernel.shape[1];
    let width = row_width(network, recipe.embedding_bits);
    let narrow = (rows - 1) * width * usize::from(u8::from(recipe.embedding_bits)) / 8;
    let fold = match recipe.fold {
        Fold::Always => true,
        Fold::Never => false,
        Fold::Auto => folded <= narrow.max(FOLDED_LIMIT),
    };
    (!fold).then_some(recipe.embedding_bits)
}

/// Real logits of the texts, as the device computes them.
fn device_logits(model: &Model<'_>, texts: &[&str]) -> Vec<f32> {
    real_logits(model, &predict_all(model, texts, &ProgressBar::hidden()))
}

/// All integers of a model, in the form that its file has.
struct Integers<'h> {
    labels: String,
    normalization: Normalization,
    vocabulary: Vocabulary<'h>,
    unknown: Unknown,
    maxlen: u32,
    truncating: Truncating,
    tables: IntTables,
    dense: IntDense,
    /// What is done about pads.
    pads: Pad,
}

impl<'h> Integers<'h> {
    /// Those of a network on a grid; `zeros` is the share of zeros in the states of each layer. The words are those of `hash`.
    fn new(
        network: &Network,
        recipe: &Recipe,
        labels: &[String],
        hash: &'h PerfectHash,
        grid: &Grid,
        zeros: &[f64],
    ) -> Result<Self> {
        // Rows in the order of slots; empty slots are never read, but for false fingerprints.
        let unknown = (recipe.unknown == UnknownWords::Row).then(|| network.embedding.shape[0] as u32 - 1);
        let empty = unknown.unwrap_or(PAD);
        let words = hash.words().iter();
        let mut ids: Vec<u32> =
            words.map(|word| word.map_or(empty, |word| word + 1)).chain(unknown).collect();
        let stores_pad_states = matches!(network.layers[..], [Layer { cell: Cell::SimpleRnn { .. }, .. }]);
        if recipe.padding == Pads::Tokens && !stores_pad_states {
            ids.push(PAD);
        }

        let whole = IntNetwork::new(network, grid);
        let orders: Vec<Order> = network
            .layers
            .iter()
            .zip(whole.widths())
            .zip(zeros)
            .map(|((layer, width), &zeros)| exported(layer.cell).order(filled(layer.units()) + width, zeros))
            .collect();
        let mut integers = Self {
            labels: labels.join("\n"),
            normalization: normalization(recipe),
            vocabulary: hash.vocabulary(),
            unknown: recipe.unknown.into(),
            maxlen: recipe.maxlen as u32,
            truncating: recipe.truncating.into(),
            tables: whole.tables(&ids, &orders),
            dense: IntDense::new(network, grid),
            pads: Pad::None,
        };
        if recipe.padding == Pads::Tokens {
            integers.pads = Pad::Steps;
            if stores_pad_states {
                // A model that has no word but the pad.
                let tables = whole.tables(&[PAD], &orders);
                let contents = integers.contents()?;
                let pad = Contents {
                    input: Input::Text(Text {
                        normalization: integers.normalization,
                        vocabulary: Vocabulary { seed: 0, slots: 0, pilots: &[], fingerprints: &[] },
                        unknown: Unknown::Row,
                        sequence: Sequence { maxlen: 0, truncating: Truncating::Post, padding: None },
                        embedding: tables.embedding(),
                    }),
                    layers: tables.layers().context(TOO_MANY)?,
                    ..contents
                };
                integers.pads = Pad::States(Orbit::of_pads(&pad, recipe.maxlen)?);
            }
        }
        Ok(integers)
    }

    /// A view of them all.
    fn contents(&self) -> Result<Contents<'_>> {
        Ok(Contents {
            labels: &self.labels,
            input: Input::Text(Text {
                normalization: self.normalization,
                vocabulary: self.vocabulary,
                unknown: self.unknown,
                sequence: Sequence {
                    maxlen: self.maxlen,
                    truncating: self.truncating,
                    padding: match &self.pads {
                        Pad::None => None,
                        Pad::States(orbit) => Some(Padding::States(orbit.view())),
                        Pad::Steps => Some(Padding::Row),
                    },
                },
                embedding: self.tables.embedding(),
            }),
            layers: self.tables.layers().context(TOO_MANY)?,
            head: Head::Classes(self.dense.view()),
        })
    }
}

/// Why there is no file of a network.
const TOO_MANY: &str = "a model file has at most four recurrent layers";

/// What a model does about pads.
enum Pad {
    /// It has none.
    None,
    /// It stores the states after them: a network of one SimpleRNN.
    States(Orbit),
    /// It takes a step for each.
    Steps,
}

/// The states after 0, 1, 2, ... pads, up to where they repeat.
struct Orbit {
    states: Vec<u8>,
    count: u32,
    /// The state that follows the last.
    cycle: u32,
}

impl Orbit {
    /// By the device's own step in row 0, up to `longest` pads.
    fn of_pads(pad: &Contents<'_>, longest: usize) -> Result<Self> {
        let model = Model::from_contents(*pad).map_err(beyond_integers)?;
        let mut state = State::<512>::zero(&model)?;
        let mut seen: HashMap<Vec<i8>, u32> = HashMap::new();
        let mut states = Vec::new();
        for index in 0..=longest as u32 {
            let now: Vec<i8> = state.values().iter().map(|h| h as i8).collect();
            if let Some(&cycle) = seen.get(&now) {
                return Ok(Self { states, count: index, cycle });
            }
            states.extend(now.iter().map(|&h| h as u8));
            seen.insert(now, index);
            model.step(0, &mut state);
        }
        Ok(Self { states, count: longest as u32 + 1, cycle: 0 })
    }

    fn view(&self) -> PadStates<'_> {
        PadStates { states: &self.states, count: self.count, cycle: self.cycle }
    }
}

/// The file of these contents. Whether a device accepts it is another question.
fn encode(contents: &Contents<'_>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 4096 + contents.labels.len() + contents_size(contents)];
    let file = file::encode(contents, &mut buffer).context("the model file is larger than its tables")?;
    let length = file.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// Why a device refuses what was made of a network.
fn beyond_integers(error: kilornn::Error) -> Ruined {
    Ruined(format!("the network's weights are beyond what a device's integers can hold: {error}"))
}

/// Bytes of all tables together.
fn contents_size(contents: &Contents<'_>) -> usize {
    let text = contents.text().map_or(0, |text| {
        let table = match text.embedding {
            Embedding::Folded => 0,
            Embedding::Projected { table, .. } => table.bytes().len(),
        };
        let states = text.sequence.padding.as_ref().and_then(Padding::states);
        let states = states.map_or(0, |states| states.states.len());
        text.vocabulary.pilots.len() + text.vocabulary.fingerprints.len() + table + states
    });
    let layers: usize = contents.layers.iter().map(|layer| layer.weights().len()).sum();
    text + layers + contents.dense().map_or(0, |dense| dense.kernel.len() + dense.bias.len())
}
