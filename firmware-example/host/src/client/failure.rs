//! Why a device gave no answer, or one of no use.

use std::fmt;
use std::io;
use std::time::Duration;

use kilornn_link::message::{Refusal, VERSION};

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The line has ended.
    Gone {
        /// The error of the line.
        error: io::Error,
        /// What to check, and what was heard.
        advice: String,
    },
    /// No response came before the time-out.
    Silent {
        /// How often the request was sent.
        tries: u32,
        /// How long all this took.
        waited: Duration,
        /// What to check, and what was heard.
        advice: String,
    },
    /// The device refuses the request.
    Refused {
        /// Why. The text of [`Refusal::Model`] is in `reason` instead.
        refusal: Refusal<'static>,
        /// Why a model cannot be used, else empty.
        reason: String,
    },
    /// Device and host speak different versions.
    Version {
        /// The device's.
        device: u8,
    },
    /// The response does not belong to the request.
    Unexpected,
    /// A text or a model has more than 4 GiB.
    TooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { error, advice } => write!(f, "the line to the device has ended ({error}); {advice}"),
            Self::Silent { tries, waited, advice } => {
                let seconds = waited.as_secs_f64();
                write!(f, "no answer: a request was sent {tries} times in {seconds:.0} s; {advice}")
            }
            Self::Refused { refusal, reason } => {
                f.write_str("the device refuses: ")?;
                match refusal {
                    Refusal::Version { supported } => {
                        write!(f, "it speaks version {supported} of the protocol, and this program {VERSION}")
                    }
                    Refusal::Unknown => f.write_str("it does not know this request (is its firmware older?)"),
                    Refusal::Offset { received } => {
                        write!(f, "it has received {received} bytes, and these do not follow")
                    }
                    Refusal::Class { classes } => write!(f, "its model has {classes} classes"),
                    Refusal::NotClassified => f.write_str("no text has been classified"),
                    Refusal::NoModel => f.write_str("it has no model to classify with (`update` sends one)"),
                    Refusal::ReadOnly => f.write_str("on this board no model can be sent"),
                    Refusal::TooLong { room } => {
                        write!(f, "the model is longer than its room of {room} bytes")
                    }
                    Refusal::Stale { newest } => {
                        write!(f, "the revision must be higher than the newest in its flash, {newest}")
                    }
                    Refusal::NoUpdate => {
                        f.write_str("no update has begun (has it started anew meanwhile? Then try again)")
                    }
                    Refusal::Checksum { .. } => {
                        f.write_str("what it has received is not the model that was announced")
                    }
                    Refusal::Model(_) => write!(f, "the model is of no use to it: {reason}"),
                    Refusal::Flash => f.write_str("its flash does not take the model"),
                }
            }
            Self::Version { device } => write!(
                f,
                "the device speaks version {device} of the protocol, this program version {VERSION}: use a firmware \
                 and a `kilornn` of the same age"
            ),
            Self::Unexpected => f.write_str("the device's answer is none to what it was asked"),
            Self::TooLong => f.write_str("more than 4 GiB cannot be sent"),
        }
    }
}

impl std::error::Error for Failure {}
