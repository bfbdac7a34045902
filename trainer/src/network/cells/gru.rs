//! The GRU (Cho et al. 2014) in the form of Keras's `reset_after=True`, which is also PyTorch's and cuDNN's.
//!
//! ```text
//! z = sigmoid(W_z·x + b_z + U_z·h + c_z)           how much of the state stays
//! r = sigmoid(W_r·x + b_r + U_r·h + c_r)           how much the candidate sees of the state
//! n = tanh(W_n·x + b_n + r ∘ (U_n·h + c_n))        the candidate
//! h = z ∘ h + (1 - z) ∘ n
//! ```

use super::{Backward, Before, Forward, Opening, Step, parts, parts_mut, sigmoid};

/// One step of a GRU. Of each step it keeps z, r, n and `U_n·h + c_n`.
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
    const CARRIED: usize = 1;
    const NAME: &'static str = "gru-recurrence";

    fn forward(&self, Forward { inputs, recurrent, before, kept, state }: Forward<'_>) {
        let [xz, xr, xn] = parts::<3>(inputs);
        let [hz, hr, hn] = parts::<3>(recurrent);
        let [z, r, n, product] = parts_mut::<4>(kept);
        for unit in 0..state.len() {
            z[unit] = sigmoid(xz[unit] + hz[unit]);
            r[unit] = sigmoid(xr[unit] + hr[unit]);
            n[unit] = (xn[unit] + r[unit] * hn[unit]).tanh();
            product[unit] = hn[unit];
            state[unit] = z[unit] * before.state[unit] + (1.0 - z[unit]) * n[unit];
        }
    }

    fn backward(
        &self,
        Backward { gradient, carried, before, kept, of_inputs, of_recurrent, state: _ }: Backward<'_>,
    ) {
        let [z, r, n, product] = parts::<4>(kept);
        let [of_xz, of_xr, of_xn] = parts_mut::<3>(of_inputs);
        let [of_hz, of_hr, of_hn] = parts_mut::<3>(of_recurrent);
        let Before { state: before, .. } = before;
        for unit in 0..gradient.len() {
            let of_state = gradient[unit] + carried[unit];
            let of_z = of_state * (before[unit] - n[unit]);
            let of_n = of_state * (1.0 - z[unit]) * (1.0 - n[unit] * n[unit]);
            let of_r = of_n * product[unit];
            carried[unit] = of_state * z[unit];
            of_xz[unit] = of_z * z[unit] * (1.0 - z[unit]);
            of_xr[unit] = of_r * r[unit] * (1.0 - r[unit]);
            of_xn[unit] = of_n;
            of_hz[unit] = of_xz[unit];
            of_hr[unit] = of_xr[unit];
            of_hn[unit] = of_n * r[unit];
        }
    }
}
