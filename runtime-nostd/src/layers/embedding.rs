//! From a word's row to what it adds to the recurrence.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::load::{at_least_one, at_most, exactly};

/// How a word enters the recurrence. Rows are the slots of the vocabulary, and one more for unknown words if
/// they have one.
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
    /// Each row has biases of its own, `W·E[word] + b`, multiplied out at export: the fastest. They stand in
    /// [`SimpleRnn::weights`](super::SimpleRnn::weights).
    Folded,
    /// Each row has a few numbers, by which the columns of the input kernel are multiplied: smaller where they
    /// are fewer than hidden units. All rows share one row of biases.
    Projected {
        /// Numbers in a row, 1 to 256.
        width: u32,
        /// A number `n` multiplies its column as `n << shift`; at most 8 with `i8` numbers, 12 with four bits.
        shift: u8,
        /// The numbers.
        #[serde(borrow)]
        table: Table<'a>,
    },
}

/// The numbers of a narrow embedding, row by row.
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
    /// A byte each, as `i8`.
    Int8(#[serde(borrow)] &'a [u8]),
    /// Four bits each, two's complement, -8 to 7; two in a byte. A row fills whole bytes.
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

    /// Bits of a number.
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
    /// How many numbers a row has besides biases: none if the embedding is folded.
    /// See [`Embedding`] for an example.
    #[must_use]
    pub const fn width(&self) -> u32 {
        match *self {
            Embedding::Folded => 0,
            Embedding::Projected { width, .. } => width,
        }
    }

    /// Calls `each` with the numbers by which a row multiplies the columns of the input kernel, all
    /// [`width`](Self::width) of them in order. See [`Embedding`] for an example.
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

    /// How many rows of biases there are, given the rows of the embedding.
    pub(crate) const fn bias_rows(&self, rows: u32) -> u32 {
        match self {
            Embedding::Folded => rows,
            Embedding::Projected { .. } => 1,
        }
    }

    /// Which row of biases goes with a row.
    pub(crate) const fn bias_row(&self, row: u32) -> u32 {
        match self {
            Embedding::Folded => row,
            Embedding::Projected { .. } => 0,
        }
    }

    /// Checks lengths; returns the largest magnitude of a multiplier.
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
