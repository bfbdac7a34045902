//! The LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000), Keras's.
//!
//! ```text
//! i = sigmoid(W_i·x + U_i·h + b_i)      how much of the candidate is added
//! f = sigmoid(W_f·x + U_f·h + b_f)      how much of the cell state stays
//! g = tanh(W_g·x + U_g·h + b_g)         the candidate
//! o = sigmoid(W_o·x + U_o·h + b_o)      how much of the cell state is seen
//! c = f ∘ c + i ∘ g
//! h = o ∘ tanh(c)
//! ```

use super::{Backward, Forward, Opening, Step, parts, parts_mut, sigmoid};

/// One step of an LSTM. Of each step it keeps i, f, g, o, c and `tanh(c)`.
#[derive(Debug)]
pub(in crate::network) struct LstmStep;

impl Step for LstmStep {
    const GATES: usize = 4;
    const KEPT: usize = 6;
    const OPENINGS: &'static [Opening] = &[
        Opening {
            name: "input",
            about: "how much of the new content a unit takes into its memory",
            part: 0,
            keeps: false,
        },
        Opening {
            name: "forget",
            about: "how much of its memory a unit keeps; closed, it forgets",
            part: 1,
            keeps: true,
        },
        Opening {
            name: "output",
            about: "how much of its memory a unit shows to the rest of the network",
            part: 3,
            keeps: false,
        },
    ];
    const RECURRENT_BIAS: bool = false;
    const SPLIT: bool = false;
    const CARRIED: usize = 1;
    const NAME: &'static str = "lstm-recurrence";

    fn forward(&self, Forward { inputs, recurrent, before, kept, state }: Forward<'_>) {
        let [xi, xf, xg, xo] = parts::<4>(inputs);
        let [hi, hf, hg, ho] = parts::<4>(recurrent);
        let [.., c_before, _] = parts::<6>(before.kept);
        let [i, f, g, o, c, tanh_c] = parts_mut::<6>(kept);
        for unit in 0..state.len() {
            i[unit] = sigmoid(xi[unit] + hi[unit]);
            f[unit] = sigmoid(xf[unit] + hf[unit]);
            g[unit] = (xg[unit] + hg[unit]).tanh();
            o[unit] = sigmoid(xo[unit] + ho[unit]);
            c[unit] = f[unit] * c_before[unit] + i[unit] * g[unit];
            tanh_c[unit] = c[unit].tanh();
            state[unit] = o[unit] * tanh_c[unit];
        }
    }

    fn backward(
        &self,
        Backward { gradient, carried, before, kept, of_inputs, of_recurrent: _, state: _ }: Backward<'_>,
    ) {
        let [i, f, g, o, _, tanh_c] = parts::<6>(kept);
        let [.., c_before, _] = parts::<6>(before.kept);
        let [of_i, of_f, of_g, of_o] = parts_mut::<4>(of_inputs);
        for unit in 0..gradient.len() {
            let of_c = carried[unit] + gradient[unit] * o[unit] * (1.0 - tanh_c[unit] * tanh_c[unit]);
            of_o[unit] = gradient[unit] * tanh_c[unit] * o[unit] * (1.0 - o[unit]);
            of_i[unit] = of_c * g[unit] * i[unit] * (1.0 - i[unit]);
            of_f[unit] = of_c * c_before[unit] * f[unit] * (1.0 - f[unit]);
            of_g[unit] = of_c * i[unit] * (1.0 - g[unit] * g[unit]);
            carried[unit] = of_c * f[unit];
        }
    }
}
