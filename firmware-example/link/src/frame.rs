//! Frames: a message and its CRC-32, encoded by COBS, between two zeros.
//!
//! The zero in front of a frame ends any garbage before it; the zero behind it ends the frame. COBS replaces the zeros in
//! between and takes a byte for every 254 (Cheshire and Baker 1999, *Consistent Overhead Byte Stuffing*).

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Digest};
use heapless::Vec;
use postcard::ser_flavors::crc::CrcModifier;
use postcard::ser_flavors::{Cobs, Slice};
use serde::Serialize;

/// The largest number of bytes of a text or a model in one message.
pub const CHUNK: usize = 256;

/// The largest number of bytes of a message: a chunk, and what precedes it.
pub const MESSAGE: usize = CHUNK + 24;

/// The largest number of bytes of a frame on the line: message, checksum, two bytes of COBS and two zeros.
pub const FRAME: usize = MESSAGE + CHECKSUM + 2 + 2;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// The CRC-32 of Ethernet, gzip and the model file.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The byte between frames, which no frame contains.
const SEPARATOR: u8 = 0;

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Damage {
    /// Its COBS encoding or its checksum is wrong.
    Malformed,
    /// It is longer than any message can be.
    Oversized,
    /// Its end did not arrive.
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

/// The CRC-32 of some bytes, as frames end with it.
///
/// ```
/// assert_eq!(kilornn_link::frame::checksum(b"123456789"), 0xCBF4_3926);
/// ```
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// Writes a message as a frame, with both zeros, into `buffer`, and returns the part that the frame takes. [`FRAME`]
/// bytes are enough for any message.
///
/// # Errors
///
/// `SerializeBufferFull` if the buffer is too small.
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
    let encoded = CrcModifier::new(Cobs::try_new(Slice::new(rest))?, digest());
    let length = postcard::serialize_with_flavor(message, encoded)?.len();
    Ok(buffer.get(..=length).unwrap_or_default())
}

/// Decodes in place what arrived between two zeros, checks its checksum, and returns the length of the message.
fn decode(encoded: &mut [u8]) -> Result<usize, Damage> {
    let length = cobs::decode_in_place(encoded).map_err(|_| Damage::Malformed)?;
    let whole = encoded.get(..length).unwrap_or_default();
    let (message, checksum) = whole.split_last_chunk::<CHECKSUM>().ok_or(Damage::Malformed)?;
    if self::checksum(message) != u32::from_le_bytes(*checksum) {
        return Err(Damage::Malformed);
    }
    Ok(message.len())
}

/// What a byte on the line is.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Piece<'s> {
    /// A byte of text, outside of frames.
    Text(u8),
    /// A byte of a frame, but not its last.
    Inside,
    /// The last byte of a frame, which contains this message.
    Message(&'s [u8]),
    /// A byte by which a frame turns out to be damaged. The frame is skipped.
    Damaged(Damage),
}

/// Tells frames from text, byte by byte, with memory for one frame.
///
/// After any garbage, the next frame is understood: a zero begins or ends a frame, and if what it ends is no frame, it
/// also begins the next. (If a frame lost nothing but its last zero, the next zero ends it, and one more is needed to
/// begin another.)
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
    /// The frame so far, still encoded.
    held: Vec<u8, { FRAME - 2 }>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of frames: what comes is text.
    #[default]
    Outside,
    /// After the zero that begins a frame.
    Inside,
    /// In a frame that is too long, which is skipped to its end.
    Overlong,
}

impl Splitter {
    /// A splitter outside of frames. See [`Splitter`] for an example.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Outside, held: Vec::new() }
    }

    /// Takes the next byte of the line and says what it is. See [`Splitter`] for an example.
    pub fn push(&mut self, byte: u8) -> Piece<'_> {
        match (self.state, byte) {
            (State::Outside, SEPARATOR) => {
                self.held.clear();
                self.state = State::Inside;
            }
            (State::Outside, byte) => return Piece::Text(byte),
            // Two zeros in a row: the second begins the frame.
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

    /// Gives up the frame that has begun, for example after a time-out: what comes next is text or begins another frame.
    /// Returns whether a frame had begun.
    ///
    /// ```
    /// use kilornn_link::frame::{Piece, Splitter};
    ///
    /// let mut splitter = Splitter::new();
    /// splitter.push(0);
    /// splitter.push(b'a');
    /// assert!(splitter.give_up());
    /// assert_eq!(splitter.push(b'b'), Piece::Text(b'b'));
    /// ```
    pub fn give_up(&mut self) -> bool {
        let was_inside = self.state == State::Inside && !self.held.is_empty();
        self.state = State::Outside;
        self.held.clear();
        was_inside
    }
}
