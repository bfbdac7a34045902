//! What the weights of layers with gates have in common: rows in pairs, sums that begin with a word, and their bounds.

use crate::Error;
use crate::check::at_most;

/// The largest shift of a sum.
const SHIFT: usize = 31;

/// A row of weights is stored as half of a pair: the low byte of an `i16` is the weight of the even row, and the whole
/// `i16` is that of the odd row, in 256ths. Both are given in 256ths; the even one is rounded to a whole number, and the
/// odd one to the nearest number with this low byte.
pub(super) fn pair(even: i32, odd: i32) -> i16 {
    let low = rounded(even) as u8;
    rounded(odd.saturating_sub(low.into())) << 8 | i16::from(low)
}

/// A number of 256ths as a whole number of 8 bits.
fn rounded(number: i32) -> i16 {
    (number.saturating_add(128) >> 8).clamp(-128, 127) as i16
}

/// What a sum of a gated layer begins with, and by how many bits it is shifted to the right at the end.
///
/// Both are one word in the file: the low byte of the word is the shift, and the whole word is the beginning. So the
/// beginning is rounded to the nearest number with this low byte.
///
/// ```
/// # #[cfg(kilornn_gates)] {
/// use kilornn::layers::Begin;
///
/// assert_eq!(Begin { bias: 5000, shift: 7 }.word(), 20 * 256 + 7);
/// assert_eq!(Begin { bias: -5000, shift: 7 }.word(), -20 * 256 + 7);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Begin {
    /// The row's bias, in the scale of the sum.
    pub bias: i32,
    /// By how many bits the sum is shifted, 0 to 31. What remains is worth 2^-16 each.
    pub shift: u8,
}

impl Begin {
    /// The word in the file. See [`Begin`] for an example.
    #[must_use]
    pub const fn word(self) -> i32 {
        let shift = self.shift as i32;
        let rounded = self.bias.saturating_sub(shift).saturating_add(128);
        rounded & !255 | shift
    }
}

/// How large the sums of two rows in a pair can become.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    even: u32,
    odd: u32,
}

impl Bounds {
    /// Of sums that begin with these words, to which the row of a folded embedding may add a bias.
    pub(super) fn new(even: i32, odd: i32, bias: Option<u8>) -> Self {
        let with = |begin: i32, largest: u32| {
            begin.unsigned_abs().saturating_add(bias.map_or(0, |shift| largest << shift))
        };
        Self { even: with(even, 1 << 7), odd: with(odd, 1 << 15) }
    }

    /// Adds the products of two columns' weights with numbers up to `largest`, at most 2^15.
    #[inline(always)]
    pub(super) fn add(&mut self, word: i32, largest: u32) {
        for weight in halves(word) {
            self.even = self.even.saturating_add(i32::from(weight as i8).unsigned_abs() * largest);
            self.odd = self.odd.saturating_add(i32::from(weight).unsigned_abs() * largest);
        }
    }

    /// Checks that both sums and their shifts are in range.
    #[inline(never)]
    pub(super) fn check(self, even: i32, odd: i32) -> Result<[u32; 2], Error> {
        let [even_shift, odd_shift] = [even, odd].map(|word| (word & 255) as usize);
        at_most("shift of a sum (at most)", SHIFT, even_shift.max(odd_shift))?;
        at_most("bound of a sum (at most)", i32::MAX as usize, self.even.max(self.odd) as usize)?;
        Ok([self.even >> even_shift, self.odd >> odd_shift])
    }
}

/// The blocks of a kernel, each of so many words. Without a division, and without the panic of `chunks_exact`.
#[inline(always)]
pub(crate) fn blocks(mut words: &[i32], block: usize) -> impl Iterator<Item = &[i32]> {
    core::iter::from_fn(move || {
        let (first, rest) = words.split_at_checked(block)?;
        words = rest;
        Some(first)
    })
}

/// The two numbers of 16 bits in a word, the one that comes first in memory first.
#[inline(always)]
pub(crate) const fn halves(word: i32) -> [i16; 2] {
    let word = i32::from_le(word);
    [word as i16, (word >> 16) as i16]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_as_near_as_it_can_be() {
        for even in [-40_000, -32_768, -129, -128, -127, 0, 1, 127, 128, 255, 256, 3000, 32_767, 1 << 30] {
            for odd in [i32::MIN, -40_000, -32_768, -32_000, -257, -1, 0, 1, 100, 128, 129, 32_000, i32::MAX]
            {
                let whole = pair(even, odd);
                let low = i32::from(whole as i8);
                assert_eq!(low, ((even + 128).div_euclid(256)).clamp(-128, 127), "{even}");
                let best = (i16::MIN..=i16::MAX)
                    .filter(|whole| *whole as i8 == low as i8)
                    .map(|whole| (i64::from(whole) - i64::from(odd)).abs())
                    .min();
                assert_eq!(Some((i64::from(whole) - i64::from(odd)).abs()), best, "{even}, {odd}");
            }
        }
    }

    #[test]
    fn a_beginning_has_its_shift_in_the_low_byte() {
        for bias in [i32::MIN, -1_000_000, -129, -1, 0, 1, 127, 128, 129, 99_999, i32::MAX - 300] {
            for shift in [0, 1, 8, 31] {
                let word = Begin { bias, shift }.word();
                assert_eq!(word & 255, i32::from(shift));
                assert!((i64::from(word) - i64::from(bias)).abs() <= 128 + 31, "{bias} {shift}: {word}");
            }
        }
    }
}
