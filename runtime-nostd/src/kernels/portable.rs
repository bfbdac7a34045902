//! The kernel for every target: plain Rust, and the oracle for any other.

use crate::Model;
use crate::layers::{BLOCK, State};

/// An input that is not zero: where its column begins in the kernel, in `i16`s, and what multiplies it.
type Open = [u16; 2];

/// The inputs of a step that are not zero; nothing is kept in it from one step to the next.
#[derive(Debug, Clone)]
pub(crate) struct Scratch<const UNITS: usize>([Open; UNITS]);

impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self([[0; 2]; UNITS])
    }
}

/// One step: a row of the embedding and a state, both of this model. Sums wrap around, though the loader proved that
/// none does: of odd units they are 256 times as large.
#[inline(never)]
pub(crate) fn step<const UNITS: usize>(model: &Model<'_>, row: u32, state: &mut State<UNITS>) {
    let contents = model.contents();
    let (rnn, embedding, inputs) = (&contents.rnn, &contents.embedding, model.inputs());
    let (values, Scratch(room)) = state.parts();
    let (order, units) = (rnn.order, values.len());
    let states = values.iter().map(|&value| i16::from(value) << rnn.state_shift);
    let open = list(states.chain(embedding.multipliers(row)), |input| order.column(input, units), room);

    let weights = bytemuck::try_cast_slice::<u8, i16>(rnn.weights).unwrap_or_default();
    let (kernel, biases) = weights.split_at_checked(inputs * units / 2).unwrap_or_default();
    let bias_row = embedding.bias_row(row) as usize;
    let (biases, _) = biases.get(bias_row * units / 2..).unwrap_or_default().as_chunks::<2>();
    let half = rnn.activation.half();
    let bias = 1 << rnn.bias_shift;
    let mut first = 0;
    for (values, &[front, back]) in values.as_chunks_mut::<BLOCK>().0.iter_mut().zip(biases) {
        // The sums of two units and of 256 times one of them, twice.
        let mut sums = [half, 257 * half, half, 257 * half];
        add(&mut sums, front, back, bias);
        let rest = kernel.get(first..).unwrap_or_default();
        let second = rest.get(order.second()..).unwrap_or_default();
        // Of equal length, so that one look tells that both have a place.
        let rest = rest.get(..second.len()).unwrap_or_default();
        for &[place, multiplier] in open {
            let place = usize::from(place);
            let (Some(&front), Some(&back)) = (rest.get(place), second.get(place)) else { break };
            add(&mut sums, front, back, i32::from(multiplier as i16));
        }
        let [s0, s1, s2, s3] = sums;
        let odd = |sum: i32, even| sum.wrapping_sub(even) >> 8;
        *values = [s0, odd(s1, s0), s2, odd(s3, s2)].map(|sum| rnn.activation.requantize(sum));
        first += order.block(inputs);
    }
}

/// Lists the inputs that are not zero: most of a ReLU state is.
fn list(
    inputs: impl Iterator<Item = i16>,
    column: impl Fn(usize) -> usize,
    room: &mut [Open],
) -> &[Open] {
    let mut count = 0;
    for (input, multiplier) in inputs.enumerate() {
        if multiplier != 0
            && let Some(open) = room.get_mut(count)
        {
            *open = [column(input) as u16, multiplier as u16];
            count += 1;
        }
    }
    room.get(..count).unwrap_or_default()
}

/// Adds a column's weights of one block, the first two units' and the last two's, to its sums.
#[inline(always)]
fn add(sums: &mut [i32; BLOCK], front: i16, back: i16, multiplier: i32) {
    let (front, back) = (i16::from_le(front), i16::from_le(back));
    let terms = [i32::from(front as i8), front.into(), i32::from(back as i8), back.into()];
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum = sum.wrapping_add(term * multiplier);
    }
}
