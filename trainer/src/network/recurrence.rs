//! A recurrent layer over all steps of a batch as one operation of candle's, with its own backward pass through time.
//!
//! Candle's autograd would build a node for every product and sum of every step and walk back over
//! all of them; here a batch costs one node a layer. Since `W·E[word] + b` depends on the word alone, the lowest layer's
//! input product is made once for each distinct word of a batch, and the recurrence reads its rows.

mod by_word;

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Shape, Storage, Tensor, bail};
use gemm::Parallelism;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

pub(super) use self::by_word::{Squares, Sums};
use super::batch::Batch;
use super::cells::{Backward, Before, Forward, Step};
use super::kernels::{AddTo, Matrix, Mode, Packed, add_outer, multiply, zeros};

/// Texts of a batch that one thread takes through all steps, forward and backward. Independent of the number of threads,
/// so that results are too.
const TEXTS: usize = 32;

/// Steps of a block over which the gradient of the kernel is summed up at a time: as many as stay in the nearest cache.
const STEPS: usize = 4;

/// Gradients over which that of a narrow layer's kernel is summed up at a time.
const GRADIENTS: usize = 100_000;

/// Units below which a SimpleRNN's kernel has its gradient from one product over all texts: those are too few for blocks of
/// their own, and models of such layers are built again to the bit.
const NARROW: usize = 32;

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
/// (`units × gates·units`, Keras's `recurrent_kernel`, and behind it what else the cell needs of the layer). Result: see [`Output`].
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
    /// Where the backward pass leaves the gradient of `projected`, if not with candle, which would add it to zeros first.
    of_projected: Option<Arc<Mutex<Vec<f32>>>>,
    /// Where the backward pass adds up squares, if they are asked for.
    squares: Option<Arc<Squares>>,
    /// What instructions this processor has.
    arch: Arch,
}

/// All steps of a batch through a layer.
#[derive(Debug, Default)]
pub struct Trace {
    /// `steps × texts × units`
    pub states: Vec<f32>,
    /// What the cell keeps of each step, for each block of texts `steps × parts × texts of the block × units`: its gates among
    /// them, in the parts that [`Cell::openings`](super::Cell::openings) says. A SimpleRNN keeps nothing.
    pub kept: Vec<Vec<f32>>,
}

/// A recurrent kernel's tensor: its `units × gates·units` weights, and behind them what else the cell needs of the layer.
#[derive(Clone, Copy)]
struct Kernel<'a> {
    weights: Matrix<'a>,
    behind: &'a [f32],
    gates: usize,
    units: usize,
}

impl<'a> Kernel<'a> {
    fn new<C: Step>(values: &'a [f32], units: usize) -> Self {
        let columns = C::GATES * units;
        let (weights, behind) = values.split_at(units * columns);
        assert_eq!(behind.len(), C::BEHIND.len() * units, "what stands behind a recurrent kernel");
        Self { weights: Matrix::new(weights, units, columns), behind, gates: C::GATES, units }
    }

    /// The weights of each gate.
    fn each(self) -> impl Iterator<Item = Matrix<'a>> {
        (0..self.gates).map(move |gate| self.weights.part(gate * self.units, self.units))
    }

    /// All of them, to multiply states with.
    fn forward(self) -> Packed<'a> {
        Packed::new(self.each().collect())
    }

    /// The transpose of each, to multiply gradients with.
    fn backward(self) -> Vec<Packed<'a>> {
        self.each().map(|weights| Packed::new(vec![weights.t()])).collect()
    }
}

impl<C: Step> Recurrence<C> {
    /// A cell over `tokens`.
    pub(super) fn new(cell: C, batch: &Batch, tokens: Vec<u32>, output: Output) -> Self {
        let (texts, steps) = (batch.examples.len(), batch.steps);
        assert_eq!(tokens.len(), texts * steps, "a token for each step of each text");
        let trace = Mutex::default();
        let arch = Arch::new();
        Self {
            cell,
            texts,
            steps,
            tokens,
            output,
            mask: None,
            trace,
            of_projected: None,
            squares: None,
            arch,
        }
    }

    /// With a mask, if there is one (`texts × units`), for what the kernel sees of each state: Keras's
    /// `recurrent_dropout`.
    pub(super) fn with_mask(self, mask: Option<Vec<f32>>) -> Self {
        let whole = |mask: &Vec<f32>| mask.len().is_multiple_of(self.texts.max(1));
        assert!(mask.as_ref().is_none_or(whole), "a row of the mask for each text");
        Self { mask, ..self }
    }

    /// With a place for the gradient of `projected`, if candle need not have it.
    pub(super) fn leaving(self, of_projected: Option<Arc<Mutex<Vec<f32>>>>) -> Self {
        Self { of_projected, ..self }
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
        let kernel = Kernel::new::<C>(kernel, units);
        let gates = kernel.forward();
        let mut states = zeros(self.steps * row);
        let blocks = by_texts(&mut states, row, units);
        let part_of = |block| C::KEPT * self.texts_of(block) * units;
        let room = |block| Vec::with_capacity(self.steps * part_of(block));
        let mut kept: Vec<Vec<f32>> = (0..blocks.len()).map(room).collect();
        blocks.into_par_iter().zip(&mut kept).enumerate().for_each(|(block, (states, kept))| {
            let mut scratch = Scratch::new::<C>(self.texts_of(block), units);
            let part = part_of(block);
            let mut state_before: Option<&[f32]> = None;
            for (step, state) in states.into_iter().enumerate() {
                // Step by step, so that the zeros are still in the nearest cache when they are written over.
                kept.resize((step + 1) * part, 0.0);
                let (before, kept) = kept.split_at_mut(step * part);
                let before = state_before.map(|state| Before { state, kept: &before[before.len() - part..] });
                let kernel = (&gates, kernel.behind);
                self.advance([step, block], before, state, kept, projected, kernel, &mut scratch);
                state_before = Some(state);
            }
        });
        Trace { states, kept }
    }

    /// The last states alone, `texts × units`.
    pub(super) fn last_states(&self, projected: &[f32], kernel: &[f32], units: usize) -> Vec<f32> {
        let kernel = Kernel::new::<C>(kernel, units);
        let gates = kernel.forward();
        let mut last = vec![0.0; self.texts * units];
        last.par_chunks_mut((TEXTS * units).max(1)).enumerate().for_each(|(block, state)| {
            let mut scratch = Scratch::new::<C>(self.texts_of(block), units);
            let mut kept = vec![0.0; C::KEPT * state.len()];
            let (mut state_before, mut kept_before) = (vec![0.0; state.len()], kept.clone());
            for step in 0..self.steps {
                state_before.copy_from_slice(state);
                kept_before.copy_from_slice(&kept);
                let before = (step > 0).then_some(Before { state: &state_before, kept: &kept_before });
                let kernel = (&gates, kernel.behind);
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
        (gates, behind): (&Packed<'_>, &[f32]),
        Scratch { recurrent, zeros }: &mut Scratch,
    ) {
        let tokens = self.tokens_of(at);
        let units = state.len() / tokens.len();
        let (columns, part) = (C::GATES * units, state.len());
        let inputs = if C::KEPT == 0 { &mut *state } else { &mut kept[..C::GATES * part] };
        for (text, &token) in tokens.iter().enumerate() {
            if token != Batch::MASKED {
                fill_text(inputs, part, text, &projected[token as usize * columns..][..columns]);
            }
        }
        self.clear_masked(tokens, units, [&mut *inputs]);
        if C::SPLIT {
            (0..tokens.len()).for_each(|text| fill_text(recurrent, part, text, behind));
        }
        if let Some(before) = before {
            let seen = self.masked(before.state, at[1] * TEXTS, units);
            let sums = if C::SPLIT { &mut *recurrent } else { inputs };
            gates.multiply(sums, Mode::Add, &seen);
        }
        let before = before.unwrap_or(Before { state: &zeros[..part], kept: &zeros[..C::KEPT * part] });
        let step = Forward { recurrent, behind, before, kept: &mut *kept, state: &mut *state };
        self.arch.dispatch(OneStep { cell: &self.cell, step });
        self.clear_masked(tokens, units, [state, kept]);
    }

    /// Sets what belongs to texts that have not begun to zero, in all parts.
    fn clear_masked<const N: usize>(&self, tokens: &[u32], units: usize, all: [&mut [f32]; N]) {
        if !tokens.contains(&Batch::MASKED) {
            return;
        }
        for part in all.into_iter().flat_map(|parts| parts.chunks_exact_mut(tokens.len() * units)) {
            for (text, &token) in part.chunks_exact_mut(units).zip(tokens) {
                if token == Batch::MASKED {
                    text.fill(0.0);
                }
            }
        }
    }

    /// Gradients of `projected` (of `rows` rows) and of the kernel, given that of the output.
    fn gradients(
        &self,
        Trace { states, mut kept }: Trace,
        kernel: &[f32],
        output: &[f32],
        rows: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let units = match self.output {
            Output::Last => output.len() / self.texts.max(1),
            Output::All => output.len() / (self.texts * self.steps).max(1),
        };
        let row = self.texts * units;
        let mut of_kernel = vec![0.0; kernel.len()];
        let kernel = Kernel::new::<C>(kernel, units);
        let gates = kernel.backward();
        // The gradients of a step take the place of what was kept of it; of a cell that keeps nothing they are new.
        let mut new = zeros(if C::KEPT == 0 { C::GATES * states.len() } else { 0 });
        let mut left: Vec<Vec<&mut [f32]>> = if C::KEPT == 0 {
            by_texts(&mut new, C::GATES * row, C::GATES * units)
        } else {
            let blocks = kept.iter_mut().enumerate();
            blocks
                .map(|(block, kept)| kept.chunks_exact_mut(C::KEPT * self.texts_of(block) * units).collect())
                .collect()
        };
        let blocks: Vec<Vec<f32>> = left
            .par_iter_mut()
            .enumerate()
            .map(|(block, left)| self.retreat(block, left, &states, output, (&gates, kernel.behind), units))
            .collect();
        for of_block in blocks {
            add_block::<C>(&mut of_kernel, &of_block, units);
        }
        // Only a narrow layer needs them any longer.
        let states = self.is_narrow(units).then_some(states);
        let of_projected = self.by_word(&left, rows, units);
        if let Some(states) = states {
            self.add_narrow(&mut of_kernel, &states, &new, units);
        }
        (of_projected, of_kernel)
    }

    /// Adds the gradient of a narrow layer's kernel, given all states and all gradients, `steps × texts × units`.
    fn add_narrow(&self, of_kernel: &mut [f32], states: &[f32], gradients: &[f32], units: usize) {
        let row = self.texts * units;
        for first in self.chunks(units) {
            let after = &gradients[first.max(1) * row..self.steps.min(first + self.at_a_time(units)) * row];
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
            multiply(of_kernel, Mode::Add, seen.t(), after, Parallelism::Rayon(0));
        }
    }

    /// Whether the gradient of the kernel comes from products over all texts.
    fn is_narrow(&self, units: usize) -> bool {
        C::KEPT == 0 && units < NARROW
    }

    /// Steps of a chunk. The gradients of a word, and of a narrow layer's kernel, are added up chunk by chunk, the last one first.
    fn at_a_time(&self, units: usize) -> usize {
        (GRADIENTS / (self.texts * units).max(1)).clamp(1, self.steps.max(1))
    }

    /// The first step of each chunk.
    fn chunks(&self, units: usize) -> impl Iterator<Item = usize> {
        (0..self.steps).step_by(self.at_a_time(units)).rev()
    }

    /// Takes a block of texts back through all steps: leaves the gradients of each in `left`, in place of what was kept of
    /// it. Returns that of the kernel, `gates × units × units` (of a narrow layer none), and behind it that of what stands behind
    /// the kernel.
    fn retreat(
        &self,
        block: usize,
        left: &mut [&mut [f32]],
        states: &[f32],
        output: &[f32],
        (gates, behind_kernel): (&[Packed<'_>], &[f32]),
        units: usize,
    ) -> Vec<f32> {
        let (row, start) = (self.texts * units, block * TEXTS);
        let part = self.texts_of(block) * units;
        let state_at = |step: usize| &states[step * row + start * units..][..part];
        let parts_of = |left: &[f32], which: usize| which * part..left.len().min((which + 1) * part);
        let mut gradient = vec![0.0; part];
        let mut carried = vec![0.0; C::CARRIED * part];
        let zeros = vec![0.0; C::KEPT.max(1) * part];
        let weights = if self.is_narrow(units) { 0 } else { C::GATES * units * units };
        let mut of_kernel = vec![0.0; weights + C::BEHIND.len() * units];
        let (of_weights, of_behind) = of_kernel.split_at_mut(weights);
        for at in (0..self.steps).rev() {
            let (before, here) = left.split_at_mut(at);
            let [here, behind @ ..] = here else { break };
            match behind.first() {
                Some(behind) => {
                    for (gate, (packed, &which)) in gates.iter().zip(C::RECURRENT).enumerate() {
                        let mode = if gate == 0 { Mode::Set } else { Mode::Add };
                        packed.multiply(&mut gradient, mode, &behind[parts_of(behind, which)]);
                    }
                    if let Some(mask) = &self.mask {
                        gradient.iter_mut().zip(&mask[start * units..]).for_each(|(g, mask)| *g *= mask);
                    }
                }
                None => gradient.fill(0.0),
            }
            match self.output {
                Output::Last if behind.is_empty() => {
                    gradient.copy_from_slice(&output[start * units..][..part]);
                }
                Output::Last => {}
                Output::All => {
                    let own = &output[at * row + start * units..][..part];
                    gradient.iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
                }
            }
            let before = match before.last() {
                Some(kept) => Before { state: state_at(at - 1), kept: &kept[..C::KEPT * part] },
                None => Before { state: &zeros[..part], kept: &zeros[..C::KEPT * part] },
            };
            let (state, kept) = (state_at(at), &mut **here);
            let step = Backward {
                gradient: &gradient,
                carried: &mut carried,
                behind: behind_kernel,
                before,
                state,
                kept,
            };
            self.arch.dispatch(OneStep { cell: &self.cell, step });
            self.clear_masked(self.tokens_of([at, block]), units, [here, &mut carried]);
            if at % STEPS != 0 {
                continue;
            }
            let steps = at..self.steps.min(at + STEPS);
            for (&which, sums) in C::BEHIND.iter().zip(of_behind.chunks_exact_mut(units)) {
                for left in &left[steps.clone()] {
                    for values in left[parts_of(left, which)].chunks_exact(units) {
                        self.arch.dispatch(AddTo { sums, values });
                    }
                }
            }
            // Each state with the gradient of the step after it.
            let after = steps.start.max(1)..steps.end;
            let seen = after.clone().map(|step| self.masked(state_at(step - 1), start, units));
            let seen: Vec<Cow<'_, [f32]>> = if of_weights.is_empty() { Vec::new() } else { seen.collect() };
            let pairs: Vec<(&[f32], Vec<&[f32]>)> = seen
                .iter()
                .zip(&left[after])
                .map(|(seen, left)| {
                    let of_gates = C::RECURRENT.iter().map(|&which| &left[parts_of(left, which)]);
                    (&**seen, of_gates.collect())
                })
                .collect();
            add_outer(of_weights, part / units, &pairs);
        }
        of_kernel
    }
}

/// Adds to the gradient of a kernel's tensor that of a block, `gates × units × units`, and behind it that of what stands
/// behind the kernel.
fn add_block<C: Step>(of_kernel: &mut [f32], of_block: &[f32], units: usize) {
    let columns = C::GATES * units;
    let (of_weights, of_behind) = of_kernel.split_at_mut(units * columns);
    let (weights, behind) = of_block.split_at(of_block.len() - of_behind.len());
    for (gate, weights) in weights.chunks_exact(units * units).enumerate() {
        for (row, weights) in of_weights.chunks_exact_mut(columns).zip(weights.chunks_exact(units)) {
            row[gate * units..].iter_mut().zip(weights).for_each(|(sum, g)| *sum += g);
        }
    }
    of_behind.iter_mut().zip(behind).for_each(|(sum, g)| *sum += g);
}

/// Puts the row of a text, part by part, into parts of all texts.
fn fill_text(parts: &mut [f32], part: usize, text: usize, row: &[f32]) {
    let units = row.len() / (parts.len() / part);
    for (part, row) in parts.chunks_exact_mut(part).zip(row.chunks_exact(units)) {
        part[text * units..][..units].copy_from_slice(row);
    }
}

/// What a cell computes of one step, with vector instructions of this processor.
struct OneStep<'c, C, T> {
    cell: &'c C,
    step: T,
}

impl<C: Step> WithSimd for OneStep<'_, C, Forward<'_>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.cell.forward(simd, self.step);
    }
}

impl<C: Step> WithSimd for OneStep<'_, C, Backward<'_>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.cell.backward(simd, self.step);
    }
}

/// Memory of one block that is used again at each step.
struct Scratch {
    /// What comes of the states, `gates × texts × units`, if the cell needs that apart.
    recurrent: Vec<f32>,
    /// What stands for the step before the first.
    zeros: Vec<f32>,
}

impl Scratch {
    fn new<C: Step>(texts: usize, units: usize) -> Self {
        let recurrent = vec![0.0; if C::SPLIT { C::GATES * texts * units } else { 0 }];
        Self { recurrent, zeros: vec![0.0; C::KEPT.max(1) * texts * units] }
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
            with_values(kernel, |kernel| self.gradients(trace, kernel, gradient, rows))
        })??;
        let device = projected.device();
        let of_kernel = Tensor::from_vec(of_kernel, kernel.shape(), device)?;
        let of_projected = match &self.of_projected {
            None => Some(Tensor::from_vec(of_projected, projected.shape(), device)?),
            Some(place) => {
                if let Ok(mut place) = place.lock() {
                    *place = of_projected;
                }
                None
            }
        };
        Ok((of_projected, Some(of_kernel)))
    }
}

#[cfg(test)]
mod tests;
