//! One step of the recurrence. All kernels compute the same integers.
//!
//! `portable` is plain Rust, works on every target and is the oracle for the others. `assembly` is for Cortex-M and for
//! RISC-V with multiplication, and the only file with unsafe code.

#[cfg(kilornn_assembly)]
mod assembly;
#[cfg(not(kilornn_assembly))]
mod portable;

#[cfg(kilornn_assembly)]
pub(crate) use assembly::{Scratch, step};
#[cfg(not(kilornn_assembly))]
pub(crate) use portable::{Scratch, step};

/// The dot product of one row of weights and a vector.
#[inline]
pub(crate) fn dot(weights: &[u8], input: &[i8]) -> i32 {
    weights.iter().zip(input).map(|(&w, &x)| i32::from(w as i8) * i32::from(x)).sum()
}
