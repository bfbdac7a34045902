//! A FastGRNN's weights in the file.

use kilornn::layers::{Begin, FastGrnn as FileFastGrnn, Layer as FileLayer, Order};

use super::{Export, Gates, Incoming, IntLayer, Tries};
use crate::network::{Layer, LayerGrid};

/// The largest offset of a gate, and its negative.
const LARGEST_OFFSET: f32 = (1 << 29) as f32;

/// What the exporter asks of a FastGRNN.
pub(super) struct FastGrnn;

impl Export for FastGrnn {
    /// A gate that stays closed lets states grow beyond one.
    fn tries(&self) -> Tries {
        Tries { scales: false, state_shifts: false, limits: &[1.0, 2.0, 4.0, 8.0] }
    }

    fn weights(&self, layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, _: Order) -> Vec<u8> {
        let gates = Gates::new(layer, grid, incoming);
        let [units, inputs] = gates.dimensions();
        let begin = |unit| match unit < layer.units() {
            true => gates.begin(0, unit, |of_inputs, _| of_inputs),
            // The number whose tanh on the device is zero, and nothing near it: such a unit stays zero.
            false => Begin { bias: -248, shift: 8 },
        };
        let [of_update, of_gate] = [&layer.bias, &layer.further[0]].map(|bias| &bias.values);
        let offset = |unit: usize| {
            let apart =
                of_update.get(unit).zip(of_gate.get(unit)).map_or(0.0, |(update, gate)| update - gate);
            (apart * 32_768.0).round().clamp(-LARGEST_OFFSET, LARGEST_OFFSET) as i32
        };
        let weight = |unit, input| gates.weight(0, unit, input);
        let mut weights: Vec<u8> =
            FileFastGrnn::encode_kernel(units, inputs, begin, offset, weight).collect();
        for bias in gates.biases() {
            weights.extend(FileFastGrnn::encode_biases(units, |unit| bias(0, unit)));
        }
        weights
    }

    fn view<'l>(&self, layer: &'l IntLayer) -> FileLayer<'l> {
        let [zeta, nu] = [1, 2].map(|scalar| {
            let raw = layer.further[scalar].values[0];
            layer.grid.states.share(1.0 / (1.0 + (-raw).exp()))
        });
        FileFastGrnn {
            units: layer.units as u32,
            weights: &layer.weights,
            bias_shift: layer.grid.bias_shift,
            input_shift: layer.grid.input_shift,
            state_bits: layer.state_bits(),
            limit_bits: layer.grid.states.limit().log2() as u8,
            zeta,
            nu,
        }
        .into()
    }
}
