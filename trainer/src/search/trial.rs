//! One training of one size, as `kilornn train` does it, judged by what the device answers.

use anyhow::Result;
use indicatif::ProgressBar;
use kilornn::Model;
use serde::{Deserialize, Serialize};

use super::size::Size;
use crate::data::Dataset;
use crate::evaluate;
use crate::fit::{Interrupt, Interrupted, Material, Memory, TrainingState, fit};
use crate::footprint::{Shape, classifier};
use crate::quantize::export;
use crate::recipe::Recipe;

/// One training: its size, its seed and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// The network's size. In the files of sweeps its key is `shape`.
    #[serde(rename = "shape")]
    pub size: Size,
    /// The seed of its training.
    pub seed: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// A model.
    Measured(Measurements),
    /// No model that could run on a device, and why.
    Failed(String),
}

/// Measurements of a quantized model on the texts that validate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurements {
    /// Bytes of its file.
    pub bytes: usize,
    /// The share of texts that it answers correctly.
    pub accuracy: f64,
    /// Mean cross-entropy of its answers.
    pub loss: f64,
    /// Texts that validated.
    pub examples: usize,
    /// Share of zeros in its hidden states.
    pub zeros: f64,
    /// Multiply-accumulates that a word costs the device, on average.
    pub macs_per_word: f64,
    /// Bytes of RAM that its classifier takes, at most.
    pub ram: usize,
    /// Epochs that were trained.
    pub epochs: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Trains a network of one size. Only an interruption is an error: if the training itself fails, that is its outcome.
pub(super) fn run(
    recipe: &Recipe,
    size: Size,
    seed: u64,
    data: &Dataset,
    memory: &Memory,
    interrupt: &Interrupt,
    mut after_epoch: impl FnMut(),
) -> Result<Trial> {
    let outcome = match measure(recipe, seed, data, memory, interrupt, &mut after_epoch) {
        Ok(measured) => Outcome::Measured(measured),
        Err(error) if error.is::<Interrupted>() => return Err(error),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    Ok(Trial { size, seed, outcome })
}

fn measure(
    recipe: &Recipe,
    seed: u64,
    data: &Dataset,
    memory: &Memory,
    interrupt: &Interrupt,
    after_epoch: &mut dyn FnMut(),
) -> Result<Measurements> {
    let start = std::time::Instant::now();
    let material = Material::remembering(recipe, seed, data, memory)?;
    let task = material.task(recipe, seed);
    let mut network = material.network(recipe, seed);
    let state = TrainingState::new(&task, &network);
    let state = fit(&mut network, &task, state, interrupt, |_, _| {
        after_epoch();
        Ok(())
    })?;
    let sample = material.sample(data);
    let exported = export(&network, &material.encoder, recipe, &data.labels, &sample, state.grid.as_ref())?;
    let model = Model::from_bytes(&exported.file)?;
    let (_, validation) = data.validating(&material.held).unwrap_or_default();
    let (_, score) = evaluate::quantized(&model, &validation, &ProgressBar::hidden());
    let contents = model.contents();
    Ok(Measurements {
        bytes: exported.file.len(),
        accuracy: score.accuracy(),
        loss: score.mean_loss(),
        examples: score.examples,
        zeros: exported.zeros,
        macs_per_word: Shape::of(contents).products(exported.zeros),
        ram: classifier(contents),
        epochs: state.history.len(),
        seconds: start.elapsed().as_secs_f64(),
    })
}
