//! The whole recurrence of a SimpleRNN as one operation, with its own backward pass through time.
//!
//! Candle's autograd would build a node for every product and sum of every step and walk back over
//! all of them; here a batch costs one node. Since `W·E[word] + b` depends on the word alone, the
//! input product is made once for each distinct word of a batch, and the recurrence reads its rows.

use std::borrow::Cow;
use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Storage, Tensor, bail};
use gemm::Parallelism;
use kilornn::layers::Activation;
use rayon::prelude::*;

use super::Grid;
use super::kernels::{Into, Matrix, multiply};
use crate::data::Batch;

/// Texts of a batch that one thread takes through all steps. Independent of the number of threads,
/// so that results are too.
const TEXTS: usize = 32;

/// `h_t = activation(projected[token_t] + (h_{t-1} ∘ mask) · kernel)` over all steps; gives the last state.
///
/// Arguments: `projected` (`words × units`, input product and bias of each distinct word) and
/// `kernel` (`units × units`, Keras's `recurrent_kernel`). Result: `texts × units`.
#[derive(Debug)]
pub struct Recurrence {
    activation: Activation,
    texts: usize,
    steps: usize,
    /// `steps × texts` rows of `projected`, or [`Batch::MASKED`] before a text's first step.
    tokens: Vec<u32>,
    /// The device's scale of each unit, if states are rounded.
    scales: Option<Vec<f32>>,
    /// What each state is multiplied by before the kernel, `texts × units`, the same at all steps.
    mask: Option<Vec<f32>>,
    /// The states of the forward pass, for the backward pass.
    states: Mutex<Vec<f32>>,
}

impl Recurrence {
    /// The recurrence over `tokens`. With a grid, states are rounded as on the device, to an `i8`
    /// times their scale; gradients pass straight through the rounding.
    pub fn new(
        activation: Activation,
        texts: usize,
        steps: usize,
        tokens: Vec<u32>,
        grid: Option<&Grid>,
    ) -> Self {
        assert_eq!(tokens.len(), texts * steps, "a token for each step of each text");
        let scales = grid.map(|grid| grid.scales.clone());
        Self { activation, texts, steps, tokens, scales, mask: None, states: Mutex::default() }
    }

    /// With a mask (`texts × units`) for what the kernel sees of each state: Keras's `recurrent_dropout`.
    pub fn with_mask(self, mask: Vec<f32>) -> Self {
        assert_eq!(mask.len() % self.texts.max(1), 0, "a row of the mask for each text");
        Self { mask: Some(mask), ..self }
    }

    /// States, or gradients of them, of some texts from the first of a block on, as the kernel sees them.
    fn masked<'a>(&self, values: &'a [f32], first: usize, units: usize) -> Cow<'a, [f32]> {
        match &self.mask {
            None => Cow::Borrowed(values),
            Some(mask) => {
                let mask = &mask[first * units..];
                Cow::Owned(values.iter().zip(mask).map(|(value, mask)| value * mask).collect())
            }
        }
    }

    /// All states, `steps × texts × units`. A state of `-0.0` marks a unit that no gradient passes: its ReLU was
    /// closed, or its text has not begun. An open unit rounded down to zero is `+0.0`.
    pub fn states(&self, projected: &[f32], kernel: &[f32], units: usize) -> Vec<f32> {
        let row = self.texts * units;
        let mut states = vec![0.0; self.steps * row];
        let kernel = Matrix::new(kernel, units, units);
        let blocks = by_texts(&mut states, row, units);
        blocks.into_par_iter().enumerate().for_each(|(block, slices)| {
            let mut previous: Option<&[f32]> = None;
            for (step, state) in slices.into_iter().enumerate() {
                let texts = state.len() / units;
                let first = step * self.texts + block * TEXTS;
                let tokens = &self.tokens[first..first + texts];
                for (state, &token) in state.chunks_exact_mut(units).zip(tokens) {
                    if token != Batch::MASKED {
                        state.copy_from_slice(&projected[token as usize * units..][..units]);
                    }
                }
                if let Some(previous) = previous {
                    multiply(
                        state,
                        Into::Add,
                        Matrix::new(&self.masked(previous, block * TEXTS, units), texts, units),
                        kernel,
                        Parallelism::None,
                    );
                }
                self.activate(state, tokens, units);
                previous = Some(state);
            }
        });
        states
    }

    /// From accumulators to states, with the device's rounding if asked for.
    fn activate(&self, state: &mut [f32], tokens: &[u32], units: usize) {
        for (state, &token) in state.chunks_exact_mut(units).zip(tokens) {
            if token == Batch::MASKED {
                state.fill(CLOSED);
                continue;
            }
            match (self.activation, &self.scales) {
                (Activation::Relu, None) => {
                    state.iter_mut().for_each(|h| *h = if *h > 0.0 { *h } else { CLOSED });
                }
                (Activation::Relu, Some(scales)) => {
                    for (h, scale) in state.iter_mut().zip(scales) {
                        *h = if *h > 0.0 { (*h / scale).round().min(127.0) * scale } else { CLOSED };
                    }
                }
                // Adding zero makes +0.0 of -0.0.
                (Activation::Tanh, None) => state.iter_mut().for_each(|h| *h = h.tanh() + 0.0),
                (Activation::Tanh, Some(scales)) => {
                    for (h, scale) in state.iter_mut().zip(scales) {
                        let accumulator = (*h * 65536.0).round() as i32;
                        *h = f32::from(Activation::Tanh.apply(accumulator)) * scale + 0.0;
                    }
                }
            }
        }
    }

    /// Gradients of the accumulators (before the ReLU) at all steps, given that of the last state.
    fn gradients(&self, states: &[f32], kernel: &[f32], last: &[f32], units: usize) -> Vec<f32> {
        let row = self.texts * units;
        let mut gradients = vec![0.0; self.steps * row];
        let kernel = Matrix::new(kernel, units, units).t();
        let blocks = by_texts(&mut gradients, row, units);
        blocks.into_par_iter().enumerate().for_each(|(block, slices)| {
            let start = block * TEXTS * units;
            let mut next: Option<&[f32]> = None;
            for (step, gradient) in slices.into_iter().enumerate().rev() {
                let texts = gradient.len() / units;
                match next {
                    Some(next) => {
                        multiply(
                            gradient,
                            Into::Set,
                            Matrix::new(next, texts, units),
                            kernel,
                            Parallelism::None,
                        );
                        if let Some(mask) = &self.mask {
                            gradient.iter_mut().zip(&mask[start..]).for_each(|(g, mask)| *g *= mask);
                        }
                    }
                    None => gradient.copy_from_slice(&last[start..start + gradient.len()]),
                }
                let state = &states[step * row + start..][..gradient.len()];
                self.close(gradient, state, units);
                next = Some(gradient);
            }
        });
        gradients
    }

    /// From gradients of states to those of accumulators: none where a ReLU was closed, or the rounded state at its
    /// limit, or the text had not begun.
    fn close(&self, gradient: &mut [f32], state: &[f32], units: usize) {
        // Loops of their own, so that the compiler makes vector instructions of them.
        match self.activation {
            Activation::Relu => {
                for (g, h) in gradient.iter_mut().zip(state) {
                    *g = if h.is_sign_negative() { 0.0 } else { *g };
                }
            }
            Activation::Tanh => {
                for (g, h) in gradient.iter_mut().zip(state) {
                    *g = if h.to_bits() == CLOSED.to_bits() { 0.0 } else { *g * (1.0 - h * h) };
                }
            }
        }
        if let (Activation::Relu, Some(scales)) = (self.activation, &self.scales) {
            for (g, h) in gradient.chunks_exact_mut(units).zip(state.chunks_exact(units)) {
                for ((g, h), scale) in g.iter_mut().zip(h).zip(scales) {
                    *g = if *h >= 127.0 * scale { 0.0 } else { *g };
                }
            }
        }
    }
}

/// The state of a unit that no gradient passes.
const CLOSED: f32 = -0.0;

/// Cuts `steps × texts × units` values into blocks of texts, each a list of its steps' slices.
fn by_texts(values: &mut [f32], row: usize, units: usize) -> Vec<Vec<&mut [f32]>> {
    let mut blocks: Vec<Vec<&mut [f32]>> = Vec::new();
    blocks.resize_with(row.div_ceil(TEXTS * units), Vec::new);
    for step in values.chunks_mut(row.max(1)) {
        for (block, slice) in blocks.iter_mut().zip(step.chunks_mut(TEXTS * units)) {
            block.push(slice);
        }
    }
    blocks
}

/// The values of a contiguous `f32` tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("recurrence: arguments must be contiguous"),
    }
}

/// Calls `f` with the values of a tensor on the CPU.
fn with_values<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(values(storage, layout)?)),
        _ => bail!("recurrence: only on the CPU"),
    }
}

impl CustomOp2 for Recurrence {
    fn name(&self) -> &'static str {
        "simple-rnn-recurrence"
    }

    fn cpu_fwd(
        &self,
        projected: &CpuStorage,
        projected_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (units, _) = kernel_layout.shape().dims2()?;
        let states = self.states(values(projected, projected_layout)?, values(kernel, kernel_layout)?, units);
        let last = match self.steps {
            0 => vec![0.0; self.texts * units],
            steps => states[(steps - 1) * self.texts * units..].to_vec(),
        };
        if let Ok(mut kept) = self.states.lock() {
            *kept = states;
        }
        Ok((CpuStorage::F32(last), Shape::from((self.texts, units))))
    }

    fn bwd(
        &self,
        projected: &Tensor,
        kernel: &Tensor,
        _last: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Ok(states) = self.states.lock() else { bail!("recurrence: its forward pass panicked") };
        let units = kernel.dim(0)?;
        let gradients = with_values(gradient, |gradient| {
            with_values(kernel, |kernel| self.gradients(&states, kernel, gradient, units))
        })??;

        let mut of_projected = vec![0.0; projected.elem_count()];
        for (&token, gradient) in self.tokens.iter().zip(gradients.chunks_exact(units)) {
            if token != Batch::MASKED {
                let row = &mut of_projected[token as usize * units..][..units];
                row.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
            }
        }

        // One product over all steps: each state with the gradient of the step after it.
        let mut of_kernel = vec![0.0; units * units];
        if self.steps > 1 {
            let rows = (self.steps - 1) * self.texts;
            let mut seen = Cow::Borrowed(&states[..rows * units]);
            if self.mask.is_some() {
                let each = seen.chunks_exact(self.texts * units);
                seen = each.flat_map(|states| self.masked(states, 0, units).into_owned()).collect();
            }
            let before = Matrix::new(&seen, rows, units).t();
            let after = Matrix::new(&gradients[self.texts * units..], rows, units);
            multiply(&mut of_kernel, Into::Set, before, after, Parallelism::Rayon(0));
        }
        let device = projected.device();
        Ok((
            Some(Tensor::from_vec(of_projected, projected.shape(), device)?),
            Some(Tensor::from_vec(of_kernel, kernel.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests;
