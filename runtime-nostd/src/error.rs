//! The only error type: what can be wrong with a model, with the numbers that a person needs to correct it.

use core::fmt;

use crate::version::OLDEST;

/// Why a model was refused.
///
/// Only loading a model ([`Model::from_bytes`](crate::Model::from_bytes), [`file`](mod@crate::file)) and making a
/// classifier, a session or a state for it ([`Classifier::new`](crate::Classifier::new),
/// [`Session::new`](crate::Session::new), [`State::zero`](crate::State::zero)) can fail; reading a text cannot.
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
    /// The checksum of the file is wrong: some of its bytes have changed.
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
        /// The name of the value.
        what: &'static str,
        /// The value that it must have or, if `what` says "at most", must not exceed.
        needed: u32,
        /// The value that it has.
        found: u32,
    },
    /// The file does not begin at a multiple of four in memory, which its weights must, since not every core can read
    /// words elsewhere.
    Unaligned {
        /// The address of the weights, modulo 4.
        found: u32,
    },
    /// The model lower-cases all of Unicode, which this build without the feature `unicode` cannot.
    UnicodeNeeded,
    /// The model has a layer, or several, for which this build lacks a feature.
    CellNeeded {
        /// The feature's name.
        feature: &'static str,
    },
    /// The model needs a larger `UNITS`.
    UnitsCapacity {
        /// The least `UNITS` ([`Contents::inputs`](crate::Contents::inputs)).
        needed: u32,
        /// The `UNITS` of the classifier or state.
        found: u32,
    },
    /// The model needs a larger `WINDOW`.
    WindowCapacity {
        /// Words that the model must remember.
        needed: u32,
        /// The classifier's `WINDOW`.
        found: u32,
    },
    /// The model needs a larger workspace.
    WorkspaceCapacity {
        /// Bytes that it needs ([`Model::workspace`](crate::Model::workspace)).
        needed: u32,
        /// Bytes that the session was given.
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
            Error::CellNeeded { feature } => {
                write!(f, "the model has other layers: build the runtime with its `{feature}` feature")
            }
            Error::UnitsCapacity { needed, found } => write!(
                f,
                "the model's step has {needed} inputs, the classifier room for {found}: use Classifier<{needed}>"
            ),
            Error::WindowCapacity { needed, found } => write!(
                f,
                "the model remembers {needed} words, the classifier has room for {found}: use Classifier<UNITS, {needed}>"
            ),
            Error::WorkspaceCapacity { needed, found } => {
                write!(f, "the model needs a workspace of {needed} bytes, but was given {found}")
            }
        }
    }
}

impl core::error::Error for Error {}
