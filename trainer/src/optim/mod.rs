//! Optimizers. They work on plain slices; embeddings are updated row by row.

mod adam;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;
mod ties;

use serde::{Deserialize, Serialize};

pub use adam::{Adam, Form};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use ties::Ties;

use crate::network::{Gradients, Network};
use crate::recipe::{OptimizerKind, Recipe};

/// What an optimizer does to one parameter.
///
/// Each parameter has an optimizer of its own, which holds that parameter's moments.
pub trait Optimizer {
    /// Takes one step with the gradient of every value.
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32);

    /// Takes one step with the gradients of some rows; those of the others are zero. The result is
    /// that of [`update`](Self::update) but for rounding, and so is this method, unless an optimizer knows better.
    fn update_rows(&mut self, values: &mut [f32], rows: Rows<'_>, learning_rate: f32) {
        self.update(values, &scatter(values.len(), rows), learning_rate);
    }
}

/// The gradient of some rows of a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Which rows.
    pub ids: &'a [u32],
    /// Their gradients, row by row.
    pub gradient: &'a [f32],
    /// What is to count as the squares of these, for who squares them; none: their squares.
    pub squares: Option<&'a [f32]>,
}

/// The gradient of all `length` values, given those of some rows.
fn scatter(length: usize, Rows { ids: rows, gradient, .. }: Rows<'_>) -> Vec<f32> {
    let mut dense = vec![0.0; length];
    let width = gradient.len() / rows.len().max(1);
    for (&row, gradient) in rows.iter().zip(gradient.chunks_exact(width.max(1))) {
        dense[row as usize * width..][..width].copy_from_slice(gradient);
    }
    dense
}

/// One of the optimizers, with its moments.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Any {
    Rmsprop(RmsProp),
    Adam(Adam),
    Sgd(Sgd),
}

impl Any {
    /// That of a recipe, fresh, for a parameter of `length` values in rows of `width`.
    fn new(recipe: &Recipe, name: &str, length: usize, width: usize) -> Self {
        let betas = [recipe.beta_1, recipe.beta_2];
        match recipe.optimizer {
            OptimizerKind::Rmsprop => Self::Rmsprop(RmsProp::new(recipe.rho, recipe.epsilon, length, width)),
            OptimizerKind::Adam => Self::Adam(Adam::new(Form::Keras, betas, recipe.epsilon, 0.0, length)),
            OptimizerKind::Adamw => {
                let decay = if name.ends_with("bias") { 0.0 } else { recipe.weight_decay };
                Self::Adam(Adam::new(Form::Papers, betas, recipe.epsilon, decay, length))
            }
            OptimizerKind::Sgd => Self::Sgd(Sgd::new(recipe.momentum, recipe.nesterov, length)),
        }
    }

    fn get(&mut self) -> &mut dyn Optimizer {
        match self {
            Self::Rmsprop(optimizer) => optimizer,
            Self::Adam(optimizer) => optimizer,
            Self::Sgd(optimizer) => optimizer,
        }
    }
}

/// The optimizers of a network's parameters, with all that they carry from step to step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Optimizers {
    embedding: Any,
    others: Vec<Any>,
    clip_norm: f32,
}

impl Optimizers {
    /// Fresh optimizers for a network.
    pub fn new(recipe: &Recipe, network: &Network) -> Self {
        let [embedding, others @ ..] =
            network.parameters().map(|p| Any::new(recipe, p.name, p.values.len(), p.shape[1]));
        Self { embedding, others: others.into(), clip_norm: recipe.clip_norm }
    }

    /// Takes one step.
    pub fn step(&mut self, network: &mut Network, mut gradients: Gradients, learning_rate: f32) {
        clip(&mut gradients, self.clip_norm);
        let Gradients { rows, embedding, squares, others } = gradients;
        let rows = Rows { ids: &rows, gradient: &embedding, squares: squares.as_deref() };
        self.embedding.get().update_rows(&mut network.embedding.values, rows, learning_rate);
        for ((optimizer, parameter), gradient) in
            self.others.iter_mut().zip(network.others_mut()).zip(&others)
        {
            optimizer.get().update(&mut parameter.values, gradient, learning_rate);
        }
    }
}

/// Scales all gradients down together if their norm exceeds `limit` (Pascanu, Mikolov, Bengio 2013).
fn clip(gradients: &mut Gradients, limit: f32) {
    if limit == 0.0 {
        return;
    }
    let Gradients { rows: _, embedding, squares, others } = gradients;
    let all = || std::iter::once(&*embedding).chain(&*others);
    let norm = all().flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt() as f32;
    if norm > limit {
        let scale = limit / norm;
        for gradient in std::iter::once(embedding).chain(others) {
            gradient.iter_mut().for_each(|g| *g *= scale);
        }
        squares.iter_mut().flatten().for_each(|square| *square *= scale * scale);
    }
}
