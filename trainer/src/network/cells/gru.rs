//! The GRU (Cho et al. 2014) in the form of Keras's `reset_after=True`, which is also PyTorch's and cuDNN's.
//!
//! ```text
//! z = sigmoid(W_z·x + b_z + U_z·h + c_z)           how much of the state stays
//! r = sigmoid(W_r·x + b_r + U_r·h + c_r)           how much the candidate sees of the state
//! n = tanh(W_n·x + b_n + r ∘ (U_n·h + c_n))        the candidate
//! h = z ∘ h + (1 - z) ∘ n
//! ```

use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use pulp::Simd;

use super::{Backward, Before, Composed, Definition, Forward, Opening, Step, Sum, parts, parts_mut};
use crate::network::Parameter;
use crate::network::kernels::Lanes;
use crate::network::state_grid::StateGrid;
use crate::recipe::CellKind;

/// What the network asks of a GRU.
pub(in crate::network) struct Gru;

impl Definition for Gru {
    type Step = GruStep;

    fn kind(&self) -> CellKind {
        CellKind::Gru
    }

    fn step(&self, _: Option<&StateGrid>, _: f32) -> GruStep {
        GruStep
    }

    fn composed(&self, at: Composed<'_>) -> Result<[Tensor; 2]> {
        let [state, content] = at.before;
        let recurrent = at.recurrent.broadcast_add(at.behind)?;
        let sum = |gate| at.part(at.inputs, gate)? + at.part(&recurrent, gate)?;
        let (z, r) = (sigmoid(&sum(0)?)?, sigmoid(&sum(1)?)?);
        let n = (at.part(at.inputs, 2)? + (r * at.part(&recurrent, 2)?)?)?.tanh()?;
        let kept = (&z * state)?;
        Ok([(kept + ((1.0 - z)? * n)?)?, content.clone()])
    }

    /// z has the low byte of r's halfwords, and the candidates share theirs unit by unit. The device has the complement of z.
    fn sum(&self, units: usize, column: usize) -> Sum {
        let (part, unit) = (column / units, column % units);
        let (sign, even) = match part {
            0 => (-1.0, None),
            1 => (1.0, Some((unit, -1.0))),
            _ => (1.0, (unit % 2 == 1).then(|| (column - 1, 1.0))),
        };
        Sum { column, sign, even }
    }

    fn is_candidate(&self, part: usize) -> bool {
        part == 2
    }

    fn bias_rows(&self) -> usize {
        2
    }

    /// The second row of the bias.
    fn behind(&self, bias: &Parameter, _: &[Parameter], _: Option<&StateGrid>) -> Vec<f32> {
        bias.values[bias.shape[1]..].to_vec()
    }

    fn of_behind(&self, _: &[Parameter], behind: Vec<f32>, of_bias: &mut Vec<f32>) -> Vec<Vec<f32>> {
        of_bias.extend(behind);
        Vec::new()
    }
}

/// One step of a GRU. Of each step it keeps z, r, n and `U_n·h + c_n`. Backward it leaves the gradients of `W·x + b` of z, r
/// and n, and of `U_n·h + c_n`; those of the recurrent halves of z and r are the same as of the others.
#[derive(Debug)]
pub(in crate::network) struct GruStep;

impl Step for GruStep {
    const GATES: usize = 3;
    const KEPT: usize = 4;
    const OPENINGS: &'static [Opening] = &[
        Opening {
            name: "update",
            about: "how much of its old state a unit keeps; closed, the word replaces it",
            part: 0,
            keeps: true,
        },
        Opening {
            name: "reset",
            about: "how much of the old states counts for the new content; closed, the word alone decides it",
            part: 1,
            keeps: false,
        },
    ];
    const BEHIND: &'static [usize] = Self::RECURRENT;
    const SPLIT: bool = true;
    const RECURRENT: &'static [usize] = &[0, 1, 3];
    const CARRIED: usize = 1;
    const NAME: &'static str = "gru-recurrence";

    #[inline(always)]
    fn forward<S: Simd>(&self, simd: S, Forward { recurrent, before, kept, state, .. }: Forward<'_>) {
        let [hz, hr, hn] = parts::<3>(recurrent);
        let [z_s, r_s, n_s, products] = parts_mut::<4>(kept);
        let one = Lanes::splat(simd, 1.0);
        for at in (0..state.len()).step_by(S::F32_LANES) {
            let load = |part: &[f32]| Lanes::load(simd, part, at);
            let product = load(hn);
            let z = (load(z_s) + load(hz)).sigmoid();
            let r = (load(r_s) + load(hr)).sigmoid();
            let n = (load(n_s) + r * product).tanh();
            z.store(z_s, at);
            r.store(r_s, at);
            n.store(n_s, at);
            product.store(products, at);
            (z * load(before.state) + (one - z) * n).store(state, at);
        }
    }

    #[inline(always)]
    fn backward<S: Simd>(&self, simd: S, Backward { gradient, carried, before, kept, .. }: Backward<'_>) {
        let [z_s, r_s, n_s, products] = parts_mut::<4>(kept);
        let Before { state: before, .. } = before;
        let one = Lanes::splat(simd, 1.0);
        for at in (0..gradient.len()).step_by(S::F32_LANES) {
            let load = |part: &[f32]| Lanes::load(simd, part, at);
            let (z, r, n) = (load(z_s), load(r_s), load(n_s));
            let of_state = load(gradient) + load(carried);
            let of_z = of_state * (load(before) - n);
            let of_n = of_state * (one - z) * (one - n * n);
            let of_r = of_n * load(products);
            (of_state * z).store(carried, at);
            (of_z * z * (one - z)).store(z_s, at);
            (of_r * r * (one - r)).store(r_s, at);
            of_n.store(n_s, at);
            (of_n * r).store(products, at);
        }
    }
}
