//! From logits to probabilities: the only functions with floating point.

use micromath::F32Ext;

/// `1 / (1 + e^-x)`, right to three digits. The exponential is `micromath`'s, with the same bits on every target.
pub(crate) fn sigmoid(x: f32) -> f32 {
    // The exponential of a negative number cannot overflow.
    let e = exp(-F32Ext::abs(x));
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// `e^x` for `x` up to zero. Below [`LOWEST`], where `micromath` would leave its range, it is that of `LOWEST`.
pub(crate) fn exp(x: f32) -> f32 {
    F32Ext::exp(if x < LOWEST { LOWEST } else { x })
}

/// `e^-80` is 2^-115, too small to change a sum with 1.
const LOWEST: f32 = -80.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_stay_probabilities_at_every_extreme() {
        for x in [0.0, 1e-30, 1.0, 79.9, 80.1, 88.0, 1e4, f32::MAX, f32::INFINITY] {
            let (low, high) = (sigmoid(-x), sigmoid(x));
            assert!((0.0..=0.5).contains(&low) && (0.5..=1.0).contains(&high), "{x}: {low}, {high}");
            assert!((low + high - 1.0).abs() < 1e-6);
            assert!((exp(-x) - f64::from(-x).exp() as f32).abs() < 2e-3, "{x}: {}", exp(-x));
        }
    }
}
