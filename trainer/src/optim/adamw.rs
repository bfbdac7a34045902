//! Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019).

use serde::{Deserialize, Serialize};

use super::Optimizer;

/// `m = b1·m + (1-b1)·g`, `v = b2·v + (1-b2)·g²`,
/// `w -= lr · (m̂ / (sqrt(v̂) + epsilon) + decay · w)`, with the bias-corrected `m̂` and `v̂`.
///
/// Momentum and weight decay move rows without a gradient too, so embeddings are updated densely.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdamW {
    betas: [f32; 2],
    epsilon: f32,
    decay: f32,
    means: Vec<f32>,
    squares: Vec<f32>,
    step: i32,
}

impl AdamW {
    /// For a parameter of `length` values.
    pub fn new(betas: [f32; 2], epsilon: f32, decay: f32, length: usize) -> Self {
        Self { betas, epsilon, decay, means: vec![0.0; length], squares: vec![0.0; length], step: 0 }
    }
}

impl Optimizer for AdamW {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        self.step += 1;
        let [b1, b2] = self.betas;
        let (c1, c2) = (1.0 - b1.powi(self.step), 1.0 - b2.powi(self.step));
        for (((w, m), v), g) in values.iter_mut().zip(&mut self.means).zip(&mut self.squares).zip(gradient) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w -= learning_rate * (*m / c1 / ((*v / c2).sqrt() + self.epsilon) + self.decay * *w);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_step_is_the_learning_rate() {
        let mut values = [2.0];
        AdamW::new([0.9, 0.999], 1e-8, 0.1, 1).update(&mut values, &[-3.0], 0.01);
        assert!((values[0] - (2.0 + 0.01 - 0.01 * 0.1 * 2.0)).abs() < 1e-6, "{}", values[0]);
    }
}
