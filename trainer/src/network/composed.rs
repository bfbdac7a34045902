//! The recurrences from candle's own operations, some for each step: for devices that cannot run
//! [`Recurrence`](super::recurrence::Recurrence), and to compare it with.

use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use kilornn::layers::Activation;

use super::batch::Batch;
use super::cells::Cell;
use super::recurrence::Output;

/// A recurrent layer on the device of its arguments: `projected` (`rows × gates·units`), of which `tokens` says which row is read at
/// each step of each text, `kernel` (`units × gates·units`, for a GRU with the recurrent bias as one more row) and, if there is
/// recurrent dropout, `mask` (`texts × units`).
pub(super) fn layer(
    cell: Cell,
    projected: &Tensor,
    kernel: &Tensor,
    batch: &Batch,
    tokens: &[u32],
    output: Output,
    mask: Option<&Tensor>,
) -> Result<Tensor> {
    let (texts, units, device) = (batch.examples.len(), kernel.dim(1)? / cell.gates(), projected.device());
    let recurrent_bias = match cell {
        Cell::Gru => Some(kernel.narrow(0, units, 1)?),
        Cell::SimpleRnn { .. } | Cell::Lstm => None,
    };
    let kernel = kernel.narrow(0, 0, units)?;
    let zeros = || Tensor::zeros((texts, units), projected.dtype(), device);
    let (mut state, mut content) = (zeros()?, zeros()?);
    let mut all = Vec::new();
    for tokens in tokens.chunks_exact(texts) {
        // Before its first step, a text has a state of zero whatever row is read for it.
        let begun: Vec<f32> =
            tokens.iter().map(|&token| if token == Batch::MASKED { 0.0 } else { 1.0 }).collect();
        let rows: Vec<u32> =
            tokens.iter().map(|&token| if token == Batch::MASKED { 0 } else { token }).collect();
        let inputs = projected.index_select(&Tensor::from_vec(rows, texts, device)?, 0)?;
        let seen = match mask {
            Some(mask) => (&state * mask)?,
            None => state.clone(),
        };
        let mut recurrent = seen.matmul(&kernel)?;
        if let Some(bias) = &recurrent_bias {
            recurrent = recurrent.broadcast_add(bias)?;
        }
        let part = |of: &Tensor, part: usize| of.narrow(1, part * units, units);
        let sum = |gate| part(&inputs, gate)? + part(&recurrent, gate)?;
        (state, content) = match cell {
            Cell::SimpleRnn { activation, limit } => {
                let accumulator = sum(0)?;
                let reached = match activation {
                    Activation::Relu if limit.is_finite() => accumulator.relu()?.minimum(limit)?,
                    Activation::Relu => accumulator.relu()?,
                    Activation::Tanh => accumulator.tanh()?,
                };
                (reached, content)
            }
            Cell::Gru => {
                let (z, r) = (sigmoid(&sum(0)?)?, sigmoid(&sum(1)?)?);
                let n = (part(&inputs, 2)? + (r * part(&recurrent, 2)?)?)?.tanh()?;
                let kept = (&z * &state)?;
                ((kept + ((1.0 - z)? * n)?)?, content)
            }
            Cell::Lstm => {
                let (i, f, o) = (sigmoid(&sum(0)?)?, sigmoid(&sum(1)?)?, sigmoid(&sum(3)?)?);
                let g = sum(2)?.tanh()?;
                let content = ((f * content)? + (i * g)?)?;
                ((o * content.tanh()?)?, content)
            }
        };
        if begun.contains(&0.0) {
            let begun = Tensor::from_vec(begun, (texts, 1), device)?;
            state = state.broadcast_mul(&begun)?;
            content = content.broadcast_mul(&begun)?;
        }
        if output == Output::All {
            all.push(state.clone());
        }
    }
    match output {
        Output::All if !all.is_empty() => Tensor::cat(&all, 0),
        _ => Ok(state),
    }
}
