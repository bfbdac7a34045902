//! RMSprop as Keras 3 computes it (`keras/src/optimizers/rmsprop.py`).

use serde::{Deserialize, Serialize};

use super::lazy::Lag;
use super::{Optimizer, Rows};

/// `v = rho·v + (1 - rho)·g²`, `w -= learning_rate · g / sqrt(v + epsilon)`.
///
/// Epsilon stands inside the root. Without momentum a zero gradient leaves the weight as it is and
/// only lets `v` decay, so the decay of rows that a batch does not touch can wait for their next
/// touch: `v · rho^k`, which is what `k` single decays give but for rounding.
///
/// `g` is the gradient of the whole batch, as on Keras's PyTorch backend. On its TensorFlow backend the gradient of an
/// embedding has one slice for each occurrence of a word, and Keras 3 adds up the squares of the slices instead
/// (`trainer/tests/golden/keras_training.py` shows it): rows of words that a batch repeats move otherwise there. Who gives
/// [`Rows::squares`] has that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RmsProp {
    rho: f32,
    epsilon: f32,
    squares: Vec<f32>,
    lag: Lag,
}

impl RmsProp {
    /// For a parameter of `length` values in rows of `width`.
    pub(super) fn new(rho: f32, epsilon: f32, length: usize, width: usize) -> Self {
        Self { rho, epsilon, squares: vec![0.0; length], lag: Lag::new(length / width.max(1)) }
    }
}

impl Optimizer for RmsProp {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        self.lag.advance();
        let rest = 1.0 - self.rho;
        let steps = gradient.iter().map(|&g| (g, rest * g * g));
        apply(values, &mut self.squares, steps, self.rho, self.epsilon, learning_rate);
    }

    fn update_rows(&mut self, values: &mut [f32], rows: Rows<'_>, learning_rate: f32) {
        self.lag.advance();
        let width = values.len() / self.lag.rows().max(1);
        for (index, (&row, gradient)) in rows.ids.iter().zip(rows.gradient.chunks_exact(width)).enumerate() {
            let decay = self.rho.powi(self.lag.take(row).min(10_000) as i32);
            let here = row as usize * width..(row as usize + 1) * width;
            let (values, squares) = (&mut values[here.clone()], &mut self.squares[here]);
            let rest = 1.0 - self.rho;
            match rows.squares {
                None => {
                    let steps = gradient.iter().map(|&g| (g, rest * g * g));
                    apply(values, squares, steps, decay, self.epsilon, learning_rate);
                }
                Some(all) => {
                    let own = &all[index * width..][..width];
                    let steps = gradient.iter().zip(own).map(|(&g, square)| (g, rest * square));
                    apply(values, squares, steps, decay, self.epsilon, learning_rate);
                }
            }
        }
    }
}

/// One step with gradients, each with what its square adds, for squares that are to decay by `decay` first.
fn apply(
    values: &mut [f32],
    squares: &mut [f32],
    steps: impl Iterator<Item = (f32, f32)>,
    decay: f32,
    epsilon: f32,
    rate: f32,
) {
    for ((w, v), (g, added)) in values.iter_mut().zip(squares).zip(steps) {
        *v = decay * *v + added;
        *w -= rate * g / (*v + epsilon).sqrt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_step_is_keras_s() {
        // Without bias correction: lr·g / sqrt(0.1·g² + epsilon), 3.16 times lr for a large gradient.
        let mut values = [1.0, 1.0];
        RmsProp::new(0.9, 1e-7, 2, 2).update(&mut values, &[5.0, 1e-4], 0.001);
        assert!((values[0] - (1.0 - 0.003_162_278)).abs() < 1e-7, "{}", values[0]);
        assert!((values[1] - (1.0 - 0.001 * 1e-4 / (1e-9f32 + 1e-7).sqrt())).abs() < 1e-7, "{}", values[1]);
    }
}
