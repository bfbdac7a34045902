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

use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use pulp::Simd;

use super::{Backward, Composed, Definition, Forward, Opening, Step, Sum, parts, parts_mut};
use crate::network::Parameter;
use crate::network::kernels::Lanes;
use crate::network::state_grid::StateGrid;
use crate::recipe::{CellKind, Recipe};

/// What the network asks of an LSTM.
pub(in crate::network) struct Lstm;

impl Definition for Lstm {
    type Step = LstmStep;

    fn kind(&self) -> CellKind {
        CellKind::Lstm
    }

    fn step(&self, _: Option<&StateGrid>, _: f32) -> LstmStep {
        LstmStep
    }

    fn composed(&self, at: Composed<'_>) -> Result<[Tensor; 2]> {
        let [_, content] = at.before;
        let (i, f, o) = (sigmoid(&at.sum(0)?)?, sigmoid(&at.sum(1)?)?, sigmoid(&at.sum(3)?)?);
        let g = at.sum(2)?.tanh()?;
        let content = ((f * content)? + (i * g)?)?;
        Ok([(o * content.tanh()?)?, content])
    }

    /// i has the low byte of g's halfwords, and f of o's. The device has the complement of f.
    fn sum(&self, units: usize, column: usize) -> Sum {
        let (part, unit) = (column / units, column % units);
        let (sign, even) = match part {
            0 => (1.0, None),
            1 => (-1.0, None),
            2 => (1.0, Some((unit, 1.0))),
            _ => (1.0, Some((units + unit, -1.0))),
        };
        Sum { column, sign, even }
    }

    fn is_candidate(&self, part: usize) -> bool {
        part == 2
    }

    fn begin(&self, bias: &mut Parameter, _: &mut [Parameter], recipe: &Recipe) {
        let units = bias.shape[1] / LstmStep::GATES;
        if recipe.unit_forget_bias {
            bias.values[units..2 * units].fill(1.0);
        }
    }
}

/// One step of an LSTM. Of each step it keeps i, f, g, o, c and `tanh(c)`. Backward it leaves the gradients of the accumulators of
/// the first four.
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
    const SPLIT: bool = false;
    const RECURRENT: &'static [usize] = &[0, 1, 2, 3];
    const CARRIED: usize = 1;
    const NAME: &'static str = "lstm-recurrence";

    #[inline(always)]
    fn forward<S: Simd>(&self, simd: S, Forward { before, kept, state, .. }: Forward<'_>) {
        let [.., c_before, _] = parts::<6>(before.kept);
        let [i_s, f_s, g_s, o_s, c_s, tanh_cs] = parts_mut::<6>(kept);
        for at in (0..state.len()).step_by(S::F32_LANES) {
            let load = |part: &[f32]| Lanes::load(simd, part, at);
            let i = load(i_s).sigmoid();
            let f = load(f_s).sigmoid();
            let g = load(g_s).tanh();
            let o = load(o_s).sigmoid();
            let c = f * load(c_before) + i * g;
            let tanh_c = c.tanh();
            i.store(i_s, at);
            f.store(f_s, at);
            g.store(g_s, at);
            o.store(o_s, at);
            c.store(c_s, at);
            tanh_c.store(tanh_cs, at);
            (o * tanh_c).store(state, at);
        }
    }

    #[inline(always)]
    fn backward<S: Simd>(&self, simd: S, Backward { gradient, carried, before, kept, .. }: Backward<'_>) {
        let [i_s, f_s, g_s, o_s, _, tanh_cs] = parts_mut::<6>(kept);
        let [.., c_before, _] = parts::<6>(before.kept);
        let one = Lanes::splat(simd, 1.0);
        for at in (0..gradient.len()).step_by(S::F32_LANES) {
            let load = |part: &[f32]| Lanes::load(simd, part, at);
            let (i, f, g, o) = (load(i_s), load(f_s), load(g_s), load(o_s));
            let (of_state, tanh_c) = (load(gradient), load(tanh_cs));
            let of_c = load(carried) + of_state * o * (one - tanh_c * tanh_c);
            (of_c * g * i * (one - i)).store(i_s, at);
            (of_c * load(c_before) * f * (one - f)).store(f_s, at);
            (of_c * i * (one - g * g)).store(g_s, at);
            (of_state * tanh_c * o * (one - o)).store(o_s, at);
            (of_c * f).store(carried, at);
        }
    }
}
