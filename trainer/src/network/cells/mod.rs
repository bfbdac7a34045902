//! The cells: what a recurrent layer computes at each step, forward and backward, one file each.
//!
//! [`Recurrence`](super::recurrence::Recurrence) is what they share: it takes batches through all steps, makes the matrix
//! products, and keeps what the backward pass needs. A cell is what happens between the products of a step.

mod gru;
mod lstm;
mod simple_rnn;

use kilornn::layers::Activation;

pub(super) use self::gru::GruStep;
pub(super) use self::lstm::LstmStep;
pub(super) use self::simple_rnn::SimpleRnnStep;
use crate::recipe::{CellKind, Recipe};

/// The cell of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Keras's `SimpleRNN`.
    SimpleRnn {
        /// From accumulators to states.
        activation: Activation,
        /// The most that a state may be with ReLU; infinity without a limit.
        limit: f32,
    },
    /// Keras's `GRU` with `reset_after=True`; gates in the order z, r, n (Keras calls the last one h).
    Gru,
    /// Keras's `LSTM`; gates in the order i, f, g, o (Keras calls the third one c).
    Lstm,
}

impl Cell {
    /// That of a recipe.
    pub(crate) fn new(kind: CellKind, recipe: &Recipe) -> Self {
        match kind {
            CellKind::SimpleRnn => Self::SimpleRnn {
                activation: recipe.activation.into(),
                limit: if recipe.state_limit == 0.0 { f32::INFINITY } else { recipe.state_limit },
            },
            CellKind::Gru => Self::Gru,
            CellKind::Lstm => Self::Lstm,
        }
    }

    /// What a recipe calls it.
    pub fn kind(self) -> CellKind {
        match self {
            Self::SimpleRnn { .. } => CellKind::SimpleRnn,
            Self::Gru => CellKind::Gru,
            Self::Lstm => CellKind::Lstm,
        }
    }

    /// Accumulators of a unit: columns of its kernels.
    pub fn gates(self) -> usize {
        match self {
            Self::SimpleRnn { .. } => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// Its gates, as numbers between 0 and 1, among what it keeps of each step ([`Trace`](super::Trace)): none for a SimpleRNN.
    pub fn openings(self) -> &'static [Opening] {
        match self {
            Self::SimpleRnn { .. } => SimpleRnnStep::OPENINGS,
            Self::Gru => GruStep::OPENINGS,
            Self::Lstm => LstmStep::OPENINGS,
        }
    }

    /// Rows of its bias: a GRU's second one is added to the recurrent product.
    pub fn bias_rows(self) -> usize {
        match self {
            Self::Gru => 2,
            Self::SimpleRnn { .. } | Self::Lstm => 1,
        }
    }
}

/// A gate: a number between 0 (closed) and 1 (open) for each unit, and what it lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// What it is called: `update`, ...
    pub name: &'static str,
    /// What it lets through, in a sentence for a reader who does not know the cell.
    pub about: &'static str,
    /// Which part of what is kept of a step it is.
    pub part: usize,
    /// Whether it is the gate that decides how long a unit remembers.
    pub keeps: bool,
}

/// What a cell computes for one text at one step.
///
/// All slices hold `units` numbers for each of several parts, part after part. Accumulators come in two halves, `inputs`
/// (`W·x + b`) and `recurrent` (`U·h`, with the recurrent bias if the cell has one), `gates` parts each.
pub(super) trait Step: Sync {
    /// Parts of an accumulator.
    const GATES: usize;
    /// Parts that are kept of each step for the backward pass and for the next step, besides the state.
    const KEPT: usize;
    /// Which of these are gates.
    const OPENINGS: &'static [Opening] = &[];
    /// Whether the recurrent product has a bias of its own, the last row of the recurrent kernel.
    const RECURRENT_BIAS: bool;
    /// Whether the gradient of `recurrent` is another than that of `inputs`.
    const SPLIT: bool;
    /// Parts that the backward pass carries from a step to the one before it, besides the gradient of the state.
    const CARRIED: usize;
    /// The name of the operation.
    const NAME: &'static str;

    /// From accumulators to the state and to what is kept of this step. `before` is what was kept of the step before it:
    /// zeros at a text's first.
    fn forward(&self, at: Forward<'_>);

    /// From the gradient of the state to those of the accumulators; changes what is carried.
    fn backward(&self, at: Backward<'_>);
}

/// One text at one step, forward.
pub(super) struct Forward<'a> {
    pub(super) inputs: &'a [f32],
    pub(super) recurrent: &'a [f32],
    pub(super) before: Before<'a>,
    pub(super) kept: &'a mut [f32],
    pub(super) state: &'a mut [f32],
}

/// The step before: its state, and what was kept of it.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) state: &'a [f32],
    pub(super) kept: &'a [f32],
}

/// One text at one step, backward.
pub(super) struct Backward<'a> {
    /// The gradient of the state.
    pub(super) gradient: &'a [f32],
    pub(super) carried: &'a mut [f32],
    pub(super) before: Before<'a>,
    pub(super) kept: &'a [f32],
    pub(super) state: &'a [f32],
    pub(super) of_inputs: &'a mut [f32],
    /// Empty if it is the same as `of_inputs`.
    pub(super) of_recurrent: &'a mut [f32],
}

/// `1 / (1 + e^-x)`.
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Cuts a slice into `N` parts of equal length.
fn parts<const N: usize>(values: &[f32]) -> [&[f32]; N] {
    let units = values.len() / N;
    std::array::from_fn(|part| &values[part * units..][..units])
}

/// The same, to write into.
fn parts_mut<const N: usize>(values: &mut [f32]) -> [&mut [f32]; N] {
    let units = values.len() / N;
    let mut rest = values;
    std::array::from_fn(|_| {
        let (part, more) = std::mem::take(&mut rest).split_at_mut(units);
        rest = more;
        part
    })
}
