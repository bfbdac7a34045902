//! Inner loops. A kernel never changes a result: every target computes the same integers.
//!
//! [`portable`] is plain Rust, serves every target and is the oracle for any other. `arm_dsp` serves cores with
//! Arm's DSP instructions (Cortex-M4 and M7) and is the one file with unsafe code.

#[cfg(kilornn_arm_dsp)]
mod arm_dsp;
mod portable;

#[cfg(kilornn_arm_dsp)]
pub(crate) use arm_dsp::step_folded;
#[cfg(not(kilornn_arm_dsp))]
pub(crate) use portable::step_folded;
pub(crate) use portable::{BLOCK, dot, dot_block, step};

/// How accumulators become states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shifts {
    pub(crate) input: u8,
    pub(crate) recurrent: u8,
    pub(crate) output: u8,
}

impl Shifts {
    /// What makes the shift at the end round half up.
    pub(crate) const fn half(self) -> i32 {
        1 << self.output >> 1
    }
}

/// Memory of a step that nothing is kept in from one step to the next.
#[derive(Debug, Clone)]
#[repr(C)]
pub(crate) struct Scratch<const UNITS: usize> {
    /// Accumulators.
    sums: [i32; UNITS],
    /// With these, the DSP kernel has six bytes a unit and six more for its list.
    #[cfg(kilornn_arm_dsp)]
    more: ([u16; UNITS], [u16; 3]),
}

impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self {
            sums: [0; UNITS],
            #[cfg(kilornn_arm_dsp)]
            more: ([0; UNITS], [0; 3]),
        }
    }
}
