//! Line mode: a person, or a program, at the other end of a serial line.

use core::fmt;

use embedded_io::{Read, Write};
use kilornn::Prediction;

use crate::board::Meter;
use crate::timed::Timed;
use crate::{Error, writeln};

/// Bytes taken from the console at once: as many as may wait there while an answer is written.
const CHUNK: usize = 64;

/// Ends line mode, where it can end (Ctrl-D).
const END_OF_TRANSMISSION: u8 = 4;

/// Answers each line of the console, until it is at an end.
///
/// A line goes into the classifier as it arrives and may be of any length. It ends with a carriage return, a
/// line feed or both; empty lines have no answer.
pub(crate) fn run<M: Meter, const UNITS: usize, const WINDOW: usize>(
    classifier: &mut Timed<'_, M, UNITS, WINDOW>,
    console: &mut (impl Read + Write),
) -> Result<(), Error> {
    let mut line = Line::Empty;
    loop {
        let mut chunk = [0; CHUNK];
        let mut rest = match console.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => chunk.get(..count).unwrap_or_default(),
            Err(error) => {
                // Whatever is wrong with a part of a line, no answer is better than a wrong one.
                if line != Line::Broken {
                    writeln(console, format_args!("error: {error}; the line is dropped"))?;
                }
                classifier.reset();
                line = Line::Broken;
                continue;
            }
        };
        while !rest.is_empty() {
            let length = rest.iter().take_while(|&&byte| !ends_line(byte)).count();
            let (text, tail) = rest.split_at_checked(length).unwrap_or_default();
            if !text.is_empty() && line != Line::Broken {
                classifier.push(text);
                line = Line::Begun;
            }
            let Some((&end, tail)) = tail.split_first() else { break };
            if line == Line::Begun {
                let meter = classifier.meter();
                let (prediction, ticks) = classifier.finish();
                writeln(
                    console,
                    format_args!("{} ticks={ticks} stack={}", Answer(prediction), meter.peak_stack()),
                )?;
            }
            line = Line::Empty;
            if end == END_OF_TRANSMISSION {
                return Ok(());
            }
            rest = tail;
        }
    }
}

const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | END_OF_TRANSMISSION)
}

/// How far the current line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing has arrived.
    Empty,
    /// Something has.
    Begun,
    /// Something was lost: the rest is skipped.
    Broken,
}

/// A prediction as fields of a line.
struct Answer<'c>(Prediction<'c>);

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(prediction) = self;
        // In integers: `core`'s formatting of floats takes kilobytes of flash and a kilobyte of stack.
        let score = (prediction.score() * 10_000.0 + 0.5) as u32;
        write!(f, "label={} score={}.{:04} logits=", prediction.label(), score / 10_000, score % 10_000)?;
        for (index, logit) in prediction.logits().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{logit}")?;
        }
        write!(f, " words={}", prediction.words())
    }
}
