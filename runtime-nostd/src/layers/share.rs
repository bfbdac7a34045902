//! The share that a layer has of a network's memory.

/// A layer's part of the memory, which lasts from step to step, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) words: usize,
    /// Words before the outputs.
    #[cfg(kilornn_gates)]
    pub(crate) outputs: usize,
}

#[cfg(any(feature = "gru", feature = "fastgrnn"))]
impl Share {
    /// That of a layer whose states have 32 bits: these, then the inputs of a step, which are the numbers that come in and the
    /// layer's outputs.
    ///
    /// Where inputs have 32 bits, outputs lie in the second half of their room as numbers of 16 bits between steps.
    pub(crate) const fn of_states(kernel: crate::Kernel, units: usize, width: usize) -> Self {
        let before = units + kernel.input_words(width);
        let room = kernel.input_words(units);
        Self { words: before + room, outputs: before + room - units / 2 }
    }
}
