//! A SimpleRNN's weights in the file.

use kilornn::layers::{Order, SimpleRnn};

use super::{Incoming, Steps, filled};
use crate::network::{Layer, LayerGrid, int8};

/// Kernel and biases of a SimpleRNN. Its states come before its inputs.
pub(super) fn weights(layer: &Layer, grid: &LayerGrid, incoming: &Incoming<'_>, order: Order) -> Vec<u8> {
    let units = layer.units();
    let (steps, filled) = (Steps::new(layer, grid, incoming), filled(units));
    let weight = |from: usize, to: usize| match from.checked_sub(filled) {
        _ if to >= units => 0,
        None if from >= units => 0,
        None => int8(steps.at(steps.width + from, to)),
        Some(input) => int8(steps.at(input, to)),
    };
    let inputs = steps.inputs(units);
    let mut weights: Vec<u8> = SimpleRnn::encode_kernel(order, filled, inputs, weight).collect();
    let factors = grid.bias_factors();
    let mut add_biases = |biases: &[f32]| {
        let bias = |unit: usize| biases.get(unit).map_or(0, |bias| int8(bias * factors[unit]));
        weights.extend(SimpleRnn::encode_biases(filled, bias));
    };
    match incoming {
        Incoming::Folded(rows) => rows.iter().for_each(|row| add_biases(row)),
        Incoming::Numbers(_) => add_biases(&layer.bias.values),
    }
    weights
}
