//! The grid of integers on which the device computes, as the float network sees it.

use kilornn::layers::Activation;

use super::Network;

/// Where the device's integers stand: what one step of each is worth.
///
/// ReLU lets every hidden unit be rescaled freely, so a unit's scale is absorbed into the weights that read and write
/// it, and the device requantizes by a constant shift (see [`kilornn::layers::SimpleRnn`]): 512 steps of its
/// accumulator are one of the unit's state. With tanh, a state's step is worth 1/128 in every unit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Grid {
    /// What one step of each unit's `i8` state is worth.
    pub scales: Vec<f32>,
    /// A state's step times a recurrent weight's is `2^state_shift` steps of the accumulator.
    pub state_shift: u8,
    /// A step of the folded table is `2^bias_shift` steps of the accumulator.
    pub bias_shift: u8,
}

/// Steps of the accumulator in one step of a state.
const FRACTION: f32 = (1 << Activation::FRACTION_BITS) as f32;

/// The most that the device shifts biases by.
const LARGEST_BIAS_SHIFT: f32 = 14.0;

/// Rounds to an `i8`, symmetrically: -128 is not used.
pub fn int8(value: f32) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

impl Grid {
    /// A grid on which states up to 127 times `scales` and all weights fit. With ReLU, scales are made coarser
    /// for units that read others so strongly that their recurrent weights would not fit otherwise;
    /// `clipped_bits` bits of the largest inputs are given up for a finer table.
    pub fn new(network: &Network, scales: &[f32], state_shift: u8, clipped_bits: u8) -> Self {
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
        let mut grid = Self { scales, state_shift, bias_shift: 0 };
        let inputs = network.projected();
        let factors = grid.accumulator_factors();
        let steps = inputs.chunks_exact(units).flat_map(|row| row.iter().zip(&factors));
        let largest = steps.map(|(value, factor)| (value * factor).abs()).fold(0.0, f32::max);
        let whole = (largest / 127.0).log2().ceil().clamp(0.0, LARGEST_BIAS_SHIFT) as u8;
        grid.bias_shift = whole.saturating_sub(clipped_bits);
        grid
    }

    /// Steps of the accumulator in one, for each unit.
    pub fn accumulator_factors(&self) -> Vec<f32> {
        self.scales.iter().map(|scale| FRACTION / scale).collect()
    }

    /// Steps of the folded table in one, for each unit.
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

    /// The recurrent kernel with its weights on the grid.
    pub fn round_recurrent(&self, kernel: &[f32]) -> Vec<f32> {
        let units = self.scales.len();
        let at = |(index, &weight): (usize, &f32)| {
            let (from, to) = (index / units, index % units);
            f32::from(self.recurrent_weight(weight, from, to)) / self.recurrent_factor(from, to)
        };
        kernel.iter().enumerate().map(at).collect()
    }

    /// Puts inputs (`W·E + b`, rows of one value for each unit) on the grid of the folded table.
    pub fn round_inputs(&self, inputs: &mut [f32]) {
        let factors = self.bias_factors();
        for row in inputs.chunks_exact_mut(factors.len()) {
            for (value, factor) in row.iter_mut().zip(&factors) {
                *value = f32::from(int8(*value * factor)) / factor;
            }
        }
    }
}
