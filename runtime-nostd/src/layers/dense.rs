//! The dense layer: from the last state to logits.

use serde::{Deserialize, Serialize};

use crate::check::{at_least_one, at_most, exactly};
use crate::{Error, Values};

/// Keras's `Dense` without its activation: `logit = Σ kernel · h + bias` in integers, which are real logits when
/// multiplied by `scale`.
///
/// A single output is the logit of class 1 against class 0 (Keras's `Dense(1, sigmoid)`); otherwise there is one output
/// for each class (`Dense(n, softmax)`).
///
/// ```
/// use kilornn::Values;
/// use kilornn::layers::Dense;
///
/// let dense = Dense { outputs: 1, kernel: &[2, 0xFF], bias: &[5, 0, 0, 0], scale: 0.01 };
/// assert_eq!(dense.logit(0, Values::Int8(&[10, 3])), 2 * 10 - 3 + 5);
/// assert_eq!(dense.classes(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dense<'a> {
    /// The number of outputs: 1, or the number of classes, at most 256.
    pub outputs: u32,
    /// The weights: `outputs × units` numbers as `i8`, row after row.
    #[serde(borrow)]
    pub kernel: &'a [u8],
    /// The biases: `outputs` numbers as little-endian `i32`.
    pub bias: &'a [u8],
    /// The real logit of an integer logit of 1.
    pub scale: f32,
}

impl Dense<'_> {
    /// The number of classes: 2 for a single output.
    /// See [`Dense`] for an example.
    #[must_use]
    pub const fn classes(&self) -> u32 {
        if self.outputs == 1 { 2 } else { self.outputs }
    }

    /// The integer logit of one output for a state of `units` numbers. See [`Dense`] for an example.
    #[must_use]
    pub fn logit(&self, output: u32, state: Values<'_>) -> i32 {
        let (output, units) = (output as usize, state.len());
        let kernel = self.kernel.get(output * units..(output + 1) * units).unwrap_or_default();
        let products: i32 = match state {
            Values::Int8(state) => products(kernel, state),
            #[cfg(kilornn_gates)]
            Values::Int16(state) => products(kernel, state),
        };
        let (bias, _) = self.bias.as_chunks::<4>();
        products + bias.get(output).map_or(0, |&b| i32::from_le_bytes(b))
    }

    /// Checks lengths and that no logit can overflow, for states of `units` numbers up to `largest`, at most 2^14.
    pub(crate) fn check(&self, units: u32, largest: u32) -> Result<(), Error> {
        let outputs = self.outputs as usize;
        at_most("outputs (at most)", 256, outputs)?;
        at_most("units of the dense layer (at most)", 256, units as usize)?;
        exactly("bytes of the dense kernel", outputs * units as usize, self.kernel.len())?;
        exactly("bytes of the dense bias", outputs * 4, self.bias.len())?;
        at_least_one("outputs", outputs)?;
        let limit = i32::MAX as usize - units as usize * 128 * largest as usize;
        let (bias, _) = self.bias.as_chunks::<4>();
        for &bias in bias {
            at_most("dense bias (at most)", limit, i32::from_le_bytes(bias).unsigned_abs() as usize)?;
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(Error::Invalid {
                what: "logit scale's bits",
                needed: 1f32.to_bits(),
                found: self.scale.to_bits(),
            });
        }
        Ok(())
    }
}

/// The sum of the products of a row of weights with a state.
#[inline(always)]
fn products<H: Copy + Into<i32>>(kernel: &[u8], state: &[H]) -> i32 {
    kernel
        .iter()
        .zip(state)
        .map(|(&w, &h)| {
            let h: i32 = h.into();
            i32::from(w as i8) * h
        })
        .sum()
}
