//! Adam as Keras 3 computes it (Kingma and Ba 2015; `keras/src/optimizers/adam.py`).

use serde::{Deserialize, Serialize};

use super::Optimizer;

/// `m += (1-b1)·(g - m)`, `v += (1-b2)·(g² - v)`, `w -= alpha · m / (sqrt(v) + epsilon)` with
/// `alpha = lr · sqrt(1 - b2^t) / (1 - b1^t)` at step `t`.
///
/// So epsilon stands beside the root of the *uncorrected* `v`: Kingma and Ba's `epsilon hat`, not the epsilon of their
/// Algorithm 1. Rows without a gradient move on along `m`, by steps of which no sum has a closed form (the root and
/// epsilon are between), and must have moved before they are read again, so embeddings are updated densely.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adam {
    betas: [f32; 2],
    epsilon: f32,
    means: Vec<f32>,
    squares: Vec<f32>,
    step: i32,
}

impl Adam {
    /// For a parameter of `length` values.
    pub fn new(betas: [f32; 2], epsilon: f32, length: usize) -> Self {
        Self { betas, epsilon, means: vec![0.0; length], squares: vec![0.0; length], step: 0 }
    }
}

impl Optimizer for Adam {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        self.step += 1;
        let [b1, b2] = self.betas;
        let alpha = learning_rate * (1.0 - b2.powi(self.step)).sqrt() / (1.0 - b1.powi(self.step));
        for (((w, m), v), g) in values.iter_mut().zip(&mut self.means).zip(&mut self.squares).zip(gradient) {
            *m += (1.0 - b1) * (g - *m);
            *v += (1.0 - b2) * (g * g - *v);
            *w -= alpha * *m / (v.sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_steps_are_keras_s() {
        // m = 0.1·g, v = 0.001·g², alpha = lr·sqrt(0.001)/0.1: lr but for epsilon, which weighs against sqrt(0.001)·g.
        let mut values = [1.0, 1.0];
        Adam::new([0.9, 0.999], 1e-7, 2).update(&mut values, &[5.0, 1e-6], 0.001);
        assert!((values[0] - 0.999).abs() < 1e-6, "{}", values[0]);
        let root = 0.001_f32.sqrt() * 1e-6;
        let step = 0.001 * root / (root + 1e-7);
        assert!((values[1] - (1.0 - step)).abs() < 1e-6 && step < 0.0003, "{}", values[1]);
    }
}
