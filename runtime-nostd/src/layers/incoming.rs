//! What comes into a layer from below, and what layers with gates check of it alike.

#[cfg(kilornn_gates)]
use crate::Error;
#[cfg(kilornn_gates)]
use crate::check::{at_least, at_least_one, at_most, exactly};

/// What comes into a layer from below: from the embedding, or from the layer under it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming {
    /// How many numbers.
    pub(crate) width: u32,
    /// Their largest magnitude.
    pub(crate) largest: u32,
    /// Rows of a folded embedding, each of which has biases in this layer.
    pub(crate) rows: Option<u32>,
    /// The numbers are the outputs of a layer.
    #[cfg(kilornn_gates)]
    pub(crate) from_layer: bool,
}

impl Incoming {
    /// Checks by how many bits the numbers are shifted, and returns their largest magnitude then: at most 2^15.
    #[cfg(kilornn_gates)]
    pub(super) fn shifted(self, shift: u8) -> Result<u32, Error> {
        if !self.from_layer {
            exactly("input shift of the first layer", 0, shift.into())?;
            return Ok(self.largest);
        }
        at_most("input shift (at most)", 14, shift.into())?;
        let largest = self.largest << shift;
        at_most("shifted inputs (at most)", i16::MAX as usize, largest as usize)?;
        Ok(largest)
    }
}

/// A layer with gates as files have it, without its weights.
#[cfg(kilornn_gates)]
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Fields {
    pub(super) units: u32,
    pub(super) bias_shift: u8,
    pub(super) input_shift: u8,
    pub(super) state_bits: u8,
}

/// What layers with gates have in common.
#[cfg(kilornn_gates)]
pub(super) struct Gated<'a> {
    pub(super) units: u32,
    pub(super) weights: &'a [u8],
    pub(super) bias_shift: u8,
    pub(super) input_shift: u8,
    pub(super) state_bits: u8,
}

#[cfg(kilornn_gates)]
impl Gated<'_> {
    /// Checks dimensions, shifts and the length of the weights, and returns the largest magnitude of an input and of an
    /// output.
    pub(super) fn check(
        &self,
        incoming: Incoming,
        weights_len: fn(usize, usize, usize) -> usize,
    ) -> Result<[u32; 2], Error> {
        let (units, width) = (self.units as usize, incoming.width as usize);
        at_least_one("units of a layer", units)?;
        at_most("units of a layer (at most)", 256, units)?;
        exactly("units of a layer, modulo 4,", 0, units % 4)?;
        exactly("inputs of a layer with gates, modulo 4,", 0, width % 4)?;
        at_most("bias shift (at most)", 14, self.bias_shift.into())?;
        at_least("state bits (at least)", 4, self.state_bits.into())?;
        at_most("state bits (at most)", 14, self.state_bits.into())?;
        let needed = weights_len(units, units + width, incoming.rows.unwrap_or(0) as usize);
        exactly("bytes of weights", needed, self.weights.len())?;
        crate::check::aligned(self.weights)?;
        Ok([incoming.shifted(self.input_shift)?, 1 << self.state_bits])
    }
}
