//! The input product `W·E[word] + b` of the lowest layer, made once for each distinct word, and its gradients.
//!
//! Candle's autograd would keep every intermediate of these, the largest matrices of a step, until its end.

use std::borrow::Cow;

use gemm::Parallelism;
use pulp::Arch;
use rayon::prelude::*;

use super::kernels::{Matrix, Mode, multiply, zeros};
use super::recurrence::{Squares, Sums};
use super::{Grid, Network};

/// Words of which one thread copies rows at a time.
const AT_A_TIME: usize = 256;

/// The words of a batch, and what is multiplied with them.
#[derive(Debug)]
pub(super) struct Projection<'a> {
    network: &'a Network,
    ids: &'a [u32],
    /// What each value of their embeddings is multiplied by, if there is dropout.
    mask: Option<Vec<f32>>,
    grid: Option<&'a Grid>,
    /// The kernel and the bias; on the device's grid, if there is one.
    kernel: Cow<'a, [f32]>,
    bias: Cow<'a, [f32]>,
}

/// Gradients with respect to what [`Projection::project`] reads. They pass the rounding to the grid unchanged (straight-through
/// estimator).
#[derive(Debug)]
pub(super) struct InputGradients {
    /// `ids × width`
    pub(super) rows: Vec<f32>,
    /// `width × gates·units`
    pub(super) kernel: Vec<f32>,
    /// `gates·units`
    pub(super) bias: Vec<f32>,
}

impl<'a> Projection<'a> {
    /// The words `ids`; each value of their embeddings times its one in `mask`, if there is one (`ids × width`).
    pub(super) fn new(
        network: &'a Network,
        ids: &'a [u32],
        mask: Option<Vec<f32>>,
        grid: Option<&'a Grid>,
    ) -> Self {
        let [_, width] = network.embedding.shape;
        assert!(mask.as_ref().is_none_or(|mask| mask.len() == ids.len() * width));
        let lowest = network.lowest();
        // Where the embedding is folded, only what comes of it all is rounded.
        let on = grid.filter(|grid| grid.numbers.is_some()).map(Grid::lowest);
        let (kernel, bias) = (lowest.input_kernel(on), lowest.input_bias(on));
        Self { network, ids, mask, grid, kernel, bias }
    }

    /// `ids × width`. Gathered again where they are needed: that costs less than to keep them.
    fn rows(&self) -> Vec<f32> {
        let [_, width] = self.network.embedding.shape;
        let mut rows = zeros(self.ids.len() * width);
        // Rows of a large embedding are far from each other, and each thread waits for its own.
        let parts = rows.par_chunks_mut((AT_A_TIME * width).max(1)).zip(self.ids.par_chunks(AT_A_TIME));
        parts.for_each(|(rows, ids)| {
            for (row, &id) in rows.chunks_exact_mut(width.max(1)).zip(ids) {
                row.copy_from_slice(&self.network.embedding.values[id as usize * width..][..width]);
            }
        });
        if let Some(numbers) = self.grid.and_then(|grid| grid.numbers.as_ref()) {
            numbers.round(&mut rows);
        }
        self.drop(&mut rows);
        rows
    }

    fn drop(&self, rows: &mut [f32]) {
        if let Some(mask) = &self.mask {
            rows.iter_mut().zip(mask).for_each(|(value, mask)| *value *= mask);
        }
    }

    /// `W·E + b`, `ids × gates·units`.
    pub(super) fn project(&self) -> Vec<f32> {
        let [width, columns] = self.network.lowest().kernel.shape;
        // In this order, so that an allocator can put what comes next in the place of the rows.
        let mut projected = zeros(self.ids.len() * columns);
        projected.par_chunks_mut((AT_A_TIME * columns).max(1)).for_each(|rows| {
            rows.chunks_exact_mut(columns).for_each(|row| row.copy_from_slice(&self.bias));
        });
        let rows = self.rows();
        let rows = Matrix::new(&rows, self.ids.len(), width);
        let kernel = Matrix::new(&self.kernel, width, columns);
        multiply(&mut projected, Mode::Add, rows, kernel, Parallelism::Rayon(0));
        if let Some(grid) = self.grid.filter(|grid| grid.numbers.is_none()) {
            grid.lowest().round_biases(self.network.lowest().cell, &mut projected);
        }
        projected
    }

    /// Where the recurrence is to add up the squared gradients of the rows.
    pub(super) fn squares(&self) -> Squares {
        Squares::new(&self.kernel, self.network.lowest().kernel.shape[0])
    }

    /// What it has added up there; of words that occur once, the squares of `gradients`.
    pub(super) fn squared(&self, squares: &Squares, gradients: &[f32]) -> Vec<f32> {
        let Sums { mut squares, once } = squares.take();
        // A value that dropout has scaled has its gradient scaled, too.
        (0..2).for_each(|_| self.drop(&mut squares));
        let width = (gradients.len() / once.len().max(1)).max(1);
        let rows = squares.par_chunks_exact_mut(width).zip(gradients.par_chunks_exact(width)).zip(once);
        rows.filter(|(_, once)| *once).for_each(|((squares, gradients), _)| {
            squares.iter_mut().zip(gradients).for_each(|(square, g)| *square = g * g);
        });
        squares
    }

    /// The gradients, given that of what [`project`](Self::project) made.
    pub(super) fn gradients(&self, projected: &[f32]) -> InputGradients {
        let [width, columns] = self.network.lowest().kernel.shape;
        let all = Matrix::new(projected, self.ids.len(), columns);
        let mut of_kernel = vec![0.0; width * columns];
        let rows = self.rows();
        let inputs = Matrix::new(&rows, self.ids.len(), width);
        multiply(&mut of_kernel, Mode::Set, inputs.t(), all, Parallelism::Rayon(0));
        // In place of the rows, which nothing reads any more.
        let mut of_rows = rows;
        let kernel = Matrix::new(&self.kernel, width, columns);
        multiply(&mut of_rows, Mode::Set, all, kernel.t(), Parallelism::Rayon(0));
        self.drop(&mut of_rows);
        let mut of_bias = vec![0.0; columns];
        Arch::new().dispatch(|| {
            for row in projected.chunks_exact(columns) {
                of_bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
            }
        });
        InputGradients { rows: of_rows, kernel: of_kernel, bias: of_bias }
    }
}
