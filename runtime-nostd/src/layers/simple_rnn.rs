//! The recurrence: `h = relu(W·E[word] + b + U·h)` in integers.

use serde::{Deserialize, Serialize};

use super::Embedding;
use crate::Error;
use crate::kernels::{BLOCK, Scratch, Shifts, step, step_folded};
use crate::load::{at_least_one, at_most, exactly};

/// Keras's `SimpleRNN` with ReLU: the state is 0 to 127 in each unit, in a unit's own scale.
///
/// One step adds the word's input and the recurrent product in one 32-bit accumulator and rounds
/// once, half up:
///
/// ```text
/// accumulator = (input << input_shift) + (Σ kernel · h << recurrent_shift)
/// h           = clamp((accumulator + (1 << output_shift >> 1)) >> output_shift, 0, 127)
/// ```
///
/// Shifts suffice because ReLU lets a unit be rescaled freely: the exporter absorbs every unit's
/// scale into the weights that read and write it.
///
/// ```
/// use kilornn::layers::{Embedding, SimpleRnn, State};
///
/// // One unit that keeps 3/4 of its state and adds the word's input.
/// let rnn = SimpleRnn { units: 1, kernel: &[96, 0, 0, 0], input_shift: 7, recurrent_shift: 0, output_shift: 7 };
/// let embedding = Embedding::Folded { table: &[40] };
/// let mut state = State::<1>::zero(1);
/// let states = [0; 3].map(|word| {
///     rnn.step(&embedding, word, &mut state);
///     state.values()[0]
/// });
/// assert_eq!(states, [40, 70, 93]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimpleRnn<'a> {
    /// Hidden units, at most 256.
    pub units: u32,
    /// The recurrent kernel in columns: for each unit of the previous state the weights by which it acts
    /// on the units of the next, filled up with zeros to a multiple of four.
    ///
    /// Two weights are one little-endian `i16`, the first plus 256 times the second, so that one
    /// multiplication serves both: [`encode_kernel`](Self::encode_kernel) writes it. A kernel that lies
    /// at a multiple of four in memory is read faster on cores that read words only there; the encoder
    /// puts it at one in the file.
    #[serde(borrow)]
    pub kernel: &'a [u8],
    /// See above; at most 16.
    pub input_shift: u8,
    /// See above; at most 16.
    pub recurrent_shift: u8,
    /// See above; at most 30.
    pub output_shift: u8,
}

impl SimpleRnn<'_> {
    /// The bytes of a kernel with these weights: four units of a column after the other, see
    /// [`kernel`](Self::kernel).
    ///
    /// ```
    /// use kilornn::layers::SimpleRnn;
    ///
    /// let weights = [[1, 2, 3], [-4, 5, 6], [-7, -8, 9]]; // from, to
    /// let kernel: Vec<u8> = SimpleRnn::encode_kernel(3, |from, to| weights[from][to]).collect();
    /// assert_eq!(kernel[..4], [1, 2, 3, 0]);
    /// // -4 + 256 * 5 is 0x04FC.
    /// assert_eq!(kernel[4..8], [0xFC, 0x04, 6, 0]);
    /// ```
    pub fn encode_kernel(units: usize, weight: impl Fn(usize, usize) -> i8) -> impl Iterator<Item = u8> {
        let places =
            (0..units).flat_map(move |from| (0..units.next_multiple_of(BLOCK)).map(move |to| (from, to)));
        places.map(move |(from, to)| {
            let at = |to: usize| if to < units { weight(from, to) } else { 0 };
            // An odd unit's byte is short by one where the unit before borrows from it.
            at(to).wrapping_sub(i8::from(to % 2 == 1 && at(to - 1) < 0)) as u8
        })
    }

    /// Takes one step: the word in row `row` of `embedding`. See [`SimpleRnn`] for an example.
    #[inline]
    pub fn step<const UNITS: usize>(&self, embedding: &Embedding<'_>, row: u32, state: &mut State<UNITS>) {
        let State { units, values, scratch } = state;
        let units = *units;
        let Some(values) = values.get_mut(..units) else { return };
        let shifts =
            Shifts { input: self.input_shift, recurrent: self.recurrent_shift, output: self.output_shift };
        if let Embedding::Folded { table } = *embedding {
            let start = row as usize * units;
            let row = table.get(start..start + units).unwrap_or_default();
            if step_folded(self.kernel, shifts, row, values, scratch) {
                return;
            }
        }
        step(self.kernel, shifts, |block| embedding.input(row, block, units), values, scratch);
    }

    /// Checks lengths and shifts, and that no accumulator can overflow, given the largest
    /// magnitude of an input.
    pub(crate) fn check(&self, largest_input: i64) -> Result<(), Error> {
        let units = self.units as usize;
        at_least_one("hidden units", units)?;
        at_most("hidden units (at most)", 256, units)?;
        exactly("bytes of the recurrent kernel", units.next_multiple_of(BLOCK) * units, self.kernel.len())?;
        at_most("input shift (at most)", 16, usize::from(self.input_shift))?;
        at_most("recurrent shift (at most)", 16, usize::from(self.recurrent_shift))?;
        at_most("output shift (at most)", 30, usize::from(self.output_shift))?;
        let largest_sum = i64::from(self.units) * 128 * 127;
        let largest = (largest_input << self.input_shift)
            + (largest_sum << self.recurrent_shift)
            + (1 << self.output_shift >> 1);
        let limit = i64::from(i32::MAX);
        if largest > limit {
            let found = u32::try_from(largest).unwrap_or(u32::MAX);
            return Err(Error::Invalid {
                what: "accumulator's bound (at most)",
                needed: i32::MAX as u32,
                found,
            });
        }
        Ok(())
    }
}

/// The hidden state of up to `UNITS` units, with the room that a step needs: five bytes a unit, seven on
/// cores with Arm's DSP instructions.
///
/// ```
/// use kilornn::layers::State;
///
/// let state = State::<64>::zero(32);
/// assert_eq!(state.values(), [0; 32]);
/// ```
#[derive(Debug, Clone)]
pub struct State<const UNITS: usize> {
    units: usize,
    values: [i8; UNITS],
    scratch: Scratch<UNITS>,
}

impl<const UNITS: usize> State<UNITS> {
    /// All zeros: `units` of them, or `UNITS` if that is less.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::State::<2>::zero(3).values().len(), 2);
    /// ```
    #[must_use]
    pub fn zero(units: usize) -> Self {
        Self { units: units.min(UNITS), values: [0; UNITS], scratch: Scratch::new() }
    }

    /// The state, unit by unit.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::State::<4>::zero(3).values(), [0, 0, 0]);
    /// ```
    #[must_use]
    pub fn values(&self) -> &[i8] {
        self.values.get(..self.units).unwrap_or_default()
    }

    /// Sets the units to the `i8` values in `bytes`; missing ones become zero.
    ///
    /// ```
    /// let mut state = kilornn::layers::State::<4>::zero(3);
    /// state.set(&[7, 8]);
    /// assert_eq!(state.values(), [7, 8, 0]);
    /// ```
    pub fn set(&mut self, bytes: &[u8]) {
        let bytes = bytes.iter().map(|&b| b as i8).chain(core::iter::repeat(0));
        for (value, byte) in self.values.iter_mut().take(self.units).zip(bytes) {
            *value = byte;
        }
    }
}
