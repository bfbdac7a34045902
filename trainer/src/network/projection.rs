//! The input product `W·E[word] + b`, made once for each distinct word, and its gradients.
//!
//! Not left to candle's autograd, which would hold every intermediate of the largest matrices of a step to its end.

use gemm::Parallelism;

use super::kernels::{Into, Matrix, multiply};
use super::{Network, Parameter};

/// Embeddings of some words: rows of `width` values, without those that dropout left out.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    embedding: &'a Parameter,
    ids: &'a [u32],
    /// What each value is multiplied by, if there is dropout.
    mask: Option<Vec<f32>>,
}

/// Gradients by what [`Inputs::project`] reads.
#[derive(Debug)]
pub(super) struct InputGradients {
    /// `ids × width`
    pub(super) rows: Vec<f32>,
    /// `width × units`
    pub(super) kernel: Vec<f32>,
    /// `units`
    pub(super) bias: Vec<f32>,
}

impl<'a> Inputs<'a> {
    /// The embeddings of `ids`, each value times its one in `mask`, if there is one (`ids × width`).
    pub(super) fn new(network: &'a Network, ids: &'a [u32], mask: Option<Vec<f32>>) -> Self {
        let embedding = &network.embedding;
        assert!(mask.as_ref().is_none_or(|mask| mask.len() == ids.len() * embedding.shape[1]));
        Self { embedding, ids, mask }
    }

    /// `ids × width`. Gathered again where they are needed: that costs less than to keep them.
    fn rows(&self) -> Vec<f32> {
        let width = self.embedding.shape[1];
        let mut rows = Vec::with_capacity(self.ids.len() * width);
        for &id in self.ids {
            rows.extend_from_slice(&self.embedding.values[id as usize * width..][..width]);
        }
        self.drop(&mut rows);
        rows
    }

    fn drop(&self, rows: &mut [f32]) {
        if let Some(mask) = &self.mask {
            rows.iter_mut().zip(mask).for_each(|(value, mask)| *value *= mask);
        }
    }

    /// `W·E + b`, `ids × units`.
    pub(super) fn project(&self, kernel: &Parameter, bias: &Parameter) -> Vec<f32> {
        // In this order, so that an allocator can put what comes next in the place of the rows.
        let mut projected = bias.values.repeat(self.ids.len());
        let rows = self.rows();
        let rows = Matrix::new(&rows, self.ids.len(), self.embedding.shape[1]);
        multiply(&mut projected, Into::Add, rows, kernel.matrix(), Parallelism::Rayon(0));
        projected
    }

    /// The gradients, given that of what [`project`](Self::project) made.
    pub(super) fn gradients(&self, kernel: &Parameter, projected: &[f32]) -> InputGradients {
        let [width, units] = kernel.shape;
        let all = Matrix::new(projected, self.ids.len(), units);
        let mut of_kernel = vec![0.0; width * units];
        let rows = self.rows();
        let inputs = Matrix::new(&rows, self.ids.len(), width);
        multiply(&mut of_kernel, Into::Set, inputs.t(), all, Parallelism::Rayon(0));
        // In place of the rows, which nothing reads any more.
        let mut of_rows = rows;
        multiply(&mut of_rows, Into::Set, all, kernel.matrix().t(), Parallelism::Rayon(0));
        self.drop(&mut of_rows);
        let mut of_bias = vec![0.0; units];
        for row in projected.chunks_exact(units) {
            of_bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
        }
        InputGradients { rows: of_rows, kernel: of_kernel, bias: of_bias }
    }
}
