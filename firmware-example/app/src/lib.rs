//! The application, the same on every board.

#![no_std]
#![forbid(unsafe_code)]

pub mod batch;
pub mod board;
mod lines;
mod timed;

use core::fmt;

use embedded_io::{Error as _, ErrorKind, Write};
use kilornn::Model;

use board::{Board, Display, Meter, Serial, Slot};
use timed::Timed;

/// Why the application ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing will arrive any more: Ctrl-D was typed, or the emulator's serial line was closed.
    Closed,
    /// The device is to start anew.
    Restart,
}

/// Serves the serial line with the model `built_in`, or a newer one from the board's slots.
///
/// `UNITS` and `WINDOW` are the room for models: see [`kilornn::Classifier`].
pub fn run<const UNITS: usize, const WINDOW: usize>(
    board: &mut Board<impl Serial, impl Meter, impl Display, impl Slot>,
    built_in: &[u8],
) -> Ended {
    let Board { serial, meter, .. } = board;
    let outcome = serve::<UNITS, WINDOW>(serial, meter, built_in);
    if let Err(error) = outcome {
        let _ = writeln(serial, format_args!("error: {error}"));
    }
    Ended::Closed
}

fn serve<const UNITS: usize, const WINDOW: usize>(
    serial: &mut impl Serial,
    meter: &impl Meter,
    built_in: &[u8],
) -> Result<(), Error> {
    let model = Model::from_bytes(built_in)?;
    let mut classifier = Timed::<_, UNITS, WINDOW>::new(&model, meter)?;
    let version = env!("CARGO_PKG_VERSION");
    writeln(serial, format_args!("KiloRNN {version} bytes={}", built_in.len()))?;
    lines::run(&mut classifier, serial)
}

/// Why the application ended before its time.
#[derive(Debug)]
pub(crate) enum Error {
    /// The model in the flash was refused.
    Model(kilornn::Error),
    /// The console does not take the output.
    Console(ErrorKind),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Model(error) => error.fmt(f),
            Error::Console(kind) => write!(f, "the console failed: {kind}"),
        }
    }
}

impl From<kilornn::Error> for Error {
    fn from(error: kilornn::Error) -> Self {
        Error::Model(error)
    }
}

/// Writes a line as a terminal wants it.
pub(crate) fn writeln<W: Write>(console: &mut W, line: fmt::Arguments<'_>) -> Result<(), Error> {
    console.write_fmt(format_args!("{line}\r\n")).map_err(|error| {
        Error::Console(match error {
            embedded_io::WriteFmtError::FmtError => ErrorKind::Other,
            embedded_io::WriteFmtError::Other(error) => error.kind(),
        })
    })?;
    console.flush().map_err(|error| Error::Console(error.kind()))
}
