//! The embedding: from the row of a word to what it adds to the recurrence.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::check::{at_least_one, at_most, exactly};

/// How a word enters the recurrence. There is a row for each slot of the vocabulary, and one more for unknown words if
/// they have one ([`Contents::rows`](crate::Contents::rows)).
///
/// ```
/// use kilornn::layers::{Embedding, Table};
///
/// assert_eq!(Embedding::Folded.width(), 0);
/// // Two words, two numbers each.
/// let projected = Embedding::Projected { width: 2, shift: 3, table: Table::Int8(&[1, 0xFF, 2, 7]) };
/// let mut multipliers = Vec::new();
/// projected.for_each_multiplier(1, |multiplier| multipliers.push(multiplier));
/// assert_eq!(multipliers, [2 << 3, 7 << 3]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Embedding<'a> {
    /// The input kernel is multiplied into the embedding at export, so that a row is the biases `W·E[word] + b` of the
    /// first layer. This is the fastest. The biases are in the layer's weights ([`SimpleRnn::weights`](super::SimpleRnn::weights)).
    Folded,
    /// A row is `width` numbers, each of which multiplies a column of the input kernel. The file is smaller if `width` is
    /// less than `units`. All rows share one row of biases.
    Projected {
        /// Numbers in a row, 1 to 256.
        width: u32,
        /// A number `n` multiplies its column as `n << shift`. At most 8 with numbers of 8 bits, 12 with 4 bits.
        shift: u8,
        /// The numbers: `rows × width`.
        #[serde(borrow)]
        table: Table<'a>,
    },
}

/// The numbers of a projected embedding, row after row.
///
/// ```
/// use kilornn::layers::{Embedding, Table};
///
/// // The lower half of a byte comes first.
/// let embedding = Embedding::Projected { width: 4, shift: 0, table: Table::Int4(&[0x7F, 0x08]) };
/// let mut numbers = Vec::new();
/// embedding.for_each_multiplier(0, |number| numbers.push(number));
/// assert_eq!(numbers, [-1, 7, -8, 0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Table<'a> {
    /// Numbers of 8 bits, -128 to 127: one in a byte.
    Int8(#[serde(borrow)] &'a [u8]),
    /// Numbers of 4 bits in two's complement, -8 to 7: two in a byte, the lower half first. A row fills whole bytes.
    Int4(#[serde(borrow)] &'a [u8]),
}

impl Table<'_> {
    /// The table's bytes.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::Table::Int4(&[0x21]).bytes(), [0x21]);
    /// ```
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        match self {
            Table::Int8(bytes) | Table::Int4(bytes) => bytes,
        }
    }

    /// The bits of a number: 8 or 4.
    ///
    /// ```
    /// assert_eq!(kilornn::layers::Table::Int4(&[]).bits(), 4);
    /// ```
    #[must_use]
    pub const fn bits(&self) -> u32 {
        match self {
            Table::Int8(_) => 8,
            Table::Int4(_) => 4,
        }
    }
}

impl Embedding<'_> {
    /// The numbers of a row: 0 if the embedding is folded.
    /// See [`Embedding`] for an example.
    #[must_use]
    pub const fn width(&self) -> u32 {
        match *self {
            Embedding::Folded => 0,
            Embedding::Projected { width, .. } => width,
        }
    }

    /// Calls `each` with what multiplies the columns of the input kernel: the [`width`](Self::width) numbers of a row,
    /// shifted, in order. There are none if there is no such row. See [`Embedding`] for an example.
    #[inline]
    pub fn for_each_multiplier(&self, row: u32, mut each: impl FnMut(i16)) {
        let Embedding::Projected { width, shift, table } = *self else { return };
        let (bytes, length, four) = match table {
            Table::Int8(bytes) => (bytes, width as usize, false),
            Table::Int4(bytes) => (bytes, width as usize / 2, true),
        };
        let start = row as usize * length;
        for &byte in bytes.get(start..start + length).unwrap_or_default() {
            let byte = i16::from(byte as i8);
            let (mut number, mut second) =
                if four { (byte << 12 >> 12, Some(byte >> 4)) } else { (byte, None) };
            loop {
                each(number << shift);
                let Some(next) = second.take() else { break };
                number = next;
            }
        }
    }

    /// Whether rows are biases of the first layer.
    #[inline]
    pub(crate) const fn is_folded(&self) -> bool {
        matches!(self, Embedding::Folded)
    }

    /// Checks lengths, and returns the largest magnitude of a multiplier.
    pub(crate) fn check(&self, rows: u32) -> Result<u32, Error> {
        let Embedding::Projected { width, shift, table } = *self else { return Ok(0) };
        let (rows, width, bits) = (rows as usize, width as usize, table.bits());
        at_least_one("embedding width", width)?;
        at_most("embedding width (at most)", 256, width)?;
        let row_bits = width * bits as usize;
        exactly("bits of an embedding's row, modulo 8,", 0, row_bits % 8)?;
        exactly("bytes of the embedding", (row_bits / 8).saturating_mul(rows), table.bytes().len())?;
        at_most("embedding shift (at most)", 16 - bits as usize, usize::from(shift))?;
        Ok(1 << (bits - 1 + u32::from(shift)))
    }
}
