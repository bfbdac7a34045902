//! Frames: a message's bytes and their CRC-32, stuffed by COBS, between two zeros.
//!
//! The zero before a frame ends whatever garbage there was; the zero after it ends the frame. COBS: Cheshire and Baker
//! 1999, *Consistent Overhead Byte Stuffing*.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Digest};
use heapless::Vec;
use postcard::ser_flavors::crc::CrcModifier;
use postcard::ser_flavors::{Cobs, Slice};
use serde::Serialize;

/// The most bytes of text or of a model in one message.
pub const CHUNK: usize = 256;

/// The most bytes of a message: a chunk, and what stands before it.
pub const MESSAGE: usize = CHUNK + 24;

/// The most bytes of a frame on the line: message, checksum, stuffing (a byte for every 254) and two zeros.
pub const FRAME: usize = MESSAGE + CHECKSUM + 2 + 2;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// That of Ethernet, of gzip, and of the model file.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Stands between frames, and in none.
const SEPARATOR: u8 = 0;

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Damage {
    /// Its stuffing or its checksum is wrong.
    Malformed,
    /// It is longer than any message can be.
    Oversized,
    /// It has no end.
    Truncated,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the frame is damaged",
            Self::Oversized => "the frame is too long",
            Self::Truncated => "the frame has no end",
        })
    }
}

impl core::error::Error for Damage {}

fn digest() -> Digest<'static, u32> {
    CRC.digest()
}

/// The CRC-32 that frames end with.
///
/// ```
/// assert_eq!(kilornn_link::frame::checksum(b"123456789"), 0xCBF4_3926);
/// ```
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// Writes a message as a frame, with its zeros, into `buffer`; [`FRAME`] bytes are enough for any.
///
/// # Errors
///
/// If the buffer is too small.
///
/// ```
/// use kilornn_link::frame::{self, FRAME};
///
/// let mut buffer = [0xFF; FRAME];
/// let frame = frame::encode(&(1u8, 0u8, "hi"), &mut buffer)?;
/// assert_eq!((frame.first(), frame.last()), (Some(&0), Some(&0)));
/// assert!(!frame[1..frame.len() - 1].contains(&0));
/// # Ok::<(), postcard::Error>(())
/// ```
pub fn encode<'b>(message: &impl Serialize, buffer: &'b mut [u8]) -> postcard::Result<&'b [u8]> {
    let (first, rest) = buffer.split_first_mut().ok_or(postcard::Error::SerializeBufferFull)?;
    *first = SEPARATOR;
    let stuffed = CrcModifier::new(Cobs::try_new(Slice::new(rest))?, digest());
    let length = postcard::serialize_with_flavor(message, stuffed)?.len();
    Ok(buffer.get(..=length).unwrap_or_default())
}

/// Undoes the stuffing of what stood between two zeros, in place, and checks the checksum; the message's length.
fn decode(stuffed: &mut [u8]) -> Result<usize, Damage> {
    let length = cobs::decode_in_place(stuffed).map_err(|_| Damage::Malformed)?;
    let whole = stuffed.get(..length).unwrap_or_default();
    let (message, checksum) = whole.split_last_chunk::<CHECKSUM>().ok_or(Damage::Malformed)?;
    if self::checksum(message) != u32::from_le_bytes(*checksum) {
        return Err(Damage::Malformed);
    }
    Ok(message.len())
}

/// What a byte was.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Piece<'s> {
    /// A byte of text, outside all frames.
    Text(u8),
    /// The first byte of a frame, or one more of its bytes.
    Inside,
    /// The last byte of a frame: here is its message.
    Message(&'s [u8]),
    /// A frame is of no use, and skipped.
    Damaged(Damage),
}

/// Tells frames from text, a byte at a time, in memory for one frame.
///
/// After any garbage at all, the next frame is understood: a zero opens a frame or ends one, and if what it ends is
/// no frame, it opens the next. (Where a frame lacks nothing but its last zero, the next zero ends it: then one more is
/// needed to open another.)
///
/// ```
/// use kilornn_link::frame::{self, FRAME, Piece, Splitter};
///
/// let mut buffer = [0; FRAME];
/// let frame = frame::encode(&"hi", &mut buffer)?;
/// let mut splitter = Splitter::new();
/// assert_eq!(splitter.push(b'a'), Piece::Text(b'a'));
/// for &byte in &frame[..frame.len() - 1] {
///     assert_eq!(splitter.push(byte), Piece::Inside);
/// }
/// assert_eq!(splitter.push(0), Piece::Message(b"\x02hi"));
/// # Ok::<(), postcard::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Splitter {
    state: State,
    /// The frame so far, stuffed.
    held: Vec<u8, { FRAME - 2 }>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames: what comes is text.
    #[default]
    Outside,
    /// After the zero that opens a frame.
    Inside,
    /// In a frame that is too long: skipped to its end.
    Overlong,
}

impl Splitter {
    /// Outside all frames.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Outside, held: Vec::new() }
    }

    /// Takes the next byte of the line.
    pub fn push(&mut self, byte: u8) -> Piece<'_> {
        match (self.state, byte) {
            (State::Outside, SEPARATOR) => {
                self.held.clear();
                self.state = State::Inside;
            }
            (State::Outside, byte) => return Piece::Text(byte),
            // Two zeros in a row: the second opens the frame.
            (State::Inside, SEPARATOR) if self.held.is_empty() => {}
            (State::Inside, SEPARATOR) => return self.end(),
            (State::Inside, byte) => {
                if self.held.push(byte).is_err() {
                    self.state = State::Overlong;
                    return Piece::Damaged(Damage::Oversized);
                }
            }
            (State::Overlong, SEPARATOR) => {
                self.held.clear();
                self.state = State::Inside;
            }
            (State::Overlong, _) => {}
        }
        Piece::Inside
    }

    fn end(&mut self) -> Piece<'_> {
        match decode(&mut self.held) {
            Ok(length) => {
                self.state = State::Outside;
                Piece::Message(self.held.get(..length).unwrap_or_default())
            }
            Err(damage) => {
                self.held.clear();
                Piece::Damaged(damage)
            }
        }
    }

    /// Gives up a frame that goes on no longer: what comes next is text, or opens another. Returns whether there was
    /// one.
    pub fn give_up(&mut self) -> bool {
        let was_inside = self.state == State::Inside && !self.held.is_empty();
        self.state = State::Outside;
        self.held.clear();
        was_inside
    }
}
