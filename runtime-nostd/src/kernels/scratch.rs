//! The memory that a step needs beside the state. The kernels in assembly and the one in plain Rust need it in different
//! forms.

/// Room for the inputs of one step; nothing is kept in it from one step to the next.
///
/// A list of active inputs takes eight bytes for each ([`ActiveInput`]). With DSP instructions it takes twelve bytes for
/// two of them ([`ActivePair`]), where the last pair may be half empty; in
/// [`Order::Pairs`](crate::layers::Order::Pairs) all inputs are there, with two bytes each.
#[cfg(kilornn_assembly)]
#[derive(Debug, Clone)]
#[repr(C, align(4))]
pub(crate) struct Scratch<const UNITS: usize> {
    #[cfg(not(kilornn_assembly = "dsp"))]
    room: [ActiveInput; UNITS],
    #[cfg(kilornn_assembly = "dsp")]
    room: [[u16; 3]; UNITS],
    #[cfg(kilornn_assembly = "dsp")]
    last_half: [u16; 3],
}

#[cfg(kilornn_assembly)]
impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(not(kilornn_assembly = "dsp"))]
            room: [ActiveInput { column: 0, multiplier: 0 }; UNITS],
            #[cfg(kilornn_assembly = "dsp")]
            room: [[0; 3]; UNITS],
            #[cfg(kilornn_assembly = "dsp")]
            last_half: [0; 3],
        }
    }
}

/// An active input: one that is not zero.
#[cfg(all(kilornn_assembly, not(kilornn_assembly = "dsp")))]
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct ActiveInput {
    /// Where its column begins, in bytes from the start of the kernel.
    pub(super) column: u32,
    /// What multiplies the column.
    pub(super) multiplier: i32,
}

/// Two active inputs.
#[cfg(kilornn_assembly = "dsp")]
#[repr(C)]
pub(super) struct ActivePair {
    /// Where their columns begin, in bytes from the row of biases.
    pub(super) columns: [u32; 2],
    /// What multiplies the columns.
    pub(super) multipliers: [i16; 2],
}

/// An active input: one that is not zero.
#[cfg(not(kilornn_assembly))]
#[derive(Debug, Clone, Copy)]
pub(super) struct ActiveInput {
    /// Where its column begins, in `i16`s from the start of the kernel.
    pub(super) column: u16,
    /// What multiplies the column.
    pub(super) multiplier: i16,
}

/// Room for the active inputs of one step; nothing is kept in it from one step to the next.
#[cfg(not(kilornn_assembly))]
#[derive(Debug, Clone)]
pub(crate) struct Scratch<const UNITS: usize>(pub(super) [ActiveInput; UNITS]);

#[cfg(not(kilornn_assembly))]
impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self([ActiveInput { column: 0, multiplier: 0 }; UNITS])
    }
}
