//! The cells: what a recurrent layer computes at each step, forward and backward, one file each.
//!
//! [`Recurrence`](super::recurrence::Recurrence) is what they share: it takes batches through all steps, makes the matrix
//! products, and keeps what the backward pass needs. A cell is what happens between the products of a step. The list of
//! cells is [`Cell`], its `new`, and `with_definition`.

mod fastgrnn;
mod gru;
mod lstm;
mod simple_rnn;
mod sum;

use candle_core::{Result, Tensor};
use kilornn::layers::Activation;
use pulp::Simd;

pub(super) use self::fastgrnn::FastGrnn;
pub(super) use self::gru::Gru;
pub(super) use self::lstm::Lstm;
pub(super) use self::simple_rnn::SimpleRnn;
pub(crate) use self::sum::{Sum, int8};
use super::Parameter;
use super::state_grid::StateGrid;
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
    /// EdgeML's `FastGRNNCell`.
    FastGrnn,
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
            CellKind::FastGrnn => Self::FastGrnn,
        }
    }
}

/// Computes something of a cell's [`Definition`], whose type differs from cell to cell.
macro_rules! with_definition {
    ($cell:expr, |$definition:ident| $body:expr) => {
        match $cell {
            $crate::network::cells::Cell::SimpleRnn { activation, limit } => {
                let $definition = $crate::network::cells::SimpleRnn { activation, limit };
                $body
            }
            $crate::network::cells::Cell::Gru => {
                let $definition = $crate::network::cells::Gru;
                $body
            }
            $crate::network::cells::Cell::Lstm => {
                let $definition = $crate::network::cells::Lstm;
                $body
            }
            $crate::network::cells::Cell::FastGrnn => {
                let $definition = $crate::network::cells::FastGrnn;
                $body
            }
        }
    };
}
pub(super) use with_definition;

/// What the network asks of a cell, besides its [`Step`]. Each cell answers in its own file.
pub(super) trait Definition {
    /// Its step.
    type Step: Step + Send + 'static;

    /// What a recipe calls it.
    fn kind(&self) -> CellKind;

    /// Its step, with states on the quantization grid, if given. States that the cell does not bound are at most `limit`.
    fn step(&self, states: Option<&StateGrid>, limit: f32) -> Self::Step;

    /// One step from candle's operations: the state, and what the cell keeps beside it.
    fn composed(&self, at: Composed<'_>) -> Result<[Tensor; 2]>;

    /// How the device sums up a column of the kernels, in a layer of so many units.
    fn sum(&self, units: usize, column: usize) -> Sum;

    /// Whether a part of the kernels' columns is that of a candidate, whose activation is tanh, and not of a gate.
    fn is_candidate(&self, part: usize) -> bool;

    /// Names of the kernel, the recurrent kernel and the bias.
    fn names(&self) -> [&'static str; 3] {
        ["kernel", "recurrent_kernel", "bias"]
    }

    /// Rows of the bias. The first is part of the input product.
    fn bias_rows(&self) -> usize {
        1
    }

    /// Parameters besides kernels and bias.
    fn further(&self) -> &'static [Further] {
        &[]
    }

    /// Whether a recipe may let the recurrent kernel begin as nearly the identity.
    fn may_begin_as_identity(&self) -> bool {
        false
    }

    /// Sets what of bias and further parameters does not begin as zero.
    fn begin(&self, _bias: &mut Parameter, _further: &mut [Parameter], _: &Recipe) {}

    /// What the step needs of a layer besides the weights of its kernels: [`Step::BEHIND`] parts of a number for each unit; on
    /// the quantization grid, if given.
    fn behind(&self, _bias: &Parameter, _further: &[Parameter], _: Option<&StateGrid>) -> Vec<f32> {
        Vec::new()
    }

    /// From the gradient of what [`behind`](Self::behind) gives to those of the further parameters. It adds to the gradient of
    /// the bias, which has that of the first row, what is due to it.
    fn of_behind(&self, _: &[Parameter], _behind: Vec<f32>, _of_bias: &mut Vec<f32>) -> Vec<Vec<f32>> {
        Vec::new()
    }
}

/// A parameter of a cell besides kernels and bias. Neither weight decay nor a penalty holds it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Further {
    pub(super) name: &'static str,
    /// Whether it is a number for each unit, or only one.
    pub(super) of_units: bool,
}

/// What candle's operations compute a step from.
pub(super) struct Composed<'a> {
    /// `W·x + b`, `texts × gates·units`.
    pub(super) inputs: &'a Tensor,
    /// `U·h`, likewise.
    pub(super) recurrent: &'a Tensor,
    /// What [`Definition::behind`] gives, in one row.
    pub(super) behind: &'a Tensor,
    /// The state before, and what the cell keeps beside it, both zeros at first.
    pub(super) before: [&'a Tensor; 2],
}

impl Composed<'_> {
    /// A part of a tensor's columns.
    pub(super) fn part(&self, of: &Tensor, part: usize) -> Result<Tensor> {
        let units = self.before[0].dim(1)?;
        of.narrow(1, part * units, units)
    }

    /// An accumulator.
    pub(super) fn sum(&self, part: usize) -> Result<Tensor> {
        self.part(self.inputs, part)? + self.part(self.recurrent, part)?
    }
}

impl Cell {
    /// What a recipe calls it.
    pub fn kind(self) -> CellKind {
        with_definition!(self, |cell| cell.kind())
    }

    /// Accumulators of a unit: columns of its kernels.
    pub fn gates(self) -> usize {
        with_definition!(self, |cell| gates(&cell))
    }

    /// Its gates, as numbers between 0 and 1, among what it keeps of each step ([`Trace`](super::Trace)): none for a SimpleRNN.
    pub fn openings(self) -> &'static [Opening] {
        with_definition!(self, |cell| openings(&cell))
    }

    /// Rows of its bias: a GRU's second one is added to the recurrent product.
    pub fn bias_rows(self) -> usize {
        with_definition!(self, |cell| cell.bias_rows())
    }

    /// The shape of its bias in Keras's weights, for so many columns: one axis, but for a GRU's, which has two.
    pub(crate) fn bias_shape(self, columns: usize) -> Vec<usize> {
        match self.bias_rows() {
            1 => vec![columns],
            rows => vec![rows, columns],
        }
    }
}

/// Parts of an accumulator.
fn gates<D: Definition>(_: &D) -> usize {
    D::Step::GATES
}

/// Gates among what is kept of a step.
fn openings<D: Definition>(_: &D) -> &'static [Opening] {
    D::Step::OPENINGS
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
    /// Which of the parts that the backward pass leaves of a step are, summed up over steps and texts, the gradients of what
    /// stands behind the weights of the recurrent kernel ([`Definition::behind`]), part by part. The recurrent product of a cell
    /// that needs it apart begins with them: they are its bias.
    const BEHIND: &'static [usize] = &[];
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
    /// `U·h`, which begins with what stands behind the recurrent kernel; empty if the cell does not need it apart.
    pub(super) recurrent: &'a [f32],
    /// What stands behind the weights of the recurrent kernel.
    pub(super) behind: &'a [f32],
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
    /// What stands behind the weights of the recurrent kernel.
    pub(super) behind: &'a [f32],
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
