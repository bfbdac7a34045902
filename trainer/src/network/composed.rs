//! The recurrences from candle's own operations, some for each step: for devices that cannot run
//! [`Recurrence`](super::recurrence::Recurrence), and to compare it with.

use candle_core::{Result, Tensor};

use super::batch::Batch;
use super::cells::{Cell, Composed, Definition as _, with_definition};
use super::recurrence::Output;

/// A recurrent layer on the device of its arguments: `projected` (`rows × gates·units`), of which `tokens` says which row is read at
/// each step of each text, `kernel` (`units × gates·units`, and what the cell has behind it) and, if there is recurrent dropout,
/// `mask` (`texts × units`).
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
    let rest = kernel.dim(0)? - units;
    let behind = match rest {
        0 => Tensor::zeros((1, 0), projected.dtype(), device)?,
        rest => kernel.narrow(0, units, rest)?.reshape((1, rest * kernel.dim(1)?))?,
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
        let recurrent = seen.matmul(&kernel)?;
        let before = [&state, &content];
        let at = Composed { inputs: &inputs, recurrent: &recurrent, behind: &behind, before };
        [state, content] = with_definition!(cell, |cell| cell.composed(at))?;
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
