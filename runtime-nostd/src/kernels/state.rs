//! The hidden state, and the memory that a step needs.

use super::scratch::Scratch;
use crate::{Error, Model};

/// The hidden state of a network whose step has up to `UNITS` inputs: its hidden units and, with a
/// [projected](crate::layers::Embedding::Projected) embedding, the numbers of a row.
///
/// RAM in bytes: `UNITS` for the states, and `8 * UNITS` for a step's list of active inputs (`6 * UNITS` on cores with
/// Arm's DSP instructions, `4 * UNITS` for the kernel in plain Rust).
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
/// use kilornn::{Error, Model, State};
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
    /// The model's units and inputs. There are at most `UNITS` inputs.
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
    /// [`Error::UnitsCapacity`] if the model has more than `UNITS` inputs; it says how many.
    pub fn zero(model: &Model<'_>) -> Result<Self, Error> {
        let needed = model.inputs();
        if needed > UNITS {
            return Err(Error::UnitsCapacity { needed: needed as u32, found: UNITS as u32 });
        }
        Ok(Self { shape: model.shape(), scratch: Scratch::new(), values: [0; UNITS] })
    }

    /// The states: `units` numbers, each in the scale of its unit. See [`State`] for an example.
    #[must_use]
    pub fn values(&self) -> &[i8] {
        self.values.get(..self.units()).unwrap_or_default()
    }

    /// Sets the states to the numbers in `bytes`, as `i8`. If there are fewer than `units`, the others become zero.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut state: kilornn::State<64> = kilornn::State::zero(&model)?;
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

    /// Whether it is a state for a model of this shape.
    #[inline]
    pub(crate) fn is_of(&self, model: &Model<'_>) -> bool {
        self.shape == model.shape()
    }

    /// The states, and the memory that a step needs.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut [i8], &mut Scratch<UNITS>) {
        let units = self.units();
        (self.values.get_mut(..units).unwrap_or_default(), &mut self.scratch)
    }
}
