//! LSTM: an input gate, a forget gate and an output gate around a cell state.

use super::cell::Cell;
use super::gates::{Begin, Bounds, blocks, halves, pair};
use super::incoming::{Fields, Gated, Incoming};
use super::share::Share;
use crate::decoder::{Decoder, next};
use crate::{Error, Kernel};

/// Keras's `LSTM` (activations tanh and sigmoid), which is also PyTorch's.
///
/// Its output is an `i16` in each unit, where 1 is `2^state_bits`; beside it each unit has a cell state of 32 bits, where
/// 1 is 2^20. Both are kept from step to step.
///
/// A step has `width` inputs `x` (the numbers of a row of a projected embedding, or the outputs of the layer below),
/// then the layer's own `units` outputs `h`. Each unit has four sums ([`LstmSum`]) over all inputs:
///
/// ```text
/// sum     = (begin + (bias << bias_shift) + Σ weight · input) >> shift
/// i, 1-f, o = sigmoid(2 · sum),  g = tanh(sum)          where a sum of 2^16 is 1
/// c       = c - (1-f) · c + i · g
/// h       = o · tanh(c)
/// ```
///
/// `begin` and `shift` are the sum's own ([`Begin`]), `bias` comes from the word's row in a folded embedding. The exporter
/// halves what leads to a gate, since sigmoid(x) = (1 + tanh(x/2))/2, and negates the forget gate's.
///
/// ```
/// use kilornn::layers::{Begin, Lstm, LstmSum};
///
/// // One block of four units without inputs but their own outputs, all weights zero, all gates half open.
/// let weights: Vec<u8> =
///     Lstm::encode_kernel(4, 4, |_, _| Begin { bias: 0, shift: 3 }, |_, _, _| 0).collect();
/// let lstm = Lstm { units: 4, weights: &weights, bias_shift: 0, input_shift: 0, state_bits: 12 };
/// assert_eq!(lstm.begin(4, 3, LstmSum::Output), Some(Begin { bias: 3, shift: 3 }.word()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lstm<'a> {
    /// The number of units: a multiple of four, at most 256.
    pub units: u32,
    /// The kernel, then a row of biases for each row of a folded embedding.
    ///
    /// The kernel is a block for each unit, of `16 + 4 * inputs` bytes: the words with which the sums of the input gate,
    /// the candidate, the forget gate and the output gate begin, then eight bytes for every two inputs. These are four
    /// little-endian `i16`, of which each is the weights of two sums: the low byte is the weight of the first, and the
    /// whole `i16` that of the second in 256ths. Two are of input gate and candidate, one for each input, and two of
    /// forget gate and output gate.
    ///
    /// A row of biases is two such `i16` for each unit. [`encode_kernel`](Self::encode_kernel) and
    /// [`encode_biases`](Self::encode_biases) write both.
    pub weights: &'a [u8],
    /// By how many bits the biases of a folded embedding's rows are shifted to the left; at most 14.
    pub bias_shift: u8,
    /// By how many bits the outputs of the layer below are shifted to the left; 0 in the first layer.
    pub input_shift: u8,
    /// Bits of an output below one, 4 to 14.
    pub state_bits: u8,
}

/// The sums of an LSTM's unit.
///
/// ```
/// assert_ne!(kilornn::layers::LstmSum::Input, kilornn::layers::LstmSum::Forget);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LstmSum {
    /// Of the input gate: half of its argument. Its weights have 8 bits.
    Input,
    /// Of the candidate. Its weights are in 256ths.
    Candidate,
    /// Of one minus the forget gate: half of its argument, negated. Its weights have 8 bits.
    Forget,
    /// Of the output gate: half of its argument. Its weights are in 256ths.
    Output,
}

use LstmSum::{Candidate, Forget, Input, Output};

/// Bytes of a row of biases, for each unit.
const BIASES: usize = 4;

impl<'a> Lstm<'a> {
    /// The bytes of a kernel with `units` units and an even number of `inputs` (those of `x` and then the units' own).
    ///
    /// `begin(unit, sum)` is what a sum begins with. `weight(unit, sum, input)` is the weight of an input in 256ths: for
    /// sums whose weights have 8 bits it is rounded to a multiple of 256 from -32,768 to 32,512; the other sums' weights
    /// can be off by up to 128, and more where they come near the ends of an `i16`.
    ///
    /// ```
    /// use kilornn::layers::{Begin, Lstm, LstmSum};
    ///
    /// let weight = |unit, sum, input| if (unit, sum) == (0, LstmSum::Input) { 256 * (input as i32 - 1) } else { 0 };
    /// let mut bytes = Lstm::encode_kernel(4, 4, |_, _| Begin { bias: 0, shift: 9 }, weight);
    /// assert_eq!(bytes.by_ref().take(4).collect::<Vec<_>>(), [9, 0, 0, 0]);
    /// // -1 and 0 for the input gate, as low bytes of numbers near 0.
    /// assert_eq!(bytes.skip(12).take(8).collect::<Vec<_>>(), [0xFF, 0xFF, 0, 0, 0, 0, 0, 0]);
    /// ```
    pub fn encode_kernel(
        units: usize,
        inputs: usize,
        begin: impl Fn(usize, LstmSum) -> Begin,
        weight: impl Fn(usize, LstmSum, usize) -> i32,
    ) -> impl Iterator<Item = u8> {
        let words = 4 + inputs;
        (0..units * words).flat_map(move |place| {
            let (unit, place) = (place / words, place % words);
            if let Some(&sum) = [Input, Candidate, Forget, Output].get(place) {
                return begin(unit, sum).word().to_le_bytes();
            }
            let (first, word) = ((place - 4) / 2 * 2, place % 2);
            let (even, odd) = [(Input, Candidate), (Forget, Output)][word];
            let [a, b] = [first, first + 1]
                .map(|input| pair(weight(unit, even, input), weight(unit, odd, input)).to_le_bytes());
            [a[0], a[1], b[0], b[1]]
        })
    }

    /// The bytes of one row of biases, for a row of a folded embedding. `bias(unit, sum)` is what is added to a sum,
    /// shifted by `bias_shift` bits, in 256ths as weights are.
    ///
    /// ```
    /// use kilornn::layers::{Lstm, LstmSum};
    ///
    /// let row: Vec<u8> = Lstm::encode_biases(1, |_, sum| [512, 1000, -256, 0][sum as usize]).collect();
    /// assert_eq!(row, [2, 4, 0xFF, 0xFF]);
    /// ```
    pub fn encode_biases(units: usize, bias: impl Fn(usize, LstmSum) -> i32) -> impl Iterator<Item = u8> {
        (0..units).flat_map(move |unit| {
            let [a, b] = [(Input, Candidate), (Forget, Output)]
                .map(|(even, odd)| pair(bias(unit, even), bias(unit, odd)).to_le_bytes());
            [a[0], a[1], b[0], b[1]]
        })
    }

    /// The word with which a sum begins, for a kernel with this number of inputs; `None` if there is no such unit.
    /// See [`Lstm`] for an example.
    #[must_use]
    pub fn begin(&self, inputs: u32, unit: u32, sum: LstmSum) -> Option<i32> {
        let word = unit as usize * (4 + inputs as usize) + sum as usize;
        self.weights.as_chunks::<4>().0.get(word).map(|&word| i32::from_le_bytes(word))
    }

    /// The weight by which an input acts on a sum, in 256ths; `None` if there is no such input or unit.
    ///
    /// ```
    /// use kilornn::layers::{Begin, Lstm, LstmSum};
    ///
    /// let weight = |unit, _, input| 256 * (10 * unit as i32 - input as i32);
    /// let weights: Vec<u8> = Lstm::encode_kernel(4, 8, |_, _| Begin { bias: 0, shift: 0 }, weight).collect();
    /// let lstm = Lstm { units: 4, weights: &weights, bias_shift: 0, input_shift: 0, state_bits: 12 };
    /// assert_eq!(lstm.weight(8, 2, LstmSum::Forget, 5), Some(256 * 15));
    /// assert_eq!(lstm.weight(8, 2, LstmSum::Forget, 8), None);
    /// ```
    #[must_use]
    pub fn weight(&self, inputs: u32, unit: u32, sum: LstmSum, input: u32) -> Option<i32> {
        let word = unit as usize * (4 + inputs as usize) + 4 + input as usize / 2 * 2 + sum as usize / 2;
        let word = self.weights.as_chunks::<4>().0.get(word).filter(|_| input < inputs)?;
        let both = halves(i32::from_ne_bytes(*word))[input as usize % 2];
        Some(if matches!(sum, Input | Forget) { 256 * i32::from(both as i8) } else { both.into() })
    }

    pub(super) fn gated(&self) -> Gated<'a> {
        let Self { units, weights, bias_shift, input_shift, state_bits } = *self;
        Gated { units, weights, bias_shift, input_shift, state_bits }
    }

    /// The bytes of the weights, with this number of inputs and of rows of biases.
    pub(crate) const fn weights_len(units: usize, inputs: usize, rows: usize) -> usize {
        units.saturating_mul(4 * (4 + inputs)).saturating_add(rows.saturating_mul(BIASES * units))
    }

    /// The share of a layer.
    ///
    /// Where inputs have 16 bits: room for a step's new outputs, then the inputs of a step, which are the numbers that come in
    /// and the layer's outputs, then its cell states. Where inputs have 32 bits: for each unit its cell state and a word for its
    /// new output, then the inputs; between steps, outputs lie in the second half of their room among the inputs as numbers of
    /// 16 bits.
    pub(crate) const fn share(kernel: Kernel, units: usize, width: usize) -> Share {
        let inputs = kernel.input_words(width + units);
        match kernel {
            Kernel::Portable | Kernel::Dsp => {
                Share { words: units / 2 + inputs + units, outputs: units / 2 + width / 2 }
            }
            Kernel::Wide => Share { words: 2 * units + inputs, outputs: 2 * units + inputs - units / 2 },
        }
    }

    /// Where in the weights a row of biases begins. The loader has checked that rows of a folded embedding are there.
    #[inline(always)]
    pub(crate) const fn biases(&self, inputs: usize, row: usize) -> usize {
        let units = self.units as usize;
        units * 4 * (4 + inputs) + row * (BIASES * units)
    }

    /// Checks lengths and shifts, and that no sum can leave its range.
    pub(crate) fn check(&self, incoming: Incoming) -> Result<(), Error> {
        let layer = self.gated();
        let [input, state] = layer.check(incoming, Self::weights_len)?;
        let bias = incoming.rows.map(|_| self.bias_shift);
        let (units, width) = (self.units as usize, incoming.width as usize);
        let words = bytemuck::try_cast_slice::<u8, i32>(self.weights).unwrap_or_default();
        for block in blocks(words, 4 + width + units).take(units) {
            let Some((&[i, g, f, o], columns)) = block.split_first_chunk::<4>() else { break };
            let [i, g, f, o] = [i, g, f, o].map(i32::from_le);
            let mut sums = [Bounds::new(i, g, bias), Bounds::new(f, o, bias)];
            for (place, words) in columns.as_chunks::<2>().0.iter().enumerate() {
                let largest = if 2 * place < width { input } else { state };
                sums[0].add(words[0], largest);
                sums[1].add(words[1], largest);
            }
            sums[0].check(i, g)?;
            sums[1].check(f, o)?;
        }
        Ok(())
    }
}

impl<'a> Cell<'a> for Lstm<'a> {
    const NAME: &'static str = "LSTM";

    fn state_bits(&self) -> Option<u8> {
        Some(self.state_bits)
    }

    fn check(&self, incoming: Incoming) -> Result<(), Error> {
        self.check(incoming)
    }

    fn share(&self, width: usize, kernel: Kernel) -> Share {
        Self::share(kernel, self.units as usize, width)
    }

    fn weights_len(&self, inputs: usize, rows: Option<usize>) -> usize {
        Self::weights_len(self.units as usize, inputs, rows.unwrap_or(0))
    }

    fn read(decoder: &mut Decoder<'a>) -> postcard::Result<Self> {
        let Fields { units, bias_shift, input_shift, state_bits } = next(decoder)?;
        Ok(Self { units, weights: &[], bias_shift, input_shift, state_bits })
    }

    fn write<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let Self { units, weights: _, bias_shift, input_shift, state_bits } = *self;
        postcard::to_slice(&Fields { units, bias_shift, input_shift, state_bits }, buffer).ok()
    }
}
