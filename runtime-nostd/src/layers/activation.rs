//! The activation: from the accumulator of a recurrence to a state.

use serde::{Deserialize, Serialize};

/// The activation of a recurrence (Keras's `activation`), in integers.
///
/// One step of an `i8` state is 512 in the accumulator, in every model. So requantization is a shift by nine bits, which
/// Arm's cores saturate in the same instruction.
///
/// ```
/// use kilornn::layers::Activation;
///
/// let relu = |accumulator| Activation::Relu.apply(accumulator);
/// assert_eq!([relu(-512), relu(255), relu(256), relu(1 << 20)], [0, 0, 1, 127]);
///
/// // tanh(0.5) is 0.4621, of which 128 times are 59.15.
/// let tanh = |x: f32| Activation::Tanh.apply((x * 65536.0) as i32);
/// assert_eq!([tanh(0.0), tanh(0.5), tanh(-0.5), tanh(9.0), tanh(-9.0)], [0, 59, -59, 127, -127]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Activation {
    /// `max(0, x)`: states are 0 to 127, in each unit's own scale, and most of them are zero.
    Relu,
    /// `tanh(x)`: states are -127 to 127, worth 1/128 each.
    Tanh,
}

impl Activation {
    /// Bits of an accumulator below one step of the state: a step is `1 << FRACTION_BITS`.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::Activation::FRACTION_BITS, 9);
    /// ```
    pub const FRACTION_BITS: u32 = 9;

    /// The state for an accumulator; halves are rounded up. See [`Activation`] for an example.
    #[inline]
    #[must_use]
    pub fn apply(self, accumulator: i32) -> i8 {
        self.requantize(accumulator.wrapping_add(self.half()))
    }

    /// Half of the last place that the shift in [`requantize`](Self::requantize) leaves. Accumulators begin with it, so
    /// that the shift rounds.
    #[inline]
    pub(crate) const fn half(self) -> i32 {
        match self {
            Activation::Relu => 1 << Self::FRACTION_BITS >> 1,
            Activation::Tanh => 1 << (16 - ARGUMENT_BITS) >> 1,
        }
    }

    /// The state, from an accumulator that began with [`half`](Self::half).
    #[inline]
    pub(crate) fn requantize(self, accumulator: i32) -> i8 {
        match self {
            Activation::Relu => (accumulator >> Self::FRACTION_BITS).clamp(0, 127) as i8,
            // A step of 1/128 is 2^9 in the accumulator, so that 1 is 2^16.
            Activation::Tanh => tanh(accumulator >> (16 - ARGUMENT_BITS)) as i8,
        }
    }
}

/// Bits of [`tanh`]'s argument below one.
const ARGUMENT_BITS: u32 = 8;

/// `128 * tanh(x / 256)`, with an error of at most 0.75 and a magnitude of at most 127: linear interpolation between
/// multiples of 1/16.
#[inline(never)]
pub(crate) extern "C" fn tanh(x: i32) -> i32 {
    interpolated(x)
}

/// The same for every argument from -4 on, below 4; what is outside has the value at the end.
#[cfg(all(kilornn_assembly = "dsp", feature = "fast-tanh"))]
pub(crate) static TANHS: [i8; 2048] = {
    let mut values = [0; 2048];
    let mut place = 0;
    while place < values.len() {
        values[place] = interpolated(place as i32 - 1024) as i8;
        place += 1;
    }
    values
};

#[inline]
const fn interpolated(x: i32) -> i32 {
    let magnitude = if x.unsigned_abs() > 1023 { 1023 } else { x.unsigned_abs() };
    let (index, fraction) = ((magnitude >> 4) as usize & 63, magnitude & 15);
    let (low, high) = (SIXTEENTHS[index] as u32, SIXTEENTHS[index + 1] as u32);
    let value = ((low << 4) + (high - low) * fraction + 16) >> 5;
    let value = if value > 127 { 127 } else { value as i32 };
    if x < 0 { -value } else { value }
}

/// `256 * tanh(i / 16)`.
#[rustfmt::skip]
static SIXTEENTHS: [u8; 65] = [
    0, 16, 32, 47, 63, 77, 92, 105, 118, 131, 142, 153, 163, 172, 180, 188, 195, 201, 207, 212, 217, 221, 225, 229,
    232, 234, 237, 239, 241, 243, 244, 246, 247, 248, 249, 250, 250, 251, 252, 252, 253, 253, 253, 254, 254, 254, 254,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_close_odd_and_never_falls() {
        let mut before = -127;
        for x in -3000..=3000 {
            let (value, real) = (tanh(x), 128.0 * (f64::from(x) / 256.0).tanh());
            assert!(
                (f64::from(value) - real.clamp(-127.0, 127.0)).abs() < 0.75,
                "{x}: {value}, really {real}"
            );
            assert_eq!(value, -tanh(-x));
            assert!(value >= before, "{x}");
            before = value;
        }
        for x in [i32::MIN, i32::MIN + 1, i32::MAX] {
            assert_eq!(tanh(x), 127 * x.signum());
        }
    }

    #[test]
    fn the_table_is_right() {
        for (index, &value) in SIXTEENTHS.iter().enumerate() {
            let real = 256.0 * (index as f64 / 16.0).tanh();
            assert_eq!(value, real.round().min(255.0) as u8, "{index}");
        }
    }
}
