//! What the rest of the runtime asks of a cell.

use super::incoming::Incoming;
use super::share::Share;
#[cfg(kilornn_gates)]
use crate::decoder::Decoder;
#[cfg(kilornn_gates)]
use crate::version::STACKS;
use crate::{Error, Kernel};

/// A layer of some cell.
pub(super) trait Cell<'a>: Sized {
    /// The cell's name in its library.
    const NAME: &'static str;

    /// The format version of files that have such a layer.
    #[cfg(kilornn_gates)]
    fn version(&self) -> u16 {
        STACKS
    }

    /// Bits of an output, if outputs have 16 bits: the largest is 2 to this power.
    fn state_bits(&self) -> Option<u8>;

    /// The largest output stands for 2 to this power, if outputs have 16 bits.
    fn limit_bits(&self) -> u8 {
        0
    }

    /// Checks lengths and shifts, and that no sum can leave its range.
    fn check(&self, incoming: Incoming) -> Result<(), Error>;

    /// Its share of the memory, with so many inputs from below.
    fn share(&self, width: usize, kernel: Kernel) -> Share;

    /// The bytes of its weights, with this number of inputs (its own outputs among them), and with this number of rows if it
    /// reads a folded embedding.
    fn weights_len(&self, inputs: usize, rows: Option<usize>) -> usize;

    /// Reads it from a file of format 4 or later, still without weights.
    #[cfg(kilornn_gates)]
    fn read(decoder: &mut Decoder<'a>) -> postcard::Result<Self>;

    /// Writes it into such a file, without its weights; `None` if the buffer is too small.
    #[cfg(kilornn_gates)]
    fn write<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]>;
}
