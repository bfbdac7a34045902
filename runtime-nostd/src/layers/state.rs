//! The hidden state, and the memory in which a step computes.

use crate::kernels::Scratch;
use crate::{Error, Model};

/// The hidden state of a network whose step has up to `UNITS` inputs: its hidden units, and the numbers of a row
/// where the embedding is [projected](super::Embedding::Projected).
///
/// RAM: a byte an input for the state itself, and eight for a step's list of what is not zero; six on cores with
/// Arm's DSP instructions, four where the kernel is plain Rust.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../tests/golden/v2-starter.kilo");
/// use kilornn::{Error, Model, layers::State};
///
/// let model = Model::from_bytes(BYTES)?;
/// let mut state: State<64> = State::zero(&model)?;
/// assert_eq!(state.values(), [0; 32]);
/// model.step(7, &mut state); // the word in row 7
/// assert_ne!(state.values(), [0; 32]);
///
/// let error = State::<8>::zero(&model).unwrap_err();
/// assert_eq!(error, Error::UnitsCapacity { needed: 32, found: 8 });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[repr(C)]
pub struct State<const UNITS: usize> {
    /// Units and inputs of the model, which `UNITS` has room for.
    shape: [u16; 2],
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
    /// [`Error::UnitsCapacity`] if the model needs more room; it says how much.
    pub fn zero(model: &Model<'_>) -> Result<Self, Error> {
        let needed = model.inputs();
        if needed > UNITS {
            return Err(Error::UnitsCapacity { needed: needed as u32, found: UNITS as u32 });
        }
        Ok(Self { shape: model.shape(), scratch: Scratch::new(), values: [0; UNITS] })
    }

    /// The state, unit by unit. See [`State`] for an example.
    #[must_use]
    pub fn values(&self) -> &[i8] {
        self.values.get(..self.units()).unwrap_or_default()
    }

    /// Sets the units to the `i8` values in `bytes`; missing ones become zero.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../tests/golden/v2-starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut state: kilornn::layers::State<64> = kilornn::layers::State::zero(&model)?;
    /// state.set(&[7, 8]);
    /// assert_eq!(state.values()[..3], [7, 8, 0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set(&mut self, bytes: &[u8]) {
        let bytes = bytes.iter().map(|&b| b as i8).chain(core::iter::repeat(0));
        for (value, byte) in self.parts().0.iter_mut().zip(bytes) {
            *value = byte;
        }
    }

    fn units(&self) -> usize {
        self.shape[0].into()
    }

    /// Whether it is a state of a model of this shape.
    #[inline]
    pub(crate) fn is_of(&self, model: &Model<'_>) -> bool {
        self.shape == model.shape()
    }

    /// The units, and the memory in which a step computes.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut [i8], &mut Scratch<UNITS>) {
        let units = self.units();
        (self.values.get_mut(..units).unwrap_or_default(), &mut self.scratch)
    }
}
