//! The scales of a layer with gates.
//!
//! Each column of the kernels (a gate of a unit) has a scale of its own, a power of two: the device shifts its accumulator to
//! the right so that the argument of tanh is in steps of 2^-16. A sigmoid is computed by tanh of half its argument.
//! Columns share a halfword two by two, and the second one's weights are rounded in 256ths (see [`kilornn::layers::Lstm`]).

use super::super::Network;
use super::super::cells::{Definition as _, with_definition};
use super::super::layer::Layer;
use super::{LARGEST_BIAS_SHIFT, LIMIT, LayerGrid, Numbers, Reads, StateGrid, shift_for};
use crate::recipe::EmbeddingBits;

/// Steps of tanh's argument that are 1.0.
const ARGUMENT: f32 = 65536.0;

/// The most that an accumulator is shifted to the right. With more, weights have no smaller steps than they need.
const LARGEST_SHIFT: i32 = 14;

/// How precise 16-bit states may be.
const STATE_BITS: std::ops::RangeInclusive<u8> = 6..=14;

/// The grid of a layer whose states are at most `limit`; or half of it, as often as accumulators could overflow otherwise, since
/// none has larger steps than the argument of tanh.
pub(super) fn grid(
    network: &Network,
    layer: &Layer,
    reads: &Reads<'_>,
    mut limit: f32,
) -> (LayerGrid, Option<Numbers>) {
    let below = match reads {
        Reads::Below(below) => Some(*below),
        Reads::Folded { .. } | Reads::Numbers { .. } => None,
    };
    loop {
        let (grid, numbers) = with_limit(network, layer, reads, limit);
        let StateGrid::Int16 { state_bits, .. } = grid.states else { return (grid, numbers) };
        let found = bounds(layer, &grid, numbers.as_ref(), below, f32::from(1u16 << state_bits));
        if limit <= 1.0 || found.iter().all(|bound| *bound < LIMIT) {
            return (grid, numbers);
        }
        limit /= 2.0;
    }
}

/// The grid at the number of state bits at which recurrent weights have the smallest steps; of nearly equal ones, the largest.
fn with_limit(
    network: &Network,
    layer: &Layer,
    reads: &Reads<'_>,
    limit: f32,
) -> (LayerGrid, Option<Numbers>) {
    let biases = match reads {
        Reads::Folded { projected, range } => largest_of_columns(projected, layer.kernel.shape[1], *range),
        Reads::Numbers { .. } | Reads::Below(_) => vec![0.0; layer.kernel.shape[1]],
    };
    let at = |bits: u8| at(network, layer, reads, &biases, States { bits, limit });
    let coarseness = |grid: &LayerGrid, bits: u8| {
        let step = |factor: &f32| (f32::from(1u16 << bits) / factor).powi(2);
        grid.factors.iter().map(step).sum::<f32>()
    };
    let mut best = at(*STATE_BITS.end());
    let mut least = coarseness(&best.0, *STATE_BITS.end());
    for bits in STATE_BITS.rev().skip(1) {
        let found = at(bits);
        // With so few bits, a weight would need an accumulator of larger steps than the argument's.
        if found.0.recurrent_steps(layer).iter().any(|step| step.abs() > 127.5) {
            break;
        }
        let coarse = coarseness(&found.0, bits);
        if coarse < 0.9 * least {
            (best, least) = (found, coarse);
        }
    }
    best
}

/// The largest magnitude of each column of some rows, times `range`.
fn largest_of_columns(rows: &[f32], columns: usize, range: f32) -> Vec<f32> {
    let mut largest: Vec<f32> = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        largest.iter_mut().zip(row).for_each(|(most, value)| *most = most.max(value.abs()));
    }
    largest.iter_mut().for_each(|most| *most *= range);
    largest
}

/// What is given of states when the other scales are sought.
#[derive(Clone, Copy)]
struct States {
    /// See [`StateGrid::Int16`], as the next.
    bits: u8,
    limit: f32,
}

impl States {
    /// The largest state, in steps.
    fn largest(self) -> f32 {
        f32::from(1u16 << self.bits)
    }

    /// Steps of 1.0.
    fn one(self) -> f32 {
        self.largest() / self.limit
    }
}

/// The grid at a given number of state bits: as fine as the weights and the words' 8-bit biases allow, of which each column's
/// largest is given, and as no accumulator overflows.
fn at(
    network: &Network,
    layer: &Layer,
    reads: &Reads<'_>,
    biases: &[f32],
    states: States,
) -> (LayerGrid, Option<Numbers>) {
    let (units, [_, columns]) = (layer.units(), layer.kernel.shape);
    let below = match reads {
        Reads::Below(below) => Some(*below),
        Reads::Folded { .. } | Reads::Numbers { .. } => None,
    };
    let is_candidate = |part| with_definition!(layer.cell, |cell| cell.is_candidate(part));
    let argument = |column: usize| if is_candidate(column / units) { ARGUMENT } else { ARGUMENT / 2.0 };
    let column_of = |values: &[f32], column: usize| {
        values.iter().skip(column).step_by(columns).fold(0f32, |most, value| most.max(value.abs()))
    };
    let mut shifts: Vec<i32> = (0..columns)
        .map(|column| {
            let strongest = column_of(&layer.recurrent_kernel.values, column).max(f32::MIN_POSITIVE);
            let of_weights = 127.0 * states.one() / (strongest * argument(column));
            let bias = biases[column].max(f32::MIN_POSITIVE);
            let of_biases = 127.0 * LARGEST_BIAS_SHIFT.exp2() / (bias * argument(column));
            (of_weights.min(of_biases).log2().floor() as i32).clamp(0, LARGEST_SHIFT)
        })
        .collect();
    loop {
        let factors: Vec<f32> =
            (0..columns).map(|column| argument(column) * 2f32.powi(shifts[column])).collect();
        let (grid, numbers) = with_factors(network, layer, reads, biases, factors, states, &shifts);
        let found = bounds(layer, &grid, numbers.as_ref(), below, states.largest());
        let kernel = if grid.inputs.is_empty() { Vec::new() } else { grid.kernel_steps(layer) };
        let mut finer = false;
        for (column, (shift, bound)) in shifts.iter_mut().zip(found).enumerate() {
            // The outputs of the layer below may not be shifted so far that weights of this size fit.
            let is_clipped = column_of(&kernel, column) > 127.5;
            if (bound >= LIMIT || is_clipped) && *shift > 0 {
                *shift -= 1;
                finer = true;
            }
        }
        if !finer {
            return (grid, numbers);
        }
    }
}

fn with_factors(
    network: &Network,
    layer: &Layer,
    reads: &Reads<'_>,
    biases: &[f32],
    factors: Vec<f32>,
    states: States,
    shifts: &[i32],
) -> (LayerGrid, Option<Numbers>) {
    let (mut inputs, mut input_shift, mut bias_shift, mut numbers) = (Vec::new(), 0, 0, None);
    match reads {
        Reads::Folded { .. } => {
            let largest = biases.iter().zip(&factors).map(|(bias, factor)| bias * factor).fold(0.0, f32::max);
            bias_shift = shift_for(largest, LARGEST_BIAS_SHIFT);
        }
        Reads::Numbers { bits, range } => {
            let found = Numbers::new(network, &factors, *bits, *range);
            inputs.clone_from(&found.columns);
            numbers = Some(found);
        }
        Reads::Below(below) => {
            (inputs, input_shift) = super::simple_rnn::from_below(layer, below, &factors);
        }
    }
    let shifts = shifts.iter().map(|&shift| shift as u8).collect();
    let states = StateGrid::Int16 { state_bits: states.bits, limit: states.limit, shifts };
    (LayerGrid { inputs, input_shift, factors, bias_shift, states }, numbers)
}

/// The largest sum of magnitudes of each column's products and bias, as the loader counts them; besides its states, of which
/// the `largest` is given in steps, the layer reads `numbers` of an embedding, outputs of the layer `below`, or rows of biases.
fn bounds(
    layer: &Layer,
    grid: &LayerGrid,
    numbers: Option<&Numbers>,
    below: Option<&LayerGrid>,
    largest: f32,
) -> Vec<f32> {
    let columns = grid.factors.len();
    let mut sums: Vec<f32> = vec![0.0; columns];
    let mut add = |steps: &[f32], largest: f32| {
        for row in steps.chunks_exact(columns) {
            // Rounding adds at most half a step, and half more in 256ths.
            sums.iter_mut().zip(row).for_each(|(sum, step)| *sum += (step.abs().min(127.0) + 1.0) * largest);
        }
    };
    add(&grid.recurrent_steps(layer), largest);
    let input = match (below.map(|below| &below.states), numbers) {
        (Some(StateGrid::Int8 { .. }), _) => 127.0 * f32::from(1u16 << grid.input_shift),
        (Some(StateGrid::Int16 { state_bits, .. }), _) => {
            f32::from(1u16 << state_bits) * f32::from(1u16 << grid.input_shift)
        }
        (None, Some(numbers)) => {
            let most = if numbers.bits == EmbeddingBits::Four { 8.0 } else { 128.0 };
            most * f32::from(1u16 << numbers.shift)
        }
        (None, None) => 0.0,
    };
    if !grid.inputs.is_empty() {
        add(&grid.kernel_steps(layer), input);
    }
    let folded = if grid.inputs.is_empty() { 129.0 * f32::from(1u16 << grid.bias_shift) } else { 0.0 };
    for (column, sum) in sums.iter_mut().enumerate() {
        // All rows of a bias, a GRU's two: in the device they are one or the other, or their sum.
        let bias: f32 = layer.bias.values.iter().skip(column).step_by(columns).map(|bias| bias.abs()).sum();
        *sum += bias * grid.factors[column] + folded + 256.0;
    }
    sums
}

/// Makes the weights' steps of a column twice as large, as often as its accumulator could overflow. Where they cannot be larger,
/// the largest state becomes half of what it was, down to 1.
pub(super) fn make_room(
    layer: &Layer,
    grid: &mut LayerGrid,
    numbers: Option<&Numbers>,
    below: Option<&LayerGrid>,
) {
    let StateGrid::Int16 { state_bits, .. } = grid.states else { return };
    let largest = f32::from(1u16 << state_bits);
    loop {
        let found = bounds(layer, grid, numbers, below, largest);
        let StateGrid::Int16 { shifts, limit, .. } = &mut grid.states else { return };
        let (mut coarser, mut beyond) = (false, false);
        for ((shift, factor), bound) in shifts.iter_mut().zip(&mut grid.factors).zip(found) {
            if bound >= LIMIT && *shift > 0 {
                *shift -= 1;
                *factor /= 2.0;
                coarser = true;
            } else {
                beyond |= bound >= LIMIT;
            }
        }
        match coarser {
            true => {}
            false if beyond && *limit > 1.0 => *limit /= 2.0,
            false => return,
        }
    }
}
