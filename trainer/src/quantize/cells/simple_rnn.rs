//! A SimpleRNN's weights in the file.

use kilornn::layers::{Activation, Layer as FileLayer, Order, SimpleRnn as FileSimpleRnn};

use super::{Attempt, Export, Incoming, IntLayer, Steps, Tries, filled};
use crate::network::{Layer, LayerChoice, LayerGrid, StateGrid, int8};
use crate::recipe::EmbeddingBits;

/// Below this share of zeros in the state, multiplying with them is cheaper than leaving them out.
const DENSE: f64 = 0.4;

/// What the exporter asks of a SimpleRNN.
pub(super) struct SimpleRnn(pub(super) Activation);

impl Export for SimpleRnn {
    /// The scale of a tanh state is given.
    fn tries(&self) -> Tries {
        Tries { scales: self.0 == Activation::Relu, state_shifts: true, limits: &[1.0] }
    }

    fn choice(&self, layer: &Layer, Attempt { scales, state_shift, .. }: Attempt<'_>) -> LayerChoice {
        let scales = match self.0 {
            Activation::Relu => scales.to_vec(),
            Activation::Tanh => vec![1.0 / 128.0; layer.units()],
        };
        LayerChoice::SimpleRnn { scales, state_shift }
    }

    /// A row fills whole bytes, and inputs come in fours where kernels lie in pairs.
    fn row_width(&self, own: usize, bits: EmbeddingBits) -> usize {
        match (self.0, bits) {
            (Activation::Relu, EmbeddingBits::Eight) => own,
            (Activation::Relu, EmbeddingBits::Four) => own.next_multiple_of(2),
            (Activation::Tanh, _) => filled(own),
        }
    }

    fn order(&self, inputs: usize, zeros: f64) -> Order {
        order(self.0, inputs, zeros)
    }

    /// Its states come before its inputs.
    fn weights(&self, layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, order: Order) -> Vec<u8> {
        let units = layer.units();
        let (steps, filled) = (Steps::new(layer, grid, incoming), filled(units));
        let weight = |from: usize, to: usize| match from.checked_sub(filled) {
            _ if to >= units => 0,
            None if from >= units => 0,
            None => int8(steps.at(steps.width + from, to)),
            Some(input) => int8(steps.at(input, to)),
        };
        let inputs = steps.inputs(units);
        let mut weights: Vec<u8> = FileSimpleRnn::encode_kernel(order, filled, inputs, weight).collect();
        let factors = grid.bias_factors();
        let mut add_biases = |biases: &[f32]| {
            let bias = |unit: usize| biases.get(unit).map_or(0, |bias| int8(bias * factors[unit]));
            weights.extend(FileSimpleRnn::encode_biases(filled, bias));
        };
        match incoming {
            Incoming::Folded(rows) => rows.iter().for_each(|row| add_biases(row)),
            Incoming::Numbers(_) => add_biases(&layer.bias.values),
        }
        weights
    }

    fn view<'l>(&self, layer: &'l IntLayer) -> FileLayer<'l> {
        let state_shift = match layer.grid.states {
            StateGrid::Int8 { state_shift, .. } => state_shift,
            StateGrid::Int16 { .. } => 0,
        };
        FileSimpleRnn {
            units: layer.units as u32,
            activation: self.0,
            order: layer.order,
            weights: &layer.weights,
            bias_shift: layer.grid.bias_shift,
            state_shift,
            input_shift: layer.grid.input_shift,
        }
        .into()
    }
}

/// How the kernel's weights lie best, for states of which this share is zero.
pub fn order(activation: Activation, inputs: usize, zeros: f64) -> Order {
    match activation {
        Activation::Tanh => Order::Pairs,
        Activation::Relu if inputs.is_multiple_of(4) && zeros < DENSE => Order::Pairs,
        Activation::Relu => Order::Columns,
    }
}
