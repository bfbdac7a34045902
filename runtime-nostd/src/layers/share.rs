//! The share that a layer has of a network's memory.

/// A layer's part of the memory, which lasts from step to step, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) words: usize,
    /// Words before the outputs.
    #[cfg(kilornn_gates)]
    pub(crate) outputs: usize,
}
