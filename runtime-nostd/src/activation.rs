//! The few float functions: logits to probabilities.

use micromath::F32Ext;

/// `1 / (1 + e^-x)`, to three digits: `micromath`'s exponential, the same bits on every target.
pub(crate) fn sigmoid(x: f32) -> f32 {
    // On the side where the exponential cannot overflow.
    let e = F32Ext::exp(-F32Ext::abs(x));
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// `e^x` for the terms of a softmax.
pub(crate) fn exp(x: f32) -> f32 {
    F32Ext::exp(x)
}
