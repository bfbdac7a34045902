//! The float network in candle: Embedding, SimpleRNN with ReLU or tanh, Dense.

mod grid;
pub mod initializers;
mod kernels;
pub mod loss;
mod projection;
mod recurrence;
#[cfg(test)]
mod tests;
mod weights;

use std::borrow::Cow;

use candle_core::{Device, Result, Tensor, Var, bail};
use candle_nn::{Linear, Module};
use gemm::Parallelism;
use kilornn::layers::Activation;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub use grid::{Grid, int8};
pub use recurrence::Recurrence;
pub use weights::{Array, Unfit};

use self::kernels::{Into, Matrix, multiply};
use self::loss::{Objective, Score};
use self::projection::{InputGradients, Inputs};
use self::recurrence::with_values;
use crate::data::Batch;
use crate::recipe::{Recipe, RecurrentInitializer};

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

    fn tensor(&self) -> Result<Tensor> {
        Tensor::from_slice(&self.values, &self.shape, &Device::Cpu)
    }

    fn var(&self) -> Result<Var> {
        Var::from_slice(&self.values, &self.shape, &Device::Cpu)
    }
}

/// The network's parameters, in the order in which text flows through them.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The recurrence's.
    pub activation: Activation,
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

/// The gradients of one batch.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// The rows of the embedding that the batch touched; all others have gradient zero.
    pub rows: Vec<u32>,
    /// Their gradients.
    pub embedding: Vec<f32>,
    /// Of all other parameters, in the network's order.
    pub others: [Vec<f32>; 5],
}

/// What is left out of a batch in training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dropout {
    /// Share of the numbers of each word's embedding.
    pub embedding: f32,
    /// Share of the state that the recurrent kernel sees, the same at all steps of a text.
    pub recurrent: f32,
    /// Share of the last state.
    pub state: f32,
}

impl Network {
    /// A network before training.
    pub fn new(recipe: &Recipe, rows: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let (width, units) = (recipe.embedding, recipe.units);
        let recurrent = match recipe.recurrent_initializer {
            RecurrentInitializer::Orthogonal => initializers::orthogonal(units, rng),
            RecurrentInitializer::Identity => initializers::identity_like(units, rng),
        };
        Self {
            activation: recipe.activation.into(),
            embedding: Parameter::new(
                "embedding",
                [rows, width],
                initializers::uniform(rows * width, 0.05, rng),
            ),
            kernel: Parameter::new("kernel", [width, units], initializers::glorot_uniform(width, units, rng)),
            recurrent_kernel: Parameter::new("recurrent_kernel", [units, units], recurrent),
            bias: Parameter::new("bias", [1, units], vec![0.0; units]),
            dense_kernel: Parameter::new(
                "dense_kernel",
                [units, outputs],
                initializers::glorot_uniform(units, outputs, rng),
            ),
            dense_bias: Parameter::new("dense_bias", [1, outputs], vec![0.0; outputs]),
        }
    }

    /// Logits that so many classes need: two share one.
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
        let Self { activation: _, embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias } =
            self;
        [embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias]
    }

    /// All parameters but the embedding, in order.
    pub fn others_mut(&mut self) -> [&mut Parameter; 5] {
        let Self { activation: _, embedding: _, kernel, recurrent_kernel, bias, dense_kernel, dense_bias } =
            self;
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
        let Self { activation: _, embedding, kernel, recurrent_kernel, bias, dense_kernel, dense_bias } =
            self;
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
            Into::Add,
            self.embedding.matrix(),
            self.kernel.matrix(),
            Parallelism::Rayon(0),
        );
        projected
    }

    /// The recurrent kernel; on the device's grid, if given.
    fn recurrent(&self, grid: Option<&Grid>) -> Cow<'_, [f32]> {
        match grid {
            Some(grid) => Cow::Owned(grid.round_recurrent(&self.recurrent_kernel.values)),
            None => Cow::Borrowed(&self.recurrent_kernel.values),
        }
    }

    /// Trains on a batch: its score, and the gradients of its mean loss, by the objective. With a grid, the forward
    /// pass computes with what the device will have (inputs, recurrent weights and states rounded)
    /// and gradients pass straight through the rounding (Bengio, Léonard and Courville 2013).
    pub fn backward(
        &self,
        batch: &Batch,
        classes: &[usize],
        objective: &Objective,
        dropout: Dropout,
        grid: Option<&Grid>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Score, Gradients)> {
        // Only the rows of this batch take part, so that the gradient is no larger than they are.
        let width = self.embedding.shape[1];
        let inputs = Inputs::new(self, &batch.ids, mask(batch.ids.len() * width, dropout.embedding, rng));
        let mut projected = inputs.project(&self.kernel, &self.bias);
        if let Some(grid) = grid {
            grid.round_inputs(&mut projected);
        }
        let projected = Var::from_vec(projected, (batch.ids.len(), self.units()), &Device::Cpu)?;
        let recurrent_kernel =
            Var::from_slice(&self.recurrent(grid), &self.recurrent_kernel.shape, &Device::Cpu)?;
        let dense_kernel = self.dense_kernel.var()?;
        let dense_bias = self.dense_bias.var()?;

        let texts = batch.examples.len();
        let recurrence =
            self.recurrence(batch, grid).with_mask(mask(texts * self.units(), dropout.recurrent, rng));
        let state = projected.apply_op2(&recurrent_kernel, recurrence)?;
        let state = match mask(texts * self.units(), dropout.state, rng) {
            Some(mask) => (state * Tensor::from_vec(mask, (texts, self.units()), &Device::Cpu)?)?,
            None => state,
        };
        let logits = linear(&dense_kernel, &dense_bias)?.forward(&state)?;

        let mut score = Score::default();
        let values: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let mut of_logits = vec![0.0; values.len()];
        let outputs = self.outputs();
        for ((logits, of_logits), &class) in
            values.chunks_exact(outputs).zip(of_logits.chunks_exact_mut(outputs)).zip(classes)
        {
            let weight = objective.class_weights[class];
            let plain = loss::score(logits, class, objective.label_smoothing);
            score += Score { loss: f64::from(weight) * plain.loss, ..plain };
            loss::gradient(logits, class, objective.label_smoothing, of_logits);
            of_logits.iter_mut().for_each(|g| *g *= weight);
        }
        score.loss += texts as f64 * self.penalty(objective.l2);
        of_logits.iter_mut().for_each(|g| *g /= texts as f32);
        // A sum whose gradient by the logits is the loss's.
        let of_logits = Tensor::from_vec(of_logits, (texts, outputs), &Device::Cpu)?;
        let gradients = (logits * of_logits)?.sum_all()?.backward()?;
        let of = |var: &Var| match gradients.get(var) {
            Some(gradient) => gradient.flatten_all()?.to_vec1(),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let others = [of(&recurrent_kernel)?, of(&dense_kernel)?, of(&dense_bias)?];
        let Some(of_projected) = gradients.get(&projected) else { bail!("no gradient of the inputs") };
        let InputGradients { rows, kernel, bias } =
            with_values(of_projected, |of_projected| inputs.gradients(&self.kernel, of_projected))?;
        let [recurrent_kernel, dense_kernel, dense_bias] = others;
        let mut gradients = Gradients {
            rows: batch.ids.clone(),
            embedding: rows,
            others: [kernel, recurrent_kernel, bias, dense_kernel, dense_bias],
        };
        if objective.l2 > 0.0 {
            let [of_kernel, of_recurrent, _, of_dense, _] = &mut gradients.others;
            let kernels = [&self.kernel, &self.recurrent_kernel, &self.dense_kernel];
            for (gradient, kernel) in [of_kernel, of_recurrent, of_dense].into_iter().zip(kernels) {
                gradient.iter_mut().zip(&kernel.values).for_each(|(g, w)| *g += 2.0 * objective.l2 * w);
            }
        }
        Ok((score, gradients))
    }

    /// The logits of a batch, `texts × outputs`; on the device's grid, if given.
    pub fn logits(&self, batch: &Batch, grid: Option<&Grid>) -> Result<Vec<f32>> {
        let last = self.recurrence(batch, grid).last_states(
            &self.inputs(batch, grid),
            &self.recurrent(grid),
            self.units(),
        );
        let last = Tensor::from_vec(last, (batch.examples.len(), self.units()), &Device::Cpu)?;
        let dense = linear(&self.dense_kernel.tensor()?, &self.dense_bias.tensor()?)?;
        dense.forward(&last)?.flatten_all()?.to_vec1()
    }

    /// All hidden states of a batch, `steps × texts × units`; on the device's grid, if given.
    pub fn states(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<f32> {
        self.recurrence(batch, grid).states(&self.inputs(batch, grid), &self.recurrent(grid), self.units())
    }

    /// `W·E[word] + b` for the words of a batch.
    fn inputs(&self, batch: &Batch, grid: Option<&Grid>) -> Vec<f32> {
        let mut projected = Inputs::new(self, &batch.ids, None).project(&self.kernel, &self.bias);
        if let Some(grid) = grid {
            grid.round_inputs(&mut projected);
        }
        projected
    }

    fn recurrence(&self, batch: &Batch, grid: Option<&Grid>) -> Recurrence {
        Recurrence::new(self.activation, batch.examples.len(), batch.steps, batch.tokens.clone(), grid)
    }
}

/// Keras's kernel (`inputs × outputs`) and bias (`1 × outputs`) as candle's linear layer.
fn linear(kernel: &Tensor, bias: &Tensor) -> Result<Linear> {
    Ok(Linear::new(kernel.t()?, Some(bias.flatten_all()?)))
}

/// A mask for dropout, if there is any: zero for a share of the values, and for the others what makes up for them in
/// the mean.
fn mask(length: usize, share: f32, rng: &mut ChaCha8Rng) -> Option<Vec<f32>> {
    let keep = 1.0 / (1.0 - share);
    let mut draw = || if rng.random::<f32>() < share { 0.0 } else { keep };
    (share > 0.0).then(|| (0..length).map(|_| draw()).collect())
}
