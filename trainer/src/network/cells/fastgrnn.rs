//! FastGRNN (Kusupati et al. 2018), as EdgeML's `FastGRNNCell` has it with its default nonlinearities.
//!
//! ```text
//! z = sigmoid(W·x + U·h + b_gate)                    how much of the state stays
//! c = tanh(W·x + U·h + b_update)                     the candidate
//! h = z ∘ h + (zeta · (1 - z) + nu) · c
//! ```
//!
//! `zeta` and `nu` are one number each for the whole layer, kept between 0 and 1 by a sigmoid of what is trained.

use candle_core::{Result, Tensor};
use candle_nn::ops::sigmoid;
use pulp::Simd;

use super::{Backward, Before, Composed, Definition, Forward, Further, Opening, Step, Sum, parts, parts_mut};
use crate::network::Parameter;
use crate::network::kernels::Lanes;
use crate::network::state_grid::StateGrid;
use crate::recipe::{CellKind, Recipe};

/// What `zeta` and `nu` begin as, before the sigmoid: EdgeML's defaults.
const ZETA: f32 = 1.0;
const NU: f32 = -4.0;

/// What the network asks of a FastGRNN.
pub(in crate::network) struct FastGrnn;

/// The further parameters of a layer.
struct Own<'l> {
    bias_gate: &'l [f32],
    /// What is trained, before the sigmoid.
    scalars: [f32; 2],
}

impl<'l> Own<'l> {
    fn of(further: &'l [Parameter]) -> Self {
        let [bias_gate, zeta, nu] = further else { panic!("a layer of another cell") };
        Self { bias_gate: &bias_gate.values, scalars: [zeta.values[0], nu.values[0]] }
    }
}

/// `1 / (1 + e^-x)`
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Definition for FastGrnn {
    type Step = FastGrnnStep;

    fn kind(&self) -> CellKind {
        CellKind::FastGrnn
    }

    fn step(&self, states: Option<&StateGrid>, limit: f32) -> FastGrnnStep {
        FastGrnnStep { limit: states.map_or(limit, StateGrid::limit) }
    }

    fn composed(&self, at: Composed<'_>) -> Result<[Tensor; 2]> {
        let [state, content] = at.before;
        let sum = at.sum(0)?;
        let [apart, zeta, nu] = [0, 1, 2].map(|part| at.part(at.behind, part));
        let z = sigmoid(&sum.broadcast_add(&apart?)?)?;
        let of_candidate = (1.0 - &z)?.broadcast_mul(&zeta?)?.broadcast_add(&nu?)?;
        Ok([((z * state)? + (of_candidate * sum.tanh()?)?)?, content.clone()])
    }

    /// Units share halfwords two by two.
    fn sum(&self, _: usize, column: usize) -> Sum {
        Sum { column, sign: 1.0, even: (column % 2 == 1).then(|| (column - 1, 1.0)) }
    }

    /// Of the candidate, of which the device makes the gate's.
    fn is_candidate(&self, _: usize) -> bool {
        true
    }

    fn names(&self) -> [&'static str; 3] {
        ["W", "U", "bias_update"]
    }

    fn further(&self) -> &'static [Further] {
        &[
            Further { name: "bias_gate", of_units: true },
            Further { name: "zeta", of_units: false },
            Further { name: "nu", of_units: false },
        ]
    }

    fn begin(&self, _: &mut Parameter, further: &mut [Parameter], recipe: &Recipe) {
        let gate = if recipe.unit_forget_bias { 1.0 } else { 0.0 };
        for (parameter, begin) in further.iter_mut().zip([gate, ZETA, NU]) {
            parameter.values.fill(begin);
        }
    }

    /// How far the gate's bias is from the candidate's, which is part of the input product; then `zeta` and `nu`, the same for
    /// all units.
    fn behind(&self, bias: &Parameter, further: &[Parameter], states: Option<&StateGrid>) -> Vec<f32> {
        let Own { bias_gate, scalars } = Own::of(further);
        let mut behind: Vec<f32> = bias_gate.iter().zip(&bias.values).map(|(a, b)| a - b).collect();
        for raw in scalars {
            let scalar = logistic(raw);
            let scalar = states.map_or(scalar, |states| states.round_share(scalar));
            behind.extend(std::iter::repeat_n(scalar, bias_gate.len()));
        }
        behind
    }

    fn of_behind(&self, further: &[Parameter], behind: Vec<f32>, of_bias: &mut Vec<f32>) -> Vec<Vec<f32>> {
        let Own { scalars, .. } = Own::of(further);
        let [apart, of_scalars @ ..] = parts::<3>(&behind);
        of_bias.iter_mut().zip(apart).for_each(|(sum, of_apart)| *sum -= of_apart);
        let of_raw = |(raw, parts): (f32, &[f32])| {
            let scalar = f64::from(logistic(raw));
            let of_scalar: f64 = parts.iter().map(|&g| f64::from(g)).sum();
            vec![(of_scalar * scalar * (1.0 - scalar)) as f32]
        };
        std::iter::once(apart.to_vec()).chain(scalars.into_iter().zip(of_scalars).map(of_raw)).collect()
    }
}

/// One step of a FastGRNN. Of each step it keeps z and c. Backward it leaves the gradients of the accumulator, of the gate's
/// alone, and those of `zeta` and `nu`.
#[derive(Debug)]
pub(in crate::network) struct FastGrnnStep {
    /// The most that a state can be, in magnitude; infinity without a limit.
    limit: f32,
}

impl Step for FastGrnnStep {
    const GATES: usize = 1;
    const KEPT: usize = 4;
    const OPENINGS: &'static [Opening] = &[Opening {
        name: "gate",
        about: "how much of its old state a unit keeps; closed, the word replaces it",
        part: 0,
        keeps: true,
    }];
    const SPLIT: bool = false;
    const RECURRENT: &'static [usize] = &[0];
    const BEHIND: &'static [usize] = &[1, 2, 3];
    const CARRIED: usize = 1;
    const NAME: &'static str = "fastgrnn-recurrence";

    #[inline(always)]
    fn forward<S: Simd>(&self, simd: S, Forward { behind, before, kept, state, .. }: Forward<'_>) {
        let [apart, zetas, nus] = parts::<3>(behind);
        let [z_s, c_s, ..] = parts_mut::<4>(kept);
        let (units, one) = (apart.len(), Lanes::splat(simd, 1.0));
        for first in (0..state.len()).step_by(units) {
            let text = first..first + units;
            for at in (0..units).step_by(S::F32_LANES) {
                let own = |part: &[f32]| Lanes::load(simd, part, at);
                let load = |part: &[f32]| Lanes::load(simd, &part[text.clone()], at);
                let sum = load(z_s);
                let (z, c) = ((sum + own(apart)).sigmoid(), sum.tanh());
                let h = z * load(before.state) + (own(zetas) * (one - z) + own(nus)) * c;
                z.store(&mut z_s[text.clone()], at);
                c.store(&mut c_s[text.clone()], at);
                h.store(&mut state[text.clone()], at);
            }
        }
        if self.limit.is_finite() {
            state.iter_mut().for_each(|h| *h = h.clamp(-self.limit, self.limit));
        }
    }

    /// No gradient passes where a state is at its limit.
    #[inline(always)]
    fn backward<S: Simd>(
        &self,
        simd: S,
        Backward { gradient, carried, behind, before, kept, state }: Backward<'_>,
    ) {
        let [_, zetas, nus] = parts::<3>(behind);
        let [z_s, c_s, of_zetas, of_nus] = parts_mut::<4>(kept);
        let Before { state: before, .. } = before;
        let (units, one) = (zetas.len(), Lanes::splat(simd, 1.0));
        carried.iter_mut().zip(gradient).for_each(|(carried, g)| *carried += g);
        if self.limit.is_finite() {
            let states = carried.iter_mut().zip(state);
            states.filter(|(_, h)| h.abs() >= self.limit).for_each(|(carried, _)| *carried = 0.0);
        }
        for first in (0..state.len()).step_by(units) {
            let text = first..first + units;
            for at in (0..units).step_by(S::F32_LANES) {
                let own = |part: &[f32]| Lanes::load(simd, part, at);
                let load = |part: &[f32]| Lanes::load(simd, &part[text.clone()], at);
                let (z, c, of_state) = (load(z_s), load(c_s), load(carried));
                let (zeta, closed) = (own(zetas), one - z);
                let of_gate = of_state * (load(before) - zeta * c) * z * closed;
                let of_c = of_state * (zeta * closed + own(nus));
                (of_gate + of_c * (one - c * c)).store(&mut z_s[text.clone()], at);
                of_gate.store(&mut c_s[text.clone()], at);
                (of_state * closed * c).store(&mut of_zetas[text.clone()], at);
                (of_state * c).store(&mut of_nus[text.clone()], at);
                (of_state * z).store(&mut carried[text.clone()], at);
            }
        }
    }
}
