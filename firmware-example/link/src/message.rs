//! Messages: a header, then a request or a response.
//!
//! The header never changes, so that a device and a host of different versions can at least say so. Bodies may change
//! with [`VERSION`].

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::frame;

/// The version of the bodies.
pub const VERSION: u8 = 1;

/// The most scores in one message.
pub const SCORES: usize = 16;

/// The most bytes of a class's name in a message; a longer one is cut between characters.
pub const LABEL: usize = 128;

/// Stands before every body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// The version of the body.
    pub version: u8,
    /// Chosen by the host for each new request; the response has the same.
    pub sequence: u16,
}

/// A header and a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Message<B> {
    /// The header.
    pub header: Header,
    /// A [`Request`] or a [`Response`].
    pub body: B,
}

/// Reads a message's header; the bytes of its body.
///
/// # Errors
///
/// If there is none.
pub fn header(message: &[u8]) -> postcard::Result<(Header, &[u8])> {
    postcard::take_from_bytes(message)
}

/// Reads a body, which must end where the message does.
///
/// # Errors
///
/// If it is not a `B`.
pub fn body<'m, B: Deserialize<'m>>(bytes: &'m [u8]) -> postcard::Result<B> {
    match postcard::take_from_bytes(bytes)? {
        (body, []) => Ok(body),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// What tells a model's file from any other: the CRC-32 of all its bytes but the last four.
///
/// Those four hold this very number in a sound file, so that a device which has checked the file need not compute it;
/// and the CRC-32 of the whole would be the same for all files, as it is of everything that ends with its own.
#[must_use]
pub fn checksum(file: &[u8]) -> u32 {
    frame::checksum(file.split_last_chunk::<4>().map_or(&[], |(before, _)| before))
}

/// What a host asks for. Each may be repeated and then has the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Request<'m> {
    /// What device and model this is: [`Response::Info`].
    Info,
    /// The name of a class: [`Response::Label`].
    Label {
        /// Its number.
        class: u32,
    },
    /// A piece of a text to classify: [`Response::Received`].
    Text {
        /// Bytes of the text before this piece; zero begins a text.
        offset: u32,
        /// The piece, at most [`CHUNK`](crate::frame::CHUNK) bytes; characters may straddle pieces.
        bytes: &'m [u8],
    },
    /// The end of the text: [`Response::Prediction`].
    Classify {
        /// Bytes of the whole text.
        length: u32,
    },
    /// Logits and probabilities of the text that was classified last: [`Response::Scores`].
    Scores {
        /// The first class that is wanted.
        first: u32,
    },
    /// What has happened since the start: [`Response::Statistics`].
    Statistics,
    /// A model will come: [`Response::Received`], with zero bytes.
    Update(Update),
    /// A piece of the model: [`Response::Received`].
    Piece {
        /// Bytes of the model before this piece.
        offset: u32,
        /// The piece, at most [`CHUNK`](crate::frame::CHUNK) bytes.
        bytes: &'m [u8],
    },
    /// The model is complete: it is checked, and is the newest from then on: [`Response::Updated`].
    Commit,
    /// Starts the device anew, which then runs the newest model: [`Response::Restarting`].
    Restart,
}

/// A model that will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Update {
    /// Bytes of its file.
    pub length: u32,
    /// The [`checksum`] of its file.
    pub checksum: u32,
    /// Its revision, which must be higher than the newest in the flash; without one it gets the next.
    pub revision: Option<u32>,
}

/// What a device answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Response<'m> {
    /// What device and model this is.
    #[serde(borrow)]
    Info(Info<'m>),
    /// The name of a class.
    Label(&'m str),
    /// A piece was taken.
    Received {
        /// Bytes of all pieces so far.
        length: u32,
    },
    /// The text is classified.
    Prediction(Predicted),
    /// Scores of consecutive classes, from the first that was asked for.
    Scores(Vec<Score, SCORES>),
    /// What has happened since the start.
    Statistics(Statistics),
    /// The model is in the flash, and runs from the next start on.
    Updated {
        /// Its revision.
        revision: u32,
    },
    /// The device starts anew once this is sent.
    Restarting,
    /// The request cannot be fulfilled, and has changed nothing.
    Refused(Refusal<'m>),
}

/// What device and model this is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Info<'m> {
    /// The firmware's version.
    pub firmware: &'m str,
    /// The board's name.
    pub board: &'m str,
    /// Ticks of its clock in a second.
    pub ticks_per_second: u32,
    /// Room for hidden units (and numbers of an embedding).
    pub units: u32,
    /// Room for remembered words.
    pub window: u32,
    /// Room for a model that is sent; zero where the board's flash is not written.
    pub room: u32,
    /// The model that runs, if any does.
    pub model: Option<RunningModel>,
}

/// The model that runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RunningModel {
    /// Where it lies.
    pub source: Source,
    /// Bytes of its file.
    pub length: u32,
    /// The [`checksum`] of its file.
    pub checksum: u32,
    /// Classes that it tells apart.
    pub classes: u32,
    /// Hidden units.
    pub units: u32,
    /// Slots of its vocabulary.
    pub slots: u32,
    /// A logit of one, as a real number.
    pub scale: f32,
}

/// Where a model lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Source {
    /// In the program.
    BuiltIn,
    /// In a slot of the flash.
    Slot {
        /// Which of the two.
        index: u8,
        /// The revision of what is in it.
        revision: u32,
    },
}

/// What the model says about a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Predicted {
    /// The most probable class.
    pub class: u32,
    /// Its probability.
    pub score: f32,
    /// Words of the text.
    pub words: u32,
    /// Those of them in the vocabulary.
    pub known: u32,
    /// Ticks that classifying took.
    pub ticks: u64,
}

/// What the model says about one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Score {
    /// The integer logit; of two classes with one logit, the second has it, and the first its negative.
    pub logit: i32,
    /// The probability.
    pub probability: f32,
}

/// What has happened since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics {
    /// Bytes that were received.
    pub bytes: u32,
    /// Times that bytes were lost on the way in.
    pub losses: u32,
    /// Frames that were understood.
    pub frames: u32,
    /// Frames whose stuffing or checksum was wrong.
    pub malformed: u32,
    /// Frames that were too long.
    pub oversized: u32,
    /// Frames that had no end.
    pub truncated: u32,
    /// Requests that were refused.
    pub refused: u32,
    /// Texts that were classified, lines included.
    pub texts: u32,
    /// Ticks of the longest work between two looks at what had been received, without the time of sending.
    pub longest: u32,
    /// The most bytes that were sent between two looks.
    pub sent: u32,
    /// Bytes of stack that were in use at the deepest.
    pub stack: u32,
}

/// Why a request cannot be fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal<'m> {
    /// Its version is another than the device's.
    Version {
        /// The device's.
        supported: u8,
    },
    /// It is none of the requests that there are.
    Unknown,
    /// A piece that does not follow what was received, or a length that is not what was received.
    Offset {
        /// Bytes that were received.
        received: u32,
    },
    /// There is no such class.
    Class {
        /// How many there are.
        classes: u32,
    },
    /// No text has been classified since the last piece of one.
    NotClassified,
    /// There is no model to classify with.
    NoModel,
    /// The board's flash is not written.
    ReadOnly,
    /// The model is longer than the room for it.
    TooLong {
        /// Bytes of that room.
        room: u32,
    },
    /// The model is older than the newest in the flash.
    Stale {
        /// The newest revision.
        newest: u32,
    },
    /// No update has begun.
    NoUpdate,
    /// What was received is not what was announced.
    Checksum {
        /// The checksum of what was received.
        found: u32,
    },
    /// The model is of no use to this device.
    Model(
        /// Why.
        &'m str,
    ),
    /// The flash does not take it.
    Flash,
}
