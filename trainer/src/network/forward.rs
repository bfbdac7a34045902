//! A recurrent layer's forward pass, in floats and on the quantization grid.

use std::borrow::Cow;

use gemm::Parallelism;

use super::OVERFLOW;
use super::batch::Batch;
use super::cells::{Definition as _, with_definition};
use super::grid::{LayerGrid, StateGrid};
use super::kernels::{Matrix, Mode, multiply};
use super::layer::Layer;
use super::recurrence::{Output, Recurrence, Trace};

/// What a layer reads.
#[derive(Clone, Copy)]
pub(super) enum Reads<'r> {
    /// `W·E[word] + b` of each distinct word of the batch: the lowest layer.
    Words(&'r [f32]),
    /// The states of the layer below, `steps × texts × units`.
    Steps(&'r [f32]),
}

/// Computes something with the step of a cell, whose type differs from cell to cell.
macro_rules! with_step {
    ($cell:expr, $grid:expr, $limit:expr, |$step:ident| $body:expr) => {
        $crate::network::cells::with_definition!($cell, |cell| {
            let states = $grid.map(|grid: &$crate::network::grid::LayerGrid| &grid.states);
            let $step = $crate::network::cells::Definition::step(&cell, states, $limit);
            $body
        })
    };
}
pub(super) use with_step;

impl Layer {
    /// What the operation is given as the recurrent kernel: the weights, and behind them what else the cell needs of the layer;
    /// on the quantization grid, if given.
    pub(super) fn recurrent(&self, grid: Option<&LayerGrid>) -> Cow<'_, [f32]> {
        let mut weights = match grid {
            Some(grid) => Cow::Owned(grid.round_recurrent(self)),
            None => Cow::Borrowed(&self.recurrent_kernel.values[..]),
        };
        let behind = with_definition!(self.cell, |cell| {
            cell.behind(&self.bias, &self.further, grid.map(|grid| &grid.states))
        });
        if !behind.is_empty() {
            weights.to_mut().extend(behind);
        }
        weights
    }

    /// `W·x + b` for the outputs `x` of the layer below, `steps · texts` rows of them.
    fn project(&self, below: &[f32], grid: Option<&LayerGrid>) -> Vec<f32> {
        let [inputs, columns] = self.kernel.shape;
        let rows = below.len() / inputs;
        let mut projected = self.input_bias(grid).repeat(rows);
        let (below, kernel) = (Matrix::new(below, rows, inputs), self.input_kernel(grid));
        let kernel = Matrix::new(&kernel, inputs, columns);
        multiply(&mut projected, Mode::Add, below, kernel, Parallelism::Rayon(0));
        projected
    }

    /// The kernel, on the quantization grid, if given.
    pub(super) fn input_kernel(&self, grid: Option<&LayerGrid>) -> Cow<'_, [f32]> {
        match grid {
            Some(grid) => Cow::Owned(grid.round_kernel(self)),
            None => Cow::Borrowed(&self.kernel.values),
        }
    }

    /// The bias of the input product, on the quantization grid, if given. Biases of gates have so many bits that they are not
    /// rounded here.
    pub(super) fn input_bias(&self, grid: Option<&LayerGrid>) -> Cow<'_, [f32]> {
        let mut bias = Cow::Borrowed(&self.bias.values[..self.kernel.shape[1]]);
        if let Some(grid) = grid.filter(|grid| matches!(grid.states, StateGrid::Int8 { .. })) {
            grid.round_biases(self.cell, bias.to_mut());
        }
        bias
    }

    /// All steps. States that would overflow saturate at [`OVERFLOW`].
    pub(super) fn trace(&self, batch: &Batch, reads: &Reads<'_>, grid: Option<&LayerGrid>) -> Trace {
        let (projected, tokens) = self.read(batch, reads, grid);
        let (recurrent, units) = (self.recurrent(grid), self.units());
        with_step!(self.cell, grid, OVERFLOW, |step| {
            Recurrence::new(step, batch, tokens, Output::All).trace(&projected, &recurrent, units)
        })
    }

    /// The states after the last step, `texts × units`.
    pub(super) fn last_states(&self, batch: &Batch, reads: &Reads<'_>, grid: Option<&LayerGrid>) -> Vec<f32> {
        let (projected, tokens) = self.read(batch, reads, grid);
        let (recurrent, units) = (self.recurrent(grid), self.units());
        with_step!(self.cell, grid, OVERFLOW, |step| {
            Recurrence::new(step, batch, tokens, Output::Last).last_states(&projected, &recurrent, units)
        })
    }

    /// The rows of the input product, and which of them is read at each step.
    fn read<'r>(
        &self,
        batch: &Batch,
        reads: &Reads<'r>,
        grid: Option<&LayerGrid>,
    ) -> (Cow<'r, [f32]>, Vec<u32>) {
        match reads {
            Reads::Words(projected) => (Cow::Borrowed(projected), batch.tokens.clone()),
            Reads::Steps(below) => (Cow::Owned(self.project(below, grid)), batch.places()),
        }
    }
}
