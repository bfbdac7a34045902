//! The GRU (Cho et al. 2014) in the form of Keras's `reset_after=True`, which is also PyTorch's and cuDNN's.
//!
//! ```text
//! z = sigmoid(W_z·x + b_z + U_z·h + c_z)           how much of the state stays
//! r = sigmoid(W_r·x + b_r + U_r·h + c_r)           how much the candidate sees of the state
//! n = tanh(W_n·x + b_n + r ∘ (U_n·h + c_n))        the candidate
//! h = z ∘ h + (1 - z) ∘ n
//! ```

use pulp::Simd;

use super::{Backward, Before, Forward, Opening, Step, parts, parts_mut};
use crate::network::kernels::Lanes;

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
    const RECURRENT_BIAS: bool = true;
    const SPLIT: bool = true;
    const RECURRENT: &'static [usize] = &[0, 1, 3];
    const CARRIED: usize = 1;
    const NAME: &'static str = "gru-recurrence";

    #[inline(always)]
    fn forward<S: Simd>(&self, simd: S, Forward { recurrent, before, kept, state }: Forward<'_>) {
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
    fn backward<S: Simd>(
        &self,
        simd: S,
        Backward { gradient, carried, before, kept, state: _ }: Backward<'_>,
    ) {
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
