//! One step of the recurrence. All kernels compute the same integers.
//!
//! For a SimpleRNN, `portable` is plain Rust, works on every target and is the oracle for the others. `assembly` is for
//! Cortex-M and for RISC-V with multiplication, and the only file with unsafe code. `gru` and `lstm` are plain Rust on
//! every target, and `stack` takes a step of several layers.

#[cfg(kilornn_assembly)]
mod assembly;
#[cfg(kilornn_gates)]
mod gates;
#[cfg(feature = "gru")]
mod gru;
#[cfg(feature = "lstm")]
mod lstm;
mod numbers;
#[cfg(not(kilornn_assembly))]
mod portable;
mod running;
#[cfg(kilornn_gates)]
mod stack;
mod state;

pub(crate) use running::Running;
pub use state::State;
#[cfg(kilornn_gates)]
pub(crate) use state::classifier_units;
pub(crate) use state::{Borrowed, Memory};

use crate::Model;
#[cfg(kilornn_assembly)]
use assembly::step_alone;
#[cfg(all(kilornn_assembly, kilornn_gates))]
use assembly::step_in_stack;
#[cfg(not(kilornn_assembly))]
use portable::step_alone;
#[cfg(all(not(kilornn_assembly), kilornn_gates))]
use portable::step_in_stack;

/// Takes one step with a row of the embedding, in memory of the model's shape. Does nothing if the model has no such row.
#[inline(always)]
fn step_fitting(model: &Model<'_>, row: u32, memory: &mut impl Memory) {
    if row >= model.rows() {
        return;
    }
    match model.contents().layers.simple_rnn() {
        Some(rnn) => step_alone(model, rnn, row, memory),
        #[cfg(kilornn_gates)]
        None => stack::step(model, row, memory.words()),
        #[cfg(not(kilornn_gates))]
        None => {}
    }
}

impl Model<'_> {
    /// Takes one step of the recurrence, with the word in row `row` of the embedding. Does nothing if there is no such
    /// row, or if the state was made for a model of another shape. See [`State`] for an example.
    ///
    /// A [`Classifier`](crate::Classifier) takes a step for every word.
    #[inline]
    pub fn step<const UNITS: usize>(&self, row: u32, state: &mut State<UNITS>) {
        if state.shape() == self.shape() {
            step_fitting(self, row, state);
        }
    }
}
