//! FastGRNN: one pair of kernels for a gate and a candidate.

use super::cell::Cell;
use super::gates::{Begin, Bounds, blocks, halves, pair};
use super::incoming::{self, Gated, Incoming};
use super::share::Share;
use crate::check::at_most;
use crate::decoder::{Decoder, next};
use crate::version::FASTGRNN;
use crate::{Error, Kernel};

/// FastGRNN (Kusupati et al. 2018), as EdgeML's `FastGRNNCell` computes it with its default nonlinearities.
///
/// Its output is an `i16` in each unit, where `2^state_bits` stands for the layer's limit: `2^limit_bits`, that is 1, 2, 4 or
/// 8. Beside it the same is kept with 32 bits, where 2^29 stands for the limit. States saturate there.
///
/// A step has `width` inputs `x` (the numbers of a row of a projected embedding, or the outputs of the layer below),
/// then the layer's own `units` outputs `h`. Each unit has one sum over all inputs:
///
/// ```text
/// sum = (begin + (bias << bias_shift) + Σ weight · input) >> shift
/// c   = tanh(sum)                                                   where a sum of 2^16 is 1
/// 1-z = sigmoid(2 · (offset - sum/2))
/// h   = h + (1-z) · (zeta · c - h) + nu · c
/// ```
///
/// `begin` and `shift` are the sum's own ([`Begin`]), `bias` comes from the word's row in a folded embedding, `offset` is the
/// unit's own: half of the candidate's bias less the gate's.
///
/// ```
/// use kilornn::layers::{Begin, FastGrnn};
///
/// // One block of four units without inputs but their own outputs, all weights zero, all gates half open.
/// let weights: Vec<u8> =
///     FastGrnn::encode_kernel(4, 4, |_| Begin { bias: 0, shift: 3 }, |_| 0, |_, _| 0).collect();
/// let layer = FastGrnn {
///     units: 4,
///     weights: &weights,
///     bias_shift: 0,
///     input_shift: 0,
///     state_bits: 12,
///     limit_bits: 0,
///     zeta: 24_000,
///     nu: 600,
/// };
/// assert_eq!(layer.begin(4, 3), Some(Begin { bias: 3, shift: 3 }.word()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FastGrnn<'a> {
    /// The number of units: a multiple of four, at most 256.
    pub units: u32,
    /// The kernel, then a row of biases for each row of a folded embedding.
    ///
    /// The kernel is a block for every four units, of `32 + 4 * inputs` bytes, all little-endian: the four words with which
    /// their sums begin, the four words of their gates' offsets, where 1 is 2^16, then eight bytes for every two inputs.
    /// These are four `i16`, of which each is the weights of two units: the low byte is the weight of the first, and the
    /// whole `i16` that of the second in 256ths. Two are of the first two units, one for each input, and two of the others.
    ///
    /// A row of biases is one such `i16` for every two units. [`encode_kernel`](Self::encode_kernel) and
    /// [`encode_biases`](Self::encode_biases) write both.
    pub weights: &'a [u8],
    /// By how many bits the biases of a folded embedding's rows are shifted to the left; at most 14.
    pub bias_shift: u8,
    /// By how many bits the outputs of the layer below are shifted to the left; 0 in the first layer.
    pub input_shift: u8,
    /// Bits of an output below the limit, 4 to 14.
    pub state_bits: u8,
    /// States are at most 2 to this power: 0 to 3.
    pub limit_bits: u8,
    /// How much of the candidate takes the place of what is lost of the state, where 2^15 stands for the limit; not negative.
    pub zeta: i16,
    /// How much of the candidate is added in any case, likewise.
    pub nu: i16,
}

/// Bytes of a row of biases, for every two units.
const BIASES: usize = 2;

/// Bytes of a block before its weights.
const HEAD: usize = 32;

/// The most that an offset may be in magnitude: with half of any sum, it stays within 32 bits.
const OFFSET: usize = (1 << 30) - 1;

impl<'a> FastGrnn<'a> {
    /// The bytes of a kernel with `units` units, a multiple of four, and an even number of `inputs` (those of `x`, also even,
    /// and then the units' own).
    ///
    /// `begin(unit)` is what a sum begins with, and `offset(unit)` its gate's. `weight(unit, input)` is the weight of an input
    /// in 256ths: for even units it is rounded to a multiple of 256 from -32,768 to 32,512; the weights of odd units can be
    /// off by up to 128, and more where they come near the ends of an `i16`.
    ///
    /// ```
    /// use kilornn::layers::{Begin, FastGrnn};
    ///
    /// let weight = |unit, input| 256 * (unit as i32 + 2 * input as i32);
    /// let bytes = FastGrnn::encode_kernel(4, 4, |_| Begin { bias: 0, shift: 9 }, |unit| unit as i32, weight);
    /// let bytes: Vec<u8> = bytes.collect();
    /// assert_eq!((bytes[0], bytes[28]), (9, 3));
    /// // Of the first input 0 and 1 for units 0 and 1, of the second 2 and 3; then the same for units 2 and 3.
    /// assert_eq!(bytes[32..40], [0, 1, 2, 3, 2, 3, 4, 5]);
    /// ```
    pub fn encode_kernel(
        units: usize,
        inputs: usize,
        begin: impl Fn(usize) -> Begin,
        offset: impl Fn(usize) -> i32,
        weight: impl Fn(usize, usize) -> i32,
    ) -> impl Iterator<Item = u8> {
        let words = HEAD / 4 + inputs;
        (0..units / 4 * words).flat_map(move |place| {
            let (unit, place) = (place / words * 4, place % words);
            match place {
                0..4 => return begin(unit + place).word().to_le_bytes(),
                4..8 => return offset(unit + place - 4).to_le_bytes(),
                _ => {}
            }
            let (first, unit) = ((place - 8) / 2 * 2, unit + place % 2 * 2);
            let [a, b] = [first, first + 1]
                .map(|input| pair(weight(unit, input), weight(unit + 1, input)).to_le_bytes());
            [a[0], a[1], b[0], b[1]]
        })
    }

    /// The bytes of one row of biases, for a row of a folded embedding. `bias(unit)` is what is added to a sum, shifted by
    /// `bias_shift` bits, in 256ths as weights are.
    ///
    /// ```
    /// use kilornn::layers::FastGrnn;
    ///
    /// let row: Vec<u8> = FastGrnn::encode_biases(4, |unit| [512, 1000, -256, 0][unit]).collect();
    /// assert_eq!(row, [2, 4, 0xFF, 0xFF]);
    /// ```
    pub fn encode_biases(units: usize, bias: impl Fn(usize) -> i32) -> impl Iterator<Item = u8> {
        (0..units / 2).flat_map(move |two| pair(bias(2 * two), bias(2 * two + 1)).to_le_bytes())
    }

    /// The word with which a unit's sum begins, for a kernel with this number of inputs; `None` if there is no such unit.
    /// See [`FastGrnn`] for an example.
    #[must_use]
    pub fn begin(&self, inputs: u32, unit: u32) -> Option<i32> {
        self.word(inputs, unit, unit as usize % 4).map(i32::from_le_bytes)
    }

    /// The offset of a unit's gate, likewise.
    ///
    /// ```
    /// use kilornn::layers::{Begin, FastGrnn};
    ///
    /// let begin = |_| Begin { bias: 0, shift: 0 };
    /// let weights: Vec<u8> = FastGrnn::encode_kernel(4, 4, begin, |unit| -(unit as i32), |_, _| 0).collect();
    /// # let (bias_shift, input_shift, state_bits, limit_bits, zeta, nu) = (0, 0, 12, 0, 0, 0);
    /// # let weights = &weights[..];
    /// let layer = FastGrnn { units: 4, weights, bias_shift, input_shift, state_bits, limit_bits, zeta, nu };
    /// assert_eq!(layer.offset(4, 3), Some(-3));
    /// ```
    #[must_use]
    pub fn offset(&self, inputs: u32, unit: u32) -> Option<i32> {
        self.word(inputs, unit, 4 + unit as usize % 4).map(i32::from_le_bytes)
    }

    /// The weight by which an input acts on a unit's sum, in 256ths; `None` if there is no such input or unit.
    ///
    /// ```
    /// use kilornn::layers::{Begin, FastGrnn};
    ///
    /// let weight = |unit, input| 256 * (10 * unit as i32 - input as i32);
    /// let begin = |_| Begin { bias: 0, shift: 0 };
    /// let weights: Vec<u8> = FastGrnn::encode_kernel(4, 8, begin, |_| 0, weight).collect();
    /// # let (bias_shift, input_shift, state_bits, limit_bits, zeta, nu) = (0, 0, 12, 0, 0, 0);
    /// # let weights = &weights[..];
    /// let layer = FastGrnn { units: 4, weights, bias_shift, input_shift, state_bits, limit_bits, zeta, nu };
    /// assert_eq!(layer.weight(8, 2, 5), Some(256 * 15));
    /// assert_eq!(layer.weight(8, 2, 8), None);
    /// ```
    #[must_use]
    pub fn weight(&self, inputs: u32, unit: u32, input: u32) -> Option<i32> {
        let place = HEAD / 4 + input as usize / 2 * 2 + unit as usize % 4 / 2;
        let word = self.word(inputs, unit, place).filter(|_| input < inputs)?;
        let both = halves(i32::from_ne_bytes(word))[input as usize % 2];
        Some(if unit.is_multiple_of(2) { 256 * i32::from(both as i8) } else { both.into() })
    }

    /// A word of the block of a unit.
    fn word(&self, inputs: u32, unit: u32, place: usize) -> Option<[u8; 4]> {
        let block = unit as usize / 4 * (HEAD / 4 + inputs as usize);
        self.weights.as_chunks::<4>().0.get(block + place).copied()
    }

    /// The bytes of the weights, with this number of inputs and of rows of biases.
    const fn weights_len(units: usize, inputs: usize, rows: usize) -> usize {
        (units / 4).saturating_mul(HEAD + 4 * inputs).saturating_add(rows.saturating_mul(BIASES / 2 * units))
    }

    /// Where in the weights a row of biases begins. The loader has checked that rows of a folded embedding are there.
    #[inline(always)]
    pub(crate) const fn biases(&self, inputs: usize, row: usize) -> usize {
        let units = self.units as usize;
        units / 4 * (HEAD + 4 * inputs) + row * (BIASES / 2 * units)
    }
}

/// A layer as files have it, without its weights.
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    gated: incoming::Fields,
    limit_bits: u8,
    zeta: i16,
    nu: i16,
}

impl<'a> Cell<'a> for FastGrnn<'a> {
    const NAME: &'static str = "FastGRNN";

    fn version(&self) -> u16 {
        FASTGRNN
    }

    fn state_bits(&self) -> Option<u8> {
        Some(self.state_bits)
    }

    fn limit_bits(&self) -> u8 {
        self.limit_bits
    }

    fn check(&self, incoming: Incoming) -> Result<(), Error> {
        let Self { units, weights, bias_shift, input_shift, state_bits, limit_bits, zeta, nu } = *self;
        let layer = Gated { units, weights, bias_shift, input_shift, state_bits };
        let [input, state] = layer.check(incoming, Self::weights_len)?;
        at_most("limit bits (at most)", 3, limit_bits.into())?;
        // A negative number has the highest bit of 16.
        at_most("zeta (at most)", i16::MAX as usize, zeta as u16 as usize)?;
        at_most("nu (at most)", i16::MAX as usize, nu as u16 as usize)?;
        let bias = incoming.rows.map(|_| bias_shift);
        let (units, width) = (units as usize, incoming.width as usize);
        let words = bytemuck::try_cast_slice::<u8, i32>(weights).unwrap_or_default();
        for block in blocks(words, HEAD / 4 + width + units).take(units / 4) {
            let Some((head, columns)) = block.split_first_chunk::<8>() else { break };
            let [a, b, c, d, offsets @ ..] = head.map(i32::from_le);
            let mut sums = [Bounds::new(a, b, bias), Bounds::new(c, d, bias)];
            for (place, words) in columns.as_chunks::<2>().0.iter().enumerate() {
                let largest = if 2 * place < width { input } else { state };
                sums[0].add(words[0], largest);
                sums[1].add(words[1], largest);
            }
            sums[0].check(a, b)?;
            sums[1].check(c, d)?;
            for offset in offsets {
                at_most("gate's offset (at most)", OFFSET, offset.unsigned_abs() as usize)?;
            }
        }
        Ok(())
    }

    fn share(&self, width: usize, kernel: Kernel) -> Share {
        Share::of_states(kernel, self.units as usize, width)
    }

    fn weights_len(&self, inputs: usize, rows: Option<usize>) -> usize {
        Self::weights_len(self.units as usize, inputs, rows.unwrap_or(0))
    }

    fn read(decoder: &mut Decoder<'a>) -> postcard::Result<Self> {
        let Fields { gated, limit_bits, zeta, nu } = next(decoder)?;
        let incoming::Fields { units, bias_shift, input_shift, state_bits } = gated;
        Ok(Self { units, weights: &[], bias_shift, input_shift, state_bits, limit_bits, zeta, nu })
    }

    fn write<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let Self { units, weights: _, bias_shift, input_shift, state_bits, limit_bits, zeta, nu } = *self;
        let gated = incoming::Fields { units, bias_shift, input_shift, state_bits };
        postcard::to_slice(&Fields { gated, limit_bits, zeta, nu }, buffer).ok()
    }
}
