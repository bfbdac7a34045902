//! Batch mode: a file of texts in, a file of answers out.
//!
//! Numbers are little-endian. The input is a sequence of
//!
//! | bytes | what |
//! |---:|---|
//! | 4 | length of the text |
//! | n | the text |
//!
//! and the output, for each text,
//!
//! | bytes | what |
//! |---:|---|
//! | 4 | class |
//! | 4 | words |
//! | 8 | clock ticks spent in the classifier |
//! | 4 each | integer logits, one for each output of the model (signed) |
//!
//! and in the end the four bytes `DONE` and four bytes for the most stack that was in use.

use core::fmt;

use embedded_io::{Error as _, ErrorKind, Read, Write};

use kilornn::Model;

use crate::hardware::Meter;
use crate::timed::{TimedClassifier, TimedPrediction};

/// After so many bytes of text, the answers so far are written out: a sign of life.
const FLUSH_AFTER: u32 = 8 << 10;

/// The memory that a batch takes besides the classifier's.
#[derive(Debug)]
pub struct Buffers {
    /// A piece of text.
    text: [u8; 1024],
    /// Answers, so that not each of them is a call to the host.
    answers: [u8; 512],
}

impl Buffers {
    /// All empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: [0; 1024], answers: [0; 512] }
    }
}

/// Why a batch ended early.
#[derive(Debug)]
pub enum Error {
    /// The model was refused.
    Model(kilornn::Error),
    /// The texts cannot be read.
    Read(ErrorKind),
    /// The answers cannot be written.
    Write(ErrorKind),
    /// The file of texts ends within one.
    Truncated {
        /// Its number, from 0.
        text: u32,
        /// Bytes that are missing.
        missing: u32,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Model(error) => error.fmt(f),
            Error::Read(kind) => write!(f, "cannot read the file of texts: {kind}"),
            Error::Write(kind) => write!(f, "cannot write the file of answers: {kind}"),
            Error::Truncated { text, missing } => {
                write!(f, "the file of texts is cut short: text {text} lacks {missing} bytes")
            }
        }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// Answers each text of `input` into `output`, by the model in `built_in`.
///
/// # Errors
///
/// If the model is refused, or input or output fail.
pub fn run<const UNITS: usize, const WINDOW: usize>(
    built_in: &[u8],
    meter: &impl Meter,
    mut input: impl Read,
    output: impl Write,
    buffers: &mut Buffers,
) -> Result<(), Error> {
    let model = Model::from_bytes(built_in).map_err(Error::Model)?;
    let mut classifier = TimedClassifier::<_, UNITS, WINDOW>::new(&model, meter).map_err(Error::Model)?;
    let Buffers { text: chunk, answers } = buffers;
    let mut answers = Answers { output, buffer: answers, used: 0 };
    let mut unflushed: u32 = 0;
    for text in 0.. {
        let mut length = [0; 4];
        match fill(&mut input, &mut length)? {
            0 => break,
            4 => {}
            some => return Err(Error::Truncated { text, missing: 4 - some as u32 }),
        }
        let mut missing = u32::from_le_bytes(length);
        while missing > 0 {
            let most = chunk.len().min(missing as usize);
            let piece = chunk.get_mut(..most).unwrap_or_default();
            let count = input.read(piece).map_err(|error| Error::Read(error.kind()))?;
            let piece = piece.get(..count).unwrap_or_default();
            if piece.is_empty() {
                return Err(Error::Truncated { text, missing });
            }
            classifier.push(piece);
            missing -= piece.len() as u32;
            unflushed = unflushed.saturating_add(piece.len() as u32);
        }
        let TimedPrediction { prediction, ticks } = classifier.finish();
        answers.write(&prediction.class().to_le_bytes())?;
        answers.write(&prediction.words().to_le_bytes())?;
        answers.write(&ticks.to_le_bytes())?;
        for logit in prediction.logits() {
            answers.write(&logit.to_le_bytes())?;
        }
        if unflushed >= FLUSH_AFTER {
            answers.flush()?;
            unflushed = 0;
        }
    }
    answers.write(b"DONE")?;
    answers.write(&meter.peak_stack().to_le_bytes())?;
    answers.flush()
}

/// Reads until `buffer` is full or the input ends; returns how many bytes it read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = buffer.get_mut(filled..) {
        match input.read(rest).map_err(|error| Error::Read(error.kind()))? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// The output, with a buffer in front.
struct Answers<'b, W> {
    output: W,
    buffer: &'b mut [u8],
    used: usize,
}

impl<W: Write> Answers<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for &byte in bytes {
            if self.used == self.buffer.len() {
                self.flush()?;
            }
            if let Some(room) = self.buffer.get_mut(self.used) {
                *room = byte;
                self.used += 1;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let used = self.buffer.get(..self.used).unwrap_or_default();
        let written = self.output.write_all(used).and_then(|()| self.output.flush());
        self.used = 0;
        written.map_err(|error| Error::Write(error.kind()))
    }
}
