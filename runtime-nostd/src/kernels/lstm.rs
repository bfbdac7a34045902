//! One step of an LSTM. What is computed stands here in plain Rust; `assembly` has it for Cortex-M and RISC-V.

use super::gates::{Sums, columns, half_times, output};
use super::numbers::Numbers;
use crate::Kernel;
use crate::layers::{Lstm, blocks, gate, wide_tanh};

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
pub(super) fn step(lstm: &Lstm<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (lstm.units as usize, numbers.len());
    let share = memory.get_mut(..Lstm::share(Kernel::Portable, units, width).words).unwrap_or_default();
    let (new, rest) = share.split_at_mut_checked(units / 2).unwrap_or_default();
    let inputs = rest.len().saturating_sub(units);
    let (inputs, cells) = rest.split_at_mut_checked(inputs).unwrap_or_default();
    let new = bytemuck::try_cast_slice_mut(new).unwrap_or_default();
    let cells = bytemuck::try_cast_slice_mut(cells).unwrap_or_default();
    let inputs: &mut [i16] = bytemuck::try_cast_slice_mut(inputs).unwrap_or_default();
    numbers.write(inputs);
    let first = numbers.folded_row().map(|row| lstm.biases(inputs.len(), row));
    let biases = first.and_then(|first| lstm.weights.get(first..)).unwrap_or_default();
    advance(lstm, inputs, cells, new, biases);
    let outputs = inputs.get_mut(width..).unwrap_or_default();
    if outputs.len() == new.len() {
        outputs.copy_from_slice(new);
    }
}

/// `inputs` are the numbers that came in and then the layer's outputs of the step before; `cells` are its cell states;
/// `new` is room for as many outputs. `biases` begin with the word's row of them, or are empty.
fn advance(lstm: &Lstm<'_>, inputs: &[i16], cells: &mut [i32], new: &mut [i16], biases: &[u8]) {
    let words = bytemuck::try_cast_slice::<u8, i32>(lstm.weights).unwrap_or_default();
    let block = 4 + inputs.len();
    let mut biases = biases.as_chunks::<4>().0.iter();
    for ((block, cell), new) in blocks(words, block).zip(cells).zip(new) {
        let Some((&[i, g, f, o], weights)) = block.split_first_chunk::<4>() else { return };
        let &[i0, i1, f0, f1] = biases.next().unwrap_or(&[0; 4]);
        let mut first = Sums::new(i, g, i16::from_le_bytes([i0, i1]), lstm.bias_shift);
        let mut second = Sums::new(f, o, i16::from_le_bytes([f0, f1]), lstm.bias_shift);
        for (&inputs, &[a, b]) in columns(inputs).iter().zip(weights.as_chunks::<2>().0) {
            first.add(a, inputs);
            second.add(b, inputs);
        }
        let ([input, candidate], [forget, out]) = (first.shifted(i, g), second.shifted(f, o));
        // Twenty bits of the cell state are below one. `forget` is what is lost of it.
        let kept = *cell - 2 * half_times(*cell, gate(forget));
        *cell = kept.saturating_add(half_times(wide_tanh(candidate), gate(input)) >> 9);
        *new = output(half_times(wide_tanh(*cell >> 4), gate(out)), lstm.state_bits);
    }
}
