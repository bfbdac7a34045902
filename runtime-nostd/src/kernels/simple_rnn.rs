//! The kernel for every target: plain Rust, and the oracle for any other.

use super::numbers::Numbers;
use super::state::Memory;
use crate::Model;
use crate::layers::{BLOCK, Order, SimpleRnn};
use crate::scratch::List as Room;
#[cfg(kilornn_gates)]
use crate::scratch::list_in;

/// Takes one step of a network that is this SimpleRNN alone, in memory of the model's shape.
#[inline(never)]
pub(super) fn step_alone(
    model: &Model<'_>,
    rnn: &SimpleRnn<'_>,
    numbers: Numbers<'_>,
    memory: &mut impl Memory,
) {
    let inputs = model.shape().inputs();
    let (values, room) = memory.simple_rnn();
    step(rnn, inputs, numbers, values, room);
}

/// Takes one step of a SimpleRNN among other layers, with a list in these words.
#[cfg(kilornn_gates)]
#[inline(never)]
pub(super) fn step_in_stack(rnn: &SimpleRnn<'_>, numbers: Numbers<'_>, values: &mut [i8], list: &mut [u32]) {
    step(rnn, values.len() + numbers.len(), numbers, values, list_in(list));
}

#[inline(always)]
fn step(rnn: &SimpleRnn<'_>, inputs: usize, numbers: Numbers<'_>, values: &mut [i8], room: Room<'_>) {
    let (order, units) = (rnn.order, values.len());
    let mut list = List { room, length: 0 };
    list.add_states(values, rnn.state_shift, order);
    let mut input = units;
    numbers.for_each(|multiplier| {
        list.add(order.column(input, units), multiplier);
        input += 1;
    });
    let List { room, length } = list;
    let active = room.get(..length).unwrap_or_default();

    let weights = bytemuck::try_cast_slice::<u8, i16>(rnn.weights).unwrap_or_default();
    let (kernel, biases) = weights.split_at_checked(inputs * units / 2).unwrap_or_default();
    let mut biases = biases.get(numbers.bias_row() as usize * units / 2..).unwrap_or_default();
    let block = order.block(inputs);
    let begin = Begin { half: rnn.activation.half(), bias: 1 << rnn.bias_shift };
    let requantize = |sum| rnn.activation.requantize(sum);
    let mut first = 0;
    // Where the weights of a column lie side by side, sixteen units at once: as many as there are registers for.
    let wide = if order == Order::Columns { units / 16 * 16 } else { 0 };
    let (wide, narrow) = values.split_at_mut_checked(wide).unwrap_or_default();
    for values in wide.as_chunks_mut::<16>().0 {
        let Some((row, more)) = biases.split_first_chunk::<8>() else { return };
        *values = sums::<8, 16, 8>(kernel, first, active, begin.sums(row)).map(requantize);
        (biases, first) = (more, first + 4 * block);
    }
    for values in narrow.as_chunks_mut::<BLOCK>().0 {
        let Some((row, more)) = biases.split_first_chunk::<2>() else { return };
        let begin = begin.sums(row);
        let sums = match order {
            Order::Columns => sums::<2, 4, 2>(kernel, first, active, begin),
            Order::Pairs => sums::<2, 4, 3>(kernel, first, active, begin),
        };
        *values = sums.map(requantize);
        (biases, first) = (more, first + block);
    }
}

/// The list of active inputs. Most units of a ReLU state are zero and not in it.
struct List<'s> {
    room: Room<'s>,
    length: usize,
}

impl List<'_> {
    #[inline(always)]
    fn add(&mut self, column: usize, multiplier: i16) {
        if multiplier != 0
            && let Some(place) = self.room.get_mut(self.length)
        {
            *place = [column as u16, multiplier as u16];
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

/// What sums begin with.
#[derive(Clone, Copy)]
struct Begin {
    /// Half of the last place that remains, so that a shift rounds.
    half: i32,
    /// The factor of all biases.
    bias: i32,
}

impl Begin {
    /// The sums of some pairs of units before the first input, from their biases. Each pair has two sums:
    /// even + 256 * odd, then that of the even unit alone.
    #[inline(always)]
    fn sums<const PAIRS: usize, const SUMS: usize>(self, biases: &[i16; PAIRS]) -> [i32; SUMS] {
        let mut sums = [0; SUMS];
        add(&mut sums, *biases, self.bias);
        for sums in sums.as_chunks_mut::<2>().0 {
            sums[0] += 257 * self.half;
            sums[1] += self.half;
        }
        sums
    }
}

/// The accumulators of some pairs of units. Their weights begin `first` places behind the start of each column, and are
/// spread evenly over `PLACES` places.
///
/// Additions wrap around, which spares a check; the loader has proved that no sum leaves the range of an `i32`.
#[inline(always)]
fn sums<const PAIRS: usize, const SUMS: usize, const PLACES: usize>(
    kernel: &[i16],
    first: usize,
    active: &[[u16; 2]],
    mut sums: [i32; SUMS],
) -> [i32; SUMS] {
    let kernel = kernel.get(first..).unwrap_or_default();
    for &[column, multiplier] in active {
        let weights = kernel.get(usize::from(column)..).and_then(<[i16]>::first_chunk::<PLACES>);
        // The loader proved that every column is there.
        let Some(weights) = weights else { break };
        let apart = (PLACES - 1) / (PAIRS - 1);
        add(
            &mut sums,
            core::array::from_fn::<_, PAIRS, _>(|pair| weights[pair * apart]),
            i32::from(multiplier as i16),
        );
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
    for (sums, weights) in sums.as_chunks_mut::<2>().0.iter_mut().zip(weights.map(i16::from_le)) {
        let terms = [i32::from(weights), i32::from(weights as i8)];
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum = sum.wrapping_add(term * multiplier);
        }
    }
}
