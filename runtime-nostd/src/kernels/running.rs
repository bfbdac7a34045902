//! A model and the memory of its state, which was made for it: no step has to ask whether the two fit each other.

use super::state::{Borrowed, Memory, State};
use super::step_fitting;
use crate::{Error, Model, Values};

/// A network that runs, in the memory `M`.
#[derive(Debug, Clone)]
pub(crate) struct Running<'m, M> {
    model: &'m Model<'m>,
    /// Of the model's shape.
    memory: M,
}

impl<'m, const UNITS: usize> Running<'m, State<UNITS>> {
    /// In memory of its own, with all states zero.
    #[inline] // where it would be copied, the state would be on the stack twice
    pub(crate) fn new(model: &'m Model<'m>) -> Result<Self, Error> {
        Ok(Self { model, memory: State::zero(model)? })
    }
}

impl<'m, 'w> Running<'m, Borrowed<'w>> {
    /// In these words, with all states zero; `None` if there are too few.
    pub(crate) fn within(model: &'m Model<'m>, words: &'w mut [u32]) -> Option<Self> {
        Some(Self { model, memory: Borrowed::zero(model, words)? })
    }
}

impl<'m, M: Memory> Running<'m, M> {
    pub(crate) const fn model(&self) -> &'m Model<'m> {
        self.model
    }

    pub(crate) fn values(&self) -> Values<'_> {
        self.memory.values()
    }

    /// See [`Memory::set`].
    pub(crate) fn set(&mut self, bytes: &[u8]) {
        self.memory.set(bytes);
    }

    /// Takes one step with a row of the embedding. Does nothing if the model has no such row.
    #[inline(always)]
    pub(crate) fn step(&mut self, row: u32) {
        step_fitting(self.model, row, &mut self.memory);
    }

    /// The same for steps that are rare, so that their code is there once.
    #[inline(never)]
    pub(crate) fn step_apart(&mut self, row: u32) {
        self.step(row);
    }
}
