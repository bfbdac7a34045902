//! An LSTM's weights in the file.

use kilornn::layers::{Layer as FileLayer, Lstm as FileLstm, LstmSum, Order};

use super::{Export, Gates, Incoming, IntLayer};
use crate::network::{Layer, LayerGrid};

/// What the exporter asks of an LSTM.
pub(super) struct Lstm;

impl Export for Lstm {
    fn weights(&self, layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, _: Order) -> Vec<u8> {
        let gates = Gates::new(layer, grid, incoming);
        let [units, inputs] = gates.dimensions();
        let begin = |unit, sum| gates.begin(part(sum), unit, |of_inputs, _| of_inputs);
        let weight = |unit, sum, input| gates.weight(part(sum), unit, input);
        let mut weights: Vec<u8> = FileLstm::encode_kernel(units, inputs, begin, weight).collect();
        for bias in gates.biases() {
            weights.extend(FileLstm::encode_biases(units, |unit, sum| bias(part(sum), unit)));
        }
        weights
    }

    fn view<'l>(&self, layer: &'l IntLayer) -> FileLayer<'l> {
        FileLstm {
            units: layer.units as u32,
            weights: &layer.weights,
            bias_shift: layer.grid.bias_shift,
            input_shift: layer.grid.input_shift,
            state_bits: layer.state_bits(),
        }
        .into()
    }
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
