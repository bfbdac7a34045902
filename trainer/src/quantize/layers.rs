//! Float weights to integer tables, layer by layer.

use std::collections::HashMap;

use kilornn::layers::{Dense, Embedding, SimpleRnn, State};

use crate::network::Network;

/// What one step of each unit's `i8` state is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales(Vec<f32>);

impl Scales {
    /// These scales, made coarser where recurrent weights in units of `2^-fraction_bits` would not
    /// fit otherwise: for units that read others too strongly.
    pub fn new(network: &Network, scales: &[f32], fraction_bits: u8) -> Self {
        let units = network.units();
        let kernel = &network.recurrent_kernel.values;
        let mut scales = scales.to_vec();
        let one = (1 << fraction_bits) as f32;
        // Coarser scales make the weights that read these units larger, so again until it settles.
        // Where units excite each other it never does; what is left is clipped.
        for _ in 0..20 {
            for to in 0..units {
                let from = |from: usize| kernel[from * units + to].abs() * scales[from];
                let strongest = (0..units).filter(|&u| u != to).map(from).fold(0.0, f32::max);
                scales[to] = scales[to].max(strongest * one / 127.0);
            }
        }
        Self(scales)
    }
}

/// Where the point stands in the accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// An accumulator counts `2^-fraction_bits` steps of the state.
    pub fraction_bits: u8,
    /// By how many bits the largest inputs are clipped, in favour of a finer table.
    pub clipped_bits: u8,
}

fn int8(value: f32) -> u8 {
    value.round().clamp(-127.0, 127.0) as i8 as u8
}

/// The largest shift `s` for which `largest · 2^s` is within an `i8`.
fn spare_bits(largest: f32) -> i32 {
    if largest > 0.0 { (127.0 / largest).log2().floor() as i32 } else { 0 }
}

/// How rows of the embedding become integers.
pub(super) struct IntEmbedding<'n> {
    network: &'n Network,
    kind: Kind,
    /// As in [`SimpleRnn`].
    input_shift: u8,
    recurrent_shift: u8,
    output_shift: u8,
}

enum Kind {
    /// `W·E + b` of all rows, and the factor of each unit.
    Folded { projected: Vec<f32>, factors: Vec<f32> },
    /// The factor of each number of the embedding, and the tables behind it.
    Projected { factors: Vec<f32>, kernel: Vec<u8>, bias: Vec<u8> },
}

impl<'n> IntEmbedding<'n> {
    pub(super) fn new(network: &'n Network, scales: &Scales, point: Point, fold: bool) -> Self {
        if fold { Self::folded(network, scales, point) } else { Self::projected(network, scales, point) }
    }

    fn folded(network: &'n Network, scales: &Scales, point: Point) -> Self {
        let projected = network.projected();
        let one = (1 << point.fraction_bits) as f32;
        // What one step of the accumulator is worth in each unit, inverted.
        let per_step: Vec<f32> = scales.0.iter().map(|scale| one / scale).collect();
        let steps = projected.chunks_exact(per_step.len()).flat_map(|row| row.iter().zip(&per_step));
        let largest = steps.map(|(value, per_step)| (value * per_step).abs()).fold(0.0, f32::max);
        let input_shift =
            (i32::from(-spare_bits(largest).min(0) as i16) - i32::from(point.clipped_bits)).clamp(0, 16);
        let factors = per_step.iter().map(|f| f / (1 << input_shift) as f32).collect();
        Self {
            network,
            kind: Kind::Folded { projected, factors },
            input_shift: input_shift as u8,
            recurrent_shift: 0,
            output_shift: point.fraction_bits,
        }
    }

    fn projected(network: &'n Network, scales: &Scales, point: Point) -> Self {
        let [width, units] = network.kernel.shape;
        let table = &network.embedding.values;
        let factors: Vec<f32> = (0..width)
            .map(|i| {
                let largest = table.iter().skip(i).step_by(width).fold(0f32, |m, v| m.max(v.abs()));
                127.0 / largest.max(f32::MIN_POSITIVE)
            })
            .collect();
        // The kernel in steps of the accumulator for each step of the embedding.
        let one = (1 << point.fraction_bits) as f32;
        let weight = |i: usize, unit: usize| {
            network.kernel.values[i * units + unit] / factors[i] * one / scales.0[unit]
        };
        let largest = (0..width * units).map(|k| weight(k / units, k % units).abs()).fold(0.0, f32::max);
        let shift = spare_bits(largest).clamp(-16, 12);
        let finer = (shift as f32).exp2();
        let blocks = (0..units).step_by(4);
        let kernel = blocks
            .flat_map(|first| (0..width).flat_map(move |i| (first..first + 4).map(move |unit| (i, unit))))
            .map(|(i, unit)| if unit < units { int8(weight(i, unit) * finer) } else { 0 })
            .collect();
        let bias = (0..units.next_multiple_of(4))
            .map(|unit| match network.bias.values.get(unit) {
                Some(bias) => (bias * one / scales.0[unit] * finer).round().clamp(-1e8, 1e8) as i32,
                None => 0,
            })
            .flat_map(i32::to_le_bytes)
            .collect();
        Self {
            network,
            kind: Kind::Projected { factors, kernel, bias },
            input_shift: (-shift).max(0) as u8,
            recurrent_shift: shift.max(0) as u8,
            output_shift: point.fraction_bits + shift.max(0) as u8,
        }
    }

    /// The tables for the rows `ids`, in this order.
    pub(super) fn rows(&self, ids: &[u32]) -> EmbeddingTables<'_> {
        let (values, factors) = match &self.kind {
            Kind::Folded { projected, factors } => (projected, factors),
            Kind::Projected { factors, .. } => (&self.network.embedding.values, factors),
        };
        let width = factors.len();
        let row = |&id: &u32| values[id as usize * width..][..width].iter().zip(factors);
        let table = ids.iter().flat_map(row).map(|(value, factor)| int8(value * factor)).collect();
        EmbeddingTables { kind: &self.kind, table }
    }
}

/// The embedding of some rows, as the model file holds it.
pub(super) struct EmbeddingTables<'l> {
    kind: &'l Kind,
    table: Vec<u8>,
}

impl EmbeddingTables<'_> {
    pub(super) fn view(&self) -> Embedding<'_> {
        match self.kind {
            Kind::Folded { .. } => Embedding::Folded { table: &self.table },
            Kind::Projected { factors, kernel, bias } => {
                Embedding::Projected { width: factors.len() as u32, table: &self.table, kernel, bias }
            }
        }
    }
}

/// The recurrence, as the model file holds it.
pub(super) struct IntRnn {
    units: usize,
    kernel: Vec<u8>,
    input_shift: u8,
    recurrent_shift: u8,
    output_shift: u8,
}

impl IntRnn {
    pub(super) fn new(network: &Network, scales: &Scales, embedding: &IntEmbedding<'_>) -> Self {
        let units = network.units();
        let fraction_bits = embedding.output_shift - embedding.recurrent_shift;
        let one = (1 << fraction_bits) as f32;
        let weight = |from: usize, to: usize| {
            network.recurrent_kernel.values[from * units + to] * scales.0[from] / scales.0[to] * one
        };
        let kernel = (0..units)
            .step_by(4)
            .flat_map(|first| (0..units).flat_map(move |from| (first..first + 4).map(move |to| (from, to))))
            .map(|(from, to)| if to < units { int8(weight(from, to)) } else { 0 })
            .collect();
        let IntEmbedding { input_shift, recurrent_shift, output_shift, .. } = *embedding;
        Self { units, kernel, input_shift, recurrent_shift, output_shift }
    }

    pub(super) fn view(&self) -> SimpleRnn<'_> {
        SimpleRnn {
            units: self.units as u32,
            kernel: &self.kernel,
            input_shift: self.input_shift,
            recurrent_shift: self.recurrent_shift,
            output_shift: self.output_shift,
        }
    }

    /// The states after 0, 1, ... `longest` pads, by the device's own step, up to where they repeat;
    /// and the index of the state that follows the last.
    pub(super) fn orbit(&self, pad: &EmbeddingTables<'_>, longest: usize) -> (Vec<u8>, u32) {
        let mut state = State::<256>::zero(self.units);
        let mut seen: HashMap<Vec<i8>, u32> = HashMap::new();
        let mut states = Vec::new();
        for index in 0..=longest as u32 {
            if let Some(&earlier) = seen.get(state.values()) {
                return (states, earlier);
            }
            seen.insert(state.values().to_vec(), index);
            states.extend(state.values().iter().map(|&h| h as u8));
            self.view().step(&pad.view(), 0, &mut state);
        }
        (states, 0)
    }
}

/// The output layer, as the model file holds it.
pub(super) struct IntDense {
    outputs: usize,
    kernel: Vec<u8>,
    bias: Vec<u8>,
    scale: f32,
}

impl IntDense {
    pub(super) fn new(network: &Network, scales: &Scales) -> Self {
        let [units, outputs] = network.dense_kernel.shape;
        let weight = |unit: usize, output: usize| {
            network.dense_kernel.values[unit * outputs + output] * scales.0[unit]
        };
        let largest =
            (0..units * outputs).map(|i| weight(i / outputs, i % outputs).abs()).fold(0.0, f32::max);
        // One scale for all outputs, so that integer logits can be compared.
        let scale = largest.max(f32::MIN_POSITIVE * 1e6) / 127.0;
        let kernel = (0..outputs)
            .flat_map(|output| (0..units).map(move |unit| (unit, output)))
            .map(|(unit, output)| int8(weight(unit, output) / scale))
            .collect();
        let bias = network.dense_bias.values.iter();
        let bias = bias.flat_map(|b| ((b / scale).round().clamp(-1e9, 1e9) as i32).to_le_bytes()).collect();
        Self { outputs, kernel, bias, scale }
    }

    pub(super) fn view(&self) -> Dense<'_> {
        Dense { outputs: self.outputs as u32, kernel: &self.kernel, bias: &self.bias, scale: self.scale }
    }
}
