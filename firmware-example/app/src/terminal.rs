//! The terminal: a person at the other end of the serial line, who types texts and reads labels.
//!
//! The device echoes what is typed, since a terminal shows only what it receives. The last bytes of a line are held, so
//! that they can be erased. When a line becomes longer than the buffer, its beginning goes into the classifier, so that a
//! line may be of any length.

use core::fmt;

use embedded_io::Write;
use heapless::Vec;
use kilornn_link::message::Source;

use crate::hardware::{Display, Meter, Serial};
use crate::loaded::{Loaded, Running};
use crate::timed::TimedPrediction;
use crate::{Device, Ended};

/// The size of the buffer. At least half of so many bytes can be erased.
const HELD: usize = 160;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BELL: u8 = 7;
const BACKSPACE: u8 = 8;
const TAB: u8 = b'\t';
const LINE_FEED: u8 = b'\n';
const RETURN: u8 = b'\r';
const CTRL_U: u8 = 21;
const ESCAPE: u8 = 27;
const DELETE: u8 = 127;

const PROMPT: &[u8] = b"> ";

const HELP: &str = "\
Type a text and press Enter: its label, the label's probability, words (known ones), time.\r
  help       this\r
  info       the model, and what has happened since the start\r
  Backspace  erases a character, Ctrl-C or Ctrl-U the line; Ctrl-D ends\r
Programs speak in frames: `kilornn device PORT info` shows more, `kilornn device PORT update MODEL`\r
sends another model.\r
";

/// The line that is being typed.
pub(crate) struct Terminal {
    /// The end of the line, which can be erased.
    held: Vec<u8, HELD>,
    /// What precedes it in the line.
    before: Before,
    escape: Escape,
    /// The last byte was a carriage return: a line feed behind it belongs to the same line end.
    returned: bool,
}

/// The beginning of a line, before what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Everything is held.
    Nothing,
    /// The beginning is in the classifier.
    Streamed,
    /// Bytes were lost: the line is skipped.
    Broken,
}

/// The part of an escape sequence that has arrived: arrow keys and others, which are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    /// After the escape itself.
    Begun,
    /// After `ESC [` or `ESC O`.
    Inside,
}

impl Terminal {
    pub(crate) const fn new() -> Self {
        Self { held: Vec::new(), before: Before::Nothing, escape: Escape::None, returned: false }
    }

    /// Sends the greeting and a prompt.
    pub(crate) fn greet<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &self,
        device: &mut Device<'_, S, M, D>,
        loaded: &Loaded<'_, M, UNITS, WINDOW>,
    ) -> Result<(), S::Error> {
        let version = env!("CARGO_PKG_VERSION");
        write(&mut device.serial, format_args!("\r\nKiloRNN {version} on {}, {loaded}\r\n", device.name))?;
        write(&mut device.serial, format_args!("Type a text and press Enter; `help` says more.\r\n"))?;
        device.serial.write_all(PROMPT)?;
        device.serial.flush()
    }

    /// Takes a byte that was typed; returns why the application ends, if it does. `is_last` says that no byte has arrived
    /// behind it yet.
    pub(crate) fn push<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        byte: u8,
        is_last: bool,
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Result<Option<Ended>, S::Error> {
        let returned = core::mem::replace(&mut self.returned, byte == RETURN);
        if self.is_part_of_key(byte) {
            return Ok(None);
        }
        match byte {
            LINE_FEED if returned => {}
            RETURN | LINE_FEED => self.enter(device, loaded)?,
            BACKSPACE | DELETE => self.erase(device)?,
            CTRL_C | CTRL_U => {
                self.drop_line(loaded);
                device.serial.write_all(b"^C\r\n")?;
                device.serial.write_all(PROMPT)?;
            }
            // With other bytes behind it, it is part of something that nobody typed: see `QUIET_MS`.
            CTRL_D if self.is_empty() && is_last && device.is_quiet()? => return Ok(Some(Ended::Closed)),
            TAB | 32.. => self.insert(byte, device, loaded)?,
            _ => device.serial.write_all(&[BELL])?,
        }
        Ok(None)
    }

    /// Forgets the line.
    pub(crate) fn drop_line<M: Meter, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) {
        if !self.is_empty() {
            self.held.clear();
            self.before = Before::Nothing;
            loaded.reset();
        }
    }

    /// Bytes were lost: the line is not classified, since its label could be wrong.
    pub(crate) fn break_line<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Result<(), S::Error> {
        let was_broken = self.before == Before::Broken;
        self.held.clear();
        loaded.reset();
        self.before = Before::Broken;
        match was_broken {
            true => Ok(()),
            false => write(
                &mut device.serial,
                format_args!("\r\nerror: text arrived faster than it was read; the line is dropped\r\n"),
            ),
        }
    }

    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.before == Before::Nothing
    }

    fn is_part_of_key(&mut self, byte: u8) -> bool {
        let (is_part, next) = match (self.escape, byte) {
            (_, ESCAPE) => (true, Escape::Begun),
            (Escape::Begun, b'[' | b'O') => (true, Escape::Inside),
            (Escape::Inside, b' '..=b'?') => (true, Escape::Inside),
            (Escape::Inside, b'@'..=b'~') => (true, Escape::None),
            _ => (false, Escape::None),
        };
        self.escape = next;
        is_part
    }

    fn insert<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        byte: u8,
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Result<(), S::Error> {
        device.serial.write_all(&[if byte == TAB { b' ' } else { byte }])?;
        if self.before == Before::Broken {
            return Ok(());
        }
        if self.held.is_full() {
            let (older, newer) = self.held.split_at_checked(HELD / 2).unwrap_or_default();
            loaded.push(older);
            self.before = Before::Streamed;
            self.held = newer.iter().copied().collect();
        }
        // There is room now.
        let _ = self.held.push(byte);
        Ok(())
    }

    /// Erases the last character, if it is held.
    fn erase<S: Serial, M: Meter, D: Display>(
        &mut self,
        device: &mut Device<'_, S, M, D>,
    ) -> Result<(), S::Error> {
        let length = self.held.len();
        while self.held.pop().is_some_and(is_continuation) {}
        device.serial.write_all(match self.held.len() == length {
            true => &[BELL],
            false => b"\x08 \x08",
        })
    }

    /// Ends the line: it is a command or a text.
    fn enter<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Result<(), S::Error> {
        device.serial.write_all(b"\r\n")?;
        let before = core::mem::replace(&mut self.before, Before::Nothing);
        match (before, self.held.trim_ascii()) {
            (Before::Broken, _) | (Before::Nothing, b"") => {}
            (Before::Nothing, b"help") => device.serial.write_all(HELP.as_bytes())?,
            (Before::Nothing, b"info") => info(device, loaded)?,
            _ => {
                loaded.push(&self.held);
                classify(device, loaded)?;
            }
        }
        self.held.clear();
        device.serial.write_all(PROMPT)
    }
}

/// Whether a byte continues a character in UTF-8.
const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Classifies the text that was pushed, and sends its prediction.
fn classify<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
    device: &mut Device<'_, S, M, D>,
    loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
) -> Result<(), S::Error> {
    let running = match &mut loaded.running {
        Ok(running) => running,
        Err(error) => return write(&mut device.serial, format_args!("error: no model runs: {error}\r\n")),
    };
    let TimedPrediction { prediction, ticks } = running.classifier.finish();
    device.classified(prediction.label(), prediction.class());
    let (words, known) = (prediction.words(), prediction.known_words());
    // In integers, since `core`'s formatting of floats takes kilobytes of flash and a kilobyte of stack.
    let score = (prediction.score() * 10_000.0 + 0.5) as u32;
    let (score, fraction) = (score / 10_000, score % 10_000);
    let microseconds = ticks.saturating_mul(1_000_000) / u64::from(M::TICKS_PER_SECOND);
    let (ms, us) = (microseconds / 1000, microseconds % 1000);
    let words_are = if words == 1 { "word" } else { "words" };
    write(
        &mut device.serial,
        format_args!(
            "{} {score}.{fraction:04} ({words} {words_are}, {known} known, {ms}.{us:03} ms)\r\n",
            prediction.label()
        ),
    )
}

/// Sends what the command `info` shows.
fn info<S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
    device: &mut Device<'_, S, M, D>,
    loaded: &Loaded<'_, M, UNITS, WINDOW>,
) -> Result<(), S::Error> {
    write(&mut device.serial, format_args!("{loaded}\r\n"))?;
    if let Ok(Running { model, .. }) = &loaded.running {
        for class in 0..model.classes() {
            write(&mut device.serial, format_args!("  class {class}: {}\r\n", model.label(class)))?;
        }
    }
    let statistics = device.statistics();
    write(
        &mut device.serial,
        format_args!(
            "{} texts, {} bytes received, lost some {} times; {} frames, {} damaged; stack {} bytes\r\n",
            statistics.texts,
            statistics.bytes,
            statistics.losses,
            statistics.frames,
            statistics.malformed.wrapping_add(statistics.oversized).wrapping_add(statistics.truncated),
            statistics.stack,
        ),
    )
}

impl<M, const UNITS: usize, const WINDOW: usize> fmt::Display for Loaded<'_, M, UNITS, WINDOW> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = match &self.running {
            Ok(running) => &running.about,
            Err(error) => return write!(f, "error: no model runs: {error}"),
        };
        let (classes, units, slots, length) = (about.classes, about.units, about.slots, about.length);
        write!(f, "model: {classes} classes, {units} units, {slots} slots, {length} bytes, ")?;
        match about.source {
            Source::BuiltIn => f.write_str("built in"),
            Source::Slot { index, revision } => write!(f, "revision {revision} in slot {index}"),
        }
    }
}

/// Sends formatted text.
fn write<W: Write>(serial: &mut W, text: fmt::Arguments<'_>) -> Result<(), W::Error> {
    match serial.write_fmt(text) {
        Err(embedded_io::WriteFmtError::Other(error)) => Err(error),
        Ok(()) | Err(embedded_io::WriteFmtError::FmtError) => Ok(()),
    }
}
