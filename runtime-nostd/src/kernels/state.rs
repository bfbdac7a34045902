//! The hidden state, and the memory that a step needs.

use crate::scratch::{List, Scratch, list_in};
use crate::shape::Shape;
use crate::{Error, Model, Values};

/// The memory in which a network's state is kept: a [`State`], or words of a caller's buffer.
///
/// There is room for what a step needs of every model with the memory's shape.
pub(crate) trait Memory {
    /// The shape of the state.
    fn shape(&self) -> Shape;

    /// For the shape of a single SimpleRNN: its states, and the list of a step's inputs.
    fn simple_rnn(&mut self) -> (&mut [i8], List<'_>);

    /// For any other shape: all the memory.
    #[cfg(kilornn_gates)]
    fn words(&mut self) -> &mut [u32];

    /// The outputs of the last layer.
    fn values(&self) -> Values<'_>;

    /// Makes all states zero, or sets those of a single SimpleRNN to the numbers in `bytes`, as `i8`, and the others of
    /// its states to zero.
    #[inline]
    fn set(&mut self, bytes: &[u8]) {
        #[cfg(kilornn_gates)]
        if !self.shape().is_simple_rnn() {
            return self.words().fill(0);
        }
        let bytes = bytes.iter().map(|&b| b as i8).chain(core::iter::repeat(0));
        for (value, byte) in self.simple_rnn().0.iter_mut().zip(bytes) {
            *value = byte;
        }
    }
}

/// The state of a network whose step has up to `UNITS` inputs: its hidden units and, with a
/// [projected](crate::layers::Embedding::Projected) embedding, the numbers of a row.
///
/// RAM in bytes: `UNITS` for the states, and `8 * UNITS` for a step's list of active inputs (`6 * UNITS` on cores with
/// Arm's DSP instructions and for the kernel in plain Rust). A network with other layers than one SimpleRNN has all of its
/// state in the room of the list; [`Contents::inputs`](crate::Contents::inputs) says which `UNITS` it needs.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Error, Model, State, Values};
///
/// let model = Model::from_bytes(BYTES)?;
/// let mut state: State<64> = State::zero(&model)?;
/// assert_eq!(state.values(), Values::Int8(&[0; 32]));
/// model.step(7, &mut state); // the word in row 7
/// assert_ne!(state.values(), Values::Int8(&[0; 32]));
///
/// let error = State::<8>::zero(&model).unwrap_err();
/// assert_eq!(error, Error::UnitsCapacity { needed: 32, found: 8 });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[repr(C)]
pub struct State<const UNITS: usize> {
    /// What the model needs fits into the memory.
    shape: Shape,
    scratch: Scratch<UNITS>,
    values: [i8; UNITS],
}

/// The units' values.
#[cfg(feature = "defmt")]
impl<const UNITS: usize> defmt::Format for State<UNITS> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "State({})", self.values());
    }
}

// Kernels in assembly read and write four units at once: `values` must begin at a multiple of four.
#[cfg(kilornn_assembly)]
const _: () = assert!(align_of::<State<1>>() == 4 && core::mem::offset_of!(State<1>, values) % 4 == 0);

impl<const UNITS: usize> State<UNITS> {
    /// All zeros: the state before the first word. See [`State`] for an example.
    ///
    /// # Errors
    ///
    /// [`Error::UnitsCapacity`] if the model needs more than `UNITS`; it says how many.
    #[inline] // where it would be copied, the state would be on the stack twice
    pub fn zero(model: &Model<'_>) -> Result<Self, Error> {
        let shape = model.shape();
        let too_small = |needed| Err(Error::UnitsCapacity { needed, found: UNITS as u32 });
        if shape.is_simple_rnn() && shape.inputs() > UNITS {
            return too_small(shape.inputs() as u32);
        }
        let state = Self { shape, scratch: Scratch::new(), values: [0; UNITS] };
        #[cfg(kilornn_gates)]
        if !shape.is_simple_rnn() && shape.words() > state.scratch.as_words().len() {
            return too_small(model.contents().inputs());
        }
        Ok(state)
    }

    /// The outputs of the last layer, a number for each unit. See [`State`] for an example.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        Memory::values(self)
    }

    /// Makes all states zero, and then, if the network is a single SimpleRNN, sets them to the numbers in `bytes`, as `i8`,
    /// as many as there are.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut state: kilornn::State<64> = kilornn::State::zero(&model)?;
    /// state.set(&[7, 8]);
    /// assert_eq!(state.values().iter().take(3).collect::<Vec<_>>(), [7, 8, 0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set(&mut self, bytes: &[u8]) {
        Memory::set(self, bytes);
    }
}

impl<const UNITS: usize> Memory for State<UNITS> {
    #[inline]
    fn shape(&self) -> Shape {
        self.shape
    }

    #[inline]
    fn simple_rnn(&mut self) -> (&mut [i8], List<'_>) {
        (self.values.get_mut(..self.shape.units()).unwrap_or_default(), self.scratch.list())
    }

    #[cfg(kilornn_gates)]
    fn words(&mut self) -> &mut [u32] {
        self.scratch.words()
    }

    #[inline]
    fn values(&self) -> Values<'_> {
        #[cfg(kilornn_gates)]
        if !self.shape.is_simple_rnn() {
            return self.shape.outputs(self.scratch.as_words());
        }
        Values::Int8(self.values.get(..self.shape.units()).unwrap_or_default())
    }
}

/// A state in words that belong to a caller.
#[derive(Debug)]
pub(crate) struct Borrowed<'w> {
    shape: Shape,
    /// As many as the shape needs.
    words: &'w mut [u32],
}

impl<'w> Borrowed<'w> {
    /// All zeros, in these words; `None` if there are too few.
    pub(crate) fn zero(model: &Model<'_>, words: &'w mut [u32]) -> Option<Self> {
        let shape = model.shape();
        let words = words.get_mut(..shape.words())?;
        words.fill(0);
        Some(Self { shape, words })
    }
}

impl Memory for Borrowed<'_> {
    #[inline]
    fn shape(&self) -> Shape {
        self.shape
    }

    #[inline]
    fn simple_rnn(&mut self) -> (&mut [i8], List<'_>) {
        // Units come in fours.
        let (states, list) = self.words.split_at_mut_checked(self.shape.units() / 4).unwrap_or_default();
        (bytemuck::try_cast_slice_mut(states).unwrap_or_default(), list_in(list))
    }

    #[cfg(kilornn_gates)]
    fn words(&mut self) -> &mut [u32] {
        self.words
    }

    #[inline]
    fn values(&self) -> Values<'_> {
        #[cfg(kilornn_gates)]
        if !self.shape.is_simple_rnn() {
            return self.shape.outputs(self.words);
        }
        let states = self.words.get(..self.shape.units() / 4).unwrap_or_default();
        Values::Int8(bytemuck::try_cast_slice(states).unwrap_or_default())
    }
}
