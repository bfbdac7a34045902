//! Keras's `SimpleRNN` (Elman 1990): `h = activation(W·x + b + U·h)`, with ReLU or tanh.

use candle_core::{Result, Tensor};
use kilornn::layers::Activation;
use pulp::Simd;

use super::{Backward, Composed, Definition, Forward, Step, Sum};
use crate::network::kernels::Lanes;
use crate::network::state_grid::StateGrid;
use crate::recipe::CellKind;

/// What the network asks of a SimpleRNN.
pub(in crate::network) struct SimpleRnn {
    pub(in crate::network) activation: Activation,
    /// The most that a ReLU state can be; infinity without a limit.
    pub(in crate::network) limit: f32,
}

impl Definition for SimpleRnn {
    type Step = SimpleRnnStep;

    fn kind(&self) -> CellKind {
        CellKind::SimpleRnn
    }

    fn step(&self, states: Option<&StateGrid>, limit: f32) -> SimpleRnnStep {
        let scales = states.and_then(|states| match states {
            StateGrid::Int8 { scales, .. } => Some(scales.clone()),
            StateGrid::Int16 { .. } => None,
        });
        SimpleRnnStep { activation: self.activation, limit: self.limit.min(limit), scales }
    }

    fn composed(&self, at: Composed<'_>) -> Result<[Tensor; 2]> {
        let accumulator = at.sum(0)?;
        let reached = match self.activation {
            Activation::Relu if self.limit.is_finite() => accumulator.relu()?.minimum(self.limit)?,
            Activation::Relu => accumulator.relu()?,
            Activation::Tanh => accumulator.tanh()?,
        };
        Ok([reached, at.before[1].clone()])
    }

    fn sum(&self, _: usize, column: usize) -> Sum {
        Sum { column, sign: 1.0, even: None }
    }

    fn is_candidate(&self, _: usize) -> bool {
        true
    }

    fn may_begin_as_identity(&self) -> bool {
        true
    }
}

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
    const SPLIT: bool = false;
    const RECURRENT: &'static [usize] = &[0];
    const CARRIED: usize = 0;
    const NAME: &'static str = "simple-rnn-recurrence";

    // Loops of their own, so that the compiler makes vector instructions of them.
    #[inline(always)]
    fn forward<S: Simd>(&self, simd: S, Forward { state, .. }: Forward<'_>) {
        match (self.activation, &self.scales) {
            (Activation::Relu, None) => {
                // Plain comparisons: `f32::min` minds what is no number, and that costs the loop its vector instructions.
                let limit = self.limit;
                for h in state {
                    let x = *h;
                    let open = if x < limit { x } else { limit };
                    *h = if x > 0.0 { open } else { CLOSED };
                }
            }
            (Activation::Relu, Some(scales)) => {
                for state in by_units(state, scales) {
                    for (h, scale) in state.iter_mut().zip(scales) {
                        *h = if *h > 0.0 { (*h / scale).round().min(127.0) * scale } else { CLOSED };
                    }
                }
            }
            // Adding zero makes +0.0 of -0.0.
            (Activation::Tanh, None) => {
                let zero = Lanes::splat(simd, 0.0);
                for at in (0..state.len()).step_by(S::F32_LANES) {
                    (Lanes::load(simd, state, at).tanh() + zero).store(state, at);
                }
            }
            (Activation::Tanh, Some(scales)) => {
                for state in by_units(state, scales) {
                    for (h, scale) in state.iter_mut().zip(scales) {
                        let accumulator = (*h * 65536.0).round() as i32;
                        *h = f32::from(Activation::Tanh.apply(accumulator)) * scale + 0.0;
                    }
                }
            }
        }
    }

    /// No gradient passes where a ReLU was closed, or the state at its limit.
    #[inline(always)]
    fn backward<S: Simd>(&self, _: S, Backward { gradient, state, kept, .. }: Backward<'_>) {
        match (self.activation, &self.scales) {
            (Activation::Relu, None) => {
                let limit = self.limit;
                for ((of, g), h) in kept.iter_mut().zip(gradient).zip(state) {
                    *of = if h.is_sign_negative() | (*h >= limit) { 0.0 } else { *g };
                }
            }
            // On the grid a state saturates where its scale says.
            (Activation::Relu, Some(scales)) => {
                let rows = gradient.chunks_exact(scales.len()).zip(state.chunks_exact(scales.len()));
                for (kept, (gradient, state)) in by_units(kept, scales).zip(rows) {
                    for (((of, g), h), scale) in kept.iter_mut().zip(gradient).zip(state).zip(scales) {
                        *of = if h.is_sign_negative() | (*h >= 127.0 * scale) { 0.0 } else { *g };
                    }
                }
            }
            (Activation::Tanh, _) => {
                for ((of, g), h) in kept.iter_mut().zip(gradient).zip(state) {
                    *of = g * (1.0 - h * h);
                }
            }
        }
    }
}

/// The numbers of each text.
fn by_units<'a>(part: &'a mut [f32], scales: &[f32]) -> std::slice::ChunksExactMut<'a, f32> {
    part.chunks_exact_mut(scales.len())
}
