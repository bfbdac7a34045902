//! The application, the same on every board.

mod batch;
mod lines;
mod meter;
mod model;

use core::fmt;

use embedded_io::{Error as _, ErrorKind, Read, Write};
use kilornn::Model;

pub(crate) use batch::Buffers;
pub(crate) use meter::Meter;

use meter::Timed;

/// What there is to do.
pub(crate) enum Task<I, O> {
    /// Answer each line of the console.
    Lines,
    /// Answer each text of a file into another file.
    Batch {
        /// The texts.
        input: I,
        /// The answers.
        output: O,
    },
}

/// Why the application ended before its time.
#[derive(Debug)]
pub(crate) enum Error {
    /// The model in the flash was refused.
    Model(kilornn::Error),
    /// The console does not take the output.
    Console(ErrorKind),
    /// The texts or answers of a batch.
    Batch(batch::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Model(error) => error.fmt(f),
            Error::Console(kind) => write!(f, "the console failed: {kind}"),
            Error::Batch(error) => error.fmt(f),
        }
    }
}

impl From<kilornn::Error> for Error {
    fn from(error: kilornn::Error) -> Self {
        Error::Model(error)
    }
}

impl From<batch::Error> for Error {
    fn from(error: batch::Error) -> Self {
        Error::Batch(error)
    }
}

/// Loads the model, says on the console what it is, and does the task.
pub(crate) fn run<I: Read, O: Write>(
    console: &mut (impl Read + Write),
    task: Task<I, O>,
    buffers: &mut Buffers,
    meter: &impl Meter,
) -> Result<(), Error> {
    let bytes = model::bytes();
    let model = Model::from_bytes(bytes)?;
    let mut classifier = Timed::new(&model, meter)?;
    let contents = model.contents();
    let (classes, units, slots) = (model.classes(), contents.rnn.units, contents.vocabulary.slots);
    let version = env!("CARGO_PKG_VERSION");
    let ram = size_of_val(&model) + size_of_val(&classifier);
    writeln(
        console,
        format_args!(
            "KiloRNN {version} classes={classes} units={units} slots={slots} bytes={} ram={ram}",
            bytes.len()
        ),
    )?;
    match task {
        Task::Lines => lines::run(&mut classifier, console),
        Task::Batch { input, output } => Ok(batch::run(&mut classifier, input, output, buffers)?),
    }
}

/// Says on the console what went wrong, if anything did; returns whether all went well.
pub(crate) fn report(console: &mut impl Write, outcome: Result<(), impl fmt::Display>) -> bool {
    if let Err(error) = &outcome {
        // If the console is what failed, the exit code alone must say so.
        let _ = writeln(console, format_args!("error: {error}"));
    }
    outcome.is_ok()
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
