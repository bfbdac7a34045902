//! Gradient descent as Keras 3 computes it (`keras/src/optimizers/sgd.py`).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::lazy::Waiting;
use super::{Optimizer, Rows, scatter};

/// Without momentum `w -= lr·g`. With it, `m = momentum·m - lr·g` and `w += m`, or, in the form of Nesterov (Sutskever,
/// Martens, Dahl and Hinton 2013), `w += momentum·m - lr·g`.
///
/// Momentum moves rows without a gradient too, and they must have moved before they are read again: here all values move in
/// every step, and with [`Lazy`](super::Lazy) only those that are needed. Without momentum such rows stay where they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sgd {
    momentum: f32,
    nesterov: bool,
    /// `m`; empty without momentum.
    velocities: Vec<f32>,
}

impl Sgd {
    /// For a parameter of `length` values.
    pub(super) fn new(momentum: f32, nesterov: bool, length: usize) -> Self {
        let length = if momentum == 0.0 { 0 } else { length };
        Self { momentum, nesterov, velocities: vec![0.0; length] }
    }

    /// Moves some of the values, those from `first` on, of which these are the gradients, along their momentum.
    fn move_along(&mut self, values: &mut [f32], first: usize, gradient: &[f32], learning_rate: f32) {
        let of_values = values[first..].iter_mut().zip(&mut self.velocities[first..]);
        for ((w, m), g) in of_values.zip(gradient) {
            *m = self.momentum * *m - learning_rate * g;
            *w += if self.nesterov { self.momentum * *m - learning_rate * g } else { *m };
        }
    }
}

impl Optimizer for Sgd {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        if self.momentum == 0.0 {
            values.iter_mut().zip(gradient).for_each(|(w, g)| *w -= learning_rate * g);
            return;
        }
        self.move_along(values, 0, gradient, learning_rate);
    }

    fn update_rows(&mut self, values: &mut [f32], rows: Rows<'_>, learning_rate: f32) {
        if self.momentum != 0.0 {
            return self.update(values, &scatter(values.len(), rows), learning_rate);
        }
        let width = rows.gradient.len() / rows.ids.len().max(1);
        for (&row, gradient) in rows.ids.iter().zip(rows.gradient.chunks_exact(width.max(1))) {
            self.update(&mut values[row as usize * width..][..width], gradient, learning_rate);
        }
    }
}

/// For a momentum above zero: without a gradient the moves of a row are a geometric series, whatever the learning rate, so
/// that `k` steps come to `m·(momentum + ... + momentum^k)`. This is the dense update but for rounding.
impl Waiting for Sgd {
    type Step = f32;

    fn begin(&mut self, learning_rate: f32) -> f32 {
        learning_rate
    }

    fn apply(&mut self, learning_rate: f32, values: &mut [f32], first: usize, gradient: &[f32]) {
        self.move_along(values, first, gradient, learning_rate);
    }

    fn make_up(&mut self, values: &mut [f32], here: Range<usize>, missed: usize) {
        let momentum = f64::from(self.momentum);
        let left = momentum.powi(missed as i32);
        let sum = momentum * (1.0 - left) / (1.0 - momentum);
        let sum = if self.nesterov { momentum * sum } else { sum };
        for (w, m) in values[here.clone()].iter_mut().zip(&mut self.velocities[here]) {
            *w += sum as f32 * *m;
            *m *= left as f32;
        }
    }
}
