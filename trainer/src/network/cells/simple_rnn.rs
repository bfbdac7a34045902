//! Keras's `SimpleRNN` (Elman 1990): `h = activation(W·x + b + U·h)`, with ReLU or tanh.

use kilornn::layers::Activation;

use super::{Backward, Forward, Step};

/// One step of a SimpleRNN. It keeps nothing but the state: a state of `-0.0` marks a unit that no gradient passes, since its
/// ReLU was closed. An open unit rounded down to zero is `+0.0`.
#[derive(Debug)]
pub(in crate::network) struct SimpleRnnStep {
    pub(in crate::network) activation: Activation,
    /// The most that a ReLU state can be; infinity without a limit.
    pub(in crate::network) limit: f32,
    /// The device's scale of each unit, if states are rounded: then they saturate where an `i8` does, whatever the limit.
    pub(in crate::network) scales: Option<Vec<f32>>,
}

/// The state of a unit that no gradient passes.
const CLOSED: f32 = -0.0;

impl Step for SimpleRnnStep {
    const GATES: usize = 1;
    const KEPT: usize = 0;
    const RECURRENT_BIAS: bool = false;
    const SPLIT: bool = false;
    const CARRIED: usize = 0;
    const NAME: &'static str = "simple-rnn-recurrence";

    fn forward(&self, Forward { inputs, recurrent, state, .. }: Forward<'_>) {
        for ((h, x), r) in state.iter_mut().zip(inputs).zip(recurrent) {
            *h = x + r;
        }
        match (self.activation, &self.scales) {
            (Activation::Relu, None) => {
                // Plain comparisons: `f32::min` minds what is no number, and that costs the loop its vector instructions.
                let limit = self.limit;
                for h in state.iter_mut() {
                    let open = if *h < limit { *h } else { limit };
                    *h = if *h > 0.0 { open } else { CLOSED };
                }
            }
            (Activation::Relu, Some(scales)) => {
                for (h, scale) in state.iter_mut().zip(scales) {
                    *h = if *h > 0.0 { (*h / scale).round().min(127.0) * scale } else { CLOSED };
                }
            }
            // Adding zero makes +0.0 of -0.0.
            (Activation::Tanh, None) => state.iter_mut().for_each(|h| *h = h.tanh() + 0.0),
            (Activation::Tanh, Some(scales)) => {
                for (h, scale) in state.iter_mut().zip(scales) {
                    let accumulator = (*h * 65536.0).round() as i32;
                    *h = f32::from(Activation::Tanh.apply(accumulator)) * scale + 0.0;
                }
            }
        }
    }

    /// No gradient passes where a ReLU was closed, or the state at its limit.
    fn backward(&self, Backward { gradient, state, of_inputs, .. }: Backward<'_>) {
        // Loops of their own, so that the compiler makes vector instructions of them.
        match (self.activation, &self.scales) {
            (Activation::Relu, None) => {
                for ((of, g), h) in of_inputs.iter_mut().zip(gradient).zip(state) {
                    *of = if h.is_sign_negative() | (*h >= self.limit) { 0.0 } else { *g };
                }
            }
            // On the grid a state saturates where its scale says.
            (Activation::Relu, Some(scales)) => {
                for (((of, g), h), scale) in of_inputs.iter_mut().zip(gradient).zip(state).zip(scales) {
                    *of = if h.is_sign_negative() | (*h >= 127.0 * scale) { 0.0 } else { *g };
                }
            }
            (Activation::Tanh, _) => {
                for ((of, g), h) in of_inputs.iter_mut().zip(gradient).zip(state) {
                    *of = g * (1.0 - h * h);
                }
            }
        }
    }
}
