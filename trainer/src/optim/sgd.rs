//! Gradient descent as Keras 3 computes it (`keras/src/optimizers/sgd.py`).

use serde::{Deserialize, Serialize};

use super::{Optimizer, Rows, scatter};

/// Without momentum `w -= lr·g`. With it, `m = momentum·m - lr·g` and `w += m`, or, in the form of Nesterov (Sutskever,
/// Martens, Dahl and Hinton 2013), `w += momentum·m - lr·g`.
///
/// Momentum moves rows without a gradient too, and they must have moved before they are read again, so with momentum
/// embeddings are updated densely.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sgd {
    momentum: f32,
    nesterov: bool,
    /// `m`; empty without momentum.
    velocities: Vec<f32>,
}

impl Sgd {
    /// For a parameter of `length` values.
    pub fn new(momentum: f32, nesterov: bool, length: usize) -> Self {
        let length = if momentum == 0.0 { 0 } else { length };
        Self { momentum, nesterov, velocities: vec![0.0; length] }
    }
}

impl Optimizer for Sgd {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        if self.momentum == 0.0 {
            values.iter_mut().zip(gradient).for_each(|(w, g)| *w -= learning_rate * g);
            return;
        }
        for ((w, m), g) in values.iter_mut().zip(&mut self.velocities).zip(gradient) {
            *m = self.momentum * *m - learning_rate * g;
            *w += if self.nesterov { self.momentum * *m - learning_rate * g } else { *m };
        }
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
