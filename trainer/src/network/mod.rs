//! The float network: Embedding, SimpleRNN with ReLU or tanh, Dense. Forward and backward, in floats and on the grid of the
//! device's integers.
//!
//! What is candle's: tensors, the dense layer, autograd around it and from it back into the recurrence, the whole recurrence
//! on devices that are not the CPU (`composed`, from candle's operations), and reading and writing weights
//! (safetensors, NumPy).
//!
//! What is ours, and why:
//! - the recurrence on the CPU (`Recurrence`, a `CustomOp2` with a backward pass of its own): candle has no SimpleRNN, and
//!   its autograd would keep some nodes for each step of a text;
//! - the input product (`projection`), made once for each distinct word of a batch, and matrix products on slices
//!   (`kernels`) whose bits do not depend on the number of threads;
//! - rounding to the quantization grid ([`Grid`]) with a straight-through estimator, which candle has not;
//! - losses in doubles ([`loss`]) and seeded initializers (`initializers`); their pages say what candle's lack;
//! - parameters as plain vectors ([`Parameter`]) rather than a `VarMap`: optimizers update a few rows of a large embedding in
//!   place, which a `Var` cannot. Where candle is wanted, [`Parameter`] makes a tensor.

mod backward;
mod batch;
mod composed;
mod dropout;
mod grid;
mod initializers;
mod kernels;
pub mod loss;
mod projection;
mod recurrence;
#[cfg(test)]
mod tests;
mod weights;

use std::borrow::Cow;
use std::fmt;

use candle_core::{Device, Result, Tensor};
use candle_nn::{Linear, Module};
use gemm::Parallelism;
use kilornn::layers::Activation;
use rand_chacha::ChaCha8Rng;

pub use backward::{Gradients, Training};
pub use batch::{Batch, Batches};
pub use dropout::Dropout;
pub use grid::{Grid, Numbers};
pub use weights::{Array, Unfit};

pub(crate) use self::grid::int8;
use self::kernels::{Matrix, Mode, multiply};
use self::projection::Projection;
use self::recurrence::Recurrence;
use crate::recipe::{Recipe, RecurrentInitializer};

/// Where states saturate outside training, whatever the network: so far below the largest float that no sum of weights
/// times states overflows.
pub const OVERFLOW: f32 = 1e30;

/// Why a network cannot be used: training made its weights infinite, or so large that the device's integers cannot hold them.
/// The text says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruined(pub String);

impl fmt::Display for Ruined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Ruined {}

/// A tensor that is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Keras's name for it.
    pub name: &'static str,
    /// Rows and columns; a bias is one row.
    pub shape: [usize; 2],
    /// Its values, row by row.
    pub values: Vec<f32>,
}

impl Parameter {
    fn new(name: &'static str, shape: [usize; 2], values: Vec<f32>) -> Self {
        assert_eq!(values.len(), shape[0] * shape[1], "{name} of {shape:?}");
        Self { name, shape, values }
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix::new(&self.values, self.shape[0], self.shape[1])
    }

    /// The same as a tensor of candle's, on the CPU.
    pub(crate) fn tensor(&self) -> Result<Tensor> {
        Tensor::from_slice(&self.values, &self.shape, &Device::Cpu)
    }
}

/// The network's parameters, in the order in which text flows through them.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The activation of the recurrence.
    pub activation: Activation,
    /// The most that a state may be with ReLU; infinity without a limit.
    pub state_limit: f32,
    /// `rows × embedding`; rows are the ids of [`Encoder`](crate::text::Encoder).
    pub embedding: Parameter,
    /// `embedding × units`, Keras's `kernel`.
    pub kernel: Parameter,
    /// `units × units`: `state · recurrent_kernel`.
    pub recurrent_kernel: Parameter,
    /// `1 × units`.
    pub bias: Parameter,
    /// `units × outputs`.
    pub dense_kernel: Parameter,
    /// `1 × outputs`.
    pub dense_bias: Parameter,
}

impl Network {
    /// A network before training: `rows` ids, `outputs` logits, weights drawn from `rng`.
    pub fn new(recipe: &Recipe, rows: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let (width, units) = (recipe.embedding, recipe.units);
        let mut network = Self::zeros(recipe, rows, outputs);
        // In this order: it decides which random numbers each of them gets.
        network.recurrent_kernel.values = match recipe.recurrent_initializer {
            RecurrentInitializer::Orthogonal => initializers::orthogonal(units, rng),
            RecurrentInitializer::Identity => initializers::identity_like(units, rng),
        };
        network.embedding.values = initializers::uniform(rows * width, 0.05, rng);
        network.kernel.values = initializers::glorot_uniform(width, units, rng);
        network.dense_kernel.values = initializers::glorot_uniform(units, outputs, rng);
        network
    }

    /// A network of the same shape whose weights are all zero.
    pub fn zeros(recipe: &Recipe, rows: usize, outputs: usize) -> Self {
        let (width, units) = (recipe.embedding, recipe.units);
        let zeros = |name, [rows, columns]: [usize; 2]| {
            Parameter::new(name, [rows, columns], vec![0.0; rows * columns])
        };
        Self {
            activation: recipe.activation.into(),
            state_limit: if recipe.state_limit == 0.0 { f32::INFINITY } else { recipe.state_limit },
            embedding: zeros("embedding", [rows, width]),
            kernel: zeros("kernel", [width, units]),
            recurrent_kernel: zeros("recurrent_kernel", [units, units]),
            bias: zeros("bias", [1, units]),
            dense_kernel: zeros("dense_kernel", [units, outputs]),
            dense_bias: zeros("dense_bias", [1, outputs]),
        }
    }

    /// How many logits so many classes need: two classes share one.
    pub fn outputs_for(classes: usize) -> usize {
        if classes == 2 { 1 } else { classes }
    }

    /// Hidden units.
    pub fn units(&self) -> usize {
        self.bias.shape[1]
    }

    /// Logits.
    pub fn outputs(&self) -> usize {
        self.dense_bias.shape[1]
    }

    /// All parameters, in order.
    pub fn parameters(&self) -> [&Parameter; 6] {
        let Self { embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias, .. } = self;
        [embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias]
    }

    /// All parameters but the embedding, in order.
    pub fn others_mut(&mut self) -> [&mut Parameter; 5] {
        let Self { kernel, recurrent_kernel, bias, dense_kernel, dense_bias, .. } = self;
        [kernel, recurrent_kernel, bias, dense_kernel, dense_bias]
    }

    /// Copies of all parameters' values, in order.
    pub fn weights(&self) -> Vec<Vec<f32>> {
        self.parameters().map(|parameter| parameter.values.clone()).into()
    }

    /// Takes over values that [`weights`](Self::weights) gave for a network of the same shape.
    pub fn set_weights(&mut self, weights: Vec<Vec<f32>>) {
        let lengths = |all: &[Vec<f32>]| all.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&weights), self.parameters().map(|p| p.values.len()), "weights of another shape");
        let Self { embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias, .. } = self;
        let all = [embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias];
        all.into_iter().zip(weights).for_each(|(parameter, values)| parameter.values = values);
    }

    /// `l2` times the sum of squares of the kernels' weights.
    pub fn penalty(&self, l2: f32) -> f64 {
        if l2 == 0.0 {
            return 0.0;
        }
        let kernels = [&self.kernel, &self.recurrent_kernel, &self.dense_kernel];
        let squares = kernels.iter().flat_map(|kernel| &kernel.values).map(|&w| f64::from(w) * f64::from(w));
        f64::from(l2) * squares.sum::<f64>()
    }

    /// `W·E[word] + b` for every row of the embedding, `rows × units`.
    pub fn projected(&self) -> Vec<f32> {
        let mut projected = self.bias.values.repeat(self.embedding.shape[0]);
        multiply(
            &mut projected,
            Mode::Add,
            self.embedding.matrix(),
            self.kernel.matrix(),
            Parallelism::Rayon(0),
        );
        projected
    }

    /// The recurrent kernel; on the quantization grid, if given.
    fn recurrent(&self, grid: Option<&Grid>) -> Cow<'_, [f32]> {
        match grid {
            Some(grid) => Cow::Owned(grid.round_recurrent(&self.recurrent_kernel.values)),
            None => Cow::Borrowed(&self.recurrent_kernel.values),
        }
    }

    /// Whether all its weights are finite numbers. After a training that diverged they are not.
    pub fn is_finite(&self) -> bool {
        self.parameters().iter().all(|parameter| parameter.values.iter().all(|value| value.is_finite()))
    }

    /// The logits of a batch, `texts × outputs`; on the quantization grid, if given. They are finite if the weights are:
    /// states that would overflow saturate at [`OVERFLOW`].
    ///
    /// # Errors
    ///
    /// Candle's.
    pub fn logits(&self, batch: &Batch, grid: Option<&Grid>) -> Result<Vec<f32>> {
        let recurrence = self.recurrence(batch, grid).saturating_at(OVERFLOW);
        let last = recurrence.last_states(&self.inputs(batch, grid), &self.recurrent(grid), self.units());
        let last = Tensor::from_vec(last, (batch.examples.len(), self.units()), &Device::Cpu)?;
        let dense = linear(&self.dense_kernel.tensor()?, &self.dense_bias.tensor()?)?;
        dense.forward(&last)?.flatten_all()?.to_vec1()
    }

    /// All hidden states of a batch, `steps × texts × units`; on the quantization grid, if given. Those that would overflow
    /// saturate at [`OVERFLOW`].
    pub fn states(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<f32> {
        let recurrence = self.recurrence(batch, grid).saturating_at(OVERFLOW);
        recurrence.states(&self.inputs(batch, grid), &self.recurrent(grid), self.units())
    }

    /// `W·E[word] + b` for the words of a batch.
    fn inputs(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<f32> {
        Projection::new(self, &batch.ids, None, grid).project()
    }

    fn recurrence(&self, batch: &Batch, grid: Option<&Grid>) -> Recurrence {
        let recurrence =
            Recurrence::new(self.activation, batch.examples.len(), batch.steps, batch.tokens.clone(), grid);
        recurrence.saturating_at(self.state_limit)
    }
}

/// Keras's kernel (`inputs × outputs`) and bias (`1 × outputs`) as candle's linear layer.
fn linear(kernel: &Tensor, bias: &Tensor) -> Result<Linear> {
    Ok(Linear::new(kernel.t()?, Some(bias.flatten_all()?)))
}
