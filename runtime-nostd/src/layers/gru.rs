//! GRU: an update gate and a reset gate around a state.

use super::cell::Cell;
use super::gates::{Begin, Bounds, blocks, halves, pair};
use super::incoming::{Fields, Gated, Incoming};
use super::share::Share;
use crate::check::at_most;
use crate::decoder::{Decoder, next};
use crate::{Error, Kernel};

/// Keras's `GRU` with `reset_after=True` (activations tanh and sigmoid), which is also PyTorch's.
///
/// Its output is an `i16` in each unit, where 1 is `2^state_bits`; beside it the same is kept with 32 bits, where 1 is
/// 2^29, so that what is too small for 16 bits adds up and is not lost.
///
/// A step has `width` inputs `x` (the numbers of a row of a projected embedding, or the outputs of the layer below),
/// then the layer's own `units` outputs `h`. Each unit has four sums ([`GruSum`]):
///
/// ```text
/// sum    = (begin + (bias << bias_shift) + Σ weight · input) >> shift
/// 1-z, r = sigmoid(2 · sum)  over x and h                          where a sum of 2^16 is 1
/// n      = tanh(sum over x + r · sum over h)
/// h      = h + (1-z) · (n - h)
/// ```
///
/// `begin` and `shift` are the sum's own ([`Begin`]), `bias` comes from the word's row in a folded embedding; the sum over
/// `h` alone has none. The exporter halves what leads to a gate, since sigmoid(x) = (1 + tanh(x/2))/2, and negates the
/// update gate's.
///
/// ```
/// use kilornn::layers::{Begin, Gru, GruSum};
///
/// // Four units without inputs but their own outputs, all weights zero, all gates half open.
/// let weights: Vec<u8> = Gru::encode_kernel(4, 4, |_, _| Begin { bias: 0, shift: 3 }, |_, _, _| 0).collect();
/// let gru = Gru { units: 4, weights: &weights, bias_shift: 0, input_shift: 0, state_bits: 12 };
/// assert_eq!(gru.begin(4, 3, GruSum::State), Some(Begin { bias: 3, shift: 3 }.word()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Gru<'a> {
    /// The number of units: a multiple of four, at most 256.
    pub units: u32,
    /// The kernel, then a row of biases for each row of a folded embedding.
    ///
    /// The kernel is a block for every two units, of `32 + 6 * inputs` bytes: the eight words with which their sums begin
    /// (update gate and reset gate of the first unit, of the second unit, the candidates' sums over `x` of both, and over
    /// `h` of both), then twelve bytes for every two inputs. These are six little-endian `i16`, of which each is the weights
    /// of two sums: the low byte is the weight of the first, and the whole `i16` that of the second in 256ths. Two are of
    /// update gate and reset gate of the first unit, one for each input; two of those of the second unit; two of the
    /// candidates of both.
    ///
    /// A row of biases is three such `i16` for every two units. [`encode_kernel`](Self::encode_kernel) and
    /// [`encode_biases`](Self::encode_biases) write both.
    pub weights: &'a [u8],
    /// By how many bits the biases of a folded embedding's rows are shifted to the left; at most 14.
    pub bias_shift: u8,
    /// By how many bits the outputs of the layer below are shifted to the left; 0 in the first layer.
    pub input_shift: u8,
    /// Bits of an output below one, 4 to 14.
    pub state_bits: u8,
}

/// The sums of a GRU's unit.
///
/// ```
/// assert_ne!(kilornn::layers::GruSum::Update, kilornn::layers::GruSum::Reset);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum GruSum {
    /// Of one minus the update gate, over all inputs: half of its argument, negated. Its weights have 8 bits.
    Update,
    /// Of the reset gate, over all inputs: half of its argument. Its weights are in 256ths.
    Reset,
    /// Of the candidate, over `x`. Weights of even units have 8 bits, those of odd units are in 256ths.
    Input,
    /// Of the candidate, over `h`, which the reset gate multiplies. Weights of even units have 8 bits, those of odd
    /// units are in 256ths.
    State,
}

use GruSum::{Input, Reset, State, Update};

/// The sums of a block, in the order of the words with which they begin: unit of the block, sum.
const SUMS: [(usize, GruSum); 8] =
    [(0, Update), (0, Reset), (1, Update), (1, Reset), (0, Input), (1, Input), (0, State), (1, State)];

/// Bytes of a row of biases, for every two units.
const BIASES: usize = 6;

impl<'a> Gru<'a> {
    /// The bytes of a kernel with an even number of `units`, and an even number of `inputs` (those of `x`, also even, and
    /// then the units' own).
    ///
    /// `begin(unit, sum)` is what a sum begins with. `weight(unit, sum, input)` is the weight of an input in 256ths: for
    /// sums whose weights have 8 bits it is rounded to a multiple of 256 from -32,768 to 32,512; the other sums' weights
    /// can be off by up to 128, and more where they come near the ends of an `i16`. [`GruSum::Input`] is asked for inputs
    /// of `x`, [`GruSum::State`] for those of `h`.
    ///
    /// ```
    /// use kilornn::layers::{Begin, Gru, GruSum};
    ///
    /// let weight = |unit, sum, input| match sum {
    ///     GruSum::State => 256 * (unit as i32 + input as i32),
    ///     _ => 0,
    /// };
    /// let bytes = Gru::encode_kernel(2, 2, |_, _| Begin { bias: 0, shift: 9 }, weight);
    /// // Candidates of units 0 and 1: 0 and 1 for the first input, 1 and 2 for the second.
    /// assert_eq!(bytes.skip(32).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]);
    /// ```
    pub fn encode_kernel(
        units: usize,
        inputs: usize,
        begin: impl Fn(usize, GruSum) -> Begin,
        weight: impl Fn(usize, GruSum, usize) -> i32,
    ) -> impl Iterator<Item = u8> {
        let (width, words) = (inputs.saturating_sub(units), 8 + inputs / 2 * 3);
        (0..units / 2 * words).flat_map(move |place| {
            let (unit, place) = (place / words * 2, place % words);
            if let Some(&(odd, sum)) = SUMS.get(place) {
                return begin(unit + odd, sum).word().to_le_bytes();
            }
            let (first, word) = ((place - 8) / 3 * 2, (place - 8) % 3);
            let candidate = if first < width { Input } else { State };
            let [a, b] = [first, first + 1].map(|input| {
                let [even, odd] = rows(unit, word, candidate);
                pair(weight(even.0, even.1, input), weight(odd.0, odd.1, input)).to_le_bytes()
            });
            [a[0], a[1], b[0], b[1]]
        })
    }

    /// The bytes of one row of biases, for a row of a folded embedding; `units` is even. `bias(unit, sum)` is what is
    /// added to a sum, shifted by `bias_shift` bits, in 256ths as weights are. It is not asked for [`GruSum::State`].
    ///
    /// ```
    /// use kilornn::layers::{Gru, GruSum};
    ///
    /// let row: Vec<u8> = Gru::encode_biases(2, |unit, sum| match (unit, sum) {
    ///     (0, GruSum::Update) => 512,
    ///     (1, GruSum::Input) => 1024,
    ///     _ => 0,
    /// }).collect();
    /// assert_eq!(row, [2, 0, 0, 0, 0, 4]);
    /// ```
    pub fn encode_biases(units: usize, bias: impl Fn(usize, GruSum) -> i32) -> impl Iterator<Item = u8> {
        (0..units / 2 * 3).flat_map(move |place| {
            let [even, odd] = rows(place / 3 * 2, place % 3, Input);
            pair(bias(even.0, even.1), bias(odd.0, odd.1)).to_le_bytes()
        })
    }

    /// The word with which a sum begins, for a kernel with this number of inputs; `None` if there is no such unit.
    /// See [`Gru`] for an example.
    #[must_use]
    pub fn begin(&self, inputs: u32, unit: u32, sum: GruSum) -> Option<i32> {
        let place = SUMS.iter().position(|&row| row == (unit as usize % 2, sum))?;
        let word = unit as usize / 2 * (8 + inputs as usize / 2 * 3) + place;
        self.weights.as_chunks::<4>().0.get(word).map(|&word| i32::from_le_bytes(word))
    }

    /// The weight by which an input acts on a sum, in 256ths; `None` if there is no such input or unit. The weights of a
    /// candidate are [`GruSum::Input`] for inputs of `x` and [`GruSum::State`] for those of `h`; the input tells.
    ///
    /// ```
    /// use kilornn::layers::{Begin, Gru, GruSum};
    ///
    /// let weight = |unit, _, input| 256 * (10 * unit as i32 - input as i32);
    /// let weights: Vec<u8> = Gru::encode_kernel(4, 8, |_, _| Begin { bias: 0, shift: 0 }, weight).collect();
    /// let gru = Gru { units: 4, weights: &weights, bias_shift: 0, input_shift: 0, state_bits: 12 };
    /// assert_eq!(gru.weight(8, 2, GruSum::Input, 3), Some(256 * 17));
    /// assert_eq!(gru.weight(8, 2, GruSum::Update, 8), None);
    /// ```
    #[must_use]
    pub fn weight(&self, inputs: u32, unit: u32, sum: GruSum, input: u32) -> Option<i32> {
        let odd_unit = unit as usize % 2;
        let (pair, odd) = match sum {
            Update => (odd_unit, false),
            Reset => (odd_unit, true),
            Input | State => (2, odd_unit == 1),
        };
        let block = unit as usize / 2 * (8 + inputs as usize / 2 * 3);
        let word = block + 8 + input as usize / 2 * 3 + pair;
        let word = self.weights.as_chunks::<4>().0.get(word).filter(|_| input < inputs)?;
        let both = halves(i32::from_ne_bytes(*word))[input as usize % 2];
        Some(if odd { both.into() } else { 256 * i32::from(both as i8) })
    }

    pub(super) fn gated(&self) -> Gated<'a> {
        let Self { units, weights, bias_shift, input_shift, state_bits } = *self;
        Gated { units, weights, bias_shift, input_shift, state_bits }
    }

    /// The bytes of the weights, with this number of inputs and of rows of biases.
    pub(crate) const fn weights_len(units: usize, inputs: usize, rows: usize) -> usize {
        (units / 2).saturating_mul(32 + 6 * inputs).saturating_add(rows.saturating_mul(BIASES / 2 * units))
    }

    /// Where in the weights a row of biases begins. The loader has checked that rows of a folded embedding are there.
    #[inline(always)]
    pub(crate) const fn biases(&self, inputs: usize, row: usize) -> usize {
        let units = self.units as usize;
        units / 2 * (32 + 6 * inputs) + row * (BIASES / 2 * units)
    }

    /// Checks lengths and shifts, and that no sum can leave its range.
    pub(crate) fn check(&self, incoming: Incoming) -> Result<(), Error> {
        let layer = self.gated();
        let [input, state] = layer.check(incoming, Self::weights_len)?;
        let bias = incoming.rows.map(|_| self.bias_shift);
        let (units, width) = (self.units as usize, incoming.width as usize);
        let words = bytemuck::try_cast_slice::<u8, i32>(self.weights).unwrap_or_default();
        for block in blocks(words, 8 + (width + units) / 2 * 3).take(units / 2) {
            let Some((begin, columns)) = block.split_first_chunk::<8>() else { break };
            let [z0, r0, z1, r1, x0, x1, h0, h1] = begin.map(i32::from_le);
            let mut gates = [Bounds::new(z0, r0, bias), Bounds::new(z1, r1, bias)];
            let mut candidates = [Bounds::new(x0, x1, bias), Bounds::new(h0, h1, None)];
            for (place, words) in columns.as_chunks::<3>().0.iter().enumerate() {
                let (largest, part) = if 2 * place < width { (input, 0) } else { (state, 1) };
                gates[0].add(words[0], largest);
                gates[1].add(words[1], largest);
                candidates[part].add(words[2], largest);
            }
            gates[0].check(z0, r0)?;
            gates[1].check(z1, r1)?;
            let [x, h] = candidates;
            let (x, h) = (x.check(x0, x1)?, h.check(h0, h1)?);
            // Rounding adds up to 3.
            let both = (x[0].saturating_add(h[0])).max(x[1].saturating_add(h[1]));
            at_most("candidate's bound (at most)", i32::MAX as usize - 3, both as usize)?;
        }
        Ok(())
    }
}

impl<'a> Cell<'a> for Gru<'a> {
    const NAME: &'static str = "GRU";

    fn state_bits(&self) -> Option<u8> {
        Some(self.state_bits)
    }

    fn check(&self, incoming: Incoming) -> Result<(), Error> {
        self.check(incoming)
    }

    fn share(&self, width: usize, kernel: Kernel) -> Share {
        Share::of_states(kernel, self.units as usize, width)
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

/// The rows of the pair at `place` of a block whose first unit is `unit`: unit and sum of the even row and of the odd one.
fn rows(unit: usize, place: usize, candidate: GruSum) -> [(usize, GruSum); 2] {
    match place {
        0 => [(unit, Update), (unit, Reset)],
        1 => [(unit + 1, Update), (unit + 1, Reset)],
        _ => [(unit, candidate), (unit + 1, candidate)],
    }
}
