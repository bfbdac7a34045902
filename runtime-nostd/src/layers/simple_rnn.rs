//! The recurrence: `h = activation(W·E[word] + b + U·h)` in integers.

use serde::{Deserialize, Serialize};

use super::Activation;
use super::cell::Cell;
use super::incoming::Incoming;
use super::share::Share;
use crate::check::{aligned, at_least_one, at_most, exactly};
#[cfg(kilornn_gates)]
use crate::decoder::{Decoder, next};
use crate::{Error, Kernel};

/// Keras's `SimpleRNN`. Its state is an `i8` in each unit.
///
/// A step adds up columns of weights, each multiplied by a number of 16 bits, in one 32-bit accumulator for each unit,
/// and rounds once:
///
/// ```text
/// accumulator = (bias << bias_shift) + Σ U · (h << state_shift) + Σ W · multiplier
/// h           = activation(accumulator)
/// ```
///
/// `bias` and `multiplier` are those of the word's row ([`Embedding`](super::Embedding)), or the multipliers are the
/// outputs of the layer below, shifted; the last line is [`Activation::apply`]. The quantization scales are powers of two, so that shifts are enough: with ReLU a unit may have any scale, and the
/// exporter multiplies it into the weights that read and write the unit; with tanh all units have the same scale.
///
/// Units come in blocks of four. The exporter adds units whose weights are zero if a network has fewer.
///
/// ```
/// use kilornn::layers::{Activation, Order, SimpleRnn};
///
/// // Unit 0 keeps 3/4 of its state; every word adds 40 to it.
/// let kernel = SimpleRnn::encode_kernel(Order::Columns, 4, 4, |from, to| if from + to == 0 { 96 } else { 0 });
/// let biases = SimpleRnn::encode_biases(4, |unit| if unit == 0 { 40 } else { 0 });
/// let weights: Vec<u8> = kernel.chain(biases).collect();
/// let rnn = SimpleRnn {
///     units: 4,
///     activation: Activation::Relu,
///     order: Order::Columns,
///     weights: &weights,
///     bias_shift: 9,
///     state_shift: 2,
///     input_shift: 0,
/// };
/// // (40 << 9) + 96 * (40 << 2), of which 512 are one step.
/// assert_eq!(rnn.activation.apply((40 << 9) + 96 * (40 << 2)), 70);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SimpleRnn<'a> {
    /// The number of hidden units: a multiple of four, at most 256.
    pub units: u32,
    /// From accumulators to states.
    pub activation: Activation,
    /// The order of the kernel's weights.
    pub order: Order,
    /// The kernel, then the biases: `(inputs + bias rows) × units` bytes.
    ///
    /// The kernel is `inputs` columns of `units` weights: a column for each hidden unit, with the weights by which it
    /// acts on all units, then one for each number that comes in: of a row of a projected embedding, or of the outputs of
    /// the layer below. Then come rows of `units` biases: one for each row of a folded embedding, otherwise a single one.
    ///
    /// The weights, or biases, of two units are one little-endian `i16`, the even one plus 256 times the odd one, so
    /// that one multiplication serves both. [`encode_kernel`](Self::encode_kernel) and
    /// [`encode_biases`](Self::encode_biases) write them, and [`file::encode`](crate::file::encode) puts them at a
    /// multiple of four.
    pub weights: &'a [u8],
    /// By how many bits biases are shifted to the left; at most 14.
    pub bias_shift: u8,
    /// By how many bits states are shifted to the left; at most 8.
    pub state_shift: u8,
    /// By how many bits the outputs of the layer below are shifted to the left; 0 in the first layer.
    pub input_shift: u8,
}

/// The order of a kernel's weights. The exporter chooses it; it changes the speed and no result.
///
/// ```
/// assert_ne!(kilornn::layers::Order::Columns, kilornn::layers::Order::Pairs);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Order {
    /// Column after column, for states of which most are zero: the columns of zeros are left out.
    Columns,
    /// For states of which most are not zero: all columns are read in sequence, in pairs that cores with Arm's DSP
    /// instructions multiply at once.
    ///
    /// A block of four units comes after the other, and within it four columns after four. Of these, the weights of
    /// columns 0 and 2 come first, those for units 0 and 1 of the block and then those for units 2 and 3; then
    /// likewise the weights of columns 1 and 3.
    Pairs,
}

/// Units whose weights lie together.
pub(crate) const BLOCK: usize = 4;

impl Order {
    /// Where the column of an input begins, in `i16`s from the beginning of the kernel.
    pub(crate) const fn column(self, input: usize, units: usize) -> usize {
        match self {
            Order::Columns => input * (units / 2),
            Order::Pairs => input / 4 * 8 + input % 2 * 4 + input / 2 % 2,
        }
    }

    /// The distance between two blocks in a column, in `i16`s.
    pub(crate) const fn block(self, inputs: usize) -> usize {
        match self {
            Order::Columns => 2,
            Order::Pairs => 2 * inputs,
        }
    }

    /// The distance from the first two units of a block to its last two, in `i16`s.
    pub(crate) const fn second(self) -> usize {
        match self {
            Order::Columns => 1,
            Order::Pairs => 2,
        }
    }
}

/// Two weights as one number: the bytes of the `i16`, as in the file.
fn pair(even: i8, odd: i8) -> [u8; 2] {
    // If the even one is negative, it borrows one from the odd one's byte.
    [even as u8, odd.wrapping_sub(i8::from(even < 0)) as u8]
}

impl SimpleRnn<'_> {
    /// The bytes of a kernel: `inputs × units`, of which both must be multiples of four for [`Order::Pairs`], and `units`
    /// must be even. `weight(from, to)` is the weight by which input `from` acts on unit `to`.
    ///
    /// ```
    /// use kilornn::layers::{Order, SimpleRnn};
    ///
    /// let weights = [[1, 2, 3, 0], [-4, 5, 6, 0]]; // from, to
    /// let kernel = SimpleRnn::encode_kernel(Order::Columns, 4, 2, |from, to| weights[from][to]);
    /// // -4 + 256 * 5 is 0x04FC.
    /// assert_eq!(kernel.collect::<Vec<u8>>(), [1, 2, 3, 0, 0xFC, 0x04, 6, 0]);
    /// ```
    pub fn encode_kernel(
        order: Order,
        units: usize,
        inputs: usize,
        weight: impl Fn(usize, usize) -> i8,
    ) -> impl Iterator<Item = u8> {
        (0..inputs * units / 2).flat_map(move |place| {
            let (from, to) = match order {
                Order::Columns => (place / (units / 2), place % (units / 2) * 2),
                Order::Pairs => {
                    let (block, rest) = (place / (2 * inputs), place % (2 * inputs));
                    let from = rest / 8 * 4 + rest / 4 % 2 + rest % 2 * 2;
                    (from, block * BLOCK + rest / 2 % 2 * 2)
                }
            };
            pair(weight(from, to), weight(from, to + 1))
        })
    }

    /// The bytes of one row of biases: `units`, which must be even. `bias(unit)` is the bias of a unit.
    ///
    /// ```
    /// use kilornn::layers::SimpleRnn;
    ///
    /// let row: Vec<u8> = SimpleRnn::encode_biases(4, |unit| [1, 2, -1, 3][unit]).collect();
    /// assert_eq!(row, [1, 2, 0xFF, 2]);
    /// ```
    pub fn encode_biases(units: usize, bias: impl Fn(usize) -> i8) -> impl Iterator<Item = u8> {
        (0..units / 2).flat_map(move |half| pair(bias(2 * half), bias(2 * half + 1)))
    }

    /// Checks lengths and shifts, and that no accumulator can leave its range.
    pub(crate) fn check(&self, incoming: Incoming) -> Result<(), Error> {
        let (units, width) = (self.units as usize, incoming.width as usize);
        let inputs = units + width;
        at_least_one("hidden units", units)?;
        at_most("hidden units (at most)", 256, units)?;
        exactly("hidden units, modulo 4,", 0, units % BLOCK)?;
        match self.order {
            Order::Columns => {
                exactly("tanh states by columns", 0, usize::from(self.activation == Activation::Tanh))?
            }
            Order::Pairs => exactly("inputs in pairs, modulo 4,", 0, inputs % BLOCK)?,
        }
        at_most("bias shift (at most)", 14, usize::from(self.bias_shift))?;
        at_most("state shift (at most)", 8, usize::from(self.state_shift))?;
        #[cfg(kilornn_gates)]
        let multiplier = incoming.shifted(self.input_shift)?;
        #[cfg(not(kilornn_gates))]
        let multiplier = incoming.largest;
        let columns = inputs.saturating_add(incoming.rows.unwrap_or(1) as usize);
        exactly("bytes of weights", columns.saturating_mul(units), self.weights.len())?;
        aligned(self.weights)?;
        let constant = (128 << self.bias_shift) + self.activation.half() as u32;
        let largest = constant + self.largest_product(inputs, multiplier);
        // 256 times as much, which the sum of an odd unit passes through, stays below 2^31.
        at_most("accumulator's bound (at most)", (1 << 23) - 1, largest as usize)
    }

    /// The largest sum of magnitudes of a unit's products. Up to 512 products of 128 times 2^15 stay below 2^31.
    #[inline(never)]
    fn largest_product(&self, inputs: usize, multiplier: u32) -> u32 {
        let units = self.units as usize;
        let (weights, _) = self.weights.as_chunks::<2>();
        let mut largest = 0;
        for pair in 0..units / 2 {
            let first = pair / 2 * self.order.block(inputs) + pair % 2 * self.order.second();
            let (mut even, mut odd) = (0, 0);
            for input in 0..inputs {
                let both = weights
                    .get(first + self.order.column(input, units))
                    .map_or(0, |&w| i16::from_le_bytes(w));
                let multiplier = if input < units { 127 << self.state_shift } else { multiplier };
                let low = i32::from(both as i8);
                even += low.unsigned_abs() * multiplier;
                odd += ((i32::from(both) - low) >> 8).unsigned_abs() * multiplier;
            }
            largest = largest.max(even).max(odd);
        }
        largest
    }
}

/// A layer as files of format 4 have it, without its weights.
#[cfg(kilornn_gates)]
#[derive(Serialize, Deserialize)]
struct Fields {
    units: u32,
    activation: Activation,
    order: Order,
    bias_shift: u8,
    state_shift: u8,
    input_shift: u8,
}

impl<'a> Cell<'a> for SimpleRnn<'a> {
    const NAME: &'static str = "SimpleRNN";

    fn state_bits(&self) -> Option<u8> {
        None
    }

    fn check(&self, incoming: Incoming) -> Result<(), Error> {
        self.check(incoming)
    }

    fn share(&self, _: usize, _: Kernel) -> Share {
        Share {
            words: self.units as usize / 4,
            #[cfg(kilornn_gates)]
            outputs: 0,
        }
    }

    fn weights_len(&self, inputs: usize, rows: Option<usize>) -> usize {
        inputs.saturating_add(rows.unwrap_or(1)).saturating_mul(self.units as usize)
    }

    #[cfg(kilornn_gates)]
    fn read(decoder: &mut Decoder<'a>) -> postcard::Result<Self> {
        let Fields { units, activation, order, bias_shift, state_shift, input_shift } = next(decoder)?;
        Ok(Self { units, activation, order, weights: &[], bias_shift, state_shift, input_shift })
    }

    #[cfg(kilornn_gates)]
    fn write<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let Self { units, activation, order, weights: _, bias_shift, state_shift, input_shift } = *self;
        let fields = Fields { units, activation, order, bias_shift, state_shift, input_shift };
        postcard::to_slice(&fields, buffer).ok()
    }
}
