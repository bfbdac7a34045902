//! One step of the recurrence. A kernel never changes a result: every target computes the same integers.
//!
//! [`portable`] is plain Rust, serves every target but Cortex-M, and is the oracle. `arm` is in assembly and serves
//! Cortex-M; it is the one file with unsafe code.

#[cfg(kilornn_arm)]
mod arm;
#[cfg(not(kilornn_arm))]
mod portable;

#[cfg(kilornn_arm)]
pub(crate) use arm::{Scratch, step};
#[cfg(not(kilornn_arm))]
pub(crate) use portable::{Scratch, step};

/// The dot product of one row of weights and a vector.
#[inline]
pub(crate) fn dot(weights: &[u8], input: &[i8]) -> i32 {
    weights.iter().zip(input).map(|(&w, &x)| i32::from(w as i8) * i32::from(x)).sum()
}
