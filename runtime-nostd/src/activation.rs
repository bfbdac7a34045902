//! Logits to probabilities, in integers: floating point would bring two kilobytes of routines to a
//! core that has none, and integers are the same on every target.
//!
//! A logit is an integer times the model's scale, which is a positive float.

/// `2^-f` for `0 <= f < 1` is `1 - f (c0 - f (c1 - f (c2 - f (c3 - f c4))))`, to 6e-8 (a least-squares fit at
/// Chebyshev points); in units of 2^-32.
const POWER: [u32; 5] = [0xB171_E797, 0x3D7C_CE13, 0x0E29_08A8, 0x025C_900D, 0x003E_6ED7];

/// `log2(e)` in units of 2^-30.
const LOG2_E: u32 = 0x5C55_1D95;

/// The upper half of a product: both factors and the result in units of 2^-32.
const fn times(a: u32, b: u32) -> u32 {
    ((a as u64 * b as u64) >> 32) as u32
}

/// `e^-(logit · scale)` in units of 2^-32, which is never 1 quite.
fn exp_minus(logit: u32, scale: f32) -> u32 {
    // A float is `mantissa · 2^(exponent - 150)`; a subnormal one, whose mantissa would lack the
    // leading bit, is no more than zero here. Above 2^8 every logit but zero gives the same: zero.
    let bits = scale.to_bits();
    let (exponent, mantissa) = ((bits >> 23).min(134), bits & 0x7F_FFFF | 0x80_0000);
    let product = u64::from(logit) * u64::from(mantissa);
    // The exponent of e in units of 2^-24.
    let x = product << 8 >> (134 - exponent).min(63);
    if x >> 31 > 0 {
        return 0;
    }
    // As an exponent of 2: below the point its fraction, above it how far to shift.
    let power = (x * u64::from(LOG2_E)) >> 22;
    let (whole, fraction) = ((power >> 32) as u32, power as u32);
    let sum = POWER.iter().rev().fold(0, |sum, &factor| factor - times(sum, fraction));
    (u32::MAX - times(sum, fraction)) >> whole.min(31)
}

/// One, in the units of [`ratio`].
const ONE: u32 = 1 << 24;

/// `part / whole` in units of 2^-24, where `part <= whole <= 2^31`.
fn ratio(mut part: u32, whole: u32) -> u32 {
    let mut quotient = 0;
    for _ in 0..=24 {
        quotient <<= 1;
        if part >= whole {
            part -= whole;
            quotient |= 1;
        }
        part <<= 1;
    }
    quotient
}

/// The float that is `n / 2^24`; exact, since `n <= 2^24`.
fn fraction(mut n: u32) -> f32 {
    if n == 0 {
        return 0.0;
    }
    let mut exponent = 127;
    while n < ONE {
        n <<= 1;
        exponent -= 1;
    }
    f32::from_bits(exponent << 23 | (n & (ONE - 1)) >> 1)
}

/// `1 / (1 + e^-(logit · scale))`, to six digits.
pub(crate) fn sigmoid(logit: i32, scale: f32) -> f32 {
    let e = exp_minus(logit.unsigned_abs(), scale);
    let e = (e >> 2) + (e >> 1 & 1); // rounded, so that at zero it is one
    let smaller = ratio(e, (1 << 30) + e);
    fraction(if logit < 0 { smaller } else { ONE - smaller })
}

/// One class's share in the sum of a softmax, given by how much less its logit is than the largest.
/// The sum of 256 of them is below 2^31.
pub(crate) fn softmax_term(less: u32, scale: f32) -> u32 {
    exp_minus(less, scale) >> 10
}

/// A class's probability by a softmax, to six digits.
pub(crate) fn softmax(term: u32, sum: u32) -> f32 {
    fraction(ratio(term, sum))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    const SCALES: [f32; 12] = [1e-45, 1e-30, 1e-9, 1e-4, 0.0123, 0.5, 0.99, 1.0, 1.5, 100.0, 1e30, f32::MAX];
    const LOGITS: [i32; 14] = [0, 1, 2, 3, 10, 33, 77, 127, 1000, 4711, 100_000, 1 << 24, 1 << 30, i32::MAX];

    #[test]
    fn the_exponential_is_right_everywhere() {
        for scale in SCALES {
            for logit in LOGITS.map(i32::unsigned_abs).into_iter().chain([u32::MAX]) {
                let expected = (-f64::from(logit) * f64::from(scale)).exp();
                let found = f64::from(exp_minus(logit, scale)) / 2f64.powi(32);
                assert!((found - expected).abs() < 1e-6, "{logit} times {scale}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn the_sigmoid_is_right_everywhere_and_its_sides_add_up_to_one() {
        for scale in SCALES {
            let mut last = 0.0;
            for logit in LOGITS.map(|logit| -logit).into_iter().rev().chain(LOGITS) {
                let expected = 1.0 / (1.0 + (-f64::from(logit) * f64::from(scale)).exp());
                let found = sigmoid(logit, scale);
                assert!((f64::from(found) - expected).abs() < 1e-6, "{logit} times {scale}: {found}");
                assert!(found >= last, "{logit} times {scale}: {found} after {last}");
                assert_eq!(found + sigmoid(-logit, scale), 1.0);
                last = found;
            }
        }
        assert_eq!(sigmoid(0, 1.0), 0.5);
        assert_eq!((sigmoid(i32::MAX, 1.0), sigmoid(i32::MIN, 1.0)), (1.0, 0.0));
    }

    #[test]
    fn shares_are_exact_fractions() {
        assert_eq!([softmax(0, 5), softmax(5, 5), softmax(1, 4), softmax(3, 4)], [0.0, 1.0, 0.25, 0.75]);
        let most = softmax_term(0, 1.0);
        assert!(u64::from(most) * 256 < 1 << 31, "the sum of 256 classes overflows");
        assert_eq!(softmax(most, 256 * most), 1.0 / 256.0);
        for n in [1, 2, 3, 12345, ONE - 1, ONE] {
            assert_eq!(fraction(n), n as f32 / ONE as f32);
        }
    }
}
