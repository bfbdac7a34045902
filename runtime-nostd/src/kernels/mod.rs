//! Inner loops. A kernel never changes a result: every target computes the same integers.

mod portable;

pub(crate) use portable::{BLOCK, dot, dot_block};
