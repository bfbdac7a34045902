//! The cells: what a recurrent layer computes at each step, forward and backward, one file each.
//!
//! [`Recurrence`](super::recurrence::Recurrence) is what they share: it takes batches through all steps, makes the matrix
//! products, and keeps what the backward pass needs. A cell is what happens between the products of a step.

mod gru;
mod lstm;
mod simple_rnn;

use kilornn::layers::Activation;
use pulp::Simd;

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

    /// The shape of its bias in Keras's weights, for so many columns: one axis, but for a GRU's, which has two.
    pub(crate) fn bias_shape(self, columns: usize) -> Vec<usize> {
        match self.bias_rows() {
            1 => vec![columns],
            rows => vec![rows, columns],
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

/// What a cell computes at one step, for the texts of a block at once.
///
/// A part is a number for each unit of each text, `texts × units`; slices hold one part or several, part after part.
/// Accumulators are made of `W·x + b` and `U·h`, [`GATES`](Self::GATES) parts each.
pub(super) trait Step: Sync {
    /// Parts of an accumulator.
    const GATES: usize;
    /// Parts that are kept of each step for the backward pass and for the next step, besides the state: as many as an accumulator
    /// has, or more; or none, if that has one.
    const KEPT: usize;
    /// Which of these are gates.
    const OPENINGS: &'static [Opening] = &[];
    /// Whether the recurrent product has a bias of its own, the last row of the recurrent kernel.
    const RECURRENT_BIAS: bool;
    /// Whether the cell needs the two halves of an accumulator apart.
    const SPLIT: bool;
    /// Which of the parts that the backward pass leaves of a step are the gradients of `U·h`. Those of `W·x + b` are the first.
    const RECURRENT: &'static [usize];
    /// Parts that the backward pass carries from a step to the one before it, besides the gradient of the state.
    const CARRIED: usize;
    /// The name of the operation.
    const NAME: &'static str;

    /// From accumulators to the state and to what is kept of this step.
    fn forward<S: Simd>(&self, simd: S, at: Forward<'_>);

    /// From the gradient of the state to those of the accumulators; changes what is carried.
    fn backward<S: Simd>(&self, simd: S, at: Backward<'_>);
}

/// One step, forward.
pub(super) struct Forward<'a> {
    /// `U·h`, with the recurrent bias if the cell has one; empty if the cell does not need it apart.
    pub(super) recurrent: &'a [f32],
    pub(super) before: Before<'a>,
    /// The first parts hold `W·x + b`, or the whole accumulators if the cell does not need their halves; to be replaced by what is
    /// kept of this step.
    pub(super) kept: &'a mut [f32],
    /// Of a cell that keeps nothing, this holds the accumulators; to be replaced by the state.
    pub(super) state: &'a mut [f32],
}

/// The step before: its state, and what was kept of it. Zeros at a text's first step.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) state: &'a [f32],
    pub(super) kept: &'a [f32],
}

/// One step, backward.
pub(super) struct Backward<'a> {
    /// The gradient of the state.
    pub(super) gradient: &'a [f32],
    pub(super) carried: &'a mut [f32],
    pub(super) before: Before<'a>,
    pub(super) state: &'a [f32],
    /// What was kept of this step; to be replaced by the gradients of the accumulators. Of a cell that keeps nothing, room
    /// for these.
    pub(super) kept: &'a mut [f32],
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
