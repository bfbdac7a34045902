//! Adam (Kingma and Ba 2015), as Keras computes it and with decoupled weight decay (Loshchilov and Hutter 2019).

mod waiting;
mod waits;

use serde::{Deserialize, Serialize};

pub(super) use self::waiting::WaitingAdam;
use super::Optimizer;

/// `m = b1·m + (1-b1)·g`, `v = b2·v + (1-b2)·g²`, `m̂ = m / (1-b1^t)`, `v̂ = v / (1-b2^t)`,
/// `w -= lr · (m̂ / (sqrt(v̂) + epsilon) + decay · w)`.
///
/// Keras (`keras/src/optimizers/adam.py`) corrects the learning rate instead of `v`, so that epsilon is added to
/// `sqrt(v)` and is in effect `epsilon / sqrt(1-b2^t)`: larger in the first steps.
///
/// A row without a gradient moves on along `m`, and must have moved before it is read again: here all values move in every
/// step, and with [`WaitingAdam`] only those that are needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Adam {
    form: AdamForm,
    betas: [f32; 2],
    epsilon: f32,
    decay: f32,
    means: Vec<f32>,
    squares: Vec<f32>,
    step: i32,
}

/// To which root epsilon is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AdamForm {
    /// To the corrected one, as in the papers.
    Papers,
    /// To the one that is not corrected.
    Keras,
}

/// What one step is computed with, besides moments and gradients.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Step {
    rate: f32,
    /// `1-b1^t` and `1-b2^t`.
    corrections: [f32; 2],
    epsilon: f32,
}

impl Adam {
    /// For a parameter of `length` values.
    pub(super) fn new(form: AdamForm, betas: [f32; 2], epsilon: f32, decay: f32, length: usize) -> Self {
        Self { form, betas, epsilon, decay, means: vec![0.0; length], squares: vec![0.0; length], step: 0 }
    }

    /// Begins the next step.
    fn advance(&mut self, rate: f32) -> Step {
        self.step += 1;
        let [b1, b2] = self.betas;
        let (c1, c2) = (1.0 - b1.powi(self.step), 1.0 - b2.powi(self.step));
        let epsilon = match self.form {
            AdamForm::Papers => self.epsilon,
            AdamForm::Keras => self.epsilon / c2.sqrt(),
        };
        Step { rate, corrections: [c1, c2], epsilon }
    }

    /// Takes a step with some of the values, those from `first` on, of which these are the gradients.
    fn apply(
        &mut self,
        step: Step,
        values: &mut [f32],
        first: usize,
        gradient: impl ExactSizeIterator<Item = f32>,
    ) {
        let Step { rate, corrections: [c1, c2], epsilon } = step;
        let [b1, b2] = self.betas;
        let here = first..first + gradient.len();
        let moments = self.means[here.clone()].iter_mut().zip(&mut self.squares[here.clone()]);
        for ((w, (m, v)), g) in values[here].iter_mut().zip(moments).zip(gradient) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w -= rate * (*m / c1 / ((*v / c2).sqrt() + epsilon) + self.decay * *w);
        }
    }
}

impl Optimizer for Adam {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        let step = self.advance(learning_rate);
        self.apply(step, values, 0, gradient.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_step_is_the_learning_rate() {
        let mut values = [2.0];
        Adam::new(AdamForm::Papers, [0.9, 0.999], 1e-8, 0.1, 1).update(&mut values, &[-3.0], 0.01);
        assert!((values[0] - (2.0 + 0.01 - 0.01 * 0.1 * 2.0)).abs() < 1e-6, "{}", values[0]);
    }

    #[test]
    fn keras_s_epsilon_is_larger_in_the_first_step() {
        // lr * sqrt(0.001) / 0.1 * 0.1 g / (sqrt(0.001) g + epsilon).
        let (mut values, g, epsilon) = ([2.0], 1e-3f32, 1e-4f32);
        Adam::new(AdamForm::Keras, [0.9, 0.999], epsilon, 0.0, 1).update(&mut values, &[g], 0.01);
        let root = 0.001f32.sqrt();
        assert!((values[0] - (2.0 - 0.01 * root * g / (root * g + epsilon))).abs() < 1e-6, "{}", values[0]);
    }
}
