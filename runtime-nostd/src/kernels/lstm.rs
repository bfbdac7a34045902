//! One step of an LSTM, in plain Rust.

use super::gates::{Sums, columns, half_times, output};
use crate::layers::{Lstm, blocks, gate, wide_tanh};

/// Takes one step. `inputs` are the numbers that came in and then the layer's outputs of the step before; `cells` are its
/// cell states; `new` is room for as many outputs. `biases` is the word's row of them, or empty.
pub(super) fn step(lstm: &Lstm<'_>, inputs: &mut [i16], cells: &mut [i32], new: &mut [i16], biases: &[u8]) {
    let words = bytemuck::try_cast_slice::<u8, i32>(lstm.weights).unwrap_or_default();
    let block = 4 + inputs.len();
    let mut biases = biases.as_chunks::<4>().0.iter();
    for ((block, cell), new) in blocks(words, block).zip(&mut *cells).zip(&mut *new) {
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
    let width = inputs.len().saturating_sub(new.len());
    if let Some((_, outputs)) = inputs.split_at_mut_checked(width)
        && outputs.len() == new.len()
    {
        outputs.copy_from_slice(new);
    }
}
