//! A recurrent layer: a cell and its parameters.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;

use super::cells::{Cell, Definition as _, with_definition};
use super::{Parameter, initializers};
use crate::recipe::{Recipe, RecurrentInitializer};

/// A recurrent layer. Columns of its kernels are `gates` parts of `units` each, in the order of [`Cell`].
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What it computes at each step.
    pub cell: Cell,
    /// `inputs × gates·units`.
    pub kernel: Parameter,
    /// `units × gates·units`: `state · recurrent_kernel`.
    pub recurrent_kernel: Parameter,
    /// `1 × gates·units`; a GRU has a second row, which is added to its recurrent product.
    pub bias: Parameter,
    /// What the cell has besides.
    pub further: Vec<Parameter>,
}

impl Layer {
    /// The layer at `index` of a network, with weights of zero.
    pub(super) fn zeros(index: usize, cell: Cell, inputs: usize, units: usize) -> Self {
        let name = |own: &'static str| match index {
            0 => Cow::Borrowed(own),
            _ => Cow::Owned(format!("layer_{}/{own}", index + 1)),
        };
        let columns = cell.gates() * units;
        let ([kernel, recurrent_kernel, bias], further) =
            with_definition!(cell, |cell| (cell.names(), cell.further()));
        let further = further
            .iter()
            .map(|own| Parameter::zeros(name(own.name), [1, if own.of_units { units } else { 1 }]).free());
        Self {
            cell,
            kernel: Parameter::zeros(name(kernel), [inputs, columns]),
            recurrent_kernel: Parameter::zeros(name(recurrent_kernel), [units, columns]),
            bias: Parameter::zeros(name(bias), [cell.bias_rows(), columns]).free(),
            further: further.collect(),
        }
    }

    /// Hidden units.
    pub fn units(&self) -> usize {
        self.recurrent_kernel.shape[0]
    }

    /// Numbers that it reads at each step.
    pub fn inputs(&self) -> usize {
        self.kernel.shape[0]
    }

    /// Its parameters, in order.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        [&self.kernel, &self.recurrent_kernel, &self.bias].into_iter().chain(&self.further)
    }

    /// The same, to change them.
    pub(super) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Parameter> {
        [&mut self.kernel, &mut self.recurrent_kernel, &mut self.bias].into_iter().chain(&mut self.further)
    }

    /// Draws the initial recurrent kernel.
    pub(super) fn draw_recurrent_kernel(&mut self, recipe: &Recipe, rng: &mut ChaCha8Rng) {
        let units = self.units();
        let may_be_identity = with_definition!(self.cell, |cell| cell.may_begin_as_identity());
        self.recurrent_kernel.values = match recipe.recurrent_initializer {
            RecurrentInitializer::Identity if may_be_identity => initializers::identity_like(units, rng),
            _ => initializers::orthogonal(units, self.cell.gates() * units, rng),
        };
    }

    /// Draws the initial kernel, and sets the rest.
    pub(super) fn draw_kernel(&mut self, recipe: &Recipe, rng: &mut ChaCha8Rng) {
        let [inputs, columns] = self.kernel.shape;
        self.kernel.values = initializers::glorot_uniform(inputs, columns, rng);
        with_definition!(self.cell, |cell| cell.begin(&mut self.bias, &mut self.further, recipe));
    }
}
