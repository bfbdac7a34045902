//! Versions of the file format.

/// The newest format version that this runtime writes and reads.
///
/// | version | what is new |
/// |---:|---|
/// | 1 | a draft that was never released, and cannot be read |
/// | 2 | everything but what the rows below say |
/// | 3 | pairs of words or characters in the vocabulary ([`Unit::has_pairs`](crate::text::Unit::has_pairs)) |
/// | 4 | GRU and LSTM, more than one layer, pads that have a row; with the feature `gru` or `lstm` of the crate |
/// | 5 | FastGRNN; with the feature `fastgrnn` |
///
/// The version in a file is the oldest that has all the file needs ([`version`](crate::file::version)), so that older devices can read it.
///
/// ```
/// # #[cfg(any(feature = "gru", feature = "lstm", feature = "fastgrnn"))]
/// assert_eq!(kilornn::file::VERSION, 5);
/// ```
pub const VERSION: u16 = if cfg!(kilornn_gates) { FASTGRNN } else { PAIRS };
/// The version that brought FastGRNN.
pub(crate) const FASTGRNN: u16 = 5;
/// The version that brought layers with gates, and stacks of layers.
pub(crate) const STACKS: u16 = 4;
/// The version that brought pairs.
pub(crate) const PAIRS: u16 = 3;
/// The oldest one that it reads.
pub(crate) const OLDEST: u16 = 2;

/// The feature of the crate, or several of which one is needed, without which files of this version cannot be read.
#[cfg(not(kilornn_gates))]
pub(crate) const fn needed(version: u16) -> Option<&'static str> {
    match version {
        STACKS => Some("gru` or `lstm"),
        FASTGRNN => Some("fastgrnn"),
        _ => None,
    }
}
