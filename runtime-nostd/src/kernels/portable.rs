//! The kernel for every target: plain Rust, and the oracle for any other.

use crate::Model;
use crate::layers::{BLOCK, Order, State};

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

/// One step: a row of the embedding and a state, both of this model.
#[inline(never)]
pub(crate) fn step<const UNITS: usize>(model: &Model<'_>, row: u32, state: &mut State<UNITS>) {
    let contents = model.contents();
    let (rnn, embedding, inputs) = (&contents.rnn, &contents.embedding, model.inputs());
    let (values, Scratch(room)) = state.parts();
    let (order, units) = (rnn.order, values.len());
    let mut list = List { room, length: 0 };
    list.add_states(values, rnn.state_shift, order);
    let mut input = units;
    embedding.for_each_multiplier(row, |multiplier| {
        list.add(order.column(input, units), multiplier);
        input += 1;
    });
    let List { room, length } = list;
    let open = room.get(..length).unwrap_or_default();

    let weights = bytemuck::try_cast_slice::<u8, i16>(rnn.weights).unwrap_or_default();
    let (kernel, biases) = weights.split_at_checked(inputs * units / 2).unwrap_or_default();
    let bias_row = embedding.bias_row(row) as usize;
    let mut biases = biases.get(bias_row * units / 2..).unwrap_or_default();
    let (block, second) = (order.block(inputs), order.second());
    let half = rnn.activation.half();
    let mut first = 0;
    let requantize = |sum| rnn.activation.requantize(sum);
    // Two blocks at once, and a last one.
    let (twos, one) = values.as_chunks_mut::<{ 2 * BLOCK }>();
    for values in twos {
        let Some((row, rest)) = biases.split_first_chunk::<4>() else { return };
        let places = [first, first + second, first + block, first + block + second];
        *values = sums::<4, 8>(kernel, places, open, begin(row, half, rnn.bias_shift)).map(requantize);
        (biases, first) = (rest, first + 2 * block);
    }
    if let (Some(values), Some(row)) = (one.first_chunk_mut::<BLOCK>(), biases.first_chunk::<2>()) {
        let places = [first, first + second];
        *values = sums::<2, 4>(kernel, places, open, begin(row, half, rnn.bias_shift)).map(requantize);
    }
}

/// The inputs that are not zero: most of a ReLU state is.
struct List<'s> {
    room: &'s mut [Open],
    length: usize,
}

impl List<'_> {
    #[inline(always)]
    fn add(&mut self, column: usize, multiplier: i16) {
        if multiplier != 0
            && let Some(open) = self.room.get_mut(self.length)
        {
            *open = [column as u16, multiplier as u16];
            self.length += 1;
        }
    }

    fn add_states(&mut self, values: &[i8], shift: u8, order: Order) {
        let column = |input| order.column(input, values.len());
        let (columns, stride) = ([0, 1, 2, 3].map(column), column(4));
        let mut first = 0;
        for values in values.as_chunks::<4>().0 {
            for (value, column) in values.iter().zip(columns) {
                self.add(first + column, i16::from(*value) << shift);
            }
            first += stride;
        }
    }
}

/// What the sums of some pairs of units begin with, given their biases: for each pair, that of the first one plus 256
/// times that of the second, then that of the first alone.
#[inline(always)]
fn begin<const PAIRS: usize, const SUMS: usize>(biases: &[i16; PAIRS], half: i32, shift: u8) -> [i32; SUMS] {
    let mut sums = [0; SUMS];
    add(&mut sums, biases.map(i16::from_le), 1 << shift);
    for sums in sums.as_chunks_mut::<2>().0 {
        sums[0] += 257 * half;
        sums[1] += half;
    }
    sums
}

/// The accumulators of some pairs of units, whose weights of the first input are at these places.
///
/// Sums wrap around, though the loader proved that none does: those of both units of a pair are 256 times as large.
#[inline(always)]
fn sums<const PAIRS: usize, const SUMS: usize>(
    kernel: &[i16],
    places: [usize; PAIRS],
    open: &[Open],
    mut sums: [i32; SUMS],
) -> [i32; SUMS] {
    let length = kernel.len().saturating_sub(places[PAIRS - 1]);
    let rows = places.map(|place| kernel.get(place..place + length).unwrap_or_default());
    // Of equal length, so that one look tells whether all have a place.
    if rows.iter().all(|row| row.len() == length) {
        for &[place, multiplier] in open {
            let place = usize::from(place);
            if place >= length {
                break;
            }
            let weights = rows.map(|row| row.get(place).map_or(0, |&weights| i16::from_le(weights)));
            add(&mut sums, weights, i32::from(multiplier as i16));
        }
    }
    for sums in sums.as_chunks_mut::<2>().0 {
        *sums = [sums[1], sums[0].wrapping_sub(sums[1]) >> 8];
    }
    sums
}

/// Adds an input's products with the weights of some pairs of units to their sums.
#[inline(always)]
fn add<const PAIRS: usize, const SUMS: usize>(
    sums: &mut [i32; SUMS],
    weights: [i16; PAIRS],
    multiplier: i32,
) {
    for (sums, weights) in sums.as_chunks_mut::<2>().0.iter_mut().zip(weights) {
        let terms = [i32::from(weights), i32::from(weights as i8)];
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = sum.wrapping_add(term * multiplier);
        }
    }
}
