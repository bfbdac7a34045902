//! Messages: a header, then a [`Request`] or a [`Response`].
//!
//! The header is the same in all versions, so that a device and a host of different versions can tell. Bodies may
//! change with [`VERSION`]. See the crate for an example.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::frame;

/// The version of the bodies.
pub const VERSION: u8 = 1;

/// The largest number of scores in one message.
pub const SCORES: usize = 16;

/// The largest number of bytes of a class's name in a message. A longer name is cut between characters.
pub const LABEL: usize = 128;

/// Precedes every body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// The version of the body.
    pub version: u8,
    /// A number that the host chooses for each new request. The response has the same.
    pub sequence: u16,
}

/// A header and a body, as they are serialized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Message<B> {
    /// The header.
    pub header: Header,
    /// A [`Request`] or a [`Response`].
    pub body: B,
}

/// Reads the header of a message; returns it and the bytes of the body. See the crate for an example.
///
/// # Errors
///
/// Those of postcard, if the message is too short for a header.
pub fn header(message: &[u8]) -> postcard::Result<(Header, &[u8])> {
    postcard::take_from_bytes(message)
}

/// Reads a body, which must end where the message ends. See the crate for an example.
///
/// # Errors
///
/// Those of postcard, if the bytes are not a `B`.
pub fn body<'m, B: Deserialize<'m>>(bytes: &'m [u8]) -> postcard::Result<B> {
    match postcard::take_from_bytes(bytes)? {
        (body, []) => Ok(body),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// The checksum by which a model is recognized: the CRC-32 of all bytes of its file but the last four.
///
/// The last four bytes of an undamaged file are this number, so that a device which has checked the file need not
/// compute it. (The CRC-32 of a whole file is the same number for all files, since they end with their own.)
///
/// ```
/// use kilornn_link::message::checksum;
///
/// assert_ne!(checksum(b"one model...."), checksum(b"another model"));
/// ```
#[must_use]
pub fn checksum(file: &[u8]) -> u32 {
    frame::checksum(file.split_last_chunk::<4>().map_or(&[], |(before, _)| before))
}

/// What a host asks for. Each request may be repeated and then has the same response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Request<'m> {
    /// Asks for device and model: [`Response::Info`].
    Info,
    /// Asks for the name of a class: [`Response::Label`].
    Label {
        /// The number of the class.
        class: u32,
    },
    /// A piece of a text to classify: [`Response::Received`].
    Text {
        /// Bytes of the text before this piece; with zero a text begins.
        offset: u32,
        /// The piece, at most [`CHUNK`](crate::frame::CHUNK) bytes. It may end inside a character.
        bytes: &'m [u8],
    },
    /// Ends the text and asks for its prediction: [`Response::Prediction`].
    Classify {
        /// Bytes of the whole text.
        length: u32,
    },
    /// Asks for logits and probabilities of the text that was classified last: [`Response::Scores`].
    Scores {
        /// The first class of the scores.
        first: u32,
    },
    /// Asks for counts since the device started: [`Response::Statistics`].
    Statistics,
    /// Announces a model that will be sent: [`Response::Received`], with zero bytes.
    Update(Update),
    /// A piece of the model: [`Response::Received`].
    Piece {
        /// Bytes of the model before this piece.
        offset: u32,
        /// The piece, at most [`CHUNK`](crate::frame::CHUNK) bytes.
        bytes: &'m [u8],
    },
    /// Ends the model, which is checked and from then on the newest: [`Response::Updated`].
    Commit,
    /// Restarts the device, which then runs the newest model: [`Response::Restarting`].
    Restart,
}

/// A model that will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Update {
    /// Bytes of its file.
    pub length: u32,
    /// The [`checksum`] of its file.
    pub checksum: u32,
    /// Its revision, which must be higher than the newest in the flash; if there is none, it gets the next.
    pub revision: Option<u32>,
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Response<'m> {
    /// Device and model.
    #[serde(borrow)]
    Info(Info<'m>),
    /// The name of a class.
    Label(&'m str),
    /// A piece has arrived.
    Received {
        /// Bytes of the text or the model so far.
        length: u32,
    },
    /// What the model says of the text.
    Prediction(Predicted),
    /// Scores of consecutive classes, from the first that was asked for.
    Scores(Vec<Score, SCORES>),
    /// Counts since the device started.
    Statistics(Statistics),
    /// The model is in the flash and runs after the next restart.
    Updated {
        /// Its revision.
        revision: u32,
    },
    /// The device restarts as soon as this is sent.
    Restarting,
    /// The request cannot be fulfilled and has changed nothing.
    Refused(Refusal<'m>),
}

/// Device and model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Info<'m> {
    /// The firmware's version.
    pub firmware: &'m str,
    /// The board's name.
    pub board: &'m str,
    /// Ticks of the board's clock in a second.
    pub ticks_per_second: u32,
    /// The capacity for inputs of a step: hidden units, and numbers of a projected embedding.
    pub units: u32,
    /// The capacity for remembered words.
    pub window: u32,
    /// The largest number of bytes of a model that is sent; zero if the board's flash is not written.
    pub room: u32,
    /// The model that runs, if there is one.
    pub model: Option<RunningModel>,
}

/// The model that runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RunningModel {
    /// Where it is stored.
    pub source: Source,
    /// Bytes of its file.
    pub length: u32,
    /// The [`checksum`] of its file.
    pub checksum: u32,
    /// The number of classes.
    pub classes: u32,
    /// The number of hidden units.
    pub units: u32,
    /// The number of slots of its vocabulary.
    pub slots: u32,
    /// The real logit of an integer logit of 1.
    pub scale: f32,
}

/// Where a model is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Source {
    /// In the program.
    BuiltIn,
    /// In a slot of the flash.
    Slot {
        /// The number of the slot, 0 or 1.
        index: u8,
        /// The revision of the model in it.
        revision: u32,
    },
}

/// What the model says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Predicted {
    /// The most probable class.
    pub class: u32,
    /// Its probability.
    pub score: f32,
    /// The number of words in the text.
    pub words: u32,
    /// The number of these words that are in the vocabulary.
    pub known: u32,
    /// Ticks of the board's clock that the classifier took.
    pub ticks: u64,
}

/// What the model says of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Score {
    /// The integer logit. If a model of two classes has a single logit, this is class 1's, and class 0 has its negative.
    pub logit: i32,
    /// The probability.
    pub probability: f32,
}

/// Counts since the device started.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics {
    /// Bytes that were received.
    pub bytes: u32,
    /// How often received bytes were lost.
    pub losses: u32,
    /// Frames that were understood.
    pub frames: u32,
    /// Frames whose COBS encoding or checksum was wrong.
    pub malformed: u32,
    /// Frames that were too long.
    pub oversized: u32,
    /// Frames whose end did not arrive.
    pub truncated: u32,
    /// Requests that were refused.
    pub refused: u32,
    /// Texts that were classified, both those of requests and typed lines.
    pub texts: u32,
    /// The longest time, in ticks, between two reads of the line, without the time for sending.
    pub longest: u32,
    /// The largest number of bytes that were sent between two reads of the line.
    pub sent: u32,
    /// The largest number of bytes of the stack that were in use.
    pub stack: u32,
}

/// Why a request cannot be fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal<'m> {
    /// The device has another version.
    Version {
        /// The device's version.
        supported: u8,
    },
    /// There is no such request.
    Unknown,
    /// A piece does not follow the bytes received so far, or a length is not theirs.
    Offset {
        /// Bytes received so far.
        received: u32,
    },
    /// There is no such class.
    Class {
        /// The number of classes.
        classes: u32,
    },
    /// No text has been classified since the last piece of one.
    NotClassified,
    /// No model runs.
    NoModel,
    /// The board's flash is not written.
    ReadOnly,
    /// The model does not fit into the flash.
    TooLong {
        /// The largest number of bytes that do.
        room: u32,
    },
    /// The model's revision is not higher than the newest in the flash.
    Stale {
        /// The newest revision.
        newest: u32,
    },
    /// No update has begun.
    NoUpdate,
    /// The received model has another checksum than the announced one.
    Checksum {
        /// The checksum of the received model.
        found: u32,
    },
    /// The model cannot run on this device.
    Model(
        /// The reason.
        &'m str,
    ),
    /// Erasing or writing the flash failed.
    Flash,
}
