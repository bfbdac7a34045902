//! One step of a GRU. What is computed stands here in plain Rust; `assembly` has it for Cortex-M and RISC-V.

use super::gates::{Sums, columns, half_times, output};
use super::numbers::Numbers;
use crate::Kernel;
use crate::layers::{Gru, Share, blocks, gate, wide_tanh};

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
pub(super) fn step(gru: &Gru<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (gru.units as usize, numbers.len());
    let share = memory.get_mut(..Share::of_states(Kernel::Portable, units, width).words).unwrap_or_default();
    let (states, inputs) = share.split_at_mut_checked(units).unwrap_or_default();
    let states = bytemuck::try_cast_slice_mut(states).unwrap_or_default();
    let inputs: &mut [i16] = bytemuck::try_cast_slice_mut(inputs).unwrap_or_default();
    numbers.write(inputs);
    let first = numbers.folded_row().map(|row| gru.biases(inputs.len(), row));
    let biases = first.and_then(|first| gru.weights.get(first..)).unwrap_or_default();
    advance(gru, width, inputs, states, biases);
}

/// `inputs` are `width` numbers that came in and then the layer's outputs of the step before, `states` the same outputs
/// with 32 bits. `biases` begin with the
/// word's row of them, or are empty.
fn advance(gru: &Gru<'_>, width: usize, inputs: &mut [i16], states: &mut [i32], biases: &[u8]) {
    let words = bytemuck::try_cast_slice::<u8, i32>(gru.weights).unwrap_or_default();
    let Some((x, h)) = inputs.split_at_checked(width) else { return };
    let (x, h) = (columns(x), columns(h));
    let block = 8 + (x.len() + h.len()) * 3;
    let mut biases = biases.as_chunks::<2>().0.as_chunks::<3>().0.iter();
    for (block, states) in blocks(words, block).zip(states.as_chunks_mut::<2>().0) {
        let Some((&[z0, r0, z1, r1, x0, x1, h0, h1], weights)) = block.split_first_chunk::<8>() else {
            return;
        };
        let weights = weights.as_chunks::<3>().0;
        let Some((x_weights, h_weights)) = weights.split_at_checked(x.len()) else { return };
        let [of_first, of_second, of_both] = biases.next().unwrap_or(&[[0; 2]; 3]).map(i16::from_le_bytes);
        let shift = gru.bias_shift;
        let mut first = Sums::new(z0, r0, of_first, shift);
        let mut second = Sums::new(z1, r1, of_second, shift);
        let (mut from_x, mut from_h) = (Sums::new(x0, x1, of_both, shift), Sums::new(h0, h1, 0, shift));
        for (&inputs, &[a, b, c]) in x.iter().zip(x_weights) {
            first.add(a, inputs);
            second.add(b, inputs);
            from_x.add(c, inputs);
        }
        for (&inputs, &[a, b, c]) in h.iter().zip(h_weights) {
            first.add(a, inputs);
            second.add(b, inputs);
            from_h.add(c, inputs);
        }
        let (from_x, from_h) = (from_x.shifted(x0, x1), from_h.shifted(h0, h1));
        let gates = [first.shifted(z0, r0), second.shifted(z1, r1)];
        for (((state, [update, reset]), from_x), from_h) in
            states.iter_mut().zip(gates).zip(from_x).zip(from_h)
        {
            let candidate = wide_tanh(from_x + 2 * half_times(from_h, gate(reset)));
            // `update` is how much of the way to the candidate the state goes.
            *state += 2 * half_times((candidate >> 1) - *state, gate(update));
        }
    }
    // Not before all units have read them.
    if let Some((_, outputs)) = inputs.split_at_mut_checked(width) {
        for (place, &state) in outputs.iter_mut().zip(&*states) {
            *place = output(state, gru.state_bits);
        }
    }
}
