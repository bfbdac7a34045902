//! The quantization grid: the numbers that the device's integers can stand for, as the float network sees them.

use kilornn::layers::Activation;

use super::Network;
use crate::recipe::EmbeddingBits;

/// The quantization scales of a network: which real number one step of each of the device's integers stands for.
///
/// ReLU lets every hidden unit be rescaled freely, so a unit's scale is absorbed into the weights that read and write
/// it, and the device requantizes by a constant shift (see [`kilornn::layers::SimpleRnn`]): 512 steps of its
/// accumulator are one of the unit's state. With tanh, a state's step is worth 1/128 in every unit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Grid {
    /// The scale of each unit's `i8` state: the real number that one step of it stands for.
    pub scales: Vec<f32>,
    /// A state's step times a recurrent weight's is `2^state_shift` steps of the accumulator.
    pub state_shift: u8,
    /// A step of a bias, or of the folded table, is `2^bias_shift` steps of the accumulator.
    pub bias_shift: u8,
    /// The scales of a narrow embedding; none if the embedding is folded into a row of biases for each word.
    pub numbers: Option<Numbers>,
}

/// The quantization scales of a narrow embedding and of the input kernel.
///
/// Only the product of the scale of an input's numbers and the scale of its column of the kernel is given; how it is shared
/// out between the two is free. The shift of the numbers to the left is the smallest at which both fit for all inputs. What
/// room is left is shared equally if numbers have eight bits; if they have four, all of it goes to the numbers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Numbers {
    /// Bits of a number.
    pub bits: EmbeddingBits,
    /// By how much the device shifts numbers to the left.
    pub shift: u8,
    /// For each input, how many steps of its numbers are 1.0: the inverse of their scale.
    pub factors: Vec<f32>,
    /// For each input, how many steps of its column's weights are one step of the accumulator.
    pub columns: Vec<f32>,
}

impl Numbers {
    /// Scales for numbers up to `range` times the largest of each input, where a weight of 1.0 is `accumulator` steps for each
    /// unit.
    fn new(network: &Network, accumulator: &[f32], bits: EmbeddingBits, range: f32) -> Self {
        let [width, units] = network.kernel.shape;
        let largest_number = |input: usize| {
            network.embedding.values.iter().skip(input).step_by(width).fold(0f32, |most, v| most.max(v.abs()))
        };
        let largest_weight = |input: usize| {
            let column = &network.kernel.values[input * units..][..units];
            column.iter().zip(accumulator).fold(0f32, |most, (w, factor)| most.max(w.abs() * factor))
        };
        let ranges: Vec<(f32, f32)> = (0..width)
            .map(|input| {
                let number = range * largest_number(input);
                (number.max(f32::MIN_POSITIVE), largest_weight(input).max(f32::MIN_POSITIVE))
            })
            .collect();
        let product = ranges.iter().map(|(number, weight)| number * weight).fold(0.0, f32::max);
        let most = bits.largest();
        let shift = (product / (most * 127.0)).log2().ceil().clamp(0.0, bits.largest_shift()) as u8;
        let step = f32::from(1u16 << shift);
        let (factors, columns) = ranges
            .iter()
            .map(|(number, weight)| {
                let whole = match bits {
                    EmbeddingBits::Eight => (number * weight / step).sqrt().clamp(1.0, most),
                    EmbeddingBits::Four => most,
                };
                (whole / number, number / (whole * step))
            })
            .unzip();
        Self { bits, shift, factors, columns }
    }

    /// Rounds rows of an embedding to the grid.
    pub fn round(&self, rows: &mut [f32]) {
        let most = self.bits.largest();
        for row in rows.chunks_exact_mut(self.factors.len()) {
            for (value, factor) in row.iter_mut().zip(&self.factors) {
                *value = (*value * factor).round().clamp(-most, most) / factor;
            }
        }
    }

    /// The device's numbers for rows of an embedding.
    pub fn whole<'a>(&'a self, rows: impl IntoIterator<Item = &'a f32>) -> impl Iterator<Item = i8> {
        let most = self.bits.largest();
        let factors = self.factors.iter().cycle();
        rows.into_iter()
            .zip(factors)
            .map(move |(value, factor)| (value * factor).round().clamp(-most, most) as i8)
    }
}

impl EmbeddingBits {
    /// The largest number, and its negative.
    fn largest(self) -> f32 {
        match self {
            Self::Four => 7.0,
            Self::Eight => 127.0,
        }
    }

    /// By how much a number may be shifted.
    fn largest_shift(self) -> f32 {
        match self {
            Self::Four => 12.0,
            Self::Eight => 8.0,
        }
    }
}

/// Steps of the accumulator in one step of a state.
const FRACTION: f32 = (1 << Activation::FRACTION_BITS) as f32;

/// The most that the device shifts biases by.
const LARGEST_BIAS_SHIFT: f32 = 14.0;

/// Rounds to an `i8`, symmetrically: -128 is not used.
pub(crate) fn int8(value: f32) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

impl Grid {
    /// A grid on which states up to 127 times `scales` fit, and all weights. With ReLU, the scale of a unit is made coarser if
    /// its recurrent weights would not fit otherwise. The embedding is folded, or has numbers of so many `bits`. Numbers beyond
    /// `range` times the largest are clipped, so that the steps of the others are finer.
    pub fn new(
        network: &Network,
        scales: &[f32],
        state_shift: u8,
        bits: Option<EmbeddingBits>,
        range: f32,
    ) -> Self {
        let units = network.units();
        let kernel = &network.recurrent_kernel.values;
        let mut scales = scales.to_vec();
        if network.activation == Activation::Relu {
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
        let mut grid = Self { scales, state_shift, bias_shift: 0, numbers: None };
        let accumulator = grid.accumulator_factors();
        let largest = |biases: &[f32]| {
            let steps = biases.chunks_exact(units).flat_map(|row| row.iter().zip(&accumulator));
            steps.map(|(value, factor)| (value * factor).abs()).fold(0.0, f32::max)
        };
        let most = match bits {
            None => range * largest(&network.projected()),
            Some(_) => largest(&network.bias.values),
        };
        grid.bias_shift = (most / 127.0).log2().ceil().clamp(0.0, LARGEST_BIAS_SHIFT) as u8;
        grid.numbers = bits.map(|bits| Numbers::new(network, &accumulator, bits, range));
        grid
    }

    /// Whether all scales are finite. Those of units that excite each other may not be.
    pub fn is_finite(&self) -> bool {
        let numbers = self.numbers.iter().flat_map(|numbers| numbers.factors.iter().chain(&numbers.columns));
        self.scales.iter().chain(numbers).all(|value| value.is_finite())
    }

    /// How many steps of the accumulator are 1.0, for each unit.
    pub fn accumulator_factors(&self) -> Vec<f32> {
        self.scales.iter().map(|scale| FRACTION / scale).collect()
    }

    /// How many steps of a bias are 1.0, for each unit.
    pub fn bias_factors(&self) -> Vec<f32> {
        let step = f32::from(1u16 << self.bias_shift);
        self.accumulator_factors().iter().map(|factor| factor / step).collect()
    }

    /// The device's recurrent weight from a unit to another.
    pub fn recurrent_weight(&self, weight: f32, from: usize, to: usize) -> i8 {
        int8(weight * self.recurrent_factor(from, to))
    }

    fn recurrent_factor(&self, from: usize, to: usize) -> f32 {
        self.scales[from] / self.scales[to] * (FRACTION / f32::from(1u16 << self.state_shift))
    }

    /// The recurrent kernel, `units × units`, rounded to the grid.
    pub fn round_recurrent(&self, kernel: &[f32]) -> Vec<f32> {
        let units = self.scales.len();
        let at = |(index, &weight): (usize, &f32)| {
            let (from, to) = (index / units, index % units);
            f32::from(self.recurrent_weight(weight, from, to)) / self.recurrent_factor(from, to)
        };
        kernel.iter().enumerate().map(at).collect()
    }

    /// The device's weight from an input's number to a unit.
    pub fn input_weight(&self, numbers: &Numbers, weight: f32, input: usize, to: usize) -> i8 {
        int8(weight * self.input_factor(numbers, input, to))
    }

    fn input_factor(&self, numbers: &Numbers, input: usize, to: usize) -> f32 {
        FRACTION / self.scales[to] * numbers.columns[input]
    }

    /// The input kernel, `width × units`, rounded to the grid.
    pub fn round_kernel(&self, numbers: &Numbers, kernel: &[f32]) -> Vec<f32> {
        let units = self.scales.len();
        let at = |(index, &weight): (usize, &f32)| {
            let (input, to) = (index / units, index % units);
            f32::from(self.input_weight(numbers, weight, input, to)) / self.input_factor(numbers, input, to)
        };
        kernel.iter().enumerate().map(at).collect()
    }

    /// Rounds rows of one bias for each unit (the network's, or `W·E + b` of words) to the grid.
    pub fn round_biases(&self, biases: &mut [f32]) {
        let factors = self.bias_factors();
        for row in biases.chunks_exact_mut(factors.len()) {
            for (value, factor) in row.iter_mut().zip(&factors) {
                *value = f32::from(int8(*value * factor)) / factor;
            }
        }
    }
}
