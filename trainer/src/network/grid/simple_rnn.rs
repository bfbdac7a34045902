//! A SimpleRNN's scales.
//!
//! ReLU lets every hidden unit be rescaled freely, so a unit's scale is absorbed into the weights that read and write
//! it, and the device requantizes by a constant shift (see [`kilornn::layers::SimpleRnn`]): 512 steps of its
//! accumulator are one of the unit's state. With tanh, a state's step is worth 1/128 in every unit.

use kilornn::layers::Activation;

use super::super::layer::Layer;
use super::super::{Cell, Network};
use super::{LARGEST_BIAS_SHIFT, LIMIT, LayerGrid, Numbers, Reads, StateGrid, shift_for};

/// Steps of the accumulator in one step of a state.
pub(super) const FRACTION: f32 = (1 << Activation::FRACTION_BITS) as f32;

/// A grid on which states up to 127 times `scales` fit, and all weights. With ReLU, the scale of a unit is made coarser if
/// its recurrent weights would not fit otherwise.
pub(super) fn grid(
    network: &Network,
    layer: &Layer,
    reads: &Reads<'_>,
    scales: &[f32],
    state_shift: u8,
) -> (LayerGrid, Option<Numbers>) {
    let units = layer.units();
    let kernel = &layer.recurrent_kernel.values;
    let mut scales = scales.to_vec();
    if matches!(layer.cell, Cell::SimpleRnn { activation: Activation::Relu, .. }) {
        if let Reads::Below(below) = reads {
            // So coarse that the weights that read the layer below fit, even if it is shifted as far as may be, and that their
            // products take at most half of the accumulator.
            let outputs = below.outputs(layer.inputs());
            let room = 127.0 * largest_input_shift(below).exp2();
            let mut sums = vec![0.0; units];
            for (weights, output) in layer.kernel.values.chunks_exact(units).zip(&outputs) {
                for ((weight, scale), sum) in weights.iter().zip(&mut scales).zip(&mut sums) {
                    *scale = scale.max(weight.abs() * output * FRACTION / room);
                    *sum += weight.abs() * output * largest_output(below);
                }
            }
            for (scale, sum) in scales.iter_mut().zip(sums) {
                *scale = scale.max(sum * FRACTION / (LIMIT / 2.0));
            }
        }
        let one = FRACTION / f32::from(1u16 << state_shift);
        // Coarser scales make the weights that read these units larger, so again until it settles.
        // Where units excite each other it never does; what is left is clipped.
        for _ in 0..20 {
            for to in 0..units {
                let weight = |from: usize| kernel[from * units + to].abs() * scales[from];
                let strongest = (0..units).filter(|&from| from != to).map(weight).fold(0.0, f32::max);
                scales[to] = scales[to].max(strongest * one / 127.0);
            }
        }
    }
    let factors: Vec<f32> = scales.iter().map(|scale| FRACTION / scale).collect();
    let largest = |biases: &[f32]| {
        let steps = biases.chunks_exact(units).flat_map(|row| row.iter().zip(&factors));
        steps.map(|(value, factor)| (value * factor).abs()).fold(0.0, f32::max)
    };
    let most = match reads {
        Reads::Folded { projected, range } => range * largest(projected),
        Reads::Numbers { .. } | Reads::Below(_) => largest(&layer.bias.values),
    };
    let bias_shift = shift_for(most, LARGEST_BIAS_SHIFT);
    let (inputs, input_shift, numbers) = match reads {
        Reads::Folded { .. } => (Vec::new(), 0, None),
        Reads::Numbers { bits, range } => {
            let numbers = Numbers::new(network, &factors, *bits, *range);
            (numbers.columns.clone(), 0, Some(numbers))
        }
        Reads::Below(below) => {
            let (inputs, shift) = from_below(layer, below, &factors);
            (inputs, shift, None)
        }
    };
    let states = StateGrid::Int8 { scales, state_shift };
    (LayerGrid { inputs, input_shift, factors, bias_shift, states }, numbers)
}

/// The largest output of a layer, in steps.
fn largest_output(layer: &LayerGrid) -> f32 {
    match layer.states {
        StateGrid::Int8 { .. } => 127.0,
        StateGrid::Int16 { state_bits, .. } => f32::from(1u16 << state_bits),
    }
}

/// The most that the device may shift the outputs of a layer below by: they stay within 16 bits.
fn largest_input_shift(below: &LayerGrid) -> f32 {
    match below.states {
        StateGrid::Int8 { .. } => 8.0,
        StateGrid::Int16 { state_bits, .. } => 14.0 - f32::from(state_bits),
    }
}

/// The scales of inputs that are the outputs of the layer below, and by how much they are shifted so that the weights that read
/// them fit.
pub(super) fn from_below(layer: &Layer, below: &LayerGrid, factors: &[f32]) -> (Vec<f32>, u8) {
    let [inputs, columns] = layer.kernel.shape;
    let outputs = below.outputs(inputs);
    let strongest = layer.kernel.values.iter().enumerate();
    let strongest =
        strongest.map(|(index, weight)| (weight * outputs[index / columns] * factors[index % columns]).abs());
    let shift = shift_for(strongest.fold(0.0, f32::max), largest_input_shift(below));
    let step = f32::from(1u16 << shift);
    (outputs.iter().map(|output| output / step).collect(), shift)
}
