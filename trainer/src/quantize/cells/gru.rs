//! A GRU's weights in the file.

use kilornn::layers::{Gru, GruSum};

use super::{Gates, Incoming};
use crate::network::{Layer, LayerGrid};

/// Kernel and rows of biases of a GRU. The second row of its bias is in what sums begin with, also where the first is in the rows
/// of a folded embedding.
pub(super) fn weights(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>) -> Vec<u8> {
    let gates = Gates::new(layer, grid, incoming);
    let [units, inputs] = gates.dimensions();
    let begin = |unit, sum| {
        gates.begin(part(sum), unit, |of_inputs, of_states| match sum {
            GruSum::Update | GruSum::Reset => of_inputs + of_states,
            GruSum::Input => of_inputs,
            GruSum::State => of_states,
        })
    };
    let weight = |unit, sum, input| gates.weight(part(sum), unit, input);
    let mut weights: Vec<u8> = Gru::encode_kernel(units, inputs, begin, weight).collect();
    for bias in gates.biases() {
        weights.extend(Gru::encode_biases(units, |unit, sum| bias(part(sum), unit)));
    }
    weights
}

/// The part of the kernels' columns, in Keras's order.
fn part(sum: GruSum) -> usize {
    match sum {
        GruSum::Update => 0,
        GruSum::Reset => 1,
        GruSum::Input | GruSum::State => 2,
    }
}
