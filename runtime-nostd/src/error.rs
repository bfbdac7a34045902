//! The one error type: everything that can be wrong with a model, said so that a person can act on it.

use core::fmt;

use crate::file::OLDEST;

/// Why a model was refused.
///
/// Only loading a model ([`Model::from_bytes`](crate::Model::from_bytes)) and giving it buffers
/// ([`Classifier::new`](crate::Classifier::new)) can fail. Once both succeeded, no text can.
///
/// ```
/// use kilornn::{Error, Model};
///
/// let error = Model::from_bytes(b"GIF89a, not a model").unwrap_err();
/// assert_eq!(error, Error::NotAModel { found: *b"GIF8" });
/// assert_eq!(error.to_string(), "not a KiloRNN model: it begins with \"GIF8\", not with \"KILO\"");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The file does not begin with `KILO`.
    NotAModel {
        /// Its first four bytes.
        found: [u8; 4],
    },
    /// The file is of a format version that this runtime cannot read.
    Version {
        /// The version in the file.
        found: u16,
        /// The newest version that this runtime reads.
        supported: u16,
    },
    /// The file ends too early.
    Truncated {
        /// Bytes that its header announces.
        needed: u32,
        /// Bytes that are there.
        found: u32,
    },
    /// More bytes follow than the header announces.
    Oversized {
        /// Bytes that its header announces.
        needed: u32,
        /// Bytes that are there.
        found: u32,
    },
    /// The checksum over the file is wrong: some byte was changed.
    Checksum {
        /// The CRC-32 in the file.
        stored: u32,
        /// The CRC-32 of its bytes.
        computed: u32,
    },
    /// The checksum is right, but the bytes do not decode: the file was not written by KiloRNN.
    Undecodable,
    /// The checksum is right, but a value is out of its range: the file was not written by KiloRNN.
    Invalid {
        /// Which value.
        what: &'static str,
        /// What it must be (or, where `what` says "at most", must not exceed).
        needed: u32,
        /// What it is.
        found: u32,
    },
    /// The model does not lie at a multiple of four in memory, where every core can read its weights in words.
    Unaligned {
        /// The address of the weights, modulo 4.
        found: u32,
    },
    /// The model lower-cases all of Unicode; this build has the `unicode` feature off.
    UnicodeNeeded,
    /// A step of the model has more inputs (hidden units, and numbers of a projected embedding's row) than there
    /// is room for.
    UnitsCapacity {
        /// Inputs of the model's step.
        needed: u32,
        /// The `UNITS` of the classifier or state.
        found: u32,
    },
    /// The model must remember more words than the classifier has room for.
    WindowCapacity {
        /// Words that the model remembers.
        needed: u32,
        /// The classifier's `WINDOW`.
        found: u32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::NotAModel { found } => {
                let found = found.escape_ascii();
                write!(f, "not a KiloRNN model: it begins with \"{found}\", not with \"KILO\"")
            }
            Error::Version { found, supported } => write!(
                f,
                "the model has format version {found}, this runtime reads {OLDEST} to {supported}: update the runtime or export again"
            ),
            Error::Truncated { needed, found } => {
                write!(f, "the model is cut short: {found} of {needed} bytes")
            }
            Error::Oversized { needed, found } => {
                write!(f, "the model has {needed} bytes, but {found} were given")
            }
            Error::Checksum { stored, computed } => write!(
                f,
                "the model is damaged: its checksum is {stored:#010x}, its bytes give {computed:#010x}"
            ),
            Error::Undecodable => {
                f.write_str("the model's checksum is right but its content does not decode")
            }
            Error::Invalid { what, needed, found } => {
                write!(f, "the model's {what} should be {needed}, but found {found}")
            }
            Error::Unaligned { found } => write!(
                f,
                "the model's weights lie {found} bytes behind a multiple of four: put the file at one, as include_model! does"
            ),
            Error::UnicodeNeeded => {
                f.write_str("the model lower-cases Unicode: build the runtime with its `unicode` feature")
            }
            Error::UnitsCapacity { needed, found } => write!(
                f,
                "the model's step has {needed} inputs, the classifier room for {found}: use Classifier<{needed}>"
            ),
            Error::WindowCapacity { needed, found } => write!(
                f,
                "the model remembers {needed} words, the classifier has room for {found}: use Classifier<UNITS, {needed}>"
            ),
        }
    }
}

impl core::error::Error for Error {}
