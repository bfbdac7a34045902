//! The whole recurrence of a SimpleRNN as one operation, with its own backward pass through time.
//!
//! Candle's autograd would build a node for every product and sum of every step and walk back over
//! all of them; here a batch costs one node. Since `W·E[word] + b` depends on the word alone, the
//! input product is made once for each distinct word of a batch, and the recurrence reads its rows.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Shape, Storage, Tensor, bail};
use gemm::Parallelism;
use kilornn::layers::Activation;
use rayon::prelude::*;

use super::batch::Batch;
use super::grid::Grid;
use super::kernels::{Matrix, Mode, multiply};

/// Texts of a batch that one thread takes through all steps. Independent of the number of threads,
/// so that results are too.
const TEXTS: usize = 32;

/// Gradients that are in memory at a time: those of enough steps for a product over all of them to be fast, and few
/// beside the states.
const GRADIENTS: usize = 100_000;

/// `h_t = activation(projected[token_t] + (h_{t-1} ∘ mask) · kernel)` over all steps; gives the last state. With ReLU the
/// activation may saturate at a limit; no gradient passes a state there.
///
/// Arguments: `projected` (`words × units`, input product and bias of each distinct word) and
/// `kernel` (`units × units`, Keras's `recurrent_kernel`). Result: `texts × units`.
#[derive(Debug)]
pub(super) struct Recurrence {
    activation: Activation,
    texts: usize,
    steps: usize,
    /// `steps × texts` rows of `projected`, or [`Batch::MASKED`] before a text's first step.
    tokens: Vec<u32>,
    /// The most that a ReLU state can be; infinity without a limit.
    limit: f32,
    /// The device's scale of each unit, if states are rounded: then they saturate where an `i8` does, whatever the limit.
    scales: Option<Vec<f32>>,
    /// What each state is multiplied by before the kernel, `texts × units`, the same at all steps.
    mask: Option<Vec<f32>>,
    /// The states of the forward pass, for the backward pass.
    states: Mutex<Vec<f32>>,
    /// Where the backward pass adds up squares, if they are asked for.
    squares: Option<Arc<Squares>>,
}

/// For each word of a batch, the sum over its occurrences of the squared gradient of its embedding.
#[derive(Debug)]
pub(super) struct Squares {
    /// `width × units`, the input kernel.
    kernel: Vec<f32>,
    width: usize,
    /// `words × width`
    sums: Mutex<Vec<f32>>,
}

impl Squares {
    /// Of `words` words, whose embeddings go through this kernel.
    pub(super) fn new(kernel: &[f32], width: usize, words: usize) -> Self {
        Self { kernel: kernel.to_vec(), width, sums: Mutex::new(vec![0.0; words * width]) }
    }

    /// Adds those of some steps, of whose accumulators the gradients are given.
    fn add(&self, tokens: &[u32], gradients: &[f32], units: usize) {
        let rows = gradients.len() / units;
        let mut each = vec![0.0; rows * self.width];
        let kernel = Matrix::new(&self.kernel, self.width, units).t();
        multiply(&mut each, Mode::Set, Matrix::new(gradients, rows, units), kernel, Parallelism::Rayon(0));
        let Ok(mut sums) = self.sums.lock() else { return };
        for (&token, gradient) in tokens.iter().zip(each.chunks_exact(self.width)) {
            if token != Batch::MASKED {
                let sums = &mut sums[token as usize * self.width..][..self.width];
                sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * g);
            }
        }
    }

    /// The sums.
    pub(super) fn take(&self) -> Vec<f32> {
        self.sums.lock().map(|mut sums| std::mem::take(&mut *sums)).unwrap_or_default()
    }
}

impl Recurrence {
    /// The recurrence over `tokens`. With a grid, states are rounded as on the device, to an `i8`
    /// times their scale; gradients pass the rounding unchanged (straight-through estimator).
    pub(super) fn new(
        activation: Activation,
        texts: usize,
        steps: usize,
        tokens: Vec<u32>,
        grid: Option<&Grid>,
    ) -> Self {
        assert_eq!(tokens.len(), texts * steps, "a token for each step of each text");
        let scales = grid.map(|grid| grid.scales.clone());
        Self {
            activation,
            texts,
            steps,
            tokens,
            limit: f32::INFINITY,
            scales,
            mask: None,
            states: Mutex::default(),
            squares: None,
        }
    }

    /// With a mask, if there is one (`texts × units`), for what the kernel sees of each state: Keras's
    /// `recurrent_dropout`.
    pub(super) fn with_mask(self, mask: Option<Vec<f32>>) -> Self {
        let whole = |mask: &Vec<f32>| mask.len().is_multiple_of(self.texts.max(1));
        assert!(mask.as_ref().is_none_or(whole), "a row of the mask for each text");
        Self { mask, ..self }
    }

    /// With ReLU states that saturate at this limit, or at the one before if that is lower.
    pub(super) fn saturating_at(self, limit: f32) -> Self {
        Self { limit: self.limit.min(limit), ..self }
    }

    /// With sums of squares, if they are asked for.
    pub(super) fn with_squares(self, squares: Option<Arc<Squares>>) -> Self {
        Self { squares, ..self }
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
    pub(super) fn states(&self, projected: &[f32], kernel: &[f32], units: usize) -> Vec<f32> {
        let row = self.texts * units;
        let mut states = vec![0.0; self.steps * row];
        let blocks = by_texts(&mut states, row, units);
        blocks.into_par_iter().enumerate().for_each(|(block, slices)| {
            let mut previous: Option<&[f32]> = None;
            for (step, state) in slices.into_iter().enumerate() {
                self.advance(state, previous, [step, block], projected, kernel);
                previous = Some(state);
            }
        });
        states
    }

    /// The last states alone, `texts × units`.
    pub(super) fn last_states(&self, projected: &[f32], kernel: &[f32], units: usize) -> Vec<f32> {
        let mut last = vec![0.0; self.texts * units];
        last.par_chunks_mut((TEXTS * units).max(1)).enumerate().for_each(|(block, state)| {
            let mut previous = vec![0.0; state.len()];
            for step in 0..self.steps {
                previous.copy_from_slice(state);
                self.advance(state, (step > 0).then_some(&previous), [step, block], projected, kernel);
            }
        });
        last
    }

    /// Makes the states of a block of texts at a step, given those of the step before it.
    fn advance(
        &self,
        state: &mut [f32],
        previous: Option<&[f32]>,
        [step, block]: [usize; 2],
        projected: &[f32],
        kernel: &[f32],
    ) {
        let texts = TEXTS.min(self.texts - block * TEXTS);
        let units = state.len() / texts;
        let tokens = &self.tokens[step * self.texts + block * TEXTS..][..texts];
        for (state, &token) in state.chunks_exact_mut(units).zip(tokens) {
            match token {
                Batch::MASKED => state.fill(0.0),
                _ => state.copy_from_slice(&projected[token as usize * units..][..units]),
            }
        }
        if let Some(previous) = previous {
            let previous = self.masked(previous, block * TEXTS, units);
            let previous = Matrix::new(&previous, texts, units);
            multiply(state, Mode::Add, previous, Matrix::new(kernel, units, units), Parallelism::None);
        }
        self.activate(state, tokens, units);
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
                    // Plain comparisons: `f32::min` minds what is no number, and that costs the loop its vector instructions.
                    let limit = self.limit;
                    for h in state.iter_mut() {
                        let open = if *h < limit { *h } else { limit };
                        *h = if *h > 0.0 { open } else { CLOSED };
                    }
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

    /// Gradients of `projected` (of `words` rows) and of the kernel, given that of the last state.
    fn gradients(&self, states: &[f32], kernel: &[f32], last: &[f32], words: usize) -> (Vec<f32>, Vec<f32>) {
        let units = last.len() / self.texts.max(1);
        let row = self.texts * units;
        let (mut of_projected, mut of_kernel) = (vec![0.0; words * units], vec![0.0; kernel.len()]);
        let at_a_time = (GRADIENTS / row.max(1)).clamp(1, self.steps.max(1));
        let mut some_steps = vec![0.0; at_a_time * row];
        // Of the accumulators of the step behind them.
        let mut behind: Option<Vec<f32>> = None;
        for first in (0..self.steps).step_by(at_a_time).rev() {
            let gradients = &mut some_steps[..at_a_time.min(self.steps - first) * row];
            let blocks = by_texts(gradients, row, units);
            blocks.into_par_iter().enumerate().for_each(|(block, slices)| {
                let start = block * TEXTS * units;
                let mut next = behind.as_deref().map(|behind| &behind[start..]);
                for (step, gradient) in slices.into_iter().enumerate().rev() {
                    match next {
                        Some(next) => self.retreat(gradient, &next[..gradient.len()], block, kernel),
                        None => gradient.copy_from_slice(&last[start..][..gradient.len()]),
                    }
                    self.close(gradient, &states[(first + step) * row + start..][..gradient.len()], units);
                    next = Some(gradient);
                }
            });
            for (&token, gradient) in
                self.tokens[first * self.texts..].iter().zip(gradients.chunks_exact(units))
            {
                if token != Batch::MASKED {
                    let sums = &mut of_projected[token as usize * units..][..units];
                    sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
                }
            }
            if let Some(squares) = &self.squares {
                squares.add(&self.tokens[first * self.texts..], gradients, units);
            }
            // One product over these steps: each state with the gradient of the step after it.
            let after = if first == 0 { &gradients[row..] } else { &*gradients };
            let seen = &states[first.saturating_sub(1) * row..][..after.len()];
            let seen: Cow<'_, [f32]> = match &self.mask {
                None => Cow::Borrowed(seen),
                Some(_) => seen
                    .chunks_exact(row)
                    .flat_map(|states| self.masked(states, 0, units).into_owned())
                    .collect(),
            };
            let rows = after.len() / units;
            let (seen, after) = (Matrix::new(&seen, rows, units), Matrix::new(after, rows, units));
            multiply(&mut of_kernel, Mode::Add, seen.t(), after, Parallelism::Rayon(0));
            behind = Some(gradients[..row].to_vec());
        }
        (of_projected, of_kernel)
    }

    /// Makes the gradients of a block's states, given those of the accumulators of the step behind it.
    fn retreat(&self, gradient: &mut [f32], next: &[f32], block: usize, kernel: &[f32]) {
        let texts = TEXTS.min(self.texts - block * TEXTS);
        let units = gradient.len() / texts;
        let kernel = Matrix::new(kernel, units, units).t();
        multiply(gradient, Mode::Set, Matrix::new(next, texts, units), kernel, Parallelism::None);
        if let Some(mask) = &self.mask {
            gradient.iter_mut().zip(&mask[block * TEXTS * units..]).for_each(|(g, mask)| *g *= mask);
        }
    }

    /// From gradients of states to those of accumulators: none where a ReLU was closed, or the state at its limit, or the
    /// text had not begun.
    fn close(&self, gradient: &mut [f32], state: &[f32], units: usize) {
        // On the grid a state saturates where its scale says.
        let limit = if self.scales.is_some() { f32::INFINITY } else { self.limit };
        // Loops of their own, so that the compiler makes vector instructions of them.
        match self.activation {
            Activation::Relu => {
                for (g, h) in gradient.iter_mut().zip(state) {
                    *g = if h.is_sign_negative() | (*h >= limit) { 0.0 } else { *g };
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

/// Calls `f` with the values of a tensor.
pub(super) fn with_values<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.to_device(&Device::Cpu)?.contiguous()?;
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
        last: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // Taken, so that nothing holds them longer than needed: they are the most that a step keeps.
        let Ok(states) = self.states.lock().map(|mut states| std::mem::take(&mut *states)) else {
            bail!("recurrence: its forward pass panicked")
        };
        if states.len() != self.steps * last.elem_count() {
            bail!("recurrence: one backward pass for each forward pass");
        }
        let words = projected.dim(0)?;
        let (of_projected, of_kernel) = with_values(gradient, |gradient| {
            with_values(kernel, |kernel| self.gradients(&states, kernel, gradient, words))
        })??;
        let device = projected.device();
        Ok((
            Some(Tensor::from_vec(of_projected, projected.shape(), device)?),
            Some(Tensor::from_vec(of_kernel, kernel.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests;
