//! What a cell computes with: as many numbers side by side as a vector register holds.
//!
//! The exponential of the C library, which `f32::exp` calls, takes one number at a time, and as long for it as a unit's products.

use std::ops::{Add, Mul, Neg, Sub};

use pulp::{Simd, WithSimd};

/// The numbers of a vector register.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    simd: S,
    values: S::f32s,
}

/// `log2(e)`, and `ln(2)` in two parts, the first of which has so few bits that its multiples by a power's exponent are exact.
const LOG2_E: f32 = std::f32::consts::LOG2_E;
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `(e^r - 1 - r) / r²` for `r` within half of `ln(2)`, from the highest power down (Cephes' `expf`).
const SERIES: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5];

/// To this, a small number is added without its fraction, and stands in the lowest bits of the sum.
const WHOLE: f32 = 12_582_912.0;

/// Beyond, the exponential, or what is made of it, is no normal number.
const LARGEST: f32 = 87.0;

impl<S: Simd> Lanes<S> {
    /// The same number in all of them.
    #[inline(always)]
    pub(crate) fn splat(simd: S, value: f32) -> Self {
        Self { simd, values: simd.splat_f32s(value) }
    }

    /// From a slice, from an index on; behind its end, zeros.
    #[inline(always)]
    pub(crate) fn load(simd: S, from: &[f32], at: usize) -> Self {
        let rest = &from[at..];
        let values = match S::as_simd_f32s(rest) {
            ([first, ..], _) => *first,
            ([], rest) => simd.partial_load_f32s(rest),
        };
        Self { simd, values }
    }

    /// Into a slice, from an index on, as far as it goes.
    #[inline(always)]
    pub(crate) fn store(self, to: &mut [f32], at: usize) {
        let rest = &mut to[at..];
        match S::as_mut_simd_f32s(rest) {
            ([first, ..], _) => *first = self.values,
            ([], rest) => self.simd.partial_store_f32s(rest, self.values),
        }
    }

    #[inline(always)]
    fn with(self, values: S::f32s) -> Self {
        Self { values, ..self }
    }

    #[inline(always)]
    fn constant(self, value: f32) -> Self {
        Self::splat(self.simd, value)
    }

    /// `self · factor + term`
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.with(self.simd.mul_add_e_f32s(self.values, factor.values, term.values))
    }

    #[inline(always)]
    fn over(self, divisor: Self) -> Self {
        self.with(self.simd.div_f32s(self.values, divisor.values))
    }

    /// What is no number stays so.
    #[inline(always)]
    fn clamp(self, limit: f32) -> Self {
        let simd = self.simd;
        let (least, most) = (simd.splat_f32s(-limit), simd.splat_f32s(limit));
        let values = simd.select_f32s(simd.greater_than_f32s(self.values, most), most, self.values);
        self.with(simd.select_f32s(simd.less_than_f32s(values, least), least, values))
    }

    /// `2^n` and `e^r - 1`, of which `e^self` is made: `2^n · (e^r - 1) + 2^n`. For numbers within [`LARGEST`].
    #[inline(always)]
    fn exponential(self) -> (Self, Self) {
        let simd = self.simd;
        let whole = self.mul_add(self.constant(LOG2_E), self.constant(WHOLE));
        let n = whole - self.constant(WHOLE);
        let r = n.mul_add(self.constant(-LN_2[0]), self);
        let r = n.mul_add(self.constant(-LN_2[1]), r);
        let [highest, others @ ..] = SERIES;
        let mut series = self.constant(highest);
        for coefficient in others {
            series = series.mul_add(r, self.constant(coefficient));
        }
        let less_one = (series * r).mul_add(r, r);
        // The exponent of a float stands above its 23 bits of fraction, and is 127 more than the power of two.
        let bits = simd.transmute_u32s_f32s(whole.values);
        let bits = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(23));
        let power = simd.add_u32s(bits, simd.splat_u32s(1.0f32.to_bits()));
        (self.with(simd.transmute_f32s_u32s(power)), less_one)
    }

    /// `1 / (1 + e^-x)`.
    #[inline(always)]
    pub(crate) fn sigmoid(self) -> Self {
        let (power, less_one) = (-self.clamp(LARGEST)).exponential();
        let one = self.constant(1.0);
        one.over(power.mul_add(less_one, power) + one)
    }

    /// The hyperbolic tangent, from `e = e^2x - 1` of negative `x`: `e / (e + 2)`. Small numbers keep all their digits.
    #[inline(always)]
    pub(crate) fn tanh(self) -> Self {
        let simd = self.simd;
        let sign = simd.and_f32s(self.values, simd.splat_f32s(-0.0));
        let x = self.with(simd.abs_f32s(self.values)).clamp(LARGEST / 2.0) * self.constant(-2.0);
        let (power, less_one) = x.exponential();
        let e = power.mul_add(less_one, power - self.constant(1.0));
        let tanh = (-e).over(e + self.constant(2.0));
        self.with(simd.or_f32s(simd.abs_f32s(tanh.values), sign))
    }
}

impl<S: Simd> Add for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(self.simd.add_f32s(self.values, other.values))
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(self.simd.sub_f32s(self.values, other.values))
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(self.simd.mul_f32s(self.values, other.values))
    }
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.with(self.simd.neg_f32s(self.values))
    }
}

/// Adds values to sums.
pub(crate) struct AddTo<'a> {
    pub(crate) sums: &'a mut [f32],
    pub(crate) values: &'a [f32],
}

impl WithSimd for AddTo<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.sums.iter_mut().zip(self.values).for_each(|(sum, value)| *sum += value);
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar};

    use super::*;

    /// Sigmoid and tanh of all numbers of a slice.
    struct Both<'a>(&'a [f32]);

    impl WithSimd for Both<'_> {
        type Output = [Vec<f32>; 2];

        fn with_simd<S: Simd>(self, simd: S) -> [Vec<f32>; 2] {
            let mut results = [vec![0.0; self.0.len()], vec![0.0; self.0.len()]];
            for at in (0..self.0.len()).step_by(S::F32_LANES) {
                let x = Lanes::load(simd, self.0, at);
                x.sigmoid().store(&mut results[0], at);
                x.tanh().store(&mut results[1], at);
            }
            results
        }
    }

    fn both(values: &[f32]) -> [[Vec<f32>; 2]; 2] {
        [Arch::new().dispatch(Both(values)), Both(values).with_simd(Scalar)]
    }

    /// Of every 1,009th float there is.
    #[test]
    fn sigmoid_and_tanh_are_right_to_a_rounding_or_two() {
        let values: Vec<f32> =
            (0..=u32::MAX).step_by(1009).map(f32::from_bits).filter(|x| x.is_finite()).collect();
        for [sigmoid, tanh] in both(&values) {
            for ((x, sigmoid), tanh) in values.iter().map(|&x| f64::from(x)).zip(sigmoid).zip(tanh) {
                // Below this the sigmoid is no normal float, and a gate is as good as closed.
                let wanted = 1.0 / (1.0 + (-x.max(-f64::from(LARGEST))).exp());
                let error = (f64::from(sigmoid) - wanted).abs() / wanted;
                assert!(error < 2.5e-7, "sigmoid of {x}: {sigmoid}, not {wanted}: {error:e}");
                let wanted = x.tanh();
                let error = (f64::from(tanh) - wanted).abs();
                // Half a unit of the last place of what is smaller than normal.
                let allowed = 2.5e-7 * wanted.abs() + 1.5e-45;
                assert!(error <= allowed, "tanh of {x:e}: {tanh:e}, not {wanted:e}: {error:e}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        for [sigmoid, tanh] in both(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0]) {
            assert!(sigmoid[0].is_nan() && tanh[0].is_nan());
            assert_eq!(tanh[1..3], [1.0, -1.0]);
            assert!(sigmoid[1] == 1.0 && sigmoid[2] > 0.0 && sigmoid[2] < 1e-37);
            assert_eq!(tanh[3..].iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [0, 1 << 31]);
            assert_eq!(sigmoid[3..], [0.5, 0.5]);
        }
    }
}
