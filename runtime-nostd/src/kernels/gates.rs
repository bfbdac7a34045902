//! What steps of GRU and LSTM have in common: sums, products with a gate, outputs.

use crate::layers::halves;

/// The sums of the two rows of a pair, in 32 bits: of the even one, and of the odd one with weights in 256ths.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    even: i32,
    odd: i32,
}

impl Sums {
    /// Sums that begin with these words, and with the biases of a word's row.
    #[inline(always)]
    pub(super) fn new(even: i32, odd: i32, biases: i16, bias_shift: u8) -> Self {
        let (even, odd) = (i32::from_le(even), i32::from_le(odd));
        Self {
            even: add(even, i32::from(biases as i8) << bias_shift),
            odd: add(odd, i32::from(biases) << bias_shift),
        }
    }

    /// Adds the products of two inputs with the word that has their weights.
    #[inline(always)]
    pub(super) fn add(&mut self, word: i32, inputs: [i16; 2]) {
        for (weight, input) in halves(word).into_iter().zip(inputs) {
            self.even = add(self.even, i32::from(weight as i8) * i32::from(input));
            self.odd = add(self.odd, i32::from(weight) * i32::from(input));
        }
    }

    /// Both, shifted by the low bytes of the words with which they began.
    #[inline(always)]
    pub(super) fn shifted(self, even: i32, odd: i32) -> [i32; 2] {
        // The loader has checked that the shifts are less than 32, which the compiler does not know.
        let shift = |word: i32| i32::from_le(word) as u32 & 31;
        [self.even >> shift(even), self.odd >> shift(odd)]
    }
}

/// A sum, of which the loader has proved that it is in range.
#[inline(always)]
fn add(sum: i32, term: i32) -> i32 {
    debug_assert!(sum.checked_add(term).is_some(), "the loader let a sum through that overflows");
    sum.wrapping_add(term)
}

/// Half of the product of a number and a gate, of which 1 is 2^15; rounded down.
#[inline]
pub(super) const fn half_times(a: i32, gate: i32) -> i32 {
    ((a as i64 * gate as i64) >> 16) as i32
}

/// The numbers of 32 bits in which 1 is 2^29, as outputs in which 1 is `2^bits`; halves are rounded up.
#[inline]
pub(super) const fn output(value: i32, bits: u8) -> i16 {
    // `bits` is 4 to 14.
    let shift = (29 - bits as u32) & 31;
    ((value + (1 << shift >> 1)) >> shift) as i16
}

/// Inputs in twos, as kernels have their weights.
#[inline(always)]
pub(super) fn columns(inputs: &[i16]) -> &[[i16; 2]] {
    inputs.as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_rounded() {
        assert_eq!([(1 << 15) - 1, 1 << 15, -1 << 15, (-1 << 15) - 1].map(|v| output(v, 13)), [0, 1, 0, -1]);
        for bits in 4..=14 {
            assert_eq!([1 << 29, -1 << 29].map(|v| output(v, bits)), [1 << bits, -1 << bits]);
        }
    }
}
