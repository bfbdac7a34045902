//! One batch forward and backward: its score, and the gradients of its loss.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var, bail};
use candle_nn::Module;
use rand_chacha::ChaCha8Rng;

use super::dropout::{Dropout, mask};
use super::loss::{self, Objective, Tally, Target};
use super::projection::{InputGradients, Projection};
use super::recurrence::with_values;
use super::{Batch, Grid, Network, Parameter, composed, linear};

/// The gradients of one batch.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// The rows of the embedding that the batch read; all others have gradient zero.
    pub rows: Vec<u32>,
    /// Their gradients, `rows × width`.
    pub embedding: Vec<f32>,
    /// The squares of these, summed over the occurrences of each word, if they were asked for.
    pub squares: Option<Vec<f32>>,
    /// Of all other parameters, in the network's order.
    pub others: [Vec<f32>; 5],
}

/// How a batch is trained.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// What is minimized.
    pub objective: &'a Objective,
    /// Probabilities that the batch's texts should be given instead of their classes, `texts × outputs`.
    pub opinions: Option<&'a [f32]>,
    /// What is left out.
    pub dropout: Dropout,
    /// Whether the embedding's gradient is also to be squared occurrence by occurrence.
    pub squares: bool,
    /// The quantization grid, if the forward pass computes on it.
    pub grid: Option<&'a Grid>,
    /// Where the recurrence is computed. With a grid, or if squares are asked for, it is always the CPU.
    pub processor: &'a Device,
}

impl Network {
    /// One batch forward and backward: loss and accuracy, and the gradients of the mean loss of a text by the objective.
    /// `classes` has the class of each text of the batch; `rng` draws what dropout leaves out.
    ///
    /// With a grid, the forward pass computes with inputs, recurrent weights and states that are rounded as on the device, and
    /// gradients pass the rounding unchanged (straight-through estimator: Bengio, Léonard and Courville 2013).
    ///
    /// # Errors
    ///
    /// Candle's.
    pub fn backward(
        &self,
        batch: &Batch,
        classes: &[usize],
        training: Training<'_>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Tally, Gradients)> {
        let Training { objective, dropout, grid, processor, squares, opinions: _ } = training;
        let processor = if grid.is_some() || squares { &Device::Cpu } else { processor };
        let (texts, units) = (batch.examples.len(), self.units());
        // Only the rows of this batch take part, so that the gradient is no larger than they are.
        let width = self.embedding.shape[1];
        let dropped = mask(batch.ids.len() * width, dropout.embedding, rng);
        let inputs = Projection::new(self, &batch.ids, dropped, grid);
        let projected = inputs.project();
        let var =
            |parameter: &Parameter, values: &[f32]| Var::from_slice(values, &parameter.shape, processor);
        let projected = Var::from_vec(projected, (batch.ids.len(), units), processor)?;
        let recurrent_kernel = var(&self.recurrent_kernel, &self.recurrent(grid))?;
        let dense_kernel = var(&self.dense_kernel, &self.dense_kernel.values)?;
        let dense_bias = var(&self.dense_bias, &self.dense_bias.values)?;

        let squares = squares.then(|| Arc::new(inputs.squares()));
        let seen = mask(texts * units, dropout.recurrent, rng);
        let state = if processor.is_cpu() {
            let recurrence = self.recurrence(batch, grid).with_mask(seen).with_squares(squares.clone());
            projected.apply_op2(&recurrent_kernel, recurrence)?
        } else {
            let seen = seen.map(|mask| Tensor::from_vec(mask, (texts, units), processor)).transpose()?;
            composed::last_state(
                self.activation,
                self.state_limit,
                &projected,
                &recurrent_kernel,
                batch,
                seen.as_ref(),
            )?
        };
        let state = match mask(texts * units, dropout.state, rng) {
            Some(mask) => (state * Tensor::from_vec(mask, (texts, units), processor)?)?,
            None => state,
        };
        let logits = linear(&dense_kernel, &dense_bias)?.forward(&state)?;

        let values: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let (score, of_logits) = self.score(&values, classes, training);
        // A sum whose gradient by the logits is the loss's.
        let of_logits = Tensor::from_vec(of_logits, logits.shape(), processor)?;
        let gradients = (logits * of_logits)?.sum_all()?.backward()?;
        let of = |var: &Var| match gradients.get(var) {
            Some(gradient) => gradient.flatten_all()?.to_vec1(),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let others = [of(&recurrent_kernel)?, of(&dense_kernel)?, of(&dense_bias)?];
        let Some(of_projected) = gradients.get(&projected) else { bail!("no gradient of the inputs") };
        let InputGradients { rows, kernel, bias } =
            with_values(of_projected, |of_projected| inputs.gradients(of_projected))?;
        let [recurrent_kernel, dense_kernel, dense_bias] = others;
        let mut gradients = Gradients {
            rows: batch.ids.clone(),
            embedding: rows,
            squares: squares.map(|squares| inputs.squared(&squares)),
            others: [kernel, recurrent_kernel, bias, dense_kernel, dense_bias],
        };
        self.add_penalty(objective.l2, &mut gradients);
        Ok((score, gradients))
    }

    /// The score of a batch's logits, and the gradients of its mean loss by them.
    fn score(&self, logits: &[f32], classes: &[usize], training: Training<'_>) -> (Tally, Vec<f32>) {
        let Training { objective, opinions, .. } = training;
        let mut opinions = opinions.map(|all| all.chunks_exact(self.outputs())).into_iter().flatten();
        let mut score = Tally::default();
        let mut gradients = vec![0.0; logits.len()];
        let outputs = self.outputs();
        for ((logits, gradient), &class) in
            logits.chunks_exact(outputs).zip(gradients.chunks_exact_mut(outputs)).zip(classes)
        {
            let weight = objective.class_weights[class];
            let target = Target { class, smoothing: objective.label_smoothing, opinion: opinions.next() };
            let plain = loss::score(logits, target);
            score += Tally { loss: f64::from(weight) * plain.loss, ..plain };
            loss::gradient(logits, target, gradient);
            gradient.iter_mut().for_each(|g| *g *= weight);
        }
        score.loss += classes.len() as f64 * self.penalty(objective.l2);
        gradients.iter_mut().for_each(|g| *g /= classes.len() as f32);
        (score, gradients)
    }

    /// Adds the gradients of [`penalty`](Self::penalty).
    fn add_penalty(&self, l2: f32, gradients: &mut Gradients) {
        if l2 == 0.0 {
            return;
        }
        let [of_kernel, of_recurrent, _, of_dense, _] = &mut gradients.others;
        let kernels = [&self.kernel, &self.recurrent_kernel, &self.dense_kernel];
        for (gradient, kernel) in [of_kernel, of_recurrent, of_dense].into_iter().zip(kernels) {
            gradient.iter_mut().zip(&kernel.values).for_each(|(g, w)| *g += 2.0 * l2 * w);
        }
    }
}
