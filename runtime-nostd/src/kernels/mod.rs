//! One step of the recurrence. All kernels compute the same integers.
//!
//! What a cell computes stands in plain Rust in a file of its own (`simple_rnn`, `gru`, `lstm`, `fastgrnn`), which
//! works on every target and is the oracle for the kernel in assembly. `assembly` has these, for Cortex-M and for
//! RISC-V with multiplication, and the only unsafe code. `stack` takes a step of several layers, each with its share of
//! the memory.

#[cfg(kilornn_assembly)]
mod assembly;
#[cfg(all(feature = "fastgrnn", not(kilornn_assembly)))]
mod fastgrnn;
#[cfg(all(kilornn_gates, not(kilornn_assembly)))]
mod gates;
#[cfg(all(feature = "gru", not(kilornn_assembly)))]
mod gru;
#[cfg(all(feature = "lstm", not(kilornn_assembly)))]
mod lstm;
mod numbers;
mod running;
#[cfg(not(kilornn_assembly))]
mod simple_rnn;
#[cfg(kilornn_gates)]
mod stack;
mod state;

pub(crate) use running::Running;
pub use state::State;
pub(crate) use state::{Borrowed, Memory};

use numbers::Numbers;

use crate::Model;
use crate::layers::Layer;
#[cfg(all(feature = "fastgrnn", kilornn_assembly))]
use assembly::fastgrnn as step_fastgrnn;
#[cfg(all(feature = "gru", kilornn_assembly))]
use assembly::gru as step_gru;
#[cfg(all(feature = "lstm", kilornn_assembly))]
use assembly::lstm as step_lstm;
#[cfg(kilornn_assembly)]
use assembly::step_alone;
#[cfg(all(kilornn_assembly, kilornn_gates))]
use assembly::step_in_stack;
#[cfg(all(feature = "fastgrnn", not(kilornn_assembly)))]
use fastgrnn::step as step_fastgrnn;
#[cfg(all(feature = "gru", not(kilornn_assembly)))]
use gru::step as step_gru;
#[cfg(all(feature = "lstm", not(kilornn_assembly)))]
use lstm::step as step_lstm;
#[cfg(not(kilornn_assembly))]
use simple_rnn::step_alone;
#[cfg(all(not(kilornn_assembly), kilornn_gates))]
use simple_rnn::step_in_stack;

/// Takes one step with a row of the embedding, in memory of the model's shape. Does nothing if the model has no such row.
#[inline(always)]
fn step_fitting(model: &Model<'_>, row: u32, memory: &mut impl Memory) {
    if row < model.rows() {
        step_with(model, Some(row), memory);
    }
}

/// Takes one step with a row that the embedding has, or with the numbers of the step before, in memory of the model's shape.
#[inline(always)]
fn step_with(model: &Model<'_>, row: Option<u32>, memory: &mut impl Memory) {
    match model.contents().layers.only() {
        Some(Layer::SimpleRnn(rnn)) => step_alone(model, rnn, numbers(model, row), memory),
        #[cfg(feature = "fastgrnn")]
        Some(Layer::FastGrnn(layer)) => step_fastgrnn(layer, numbers(model, row), memory.words()),
        #[cfg(feature = "gru")]
        Some(Layer::Gru(gru)) => step_gru(gru, numbers(model, row), memory.words()),
        #[cfg(feature = "lstm")]
        Some(Layer::Lstm(lstm)) => step_lstm(lstm, numbers(model, row), memory.words()),
        #[cfg(kilornn_gates)]
        None => stack::step(model, row, memory.words()),
        #[cfg(not(kilornn_gates))]
        None => {}
    }
}

/// What comes into the lowest layer.
#[inline(always)]
const fn numbers<'m>(model: &'m Model<'_>, row: Option<u32>) -> Numbers<'m> {
    let embedding = &model.text().embedding;
    match row {
        Some(row) => Numbers::Row { embedding, row },
        None => Numbers::InPlace {
            #[cfg(kilornn_gates)]
            width: embedding.width(),
        },
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

    /// Takes one step more with the numbers of the step before, which are still in the memory. Only for measuring what a
    /// step costs besides reading its numbers, of a network with gates, or of a SimpleRNN that keeps all of its inputs.
    #[doc(hidden)]
    #[inline]
    pub fn step_again<const UNITS: usize>(&self, state: &mut State<UNITS>) {
        if state.shape() == self.shape() {
            step_with(self, None, state);
        }
    }
}
