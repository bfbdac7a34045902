//! What Adam does to rows that wait for their next gradient, summed up over the steps.
//!
//! Without gradients both moments of a row only shrink. `j` steps after they were `m` and `v` they are `b1^j·m` and
//! `b2^j·v`, and the weight moves by
//!
//! ```text
//! -m · a / (sqrt(v)·r + epsilon)     with  a = lr·b1^j / (1-b1^t)  and  r = sqrt(b2^j / (1-b2^t))
//! ```
//!
//! (for Keras's form, `a` and `r` times `sqrt(1-b2^t)`). `a` and `r` are the same for all rows that have waited since the
//! same step. As `a` falls fast and `r` hardly changes meanwhile, the quotient is expanded into a geometric series around
//! one `r`, the `middle`: with `r = middle·(1+d)`, `D = 1 / (sqrt(v)·middle + epsilon)` and `y = sqrt(v)·middle·D`, which is
//! at most one, it is `m · a · D · (1 - y·d + (y·d)² - ...)`. So for all moves of a wait together, the sums of `a·d^n` are
//! enough. They are kept up from step to step, for every step since which rows may wait.
//!
//! Weight decay multiplies the weight, and with it the moves so far, by `1 - lr·decay` in each step.

use serde::{Deserialize, Serialize};

use super::{AdamForm, Step};

/// Terms of the series.
const TERMS: usize = 5;

/// The most that the last term may be, as a share of all moves. What is left out is then less than a float's rounding.
const LAST_TERM: f64 = 1e-6;

/// The share of all moves that is left out at the end of a long wait: less than a float's rounding, too.
const LEFT_OUT: f64 = 1.0 / (1 << 26) as f64;

/// The steps since all rows were last up to date.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waits {
    form: AdamForm,
    betas: [f64; 2],
    decay: f64,
    /// A move beside the one before, where epsilon is small: `b1 / sqrt(b2)`.
    ratio: f64,
    /// Steps after which the moves along the momentum are left out; none if they do not fall.
    horizon: Option<usize>,
    /// Steps before all of these.
    before: usize,
    steps: Vec<Step>,
    /// For each of these steps, and before the first: the logarithm of what weight decay has left of a weight since.
    decays: Vec<f64>,
    /// For the same: the moves of rows that have waited since.
    waits: Vec<Wait>,
}

/// The moves of rows that have waited since the same step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Wait {
    middle: f64,
    sums: [f64; TERMS],
}

/// All moves of one wait together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moves {
    /// What weight decay leaves of a weight.
    shrink: f32,
    middle: f32,
    sums: [f32; TERMS],
}

impl Moves {
    /// Moves weights, of which these are the moments from before the wait.
    pub(super) fn apply(&self, values: &mut [f32], means: &[f32], squares: &[f32], epsilon: f32) {
        let [s0, s1, s2, s3, s4] = self.sums;
        for ((w, m), v) in values.iter_mut().zip(means).zip(squares) {
            let root = v.sqrt() * self.middle;
            let inverse = 1.0 / (root + epsilon);
            let y = -root * inverse;
            let series = s0 + y * (s1 + y * (s2 + y * (s3 + y * s4)));
            *w = self.shrink * *w - m * inverse * series;
        }
    }
}

impl Waits {
    /// Before the first step.
    pub(super) fn new(form: AdamForm, betas: [f32; 2], decay: f32) -> Self {
        let [b1, b2] = betas.map(f64::from);
        let ratio = b1 / b2.sqrt();
        let horizon = (ratio < 1.0).then(|| (LEFT_OUT.ln() / ratio.ln()).ceil() as usize);
        let mut waits = Self {
            form,
            betas: [b1, b2],
            decay: decay.into(),
            ratio,
            horizon,
            before: 0,
            steps: Vec::new(),
            decays: Vec::new(),
            waits: Vec::new(),
        };
        waits.start_over();
        waits
    }

    /// Forgets all steps: all rows are up to date.
    pub(super) fn start_over(&mut self) {
        self.before += self.steps.len();
        self.steps.clear();
        self.decays = vec![0.0];
        self.waits = vec![self.wait()];
    }

    /// A wait that begins now.
    fn wait(&self) -> Wait {
        let [b1, b2] = self.betas;
        // The step in the midst of the moves, weighted by their size.
        let ahead = (1.0 / (1.0 - b1)).round();
        let of_squares = 1.0 - b2.powf((self.before + self.steps.len()) as f64 + ahead);
        Wait { middle: (b2.powf(ahead) / of_squares).sqrt() * self.scale(of_squares), sums: [0.0; TERMS] }
    }

    /// What Keras's form multiplies `a` and `r` by.
    fn scale(&self, of_squares: f64) -> f64 {
        match self.form {
            AdamForm::Papers => 1.0,
            AdamForm::Keras => of_squares.sqrt(),
        }
    }

    /// Adds a step.
    pub(super) fn push(&mut self, step: Step) {
        let [b1, b2] = self.betas;
        let [of_means, of_squares] = step.corrections.map(f64::from);
        let (rate, scale) = (f64::from(step.rate), self.scale(of_squares));
        let shrink = 1.0 - rate * self.decay;
        let (mut a, mut r) = (scale * rate / of_means, scale / of_squares.sqrt());
        // The latest wait is in its first step.
        for wait in self.waits.iter_mut().rev().take(self.horizon.unwrap_or(0)) {
            (a, r) = (a * b1, r * b2.sqrt());
            let d = r / wait.middle - 1.0;
            let mut term = a;
            for sum in &mut wait.sums {
                *sum = *sum * shrink + term;
                term *= d;
            }
        }
        let before = self.decays[self.steps.len()];
        self.decays.push(before + shrink.ln());
        self.steps.push(step);
        self.waits.push(self.wait());
    }

    /// The first of the last so many steps.
    pub(super) fn step(&self, last: usize) -> Step {
        self.steps[self.steps.len() - last]
    }

    /// All moves of the last so many steps together.
    pub(super) fn moves(&self, last: usize) -> Moves {
        let Wait { middle, sums } = self.waits[self.steps.len() - last];
        // The sums stand where the moves along the momentum ended.
        let since = self.left(last.saturating_sub(self.horizon.unwrap_or(last)));
        Moves {
            shrink: self.left(last) as f32,
            middle: middle as f32,
            sums: sums.map(|sum| (sum * since) as f32),
        }
    }

    /// Whether these are accurate enough for a row that has missed so many steps, of which all but the last have been made
    /// up for otherwise. In the first hundreds of steps of a training, in which `1-b2^t` grows fast, and with a `b1` near
    /// to `b2`, they are so only after some of the steps: the sooner, the less of the moves is left.
    pub(super) fn is_accurate(&self, last: usize, missed: usize) -> bool {
        let now = self.steps.len();
        let ([all, ..], [.., term]) = (self.waits[now - missed].sums, self.waits[now - last].sums);
        self.horizon.is_some() && term * self.ratio.powi((missed - last) as i32) <= LAST_TERM * all
    }

    /// What weight decay leaves of a weight in the last so many steps.
    fn left(&self, steps: usize) -> f64 {
        let now = self.steps.len();
        (self.decays[now] - self.decays[now - steps]).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Adam;

    /// How many steps of a wait that begins with a step of a training are made up for one by one, if it is a long one.
    fn replayed(form: AdamForm, betas: [f32; 2], begins: usize) -> usize {
        let mut adam = Adam::new(form, betas, 1e-7, 0.01, 0);
        let mut waits = Waits::new(form, betas, 0.01);
        let missed = 3000;
        (0..begins + missed).for_each(|_| waits.push(adam.advance(0.01)));
        (0..missed).find(|done| waits.is_accurate(missed - done, missed)).unwrap_or(missed)
    }

    #[test]
    fn most_steps_of_a_long_wait_are_summed_up() {
        for (betas, begins, papers, keras) in [
            ([0.9, 0.999], 1, 60, 0),
            ([0.9, 0.999], 100, 30, 0),
            ([0.9, 0.999], 400, 0, 0),
            ([0.95, 0.999], 1000, 0, 0),
            ([0.99, 0.999], 1000, 500, 500),
        ] {
            for (form, most) in [(AdamForm::Papers, papers), (AdamForm::Keras, keras)] {
                let replayed = replayed(form, betas, begins);
                assert!(replayed <= most, "{form:?}, {betas:?}, from step {begins} on: {replayed}");
            }
        }
        assert_eq!(replayed(AdamForm::Papers, [0.9, 0.5], 1), 3000, "moves that do not fall have no sum");
    }
}
