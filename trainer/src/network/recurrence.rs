//! A recurrent layer over all steps of a batch as one operation of candle's, with its own backward pass through time.
//!
//! Candle's autograd would build a node for every product and sum of every step and walk back over
//! all of them; here a batch costs one node a layer. Since `W·E[word] + b` depends on the word alone, the lowest layer's
//! input product is made once for each distinct word of a batch, and the recurrence reads its rows.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Shape, Storage, Tensor, bail};
use gemm::Parallelism;
use rayon::prelude::*;

use super::batch::Batch;
use super::cells::{Backward, Before, Forward, Step};
use super::kernels::{Matrix, Mode, multiply};

/// Texts of a batch that one thread takes through all steps. Independent of the number of threads,
/// so that results are too.
const TEXTS: usize = 32;

/// Gradients that are in memory at a time: those of enough steps for a product over all of them to be fast, and few
/// beside the states.
const GRADIENTS: usize = 100_000;

/// Which of its states a layer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Those after the last step, `texts × units`: for the head.
    Last,
    /// All, `(steps · texts) × units`: for the layer above (Keras's `return_sequences`).
    All,
}

/// A cell `C` over all steps of a batch.
///
/// Arguments: `projected` (`rows × gates·units`: input product and bias of each distinct input) and `kernel`
/// (`units × gates·units`, Keras's `recurrent_kernel`; for cells with a recurrent bias that is one more row). Result: see [`Output`].
#[derive(Debug)]
pub(super) struct Recurrence<C> {
    cell: C,
    texts: usize,
    steps: usize,
    /// `steps × texts` rows of `projected`, or [`Batch::MASKED`] before a text's first step.
    tokens: Vec<u32>,
    output: Output,
    /// What each state is multiplied by before the kernel, `texts × units`, the same at all steps.
    mask: Option<Vec<f32>>,
    /// What the forward pass leaves for the backward pass.
    trace: Mutex<Trace>,
    /// Where the backward pass adds up squares, if they are asked for.
    squares: Option<Arc<Squares>>,
}

/// All steps of a batch through a layer.
#[derive(Debug, Default)]
pub struct Trace {
    /// `steps × texts × units`
    pub states: Vec<f32>,
    /// What the cell keeps of each step, `steps × texts × (parts · units)`: its gates among them, in the parts that
    /// [`Cell::openings`](super::Cell::openings) says. A SimpleRNN keeps nothing.
    pub kept: Vec<f32>,
}

/// For each word of a batch, the sum over its occurrences of the squared gradient of its embedding.
#[derive(Debug)]
pub(super) struct Squares {
    /// `width × gates·units`, the input kernel.
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
    fn add(&self, tokens: &[u32], gradients: &[f32]) {
        let columns = self.kernel.len() / self.width;
        let rows = gradients.len() / columns;
        let mut each = vec![0.0; rows * self.width];
        let kernel = Matrix::new(&self.kernel, self.width, columns).t();
        multiply(&mut each, Mode::Set, Matrix::new(gradients, rows, columns), kernel, Parallelism::Rayon(0));
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

/// The parts of a recurrent kernel's tensor: its `units × gates·units` weights, and the recurrent bias, which is empty if the cell has none.
fn split<C: Step>(kernel: &[f32], units: usize) -> (&[f32], &[f32]) {
    let (kernel, bias) = kernel.split_at(units * units * C::GATES);
    assert_eq!(bias.len(), if C::RECURRENT_BIAS { units * C::GATES } else { 0 }, "a row of recurrent biases");
    (kernel, bias)
}

impl<C: Step> Recurrence<C> {
    /// A cell over `tokens`.
    pub(super) fn new(cell: C, batch: &Batch, tokens: Vec<u32>, output: Output) -> Self {
        let (texts, steps) = (batch.examples.len(), batch.steps);
        assert_eq!(tokens.len(), texts * steps, "a token for each step of each text");
        let trace = Mutex::default();
        Self { cell, texts, steps, tokens, output, mask: None, trace, squares: None }
    }

    /// With a mask, if there is one (`texts × units`), for what the kernel sees of each state: Keras's
    /// `recurrent_dropout`.
    pub(super) fn with_mask(self, mask: Option<Vec<f32>>) -> Self {
        let whole = |mask: &Vec<f32>| mask.len().is_multiple_of(self.texts.max(1));
        assert!(mask.as_ref().is_none_or(whole), "a row of the mask for each text");
        Self { mask, ..self }
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

    /// All steps.
    pub(super) fn trace(&self, projected: &[f32], kernel: &[f32], units: usize) -> Trace {
        let row = self.texts * units;
        let mut states = vec![0.0; self.steps * row];
        let mut kept = vec![0.0; C::KEPT * states.len()];
        let blocks = by_texts(&mut states, row, units).into_par_iter();
        // Without anything kept, each step of each block has an empty slice of it.
        let kept_blocks = by_texts(&mut kept, C::KEPT * row, C::KEPT * units);
        let kept_blocks = kept_blocks.into_par_iter();
        let blocks = blocks.enumerate();
        if C::KEPT == 0 {
            blocks.for_each(|(block, states)| {
                let kept = states.iter().map(|_| <&mut [f32]>::default()).collect();
                self.advance_block(block, states, kept, projected, kernel, units);
            });
        } else {
            blocks.zip(kept_blocks).for_each(|((block, states), kept)| {
                self.advance_block(block, states, kept, projected, kernel, units);
            });
        }
        Trace { states, kept }
    }

    /// Takes a block of texts through all steps.
    fn advance_block(
        &self,
        block: usize,
        states: Vec<&mut [f32]>,
        kept: Vec<&mut [f32]>,
        projected: &[f32],
        kernel: &[f32],
        units: usize,
    ) {
        let mut scratch = Scratch::new::<C>(self.texts_of(block), units);
        let mut before: Option<Before<'_>> = None;
        for (step, (state, kept)) in states.into_iter().zip(kept).enumerate() {
            self.advance([step, block], before, state, kept, projected, kernel, &mut scratch);
            before = Some(Before { state, kept });
        }
    }

    /// The last states alone, `texts × units`.
    pub(super) fn last_states(&self, projected: &[f32], kernel: &[f32], units: usize) -> Vec<f32> {
        let mut last = vec![0.0; self.texts * units];
        last.par_chunks_mut((TEXTS * units).max(1)).enumerate().for_each(|(block, state)| {
            let mut scratch = Scratch::new::<C>(self.texts_of(block), units);
            let mut kept = vec![0.0; C::KEPT * state.len()];
            let (mut state_before, mut kept_before) = (vec![0.0; state.len()], kept.clone());
            for step in 0..self.steps {
                state_before.copy_from_slice(state);
                kept_before.copy_from_slice(&kept);
                let before = (step > 0).then_some(Before { state: &state_before, kept: &kept_before });
                self.advance([step, block], before, state, &mut kept, projected, kernel, &mut scratch);
            }
        });
        last
    }

    /// Texts of a block.
    fn texts_of(&self, block: usize) -> usize {
        TEXTS.min(self.texts - block * TEXTS)
    }

    /// Which rows the texts of a block read at a step.
    fn tokens_of(&self, [step, block]: [usize; 2]) -> &[u32] {
        &self.tokens[step * self.texts + block * TEXTS..][..self.texts_of(block)]
    }

    /// Makes the states of a block of texts at a step, given those of the step before it.
    #[expect(clippy::too_many_arguments, reason = "all of them are slices of one step")]
    fn advance(
        &self,
        at: [usize; 2],
        before: Option<Before<'_>>,
        state: &mut [f32],
        kept: &mut [f32],
        projected: &[f32],
        kernel: &[f32],
        scratch: &mut Scratch,
    ) {
        let tokens = self.tokens_of(at);
        let (texts, units) = (tokens.len(), state.len() / tokens.len());
        let columns = C::GATES * units;
        let Scratch { recurrent, zeros } = scratch;
        let (kernel, bias) = split::<C>(kernel, units);
        if C::RECURRENT_BIAS {
            recurrent.chunks_exact_mut(columns).for_each(|row| row.copy_from_slice(bias));
        }
        if let Some(before) = before {
            let seen = self.masked(before.state, at[1] * TEXTS, units);
            let mode = if C::RECURRENT_BIAS { Mode::Add } else { Mode::Set };
            let seen = Matrix::new(&seen, texts, units);
            multiply(recurrent, mode, seen, Matrix::new(kernel, units, columns), Parallelism::None);
        }
        for (text, &token) in tokens.iter().enumerate() {
            let state = &mut state[text * units..][..units];
            let kept = &mut kept[text * C::KEPT * units..][..C::KEPT * units];
            if token == Batch::MASKED {
                state.fill(0.0);
                kept.fill(0.0);
                continue;
            }
            self.cell.forward(Forward {
                inputs: &projected[token as usize * columns..][..columns],
                recurrent: &recurrent[text * columns..][..columns],
                before: before_text::<C>(before, text, units, zeros),
                kept,
                state,
            });
        }
    }

    /// Gradients of `projected` (of `rows` rows) and of the kernel, given that of the output.
    fn gradients(&self, trace: &Trace, kernel: &[f32], output: &[f32], rows: usize) -> (Vec<f32>, Vec<f32>) {
        let Trace { states, kept } = trace;
        let units = match self.output {
            Output::Last => output.len() / self.texts.max(1),
            Output::All => output.len() / (self.texts * self.steps).max(1),
        };
        let columns = C::GATES * units;
        let (row, wide_row) = (self.texts * units, self.texts * columns);
        let mut of_projected = vec![0.0; rows * columns];
        let mut of_kernel = vec![0.0; kernel.len()];
        let at_a_time = (GRADIENTS / row.max(1)).clamp(1, self.steps.max(1));
        // Of the accumulators of some steps: of their inputs and, where those differ, of their recurrent halves.
        let mut inputs = vec![0.0; at_a_time * wide_row];
        let mut recurrent = vec![0.0; if C::SPLIT { inputs.len() } else { 0 }];
        let mut carried = vec![0.0; C::CARRIED * row];
        // Of the recurrent halves of the step behind them.
        let mut behind: Option<Vec<f32>> = None;
        for first in (0..self.steps).step_by(at_a_time).rev() {
            let steps = at_a_time.min(self.steps - first);
            let inputs = &mut inputs[..steps * wide_row];
            let recurrent = &mut recurrent[..if C::SPLIT { steps * wide_row } else { 0 }];
            self.retreat_blocks(
                [first, units],
                (states, kept, output, kernel),
                behind.as_deref(),
                (inputs, recurrent, &mut carried),
            );
            let tokens = &self.tokens[first * self.texts..];
            for (&token, gradient) in tokens.iter().zip(inputs.chunks_exact(columns)) {
                if token != Batch::MASKED {
                    let sums = &mut of_projected[token as usize * columns..][..columns];
                    sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
                }
            }
            if let Some(squares) = &self.squares {
                squares.add(tokens, inputs);
            }
            let recurrent: &[f32] = if C::SPLIT { recurrent } else { inputs };
            let (weights, bias) = of_kernel.split_at_mut(units * columns);
            if C::RECURRENT_BIAS {
                for gradient in recurrent.chunks_exact(columns) {
                    bias.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
                }
            }
            // One product over these steps: each state with the gradient of the step after it.
            let after = if first == 0 { &recurrent[wide_row..] } else { recurrent };
            let seen = &states[first.saturating_sub(1) * row..][..after.len() / C::GATES];
            let seen: Cow<'_, [f32]> = match &self.mask {
                None => Cow::Borrowed(seen),
                Some(_) => seen
                    .chunks_exact(row)
                    .flat_map(|states| self.masked(states, 0, units).into_owned())
                    .collect(),
            };
            let rows = after.len() / columns;
            let (seen, after) = (Matrix::new(&seen, rows, units), Matrix::new(after, rows, columns));
            multiply(weights, Mode::Add, seen.t(), after, Parallelism::Rayon(0));
            behind = Some(recurrent[..wide_row].to_vec());
        }
        (of_projected, of_kernel)
    }

    /// Makes the gradients of the accumulators of some steps, from `first` on, all blocks side by side. `behind` are those of the
    /// step after them.
    fn retreat_blocks(
        &self,
        [first, units]: [usize; 2],
        (states, kept, output, kernel): (&[f32], &[f32], &[f32], &[f32]),
        behind: Option<&[f32]>,
        (inputs, recurrent, carried): (&mut [f32], &mut [f32], &mut [f32]),
    ) {
        let columns = C::GATES * units;
        let (row, wide_row) = (self.texts * units, self.texts * columns);
        let inputs = by_texts(inputs, wide_row, columns);
        let mut recurrent = by_texts(recurrent, wide_row, columns).into_iter();
        let mut carried = carried.chunks_mut((TEXTS * C::CARRIED * units).max(1));
        let blocks: Vec<_> = inputs
            .into_iter()
            .map(|inputs| {
                let recurrent = match recurrent.next() {
                    Some(recurrent) => recurrent,
                    None => inputs.iter().map(|_| <&mut [f32]>::default()).collect(),
                };
                (inputs, recurrent, carried.next().unwrap_or_default())
            })
            .collect();
        let (kernel, _) = split::<C>(kernel, units);
        blocks.into_par_iter().enumerate().for_each(|(block, (inputs, recurrent, carried))| {
            let texts = self.texts_of(block);
            let start = block * TEXTS;
            let mut next = behind.map(|behind| &behind[start * columns..][..texts * columns]);
            let mut gradient = vec![0.0; texts * units];
            let zeros = Scratch::new::<C>(1, units).zeros;
            for (step, (inputs, recurrent)) in inputs.into_iter().zip(recurrent).enumerate().rev() {
                let at = first + step;
                match next {
                    Some(next) => self.through_kernel(&mut gradient, next, [start, units], kernel),
                    None => gradient.fill(0.0),
                }
                match self.output {
                    Output::Last if next.is_none() => {
                        gradient.copy_from_slice(&output[start * units..][..texts * units]);
                    }
                    Output::Last => {}
                    Output::All => {
                        let own = &output[at * row + start * units..][..gradient.len()];
                        gradient.iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
                    }
                }
                let of_step = |step: usize| Before {
                    state: &states[step * row + start * units..][..texts * units],
                    kept: &kept[C::KEPT * (step * row + start * units)..][..C::KEPT * texts * units],
                };
                let before = (at > 0).then(|| of_step(at - 1));
                let Before { state, kept } = of_step(at);
                for (text, &token) in self.tokens_of([at, block]).iter().enumerate() {
                    let of_inputs = &mut inputs[text * columns..][..columns];
                    let of_recurrent = match C::SPLIT {
                        true => &mut recurrent[text * columns..][..columns],
                        false => &mut [][..],
                    };
                    let carried = &mut carried[text * C::CARRIED * units..][..C::CARRIED * units];
                    if token == Batch::MASKED {
                        of_inputs.fill(0.0);
                        of_recurrent.fill(0.0);
                        carried.fill(0.0);
                        continue;
                    }
                    self.cell.backward(Backward {
                        gradient: &gradient[text * units..][..units],
                        carried,
                        before: before_text::<C>(before, text, units, &zeros),
                        kept: &kept[text * C::KEPT * units..][..C::KEPT * units],
                        state: &state[text * units..][..units],
                        of_inputs,
                        of_recurrent,
                    });
                }
                next = Some(if C::SPLIT { recurrent } else { inputs });
            }
        });
    }

    /// Makes the gradients of the states of a block of texts, of which `start` is the first, given those of the recurrent halves of the
    /// step behind it.
    fn through_kernel(&self, gradient: &mut [f32], next: &[f32], [start, units]: [usize; 2], kernel: &[f32]) {
        let (texts, columns) = (gradient.len() / units, C::GATES * units);
        let kernel = Matrix::new(kernel, units, columns).t();
        multiply(gradient, Mode::Set, Matrix::new(next, texts, columns), kernel, Parallelism::None);
        if let Some(mask) = &self.mask {
            gradient.iter_mut().zip(&mask[start * units..]).for_each(|(g, mask)| *g *= mask);
        }
    }
}

/// Memory of one block that is used again at each step.
struct Scratch {
    /// `texts × gates·units`
    recurrent: Vec<f32>,
    /// What stands for the step before a text's first.
    zeros: Vec<f32>,
}

impl Scratch {
    fn new<C: Step>(texts: usize, units: usize) -> Self {
        Self { recurrent: vec![0.0; texts * C::GATES * units], zeros: vec![0.0; C::KEPT.max(1) * units] }
    }
}

/// One text of the step before; zeros if there is no such step.
fn before_text<'a, C: Step>(
    before: Option<Before<'a>>,
    text: usize,
    units: usize,
    zeros: &'a [f32],
) -> Before<'a> {
    match before {
        Some(Before { state, kept }) => Before {
            state: &state[text * units..][..units],
            kept: &kept[text * C::KEPT * units..][..C::KEPT * units],
        },
        None => Before { state: &zeros[..units], kept: &zeros[..C::KEPT * units] },
    }
}

/// Cuts `steps × texts × width` values into blocks of texts, each a list of its steps' slices.
fn by_texts(values: &mut [f32], row: usize, width: usize) -> Vec<Vec<&mut [f32]>> {
    let mut blocks: Vec<Vec<&mut [f32]>> = Vec::new();
    if values.is_empty() {
        return blocks;
    }
    blocks.resize_with(row.div_ceil(TEXTS * width), Vec::new);
    for step in values.chunks_mut(row) {
        for (block, slice) in blocks.iter_mut().zip(step.chunks_mut(TEXTS * width)) {
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

impl<C: Step + Send> CustomOp2 for Recurrence<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn cpu_fwd(
        &self,
        projected: &CpuStorage,
        projected_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, columns) = kernel_layout.shape().dims2()?;
        let units = columns / C::GATES;
        let trace = self.trace(values(projected, projected_layout)?, values(kernel, kernel_layout)?, units);
        let (output, rows) = match self.output {
            Output::All => (trace.states.clone(), self.steps * self.texts),
            Output::Last if self.steps == 0 => (vec![0.0; self.texts * units], self.texts),
            Output::Last => (trace.states[(self.steps - 1) * self.texts * units..].to_vec(), self.texts),
        };
        if let Ok(mut kept) = self.trace.lock() {
            *kept = trace;
        }
        Ok((CpuStorage::F32(output), Shape::from((rows, units))))
    }

    fn bwd(
        &self,
        projected: &Tensor,
        kernel: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // Taken, so that nothing holds it longer than needed: it is the most that a step keeps.
        let Ok(trace) = self.trace.lock().map(|mut trace| std::mem::take(&mut *trace)) else {
            bail!("recurrence: its forward pass panicked")
        };
        if trace.states.len() != self.steps * self.texts * output.dim(1)? {
            bail!("recurrence: one backward pass for each forward pass");
        }
        let rows = projected.dim(0)?;
        let (of_projected, of_kernel) = with_values(gradient, |gradient| {
            with_values(kernel, |kernel| self.gradients(&trace, kernel, gradient, rows))
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
