//! Batch mode: reads a file of texts, writes a file of predictions.
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
//! Behind the last come the four bytes `DONE` and, in four bytes, the most bytes of the stack that were in use.

use core::fmt;

use embedded_io::{Error as _, ErrorKind, Read, Write};

use kilornn::Model;

use crate::hardware::Meter;
use crate::timed::{TimedClassifier, TimedPrediction};

/// After so many bytes of text, the predictions so far are written, so that the host sees that the device is at work.
const FLUSH_AFTER: u32 = 8 << 10;

/// The buffers of a batch.
#[derive(Debug)]
pub struct Buffers {
    /// For a piece of text.
    text: [u8; 1024],
    /// For predictions, so that not each of them is a call to the host.
    predictions: [u8; 512],
}

impl Buffers {
    /// Empty buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: [0; 1024], predictions: [0; 512] }
    }
}

/// Why a batch ended early.
#[derive(Debug)]
pub enum Error {
    /// The model was refused.
    Model(kilornn::Error),
    /// The texts cannot be read.
    Read(ErrorKind),
    /// The predictions cannot be written.
    Write(ErrorKind),
    /// The file of texts ends within a text.
    Truncated {
        /// The number of the text, from 0.
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

/// Classifies each text of `input` with the model in `built_in` and writes its prediction to `output`.
///
/// # Errors
///
/// [`Error`], if the model is refused, or if input or output fail.
pub fn run<const UNITS: usize, const WINDOW: usize>(
    built_in: &[u8],
    meter: &impl Meter,
    mut input: impl Read,
    output: impl Write,
    buffers: &mut Buffers,
) -> Result<(), Error> {
    let model = Model::from_bytes(built_in).map_err(Error::Model)?;
    let mut classifier = TimedClassifier::<_, UNITS, WINDOW>::new(&model, meter).map_err(Error::Model)?;
    let Buffers { text: chunk, predictions } = buffers;
    let mut predictions = Predictions { output, buffer: predictions, used: 0 };
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
        predictions.write(&prediction.class().to_le_bytes())?;
        predictions.write(&prediction.words().to_le_bytes())?;
        predictions.write(&ticks.to_le_bytes())?;
        for logit in prediction.logits() {
            predictions.write(&logit.to_le_bytes())?;
        }
        if unflushed >= FLUSH_AFTER {
            predictions.flush()?;
            unflushed = 0;
        }
    }
    predictions.write(b"DONE")?;
    predictions.write(&meter.peak_stack().to_le_bytes())?;
    predictions.flush()
}

/// Reads until `buffer` is full or the input ends; returns the number of bytes read.
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

/// The output, with a buffer.
struct Predictions<'b, W> {
    output: W,
    buffer: &'b mut [u8],
    used: usize,
}

impl<W: Write> Predictions<'_, W> {
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
