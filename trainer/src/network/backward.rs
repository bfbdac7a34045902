//! One batch forward and backward: its score, and the gradients of its loss.

use std::sync::{Arc, Mutex};

use candle_core::{Device, Result, Tensor, Var, bail};
use candle_nn::Module;
use rand_chacha::ChaCha8Rng;

use super::cells::{Definition as _, with_definition};
use super::dropout::{Dropout, mask};
use super::forward::with_step;
use super::grid::LayerGrid;
use super::layer::Layer;
use super::loss::{self, Objective, Tally, Target};
use super::projection::{InputGradients, Projection};
use super::recurrence::{Output, Recurrence, with_values};
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
    pub others: Vec<Vec<f32>>,
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
        let texts = batch.examples.len();
        let lowest = self.lowest();
        // Only the rows of this batch take part, so that the gradient is no larger than they are.
        let width = self.embedding.shape[1];
        let dropped = mask(batch.ids.len() * width, dropout.embedding, rng);
        let inputs = Projection::new(self, &batch.ids, dropped, grid);
        let projected = inputs.project();
        let var = |parameter: &Parameter| Var::from_slice(&parameter.values, &parameter.shape, processor);
        let projected = Var::from_vec(projected, (batch.ids.len(), lowest.kernel.shape[1]), processor)?;
        let of_layer = |index: usize| grid.map(|grid| &grid.layers[index]);
        let layers = self
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| LayerVars::new(layer, index > 0, of_layer(index), processor));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let (dense_kernel, dense_bias) = (var(&self.dense_kernel)?, var(&self.dense_bias)?);

        let squares = squares.then(|| Arc::new(inputs.squares()));
        // Where the lowest layer leaves the gradient of what it reads, if it is computed on the CPU.
        let left = Arc::new(Mutex::new(Vec::new()));
        let mut reads = projected.as_tensor().clone();
        for (index, (layer, vars)) in self.layers.iter().zip(&layers).enumerate() {
            let tokens = if index == 0 { batch.tokens.clone() } else { batch.places() };
            let is_last = index + 1 == self.layers.len();
            let output = if is_last { Output::Last } else { Output::All };
            if let Some([kernel, bias]) = &vars.inputs {
                reads = reads.matmul(kernel)?.broadcast_add(bias)?;
            }
            let units = layer.units();
            let seen = mask(texts * units, dropout.recurrent, rng);
            reads = if processor.is_cpu() {
                let squares = squares.clone().filter(|_| index == 0);
                let left = (index == 0).then(|| left.clone());
                with_step!(layer.cell, of_layer(index), f32::INFINITY, |step| {
                    let recurrence = Recurrence::new(step, batch, tokens, output);
                    let recurrence = recurrence.with_mask(seen).leaving(left).with_squares(squares);
                    reads.apply_op2(&vars.recurrent_kernel, recurrence)?
                })
            } else {
                let seen = seen.map(|mask| Tensor::from_vec(mask, (texts, units), processor)).transpose()?;
                let kernel = &vars.recurrent_kernel;
                composed::layer(layer.cell, &reads, kernel, batch, &tokens, output, seen.as_ref())?
            };
            let share = if is_last { dropout.state } else { dropout.layers };
            if let Some(mask) = mask(texts * units, share, rng) {
                let mask = Tensor::from_vec(mask, (texts, units), processor)?;
                let steps = if is_last { 1 } else { batch.steps };
                reads = reads.reshape((steps, texts, units))?.broadcast_mul(&mask)?;
                reads = reads.reshape((steps * texts, units))?;
            }
        }
        let logits = linear(&dense_kernel, &dense_bias)?.forward(&reads)?;

        let values: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let (score, of_logits) = self.score(&values, classes, training);
        // A sum whose gradient by the logits is the loss's.
        let of_logits = Tensor::from_vec(of_logits, logits.shape(), processor)?;
        let gradients = (logits * of_logits)?.sum_all()?.backward()?;
        let of = |var: &Var| match gradients.get(var) {
            Some(gradient) => gradient.flatten_all()?.to_vec1(),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let left = left.lock().map(|mut left| std::mem::take(&mut *left)).unwrap_or_default();
        let InputGradients { rows, kernel, bias } = match gradients.get(&projected) {
            Some(of_projected) => with_values(of_projected, |of_projected| inputs.gradients(of_projected))?,
            None if left.len() == projected.elem_count() => inputs.gradients(&left),
            None => bail!("no gradient of the inputs"),
        };
        drop(left);
        let mut others = Vec::new();
        let mut of_lowest = Some((kernel, bias));
        for (layer, vars) in self.layers.iter().zip(&layers) {
            let (kernel, mut bias) = match &vars.inputs {
                Some([kernel, bias]) => (of(kernel)?, of(bias)?),
                None => of_lowest.take().unwrap_or_default(),
            };
            let mut recurrent = of(&vars.recurrent_kernel)?;
            let behind = recurrent.split_off(layer.recurrent_kernel.values.len());
            let further =
                with_definition!(layer.cell, |cell| cell.of_behind(&layer.further, behind, &mut bias));
            others.extend([kernel, recurrent, bias]);
            others.extend(further);
        }
        others.extend([of(&dense_kernel)?, of(&dense_bias)?]);
        let mut gradients = Gradients {
            rows: batch.ids.clone(),
            squares: squares.map(|squares| inputs.squared(&squares, &rows)),
            embedding: rows,
            others,
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
        let [_, others @ ..] = &self.parameters()[..] else { return };
        for (gradient, parameter) in gradients.others.iter_mut().zip(others).filter(|(_, p)| p.is_held_back) {
            gradient.iter_mut().zip(&parameter.values).for_each(|(g, w)| *g += 2.0 * l2 * w);
        }
    }
}

/// A layer's parameters in candle's graph.
struct LayerVars {
    /// The kernel and the bias of the input product; none of the lowest layer, whose input product is made beforehand.
    inputs: Option<[Var; 2]>,
    /// The recurrent kernel, and below it what else the cell needs of the layer.
    recurrent_kernel: Var,
}

impl LayerVars {
    /// Of a layer that reads the one below, if `is_above`, else of the lowest.
    fn new(layer: &Layer, is_above: bool, grid: Option<&LayerGrid>, processor: &Device) -> Result<Self> {
        let [_, columns] = layer.kernel.shape;
        let recurrent = layer.recurrent(grid);
        let inputs = || -> Result<[Var; 2]> {
            Ok([
                Var::from_slice(&layer.input_kernel(grid), &layer.kernel.shape, processor)?,
                Var::from_slice(&layer.input_bias(grid), (1, columns), processor)?,
            ])
        };
        Ok(Self {
            inputs: is_above.then(inputs).transpose()?,
            recurrent_kernel: Var::from_slice(&recurrent, (recurrent.len() / columns, columns), processor)?,
        })
    }
}
