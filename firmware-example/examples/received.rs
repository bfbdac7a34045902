//! A model that arrives while the program runs, and is kept in RAM. Here it comes from a file on the host; on a board
//! anything that reads bytes will do, such as a serial port.
//!
//! ```sh
//! cargo run --release --example received
//! ```

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt;

use cortex_m_rt::entry;
use kilornn::{Classifier, Model, file};
use semihosting::fs::File;
use semihosting::io::{self, Read};
use semihosting::process::ExitCode;
use semihosting::{eprintln, println};

/// Room for a model, at a multiple of four, where its weights can be read in words.
#[repr(align(4))]
struct Buffer([u8; 96 << 10]);

/// Why there is no model.
enum Error {
    /// Reading the model failed.
    Line(io::Error),
    /// Loading the model failed.
    Model(kilornn::Error),
    /// The model is longer than the buffer.
    TooLong(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Line(error) => write!(f, "the model cannot be read: {error}"),
            Error::Model(error) => error.fmt(f),
            Error::TooLong(bytes) => write!(f, "the model has {bytes} bytes, there is not as much room"),
        }
    }
}

/// Receives a model into `buffer`: first its header, which says how long it is, then the rest.
fn receive(line: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let (mut received, mut length) = (0, file::HEADER);
    while received < length {
        let room = buffer.get_mut(received..length).ok_or(Error::TooLong(length))?;
        match line.read(room).map_err(Error::Line)? {
            0 => break, // The model is cut short: loading it returns an error.
            bytes => received += bytes,
        }
        if received == file::HEADER {
            length = file::length(buffer).map_err(Error::Model)?;
        }
    }
    Ok(received)
}

fn classify(buffer: &mut [u8]) -> Result<(), Error> {
    let mut line = File::open(c"../models/imdb-compact.kilo").map_err(Error::Line)?;
    let received = receive(&mut line, buffer)?;
    println!("{received} bytes received");
    let model = Model::from_bytes(buffer.get(..received).unwrap_or_default()).map_err(Error::Model)?;
    let mut classifier: Classifier<64> = Classifier::new(&model).map_err(Error::Model)?;
    for text in ["A wonderful film, I loved every minute.", "Dull, slow and far too long."] {
        classifier.push(text);
        println!("{}: {text}", classifier.finish().label());
    }
    Ok(())
}

#[entry]
fn main() -> ! {
    static mut BUFFER: Buffer = Buffer([0; 96 << 10]);

    match classify(&mut BUFFER.0) {
        Ok(()) => ExitCode::SUCCESS.exit_process(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE.exit_process()
        }
    }
}
