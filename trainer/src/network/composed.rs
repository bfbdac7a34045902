//! The recurrence of a SimpleRNN from candle's own operations, a few for each step: for devices that cannot run
//! [`Recurrence`](super::Recurrence), and to compare it with.

use candle_core::{Result, Tensor};
use kilornn::layers::Activation;

use super::batch::Batch;

/// `h_t = activation(projected[token_t] + (h_{t-1} ∘ mask) · kernel)` over all steps, with ReLU at most `limit`; gives the
/// last state, `texts × units`, on the device of its arguments: `projected` (`words × units`), `kernel` (`units ×
/// units`) and, if there is recurrent dropout, `mask` (`texts × units`).
pub(super) fn last_state(
    activation: Activation,
    limit: f32,
    projected: &Tensor,
    kernel: &Tensor,
    batch: &Batch,
    mask: Option<&Tensor>,
) -> Result<Tensor> {
    let (texts, units, device) = (batch.examples.len(), kernel.dim(0)?, projected.device());
    let mut state = Tensor::zeros((texts, units), projected.dtype(), device)?;
    for tokens in batch.tokens.chunks_exact(texts) {
        // Before its first step, a text has a state of zero whatever row is read for it.
        let begun: Vec<f32> =
            tokens.iter().map(|&token| if token == Batch::MASKED { 0.0 } else { 1.0 }).collect();
        let rows: Vec<u32> =
            tokens.iter().map(|&token| if token == Batch::MASKED { 0 } else { token }).collect();
        let inputs = projected.index_select(&Tensor::from_vec(rows, texts, device)?, 0)?;
        let seen = match mask {
            Some(mask) => (&state * mask)?,
            None => state,
        };
        let accumulator = (inputs + seen.matmul(kernel)?)?;
        let reached = match activation {
            Activation::Relu if limit.is_finite() => accumulator.relu()?.minimum(limit)?,
            Activation::Relu => accumulator.relu()?,
            Activation::Tanh => accumulator.tanh()?,
        };
        state = match begun.contains(&0.0) {
            true => reached.broadcast_mul(&Tensor::from_vec(begun, (texts, 1), device)?)?,
            false => reached,
        };
    }
    Ok(state)
}
