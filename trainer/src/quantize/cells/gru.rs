//! A GRU's weights in the file.

use kilornn::layers::{Gru as FileGru, GruSum, Layer as FileLayer, Order};

use super::{Export, Gates, Incoming, IntLayer};
use crate::network::{Layer, LayerGrid};

/// What the exporter asks of a GRU.
pub(super) struct Gru;

impl Export for Gru {
    /// The second row of its bias is in what sums begin with, also where the first is in the rows of a folded embedding.
    fn weights(&self, layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, _: Order) -> Vec<u8> {
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
        let mut weights: Vec<u8> = FileGru::encode_kernel(units, inputs, begin, weight).collect();
        for bias in gates.biases() {
            weights.extend(FileGru::encode_biases(units, |unit, sum| bias(part(sum), unit)));
        }
        weights
    }

    fn view<'l>(&self, layer: &'l IntLayer) -> FileLayer<'l> {
        FileGru {
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
fn part(sum: GruSum) -> usize {
    match sum {
        GruSum::Update => 0,
        GruSum::Reset => 1,
        GruSum::Input | GruSum::State => 2,
    }
}
