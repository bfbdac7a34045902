//! The recurrence: `h = relu(W·E[word] + b + U·h)` in integers.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::Embedding;
use crate::Error;
use crate::kernels::{BLOCK, dot_block};
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
    /// The recurrent kernel in blocks of four units: for each block and each unit of the previous
    /// state, the four units' weights (`i8`). The last block is filled up with zeros.
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
    /// Takes one step: the word in row `row` of `embedding`. See [`SimpleRnn`] for an example.
    pub fn step<const UNITS: usize>(&self, embedding: &Embedding<'_>, row: u32, state: &mut State<UNITS>) {
        state.note_active();
        let State { values, active } = state;
        let units = values.len();
        let half = 1 << self.output_shift >> 1;
        let block_size = BLOCK * units;
        if block_size == 0 {
            return;
        }
        let blocks = values.chunks_mut(BLOCK).zip(self.kernel.chunks_exact(block_size));
        for (index, (values, weights)) in blocks.enumerate() {
            let inputs = embedding.input(row, index, units);
            let sums = dot_block(weights, active.iter().copied());
            for ((value, input), sum) in values.iter_mut().zip(inputs).zip(sums) {
                let accumulator = (input << self.input_shift) + (sum << self.recurrent_shift);
                *value = ((accumulator + half) >> self.output_shift).clamp(0, 127) as i8;
            }
        }
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

/// The hidden state of up to `UNITS` units: three bytes a unit, all the memory that reading a text takes.
///
/// ```
/// use kilornn::layers::State;
///
/// let state = State::<64>::zero(32);
/// assert_eq!(state.values(), [0; 32]);
/// ```
#[derive(Debug, Clone)]
pub struct State<const UNITS: usize> {
    values: Vec<i8, UNITS>,
    /// The units that are not zero, with their values: what the recurrent product has to read.
    active: Vec<(u8, i8), UNITS>,
}

impl<const UNITS: usize> State<UNITS> {
    /// All zeros: `units` of them, or `UNITS` if that is less.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::State::<2>::zero(3).values().len(), 2);
    /// ```
    #[must_use]
    pub fn zero(units: usize) -> Self {
        let mut values = Vec::new();
        // Cannot fail: never longer than the capacity.
        let _ = values.resize(units.min(UNITS), 0);
        Self { values, active: Vec::new() }
    }

    /// The state, unit by unit.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::State::<4>::zero(3).values(), [0, 0, 0]);
    /// ```
    #[must_use]
    pub fn values(&self) -> &[i8] {
        &self.values
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
        for (value, byte) in self.values.iter_mut().zip(bytes) {
            *value = byte;
        }
    }

    fn note_active(&mut self) {
        self.active.clear();
        for (index, &value) in (0..=u8::MAX).zip(&self.values) {
            if value != 0 {
                // Cannot fail: both have the same capacity.
                let _ = self.active.push((index, value));
            }
        }
    }
}
