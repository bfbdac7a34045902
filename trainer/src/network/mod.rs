//! The float network: an embedding, recurrent layers and a dense layer. Forward and backward, in floats and on the grid of the
//! device's integers.
//!
//! What is candle's: tensors, the dense layer, autograd around it and from it back into the recurrence, the whole recurrence
//! on devices that are not the CPU (`composed`, from candle's operations), and reading and writing weights
//! (safetensors, NumPy).
//!
//! What is ours, and why:
//! - the recurrence on the CPU (`Recurrence`, a `CustomOp2` with a backward pass of its own, over the cells of `cells`):
//!   candle has no SimpleRNN, and its autograd would keep some nodes for each step of a text;
//! - the input product (`projection`), made once for each distinct word of a batch, and matrix products on slices
//!   (`kernels`) whose bits do not depend on the number of threads;
//! - rounding to the quantization grid ([`Grid`]) with a straight-through estimator, which candle has not;
//! - losses in doubles ([`loss`]) and seeded initializers (`initializers`); their pages say what candle's lack;
//! - parameters as plain vectors ([`Parameter`]) rather than a `VarMap`: optimizers update a few rows of a large embedding in
//!   place, which a `Var` cannot. Where candle is wanted, [`Parameter`] makes a tensor.

mod backward;
mod batch;
mod cells;
mod composed;
mod dropout;
mod forward;
mod grid;
mod initializers;
mod kernels;
mod layer;
pub mod loss;
mod projection;
mod recurrence;
mod state_grid;
#[cfg(test)]
mod tests;
mod weights;

use std::borrow::Cow;
use std::fmt;

use candle_core::{Device, Result, Tensor};
use candle_nn::{Linear, Module};
use gemm::Parallelism;
use rand_chacha::ChaCha8Rng;

pub use backward::{Gradients, Training};
pub use batch::{Batch, Batches};
pub use cells::{Cell, Opening};
pub use dropout::Dropout;
pub use grid::{Grid, LayerChoice, LayerGrid, Numbers, StateGrid};
pub use layer::Layer;
pub use recurrence::Trace;
pub use weights::{Array, LayerArrays, Unfit};

pub(crate) use self::cells::{Sum, int8};
use self::forward::Reads;
use self::kernels::{Matrix, Mode, multiply};
use self::projection::Projection;
use crate::recipe::Recipe;

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
    /// Keras's name for it. Those of a recurrent layer above the first begin with `layer_2/` and so on.
    pub name: Cow<'static, str>,
    /// Rows and columns; a bias is one row, but for a GRU's, which is two.
    pub shape: [usize; 2],
    /// Its values, row by row.
    pub values: Vec<f32>,
    /// Whether weight decay and a penalty hold it back, as they do all but biases and single numbers.
    pub is_held_back: bool,
}

impl Parameter {
    fn new(name: impl Into<Cow<'static, str>>, shape: [usize; 2], values: Vec<f32>) -> Self {
        let name = name.into();
        assert_eq!(values.len(), shape[0] * shape[1], "{name} of {shape:?}");
        Self { name, shape, values, is_held_back: true }
    }

    /// The same, but not held back.
    fn free(self) -> Self {
        Self { is_held_back: false, ..self }
    }

    fn zeros(name: impl Into<Cow<'static, str>>, [rows, columns]: [usize; 2]) -> Self {
        Self::new(name, [rows, columns], vec![0.0; rows * columns])
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
    /// `rows × embedding`; rows are the ids of [`Encoder`](crate::text::Encoder).
    pub embedding: Parameter,
    /// The recurrent layers, from the lowest up: at least one.
    pub layers: Vec<Layer>,
    /// `units × outputs`, from the units of the last layer.
    pub dense_kernel: Parameter,
    /// `1 × outputs`.
    pub dense_bias: Parameter,
}

impl Network {
    /// A network before training: `rows` ids, `outputs` logits, weights drawn from `rng`.
    pub fn new(recipe: &Recipe, rows: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut network = Self::zeros(recipe, rows, outputs);
        // In this order: it decides which random numbers each of them gets.
        let [lowest, others @ ..] = &mut network.layers[..] else { return network };
        lowest.draw_recurrent_kernel(recipe, rng);
        network.embedding.values = initializers::uniform(rows * recipe.embedding, 0.05, rng);
        lowest.draw_kernel(recipe, rng);
        for layer in others {
            layer.draw_recurrent_kernel(recipe, rng);
            layer.draw_kernel(recipe, rng);
        }
        let [units, outputs] = network.dense_kernel.shape;
        network.dense_kernel.values = initializers::glorot_uniform(units, outputs, rng);
        network
    }

    /// A network of the same shape whose weights are all zero.
    pub fn zeros(recipe: &Recipe, rows: usize, outputs: usize) -> Self {
        let mut inputs = recipe.embedding;
        let mut layers = Vec::new();
        for (index, (kind, units)) in recipe.layers().into_iter().enumerate() {
            layers.push(Layer::zeros(index, Cell::new(kind, recipe), inputs, units));
            inputs = units;
        }
        Self {
            embedding: Parameter::zeros("embedding", [rows, recipe.embedding]),
            layers,
            dense_kernel: Parameter::zeros("dense_kernel", [inputs, outputs]),
            dense_bias: Parameter::zeros("dense_bias", [1, outputs]).free(),
        }
    }

    /// How many logits so many classes need: two classes share one.
    pub fn outputs_for(classes: usize) -> usize {
        if classes == 2 { 1 } else { classes }
    }

    /// The lowest recurrent layer, which reads the embedding.
    pub fn lowest(&self) -> &Layer {
        &self.layers[0]
    }

    /// Hidden units of the last layer, which the dense layer reads.
    pub fn units(&self) -> usize {
        self.dense_kernel.shape[0]
    }

    /// Logits.
    pub fn outputs(&self) -> usize {
        self.dense_bias.shape[1]
    }

    /// All parameters, in order.
    pub fn parameters(&self) -> Vec<&Parameter> {
        let layers = self.layers.iter().flat_map(Layer::parameters);
        let dense = [&self.dense_kernel, &self.dense_bias];
        std::iter::once(&self.embedding).chain(layers).chain(dense).collect()
    }

    /// All parameters but the embedding, in order.
    pub fn others_mut(&mut self) -> Vec<&mut Parameter> {
        let layers = self.layers.iter_mut().flat_map(Layer::parameters_mut);
        layers.chain([&mut self.dense_kernel, &mut self.dense_bias]).collect()
    }

    /// Copies of all parameters' values, in order.
    pub fn weights(&self) -> Vec<Vec<f32>> {
        self.parameters().into_iter().map(|parameter| parameter.values.clone()).collect()
    }

    /// Takes over values that [`weights`](Self::weights) gave for a network of the same shape.
    pub fn set_weights(&mut self, weights: Vec<Vec<f32>>) {
        let lengths: Vec<usize> = self.parameters().iter().map(|p| p.values.len()).collect();
        assert!(weights.iter().map(Vec::len).eq(lengths), "weights of another shape");
        let mut weights = weights.into_iter();
        self.embedding.values = weights.next().unwrap_or_default();
        self.others_mut().into_iter().zip(weights).for_each(|(parameter, values)| parameter.values = values);
    }

    /// `l2` times the sum of squares of the kernels' weights.
    pub fn penalty(&self, l2: f32) -> f64 {
        if l2 == 0.0 {
            return 0.0;
        }
        let [_, others @ ..] = &self.parameters()[..] else { return 0.0 };
        let kernels = others.iter().filter(|parameter| parameter.is_held_back);
        let squares = kernels.flat_map(|kernel| &kernel.values).map(|&w| f64::from(w) * f64::from(w));
        f64::from(l2) * squares.sum::<f64>()
    }

    /// `W·E[word] + b` of the lowest layer for every row of the embedding, `rows × gates·units`.
    pub fn projected(&self) -> Vec<f32> {
        let Layer { kernel, bias, .. } = self.lowest();
        let mut projected = bias.values[..kernel.shape[1]].repeat(self.embedding.shape[0]);
        multiply(&mut projected, Mode::Add, self.embedding.matrix(), kernel.matrix(), Parallelism::Rayon(0));
        projected
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
        let [below @ .., last] = &self.layers[..] else { return Ok(Vec::new()) };
        let of_layer = |index: usize| grid.map(|grid| &grid.layers[index]);
        let words = Projection::new(self, &batch.ids, None, grid).project();
        let mut states: Option<Vec<f32>> = None;
        for (index, layer) in below.iter().enumerate() {
            let reads = states.as_deref().map_or(Reads::Words(&words), Reads::Steps);
            states = Some(layer.trace(batch, &reads, of_layer(index)).states);
        }
        let reads = states.as_deref().map_or(Reads::Words(&words), Reads::Steps);
        let last = last.last_states(batch, &reads, of_layer(below.len()));
        let last = Tensor::from_vec(last, (batch.examples.len(), self.units()), &Device::Cpu)?;
        let dense = linear(&self.dense_kernel.tensor()?, &self.dense_bias.tensor()?)?;
        dense.forward(&last)?.flatten_all()?.to_vec1()
    }

    /// All hidden states of a batch for each layer, `steps × texts × units`; on the quantization grid, if given. Those that would
    /// overflow saturate at [`OVERFLOW`].
    pub fn states(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<Vec<f32>> {
        self.traces(batch, grid).into_iter().map(|trace| trace.states).collect()
    }

    /// The same, and what each cell keeps of its steps, its gates among them.
    pub fn traces(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<Trace> {
        let mut all: Vec<Trace> = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let of_layer = grid.map(|grid| &grid.layers[index]);
            let trace = match all.last() {
                None => {
                    let words = Projection::new(self, &batch.ids, None, grid).project();
                    layer.trace(batch, &Reads::Words(&words), of_layer)
                }
                Some(below) => layer.trace(batch, &Reads::Steps(&below.states), of_layer),
            };
            all.push(trace);
        }
        all
    }
}

/// Keras's kernel (`inputs × outputs`) and bias (`1 × outputs`) as candle's linear layer.
fn linear(kernel: &Tensor, bias: &Tensor) -> Result<Linear> {
    Ok(Linear::new(kernel.t()?, Some(bias.flatten_all()?)))
}
