//! The kernels, as far as the memory of a step depends on them.

/// How a target's kernel keeps numbers in memory. All kernels compute the same integers.
///
/// ```
/// use kilornn::Kernel;
///
/// // This test runs on a computer.
/// assert_eq!(Kernel::TARGET, Kernel::Portable);
/// assert_eq!(Kernel::Wide.list_bytes(32), 256);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kernel {
    /// Plain Rust, for every target that has no kernel in assembly.
    Portable,
    /// Arm's DSP instructions (Cortex-M4, M7), which multiply two numbers of 16 bits in a word.
    Dsp,
    /// Cortex-M0, M3, M33 and RISC-V, where what a step of GRU or LSTM multiplies has 32 bits.
    Wide,
}

impl Kernel {
    /// That of the target of this build.
    pub const TARGET: Self = if cfg!(kilornn_assembly = "dsp") {
        Self::Dsp
    } else if cfg!(kilornn_assembly) {
        Self::Wide
    } else {
        Self::Portable
    };

    /// The bytes of the list of inputs that a SimpleRNN's step with so many inputs needs beside the states; see [`Kernel`]
    /// for an example.
    #[must_use]
    pub const fn list_bytes(self, inputs: usize) -> usize {
        match self {
            Self::Portable => inputs.saturating_mul(4),
            Self::Dsp => inputs.div_ceil(2).saturating_mul(12),
            Self::Wide => inputs.saturating_mul(8),
        }
    }

    /// The words that a vector of so many inputs of a step with gates takes: two inputs in a word, or one.
    #[cfg(kilornn_gates)]
    pub(crate) const fn input_words(self, inputs: usize) -> usize {
        match self {
            Self::Portable | Self::Dsp => inputs / 2,
            Self::Wide => inputs,
        }
    }
}
