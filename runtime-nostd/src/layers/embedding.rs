//! From a word's row to the input of the recurrence.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::kernels::{BLOCK, dot_block};
use crate::load::{at_most, exactly};

/// The embedding together with the input product of the recurrence, `W·E[word] + b`, which depends
/// on the word alone.
///
/// Weights are `i8`, stored as bytes. The integers that come out are in units of the recurrence's
/// accumulator divided by `1 << rnn.input_shift`.
///
/// ```
/// use kilornn::layers::Embedding;
///
/// // Two words, three units.
/// let embedding = Embedding::Folded { table: &[1, 2, 3, 4, 5, 0xFF] };
/// assert_eq!(embedding.input(1, 0, 3), [4, 5, -1, 0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Embedding<'a> {
    /// `W·E[word] + b` for every word, multiplied out at export: the fastest.
    Folded {
        /// `rows × units`.
        #[serde(borrow)]
        table: &'a [u8],
    },
    /// A narrow embedding and the input kernel: smaller where the embedding is narrower than the state.
    Projected {
        /// Numbers in a word's row.
        width: u32,
        /// `rows × width`.
        #[serde(borrow)]
        table: &'a [u8],
        /// The input kernel in blocks of four units: for each block and each of the `width` inputs,
        /// the four units' weights. The last block is filled up with zeros.
        kernel: &'a [u8],
        /// The bias, a little-endian `i32` for each unit, filled up with zeros to whole blocks.
        bias: &'a [u8],
    },
}

impl Embedding<'_> {
    /// The input that the word in row `row` gives to the four units from `4 * block` on, of `units`
    /// in all. See [`Embedding`] for an example.
    #[inline]
    #[must_use]
    pub fn input(&self, row: u32, block: usize, units: usize) -> [i32; 4] {
        let row = row as usize;
        match *self {
            Embedding::Folded { table } => {
                let first = block * BLOCK;
                let start = row * units + first;
                let mut input = [0; BLOCK];
                let end = start + BLOCK.min(units.saturating_sub(first));
                for (input, &value) in input.iter_mut().zip(table.get(start..end).unwrap_or_default()) {
                    *input = i32::from(value as i8);
                }
                input
            }
            Embedding::Projected { width, table, kernel, bias } => {
                let width = width as usize;
                let values = table.get(row * width..(row + 1) * width).unwrap_or_default();
                let weights = kernel.get(block * BLOCK * width..).unwrap_or_default();
                let mut sums = dot_block(weights, values);
                let (bias, _) = bias.as_chunks::<4>();
                for (sum, &bias) in sums.iter_mut().zip(bias.get(block * BLOCK..).unwrap_or_default()) {
                    *sum += i32::from_le_bytes(bias);
                }
                sums
            }
        }
    }

    /// Checks lengths; returns the largest magnitude that an input can have.
    pub(crate) fn check(&self, rows: u32, units: u32) -> Result<i64, Error> {
        let (rows, units) = (rows as usize, units as usize);
        let product = |a: usize, b: usize| a.saturating_mul(b);
        match *self {
            Embedding::Folded { table } => {
                exactly("bytes of the folded table", product(rows, units), table.len())?;
                Ok(128)
            }
            Embedding::Projected { width, table, kernel, bias } => {
                let (width, filled) = (width as usize, units.next_multiple_of(BLOCK));
                at_most("embedding width (at most)", 256, width)?;
                exactly("bytes of the embedding", product(rows, width), table.len())?;
                exactly("bytes of the input kernel", filled * width, kernel.len())?;
                exactly("bytes of the bias", filled * 4, bias.len())?;
                let (bias, _) = bias.as_chunks::<4>();
                let bias = bias.iter().map(|&b| i64::from(i32::from_le_bytes(b)).abs()).max().unwrap_or(0);
                Ok(bias + width as i64 * 128 * 128)
            }
        }
    }
}
