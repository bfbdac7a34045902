//! An LSTM's weights in the file.

use kilornn::layers::{Lstm, LstmSum};

use super::{Gates, Incoming};
use crate::network::{Layer, LayerGrid};

/// Kernel and rows of biases of an LSTM.
pub(super) fn weights(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Vec<u8> {
    let gates = Gates::new(layer, grid, incoming);
    let [units, inputs] = gates.dimensions();
    let begin = |unit, sum| gates.begin(part(sum), unit, |of_inputs, _| of_inputs);
    let weight = |unit, sum, input| gates.weight(part(sum), unit, input);
    let mut weights: Vec<u8> = Lstm::encode_kernel(units, inputs, begin, weight).collect();
    for bias in gates.biases() {
        weights.extend(Lstm::encode_biases(units, |unit, sum| bias(part(sum), unit)));
    }
    weights
}

/// The part of the kernels' columns, in Keras's order.
fn part(sum: LstmSum) -> usize {
    match sum {
        LstmSum::Input => 0,
        LstmSum::Forget => 1,
        LstmSum::Candidate => 2,
        LstmSum::Output => 3,
    }
}
