//! Training: batches through the network, gradients to the optimizer, epoch after epoch.

use std::time::Instant;

use anyhow::{Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::data::{Batch, Batches};
use crate::network::loss::Score;
use crate::network::{Dropout, Grid, Network};
use crate::optim::Optimizers;
use crate::quantize::{calibration, choose_grid};
use crate::recipe::{Recipe, Schedule};
use crate::{evaluate, progress};

/// Encoded texts and their classes.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// Ids of the words.
    pub texts: &'a [Vec<u32>],
    /// Numbers of the classes.
    pub classes: &'a [usize],
}

/// What happened in an epoch, as `metrics.json` records it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss over the epoch's batches, in training mode.
    pub loss: f64,
    /// Accuracy over the same.
    pub accuracy: f64,
    /// Mean loss on the validation texts afterwards, if there are any.
    pub val_loss: Option<f64>,
    /// Accuracy on the same.
    pub val_accuracy: Option<f64>,
    /// Learning rate at the end.
    pub learning_rate: f32,
    /// Duration.
    pub seconds: f64,
}

/// Where an independent sequence of random numbers is drawn: what is added to one does not shift the others.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// Initial weights.
    Weights,
    /// Order of the examples.
    Order,
    /// Dropout.
    Dropout,
}

impl Stream {
    /// The generator of this sequence.
    pub fn rng(self, seed: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self as u64);
        rng
    }
}

/// Trains in place. `after_epoch` sees each epoch's record as soon as there is one. Returns the
/// grid on which the last epochs computed, if the recipe has such epochs.
pub fn fit(
    network: &mut Network,
    recipe: &Recipe,
    seed: u64,
    unknown: Option<u32>,
    train: Examples<'_>,
    validation: Option<Examples<'_>>,
    mut after_epoch: impl FnMut(&Epoch) -> Result<()>,
) -> Result<Option<Grid>> {
    let mut order = Stream::Order.rng(seed);
    let mut drops = Stream::Dropout.rng(seed);
    let lengths: Vec<usize> = train.texts.iter().map(Vec::len).collect();
    let dropout = Dropout { embedding: recipe.embedding_dropout, state: recipe.dropout };
    let mut optimizers = Optimizers::new(recipe, network);
    let steps = recipe.epochs * train.texts.len().div_ceil(recipe.batch);
    let mut step = 0;
    let mut grid: Option<Grid> = None;
    for epoch in 1..=recipe.epochs {
        let start = Instant::now();
        if epoch > recipe.epochs - recipe.quantized_epochs && grid.is_none() {
            grid = Some(choose_grid(network, &calibration(train.texts), recipe.pad_to())?);
        }
        let name = format!("epoch {epoch}/{}", recipe.epochs);
        let progress = progress::bar(name, train.texts.len(), "examples");
        let mut score = Score::default();
        let mut learning_rate = recipe.learning_rate;
        for examples in Batches::shuffled(&lengths, recipe.batch, recipe.bucket_by_length, &mut order).iter()
        {
            let mut batch = Batch::new(examples, train.texts, recipe.pad_to());
            if let Some(unknown) = unknown {
                batch.forget(recipe.word_dropout, unknown, &mut drops);
            }
            let classes: Vec<usize> = examples.iter().map(|&example| train.classes[example]).collect();
            let (of_batch, gradients) =
                network.backward(&batch, &classes, dropout, grid.as_ref(), &mut drops)?;
            learning_rate = recipe.learning_rate * schedule(recipe.schedule, step, steps);
            optimizers.step(network, gradients, learning_rate);
            step += 1;
            score += of_batch;
            ensure!(
                of_batch.loss.is_finite(),
                "training diverged in epoch {epoch}: the loss is {} (lower learning_rate, or set clip_norm)",
                of_batch.loss
            );
            progress.inc(examples.len() as u64);
            progress.set_message(format!("loss {:.4}  accuracy {:.4}", score.mean_loss(), score.accuracy()));
        }
        progress.finish_and_clear();
        let validated = match validation {
            Some(Examples { texts, classes }) => {
                Some(evaluate::float(network, texts, classes, recipe.pad_to(), grid.as_ref())?)
            }
            None => None,
        };
        after_epoch(&Epoch {
            epoch,
            loss: score.mean_loss(),
            accuracy: score.accuracy(),
            val_loss: validated.map(|score| score.mean_loss()),
            val_accuracy: validated.map(|score| score.accuracy()),
            learning_rate,
            seconds: start.elapsed().as_secs_f64(),
        })?;
    }
    Ok(grid)
}

/// The share of the initial learning rate at a step.
fn schedule(schedule: Schedule, step: usize, steps: usize) -> f32 {
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / steps as f32).cos()),
    }
}

impl Batch {
    /// Reads a share of the words as unknown (word dropout).
    fn forget(&mut self, share: f32, unknown: u32, rng: &mut ChaCha8Rng) {
        if share == 0.0 {
            return;
        }
        let known = self.ids.iter().position(|&id| id == unknown);
        let index = known.unwrap_or_else(|| {
            self.ids.push(unknown);
            self.ids.len() - 1
        }) as u32;
        for token in self.tokens.iter_mut().filter(|token| **token != Self::MASKED) {
            if rng.random::<f32>() < share {
                *token = index;
            }
        }
    }
}
