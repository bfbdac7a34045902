//! RMSprop as Keras 3 computes it (`keras/src/optimizers/rmsprop.py`).

use pulp::{Arch, Simd, WithSimd};
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
        let decay = |row| self.rho.powi(self.lag.take(row).min(10_000) as i32);
        let decays: Vec<f32> = rows.ids.iter().copied().map(decay).collect();
        // In the order of memory, so that it can be cut between threads.
        let mut order: Vec<(u32, u32)> = rows.ids.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let step = RowsStep {
            rows,
            decays: &decays,
            width,
            rest: 1.0 - self.rho,
            epsilon: self.epsilon,
            learning_rate,
        };
        step.apply(0, values, &mut self.squares, &order);
    }
}

/// A step of some rows.
#[derive(Clone, Copy)]
struct RowsStep<'a> {
    rows: Rows<'a>,
    /// For each row, what is left of its squares.
    decays: &'a [f32],
    width: usize,
    rest: f32,
    epsilon: f32,
    learning_rate: f32,
}

/// Rows that one thread updates at a time.
const AT_A_TIME: usize = 256;

impl RowsStep<'_> {
    /// Updates rows, given with their places among the gradients. Values and squares are those from the row `first` on.
    fn apply(self, first: u32, values: &mut [f32], squares: &mut [f32], order: &[(u32, u32)]) {
        if order.len() <= AT_A_TIME {
            Arch::new().dispatch(SomeRows { step: self, first, values, squares, order });
            return;
        }
        let (lower, upper) = order.split_at(order.len() / 2);
        let middle = upper[0].0;
        let at = (middle - first) as usize * self.width;
        let ((values, upper_values), (squares, upper_squares)) =
            (values.split_at_mut(at), squares.split_at_mut(at));
        rayon::join(
            || self.apply(first, values, squares, lower),
            || self.apply(middle, upper_values, upper_squares, upper),
        );
    }
}

/// The same on one thread, with vector instructions of this processor.
struct SomeRows<'a> {
    step: RowsStep<'a>,
    first: u32,
    values: &'a mut [f32],
    squares: &'a mut [f32],
    order: &'a [(u32, u32)],
}

impl WithSimd for SomeRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let RowsStep { rows, decays, width, rest, epsilon, learning_rate } = self.step;
        for &(row, index) in self.order {
            let (row, index) = ((row - self.first) as usize, index as usize);
            let (values, squares) =
                (&mut self.values[row * width..][..width], &mut self.squares[row * width..][..width]);
            let gradient = &rows.gradient[index * width..][..width];
            match rows.squares {
                None => {
                    let steps = gradient.iter().map(|&g| (g, rest * g * g));
                    apply(values, squares, steps, decays[index], epsilon, learning_rate);
                }
                Some(all) => {
                    let own = &all[index * width..][..width];
                    let steps = gradient.iter().zip(own).map(|(&g, square)| (g, rest * square));
                    apply(values, squares, steps, decays[index], epsilon, learning_rate);
                }
            }
        }
    }
}

/// One step with gradients, each with what its square adds, for squares that are to decay by `decay` first.
#[inline(always)]
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
