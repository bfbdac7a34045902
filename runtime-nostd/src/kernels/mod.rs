//! One step of the recurrence. All kernels compute the same integers.
//!
//! `portable` is plain Rust, works on every target and is the oracle for the others. `assembly` is for Cortex-M and for
//! RISC-V with multiplication, and the only file with unsafe code.

#[cfg(kilornn_assembly)]
mod assembly;
#[cfg(not(kilornn_assembly))]
mod portable;
mod scratch;
mod state;

pub use state::State;

use crate::Model;
#[cfg(kilornn_assembly)]
use assembly::step;
#[cfg(not(kilornn_assembly))]
use portable::step;

impl Model<'_> {
    /// Takes one step of the recurrence, with the word in row `row` of the embedding. Does nothing if there is no such
    /// row, or if the state was made for a model of another shape. See [`State`] for an example.
    ///
    /// A [`Classifier`](crate::Classifier) takes a step for every word.
    #[inline]
    pub fn step<const UNITS: usize>(&self, row: u32, state: &mut State<UNITS>) {
        step(self, row, state);
    }
}
