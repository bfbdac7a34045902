//! Training: batches through the network, gradients to the optimizer, epoch after epoch.

pub(crate) mod checkpoint;
mod interrupt;
mod material;
mod schedule;
mod stopping;
mod validation;

use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::Device;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use interrupt::{Interrupt, Interrupted};
pub use material::{Material, Memory};
pub use validation::Split;

use self::schedule::LearningRate;
use self::stopping::Stopping;
use crate::network::loss::{Objective, Tally};
use crate::network::{Batch, Batches, Dropout, Grid, Network, Ruined, Training};
use crate::optim::{Optimizers, Ties};
use crate::quantize::{choose_grid, number_bits};
use crate::random::Stream;
use crate::recipe::{EmbeddingSquares, OptimizerKind, Recipe};
use crate::{evaluate, progress};

/// Encoded texts and their classes.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// Ids of the words.
    pub texts: &'a [Vec<u32>],
    /// Numbers of the classes.
    pub classes: &'a [usize],
    /// What a teacher thinks the answers should be: probabilities, `texts × outputs`.
    pub opinions: Option<&'a [f32]>,
}

/// What happened in an epoch, as `metrics.json` records it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1. Where early stopping ended the float epochs, the numbers of the rest of them are left out.
    pub epoch: usize,
    /// Mean training loss over the epoch's batches: with dropout, weights of classes, label smoothing and penalty.
    pub loss: f64,
    /// Accuracy over the same.
    pub accuracy: f64,
    /// Loss on the validation texts after the epoch, if there are any: with label smoothing and penalty, as in Keras, but
    /// without weights of classes.
    pub val_loss: Option<f64>,
    /// Accuracy on the same.
    pub val_accuracy: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: f32,
    /// How long it took.
    pub seconds: f64,
}

/// What is to be trained.
#[derive(Debug, Clone)]
pub struct Task<'a> {
    /// How.
    pub recipe: &'a Recipe,
    /// What is minimized.
    pub objective: Objective,
    /// The seed of all randomness.
    pub seed: u64,
    /// The row of unknown words, if they have one.
    pub unknown: Option<u32>,
    /// Which rows are those of pairs, if the vocabulary has any.
    pub ties: Option<&'a Ties>,
    /// To train on.
    pub train: Examples<'a>,
    /// To validate on.
    pub validation: Option<Examples<'a>>,
    /// Where the recurrence is computed.
    pub processor: Device,
}

/// Everything that changes from epoch to epoch besides the network. From network and state, a training goes on as if it had
/// never been interrupted, bit for bit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingState {
    optimizers: Optimizers,
    /// Epochs that are done, or that early stopping left out.
    done: usize,
    /// Where the sequences of random numbers stand.
    positions: [u128; 2],
    learning_rate: LearningRate,
    stopping: Stopping,
    /// The quantization grid of the quantized epochs, once they have begun.
    pub grid: Option<Grid>,
    /// The epochs so far.
    pub history: Vec<Epoch>,
    /// The epoch whose weights these are, if early stopping chose it.
    pub best_epoch: Option<usize>,
}

impl TrainingState {
    /// Before the first epoch.
    pub fn new(task: &Task<'_>, network: &Network) -> Self {
        Self {
            optimizers: Optimizers::new(task.recipe, network),
            done: 0,
            positions: [0; 2],
            learning_rate: LearningRate::new(task.recipe),
            stopping: Stopping::default(),
            grid: None,
            history: Vec::new(),
            best_epoch: None,
        }
    }
}

/// Trains `network` in place, from a state on, and returns the state at the end. `after_epoch` sees network and state after
/// each epoch, which is then the last in the state's history.
///
/// Early stopping ends the float epochs and the quantized epochs separately: either part ends with its best network, and the
/// quantized epochs begin where the schedule of the learning rate has them begin.
///
/// # Errors
///
/// With [`Interrupted`] if `interrupt` says so, with [`Ruined`] if the loss or the weights are not finite any more, and with
/// what `after_epoch` fails with.
pub fn fit(
    network: &mut Network,
    task: &Task<'_>,
    mut state: TrainingState,
    interrupt: &Interrupt,
    mut after_epoch: impl FnMut(&Network, &TrainingState) -> Result<()>,
) -> Result<TrainingState> {
    let recipe = task.recipe;
    let float_epochs = recipe.epochs - recipe.quantized_epochs;
    while state.done < recipe.epochs {
        if state.done == float_epochs && state.grid.is_none() {
            state.stopping.restore(network);
            state.learning_rate.start_over();
            let bits = number_bits(recipe, network);
            state.grid = Some(choose_grid(network, task.train.texts, recipe.pad_to(), bits)?);
        }
        let epoch = train_epoch(network, task, &mut state, interrupt)?;
        state.history.push(epoch);
        state.done += 1;
        if let Some(loss) = epoch.val_loss {
            state.learning_rate.observe(recipe, loss);
        }
        if state.stopping.observe(recipe, &epoch, network) {
            state.done = if state.grid.is_none() { float_epochs } else { recipe.epochs };
        }
        after_epoch(network, &state)?;
    }
    state.best_epoch = state.stopping.restore(network);
    Ok(state)
}

/// The next epoch.
fn train_epoch(
    network: &mut Network,
    task: &Task<'_>,
    state: &mut TrainingState,
    interrupt: &Interrupt,
) -> Result<Epoch> {
    let start = Instant::now();
    let Task { recipe, objective, seed, unknown, ties, train, validation, processor } = task;
    let epoch = state.done + 1;
    let grid = state.grid.as_ref();
    let mut order = Stream::Order.rng_at(*seed, state.positions[0]);
    let mut drops = Stream::Dropout.rng_at(*seed, state.positions[1]);
    let outputs = network.outputs();
    let squares = recipe.optimizer == OptimizerKind::Rmsprop
        && recipe.embedding_squares == EmbeddingSquares::Occurrence;
    let lengths: Vec<usize> = train.texts.iter().map(Vec::len).collect();
    let dropout = Dropout {
        embedding: recipe.embedding_dropout,
        recurrent: recipe.recurrent_dropout,
        layers: recipe.layer_dropout,
        state: recipe.dropout,
    };
    let steps = train.texts.len().div_ceil(recipe.batch);
    let progress = progress::bar(format!("epoch {epoch}/{}", recipe.epochs), train.texts.len(), "examples");
    let mut score = Tally::default();
    let mut learning_rate = recipe.learning_rate;
    let batches = Batches::shuffled(&lengths, recipe.batch, recipe.bucket_by_length, &mut order);
    for (step, examples) in (state.done * steps..).zip(batches.iter()) {
        interrupt.check()?;
        let mut batch = Batch::new(examples, train.texts, recipe.pad_to());
        if let Some(unknown) = *unknown {
            batch.forget(recipe.word_dropout, unknown, &mut drops);
        }
        let classes: Vec<usize> = examples.iter().map(|&example| train.classes[example]).collect();
        let opinions = train.opinions.map(|all| -> Vec<f32> {
            examples.iter().flat_map(|&example| &all[example * outputs..][..outputs]).copied().collect()
        });
        let training =
            Training { objective, opinions: opinions.as_deref(), squares, dropout, grid, processor };
        learning_rate = state.learning_rate.at(recipe, step, recipe.epochs * steps);
        let of_batch = state.optimizers.step(network, *ties, &batch.ids, learning_rate, |network| {
            network.backward(&batch, &classes, training, &mut drops)
        })?;
        score += of_batch;
        ensure!(
            of_batch.loss.is_finite(),
            Ruined(format!("training diverged in epoch {epoch}: the loss is no finite number any more"))
        );
        progress.inc(examples.len() as u64);
        progress.set_message(format!("loss {:.4}  accuracy {:.4}", score.mean_loss(), score.accuracy()));
    }
    progress.finish_and_clear();
    state.optimizers.settle(network, *ties);
    state.positions = [order.get_word_pos(), drops.get_word_pos()];
    // Weights that have grown in the epoch must still be weights that the device can add up.
    if let Some(grid) = &mut state.grid {
        grid.make_room(network);
    }
    let grid = state.grid.as_ref();
    let smoothing = objective.label_smoothing;
    let validated = validation
        .map(|Examples { texts, classes, .. }| {
            evaluate::float(network, texts, classes, smoothing, recipe.pad_to(), grid)
        })
        .transpose()?;
    Ok(Epoch {
        epoch,
        loss: score.mean_loss(),
        accuracy: score.accuracy(),
        val_loss: validated.map(|score| score.mean_loss() + network.penalty(objective.l2)),
        val_accuracy: validated.map(|score| score.accuracy()),
        learning_rate,
        seconds: start.elapsed().as_secs_f64(),
    })
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

#[cfg(test)]
mod tests;
