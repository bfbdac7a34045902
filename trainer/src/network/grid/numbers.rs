//! The scales of a narrow embedding's numbers.

use super::super::Network;
use crate::recipe::EmbeddingBits;

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
    /// For each input, the real number that a step of what the device multiplies stands for: a number, shifted.
    pub columns: Vec<f32>,
}

impl Numbers {
    /// Scales for numbers up to `range` times the largest of each input, where a weight of 1.0 is `accumulator` steps for each
    /// column of the lowest layer's kernel.
    pub(super) fn new(network: &Network, accumulator: &[f32], bits: EmbeddingBits, range: f32) -> Self {
        let kernel = &network.lowest().kernel;
        let [width, columns] = kernel.shape;
        let largest_number = |input: usize| {
            network.embedding.values.iter().skip(input).step_by(width).fold(0f32, |most, v| most.max(v.abs()))
        };
        let largest_weight = |input: usize| {
            let column = &kernel.values[input * columns..][..columns];
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
