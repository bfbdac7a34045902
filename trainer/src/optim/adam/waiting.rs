//! Adam for rows that wait.

use std::iter::repeat_n;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::waits::Waits;
use super::{Adam, AdamForm, Step};
use crate::optim::lazy::Waiting;

/// So many missed steps are replayed one by one, which costs little more than to sum them up.
const REPLAYED: usize = 16;

/// [`Adam`] for rows that wait. What a row missed is made up for
///
/// - up to 16 steps: one by one, to the bits of the dense update;
/// - more steps: at once, by the sum of all moves, which is expanded into a series (see `waits.rs`); but one by one as long
///   as the series is not accurate for the rest of them, which with AdamW is a few dozen in the first 256 steps of a training.
///
/// So this is the dense update but for rounding: what the series leaves out is less than a float's rounding of the sum of
/// the moves. Other libraries' Adam for sparse gradients (`torch.optim.SparseAdam`, TensorFlow Addons' `LazyAdam`) leaves
/// untouched rows where they are, and so trains otherwise than Adam.
///
/// The learning rate times the weight decay must be below one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WaitingAdam {
    adam: Adam,
    waits: Waits,
}

impl WaitingAdam {
    /// For a parameter of `length` values.
    pub(crate) fn new(form: AdamForm, betas: [f32; 2], epsilon: f32, decay: f32, length: usize) -> Self {
        let adam = Adam::new(form, betas, epsilon, decay, length);
        Self { adam, waits: Waits::new(form, betas, decay) }
    }

    /// Makes up for the last so many steps at once.
    fn leap(&mut self, values: &mut [f32], here: Range<usize>, last: usize) {
        let Adam { betas, epsilon, means, squares, .. } = &mut self.adam;
        let (means, squares) = (&mut means[here.clone()], &mut squares[here.clone()]);
        self.waits.moves(last).apply(&mut values[here], means, squares, *epsilon);
        // In doubles, as the error of a power grows with its exponent.
        let [b1, b2] = betas.map(|beta| f64::from(beta).powi(last as i32) as f32);
        means.iter_mut().for_each(|m| *m *= b1);
        squares.iter_mut().for_each(|v| *v *= b2);
    }
}

impl Waiting for WaitingAdam {
    type Step = Step;

    fn begin(&mut self, learning_rate: f32) -> Step {
        let step = self.adam.advance(learning_rate);
        self.waits.push(step);
        step
    }

    fn apply(&mut self, step: Step, values: &mut [f32], first: usize, gradient: &[f32]) {
        self.adam.apply(step, values, first, gradient.iter().copied());
    }

    fn make_up(&mut self, values: &mut [f32], here: Range<usize>, missed: usize) {
        let is_at_rest = self.adam.means[here.clone()].iter().all(|&mean| mean == 0.0);
        for last in (1..=missed).rev() {
            if missed > REPLAYED && (is_at_rest || self.waits.is_accurate(last, missed)) {
                return self.leap(values, here, last);
            }
            let step = self.waits.step(last);
            self.adam.apply(step, values, here.start, repeat_n(0.0, here.len()));
        }
    }

    fn none_waits(&mut self) {
        self.waits.start_over();
    }
}
