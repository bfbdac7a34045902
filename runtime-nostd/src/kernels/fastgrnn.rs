//! One step of a FastGRNN. What is computed stands here in plain Rust; `assembly` has it for Cortex-M and RISC-V.

use super::gates::{Sums, columns, half_times, output};
use super::numbers::Numbers;
use crate::Kernel;
use crate::layers::{FastGrnn, Share, blocks, gate, wide_tanh};

/// States of 32 bits are at least minus this, and less than this.
const LIMIT: i32 = 1 << 29;

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
pub(super) fn step(layer: &FastGrnn<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (layer.units as usize, numbers.len());
    let share = memory.get_mut(..Share::of_states(Kernel::Portable, units, width).words).unwrap_or_default();
    let (states, inputs) = share.split_at_mut_checked(units).unwrap_or_default();
    let states = bytemuck::try_cast_slice_mut(states).unwrap_or_default();
    let inputs: &mut [i16] = bytemuck::try_cast_slice_mut(inputs).unwrap_or_default();
    numbers.write(inputs);
    let first = numbers.folded_row().map(|row| layer.biases(inputs.len(), row));
    let biases = first.and_then(|first| layer.weights.get(first..)).unwrap_or_default();
    advance(layer, inputs, states, biases);
}

/// `inputs` are the numbers that came in and then the layer's outputs of the step before, `states` the same outputs with 32
/// bits. `biases` begin with the word's row of them, or are empty.
fn advance(layer: &FastGrnn<'_>, inputs: &mut [i16], states: &mut [i32], biases: &[u8]) {
    let words = bytemuck::try_cast_slice::<u8, i32>(layer.weights).unwrap_or_default();
    let block = 8 + inputs.len();
    let shift = layer.bias_shift;
    let mut biases = biases.as_chunks::<2>().0.as_chunks::<2>().0.iter();
    for (block, states) in blocks(words, block).zip(states.as_chunks_mut::<4>().0) {
        let Some((&[b0, b1, b2, b3, ref offsets @ ..], weights)) = block.split_first_chunk::<8>() else {
            return;
        };
        let [of_first, of_second] = biases.next().unwrap_or(&[[0; 2]; 2]).map(i16::from_le_bytes);
        let mut first = Sums::new(b0, b1, of_first, shift);
        let mut second = Sums::new(b2, b3, of_second, shift);
        for (&inputs, &[a, b]) in columns(inputs).iter().zip(weights.as_chunks::<2>().0) {
            first.add(a, inputs);
            second.add(b, inputs);
        }
        let sums = [first.shifted(b0, b1), second.shifted(b2, b3)];
        for ((state, &sum), &offset) in states.iter_mut().zip(sums.as_flattened()).zip(offsets) {
            *state = next(layer, *state, sum, i32::from_le(offset));
        }
    }
    // Not before all units have read them.
    let width = inputs.len().saturating_sub(states.len());
    if let Some((_, outputs)) = inputs.split_at_mut_checked(width) {
        for (place, &state) in outputs.iter_mut().zip(&*states) {
            *place = output(state, layer.state_bits);
        }
    }
}

/// The state after a step. No number in it leaves 32 bits: an offset is less than 2^30 in magnitude, and half of a sum at
/// most that; of a candidate up to 2^30 neither `zeta` nor `nu`, both less than 2^15, leaves more than 2^29; a state that
/// goes part of the way to such a number stays below 2^29, but for rounding, and with `nu`'s share below 2^30.
#[inline(always)]
fn next(layer: &FastGrnn<'_>, state: i32, sum: i32, offset: i32) -> i32 {
    let candidate = wide_tanh(sum);
    // How much of the way to the candidate the state goes: one minus the gate.
    let open = gate(offset - (sum >> 1));
    let target = half_times(candidate, layer.zeta.into());
    let reached = state + 2 * half_times(target - state, open) + half_times(candidate, layer.nu.into());
    reached.clamp(-LIMIT, LIMIT - 1)
}
