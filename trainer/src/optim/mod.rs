//! Optimizers. They work on plain slices; embeddings are updated row by row.
//!
//! Candle has SGD without momentum and AdamW, behind the trait `candle_nn::Optimizer`. Ours do not implement that trait: it
//! owns `Var`s and takes dense gradients from a `GradStore`, where a step here has gradients of a few rows of a large embedding
//! (a row-sparse update), changes its rate, and is written to a checkpoint with its moments. Those that candle has too are
//! compared with it in the tests.

mod adam;
mod lazy;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;
mod ties;

use serde::{Deserialize, Serialize};

pub use ties::Ties;

use self::adam::{Adam, AdamForm, WaitingAdam};
use self::lazy::Lazy;
use self::rmsprop::RmsProp;
use self::sgd::Sgd;

use crate::network::{Gradients, Network, Parameter};
use crate::recipe::{OptimizerKind, Recipe};

/// How one parameter is trained.
///
/// Each parameter has an optimizer of its own, which holds that parameter's moments.
trait Optimizer {
    /// Takes one step with the gradient of every value.
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32);

    /// Takes one step with the gradients of some rows; those of the others are zero. The result is
    /// that of [`update`](Self::update) but for rounding, and so is this method, unless an optimizer knows better.
    fn update_rows(&mut self, values: &mut [f32], rows: Rows<'_>, learning_rate: f32) {
        self.update(values, &scatter(values.len(), rows), learning_rate);
    }

    /// Makes up for the updates of some rows, if rows may wait.
    fn catch_up(&mut self, _values: &mut [f32], _rows: &[u32]) {}

    /// Makes up for the updates of all rows.
    fn settle(&mut self, _values: &mut [f32]) {}
}

/// The gradient of some rows of a parameter.
#[derive(Debug, Clone, Copy)]
struct Rows<'a> {
    /// Which rows, each once.
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

/// Values of an embedding above which the rows that a batch does not touch wait.
///
/// Below, a dense update costs at most some 0.15 ms a step, and where texts are so long that a batch touches most rows, no
/// more than to look after each of them. The bits of what it trains are other ones in the end, and the shipped models, which
/// have at most 86,000 values, were trained densely.
const DENSE: usize = 1 << 17;

/// One of the optimizers, with its moments.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum AnyOptimizer {
    Rmsprop(RmsProp),
    Adam(Adam),
    LazyAdam(Lazy<WaitingAdam>),
    Sgd(Sgd),
    LazySgd(Lazy<Sgd>),
}

impl AnyOptimizer {
    /// That of a recipe, fresh, for a parameter of `rows` rows of `width` values. If `lazy`, rows without a gradient wait.
    fn new(recipe: &Recipe, is_held_back: bool, [rows, width]: [usize; 2], lazy: bool) -> Self {
        let length = rows * width;
        let betas = [recipe.beta_1, recipe.beta_2];
        let adam = |form, decay| {
            if lazy {
                let adam = WaitingAdam::new(form, betas, recipe.epsilon, decay, length);
                Self::LazyAdam(Lazy::new(adam, rows))
            } else {
                Self::Adam(Adam::new(form, betas, recipe.epsilon, decay, length))
            }
        };
        match recipe.optimizer {
            OptimizerKind::Rmsprop => Self::Rmsprop(RmsProp::new(recipe.rho, recipe.epsilon, length, width)),
            OptimizerKind::Adam => adam(AdamForm::Keras, 0.0),
            OptimizerKind::Adamw => {
                adam(AdamForm::Papers, if is_held_back { recipe.weight_decay } else { 0.0 })
            }
            OptimizerKind::Sgd => {
                let sgd = Sgd::new(recipe.momentum, recipe.nesterov, length);
                // Without momentum, rows without a gradient stay where they are.
                if lazy && recipe.momentum > 0.0 {
                    Self::LazySgd(Lazy::new(sgd, rows))
                } else {
                    Self::Sgd(sgd)
                }
            }
        }
    }

    fn get(&mut self) -> &mut dyn Optimizer {
        match self {
            Self::Rmsprop(optimizer) => optimizer,
            Self::Adam(optimizer) => optimizer,
            Self::LazyAdam(optimizer) => optimizer,
            Self::Sgd(optimizer) => optimizer,
            Self::LazySgd(optimizer) => optimizer,
        }
    }
}

/// The optimizers of a network's parameters, with all that they carry from step to step.
///
/// In a large embedding, updates of the rows that a batch does not read are put off, so that a step costs what its batch reads
/// (row-sparse updates); rows of pairs are kept as differences meanwhile. So the network may be read only between
/// [`settle`](Self::settle) and the next step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Optimizers {
    embedding: AnyOptimizer,
    others: Vec<AnyOptimizer>,
    clip_norm: f32,
    /// Whether rows wait.
    lazy: bool,
    /// Whether the rows of pairs are differences at present.
    parted: bool,
}

impl Optimizers {
    /// Fresh optimizers for a network.
    pub fn new(recipe: &Recipe, network: &Network) -> Self {
        Self::with(recipe, network, network.embedding.values.len() > DENSE)
    }

    /// The same; if `lazy`, whatever the embedding's size, rows without a gradient wait.
    pub(crate) fn with(recipe: &Recipe, network: &Network, lazy: bool) -> Self {
        let new = |parameter: &Parameter, lazy| {
            AnyOptimizer::new(recipe, parameter.is_held_back, parameter.shape, lazy)
        };
        let others = network.parameters().into_iter().skip(1);
        Self {
            embedding: new(&network.embedding, lazy),
            others: others.map(|parameter| new(parameter, false)).collect(),
            clip_norm: recipe.clip_norm,
            lazy,
            parted: false,
        }
    }

    /// Takes one step with the gradients that `backward` returns; of the embedding, `backward` may read only `rows`. `ties`
    /// says which rows are those of pairs, if there are any. Returns what `backward` returns besides the gradients.
    ///
    /// # Errors
    ///
    /// What `backward` fails with.
    pub fn step<T, E>(
        &mut self,
        network: &mut Network,
        ties: Option<&Ties>,
        rows: &[u32],
        learning_rate: f32,
        backward: impl FnOnce(&Network) -> Result<(T, Gradients), E>,
    ) -> Result<T, E> {
        let (outcome, mut gradients) =
            if self.lazy { self.read(network, ties, rows, backward)? } else { backward(network)? };
        if let Some(ties) = ties {
            ties.share(&mut gradients);
        }
        if let Some(ties) = ties.filter(|_| !self.lazy) {
            ties.part(&mut network.embedding);
        }
        clip(&mut gradients, self.clip_norm);
        let Gradients { rows, embedding, squares, others } = gradients;
        let rows = Rows { ids: &rows, gradient: &embedding, squares: squares.as_deref() };
        self.embedding.get().update_rows(&mut network.embedding.values, rows, learning_rate);
        for ((optimizer, parameter), gradient) in
            self.others.iter_mut().zip(network.others_mut()).zip(&others)
        {
            optimizer.get().update(&mut parameter.values, gradient, learning_rate);
        }
        if let Some(ties) = ties.filter(|_| !self.lazy) {
            ties.join(&mut network.embedding);
        }
        Ok(outcome)
    }

    /// Makes up for the updates of all rows of the embedding that waited, so that the network can be read.
    pub fn settle(&mut self, network: &mut Network, ties: Option<&Ties>) {
        self.embedding.get().settle(&mut network.embedding.values);
        if let Some(ties) = ties.filter(|_| self.parted) {
            ties.join(&mut network.embedding);
            self.parted = false;
        }
    }

    /// What `read` makes of the network with these rows as they are to be read, and no others.
    fn read<R>(
        &mut self,
        network: &mut Network,
        ties: Option<&Ties>,
        rows: &[u32],
        read: impl FnOnce(&Network) -> R,
    ) -> R {
        let Some(ties) = ties else {
            self.embedding.get().catch_up(&mut network.embedding.values, rows);
            return read(network);
        };
        if !std::mem::replace(&mut self.parted, true) {
            ties.part(&mut network.embedding);
        }
        self.embedding.get().catch_up(&mut network.embedding.values, &ties.with_words(rows));
        let trained = ties.join_some(&mut network.embedding, rows);
        let found = read(network);
        ties.restore(&mut network.embedding, rows, &trained);
        found
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
