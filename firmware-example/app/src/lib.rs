//! The application of a KiloRNN device, which is the same on every board: a text comes over a serial line, and its label
//! is sent back.
//!
//! [`run`] reads the line and tells text from [frames](kilornn_link::frame). `terminal` answers text, for a person;
//! `requests` answers frames, for a program. Both use one classifier, with the newest model that [`store`] finds in the
//! flash. The traits in [`hardware`] are what a board must have. The module `simulated`, behind the feature of that name,
//! implements them in memory: see there for an example. This crate's tests use it.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "simulated")]
extern crate std;

pub mod batch;
mod counted;
pub mod hardware;
mod loaded;
mod reason;
mod requests;
#[cfg(feature = "simulated")]
pub mod simulated;
pub mod store;
mod terminal;
mod timed;

use embedded_io::{Read, ReadReady, Write};
use kilornn_link::frame::{Damage, Piece, Splitter};
use kilornn_link::message::{Source, Statistics};

use counted::Counted;
use hardware::{Display, Hardware, Meter, Serial, Slot};
use loaded::Loaded;
use requests::Requests;
use store::{Spare, Stored};
use terminal::Terminal;

/// The time-out of a frame, in milliseconds: if nothing arrives for so long, the frame is given up.
///
/// A program sends a frame without a pause. A person or noise may begin one by accident, and a person does not know how
/// to end it.
pub const TIMEOUT_MS: u32 = 1000;

/// Ctrl-D ends the application if nothing arrives for so many milliseconds after it.
///
/// The same byte occurs in frames, and the rest of a frame is read as text when the board was reset or bytes were lost in
/// its middle. But behind every byte of such a rest another one follows at once: the last is the zero that ends the frame.
pub const QUIET_MS: u32 = 100;

/// Why the application ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Ctrl-D was typed, or the other end of the line is closed.
    Closed,
    /// A host asked for a restart of the device.
    Restart,
}

/// Serves the serial line until it is closed or a restart is asked for. The model is the newest in the slots that this
/// firmware can run, otherwise the one in `built_in`.
///
/// `UNITS` and `WINDOW` are the capacity of the classifier: see [`kilornn::Classifier`].
pub fn run<const UNITS: usize, const WINDOW: usize>(
    hardware: &mut Hardware<impl Serial, impl Meter, impl Display, impl Slot>,
    built_in: &[u8],
) -> Ended {
    let Hardware { name, serial, meter, display, slots } = hardware;
    let stored = slots.each_ref().map(Stored::read);
    let newest = store::newest::<UNITS, WINDOW>(slots, &stored);
    let revisions = stored.map(|stored| stored.map_or(0, |stored| stored.revision()));
    let [first, second] = slots;
    // From now on the slot whose model runs is only read; the other may be written.
    let (file, source, spare) = match (newest, stored) {
        (Some(0), [Some(stored), _]) => (stored.file(first), slot(0, stored), second),
        (Some(_), [_, Some(stored)]) => (stored.file(second), slot(1, stored), first),
        // No model in a slot runs: a new one replaces the older one.
        _ if revisions[0] > revisions[1] => (built_in, Source::BuiltIn, second),
        _ => (built_in, Source::BuiltIn, first),
    };
    let mut spare = Spare::new(spare, revisions[0].max(revisions[1]));
    let model = kilornn::Model::from_bytes(file);
    let mut loaded = Loaded::<_, UNITS, WINDOW>::new(&model, file, source, meter);
    let serial = Counted::new(serial, meter);
    let mut device = Device { name, serial, display, meter, statistics: Statistics::default() };
    // If nothing can be sent, nobody can be told.
    device.serve(&mut loaded, &mut spare).unwrap_or(Ended::Closed)
}

fn slot(index: u8, stored: Stored) -> Source {
    Source::Slot { index, revision: stored.revision() }
}

/// The hardware while the application runs, and counts since it started.
pub(crate) struct Device<'b, S, M, D> {
    pub(crate) name: &'static str,
    pub(crate) serial: Counted<'b, S, M>,
    pub(crate) display: &'b mut D,
    pub(crate) meter: &'b M,
    pub(crate) statistics: Statistics,
}

impl<S: Serial, M: Meter, D: Display> Device<'_, S, M, D> {
    fn serve<F: Slot, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
        spare: &mut Spare<'_, F>,
    ) -> Result<Ended, S::Error> {
        let mut splitter = Splitter::new();
        let mut terminal = Terminal::new();
        let mut requests = Requests::new();
        terminal.greet(self, loaded)?;
        loop {
            let waiting = self.meter.ticks();
            let mut chunk = [0; 64];
            let received = self.serial.read(&mut chunk);
            let working = self.meter.ticks();
            let is_overdue =
                working - waiting > u64::from(M::TICKS_PER_SECOND) * u64::from(TIMEOUT_MS) / 1000;
            if is_overdue && splitter.give_up() {
                self.count(Damage::Truncated);
            }
            match received {
                Ok(0) => return Ok(Ended::Closed),
                Ok(count) => {
                    self.statistics.bytes = self.statistics.bytes.wrapping_add(count as u32);
                    for (index, &byte) in chunk.iter().take(count).enumerate() {
                        let ended = match splitter.push(byte) {
                            Piece::Text(byte) => {
                                requests.forget_text();
                                let is_last = index + 1 == count;
                                terminal.push(byte, is_last, self, loaded)?
                            }
                            Piece::Inside => {
                                terminal.drop_line(loaded);
                                None
                            }
                            Piece::Message(message) => requests.respond(message, self, loaded, spare)?,
                            Piece::Damaged(damage) => {
                                self.count(damage);
                                None
                            }
                        };
                        if let Some(ended) = ended {
                            self.serial.flush()?;
                            return Ok(ended);
                        }
                    }
                }
                // Bytes were lost, in a frame or in text.
                Err(_) => {
                    self.statistics.losses = self.statistics.losses.wrapping_add(1);
                    if splitter.give_up() {
                        self.count(Damage::Malformed);
                    }
                    requests.forget_text();
                    terminal.break_line(self, loaded)?;
                }
            }
            self.serial.flush()?;
            let sent = self.serial.take();
            let worked = (self.meter.ticks() - working).saturating_sub(sent.ticks);
            self.statistics.longest = self.statistics.longest.max(u32::try_from(worked).unwrap_or(u32::MAX));
            self.statistics.sent = self.statistics.sent.max(sent.bytes);
        }
    }

    /// Whether nothing arrives for [`QUIET_MS`] from now on. Returns early if something does.
    pub(crate) fn is_quiet(&mut self) -> Result<bool, S::Error> {
        let quiet = u64::from(M::TICKS_PER_SECOND) * u64::from(QUIET_MS) / 1000;
        let start = self.meter.ticks();
        while self.meter.ticks() - start < quiet {
            if self.serial.read_ready()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn count(&mut self, damage: Damage) {
        let Statistics { malformed, oversized, truncated, .. } = &mut self.statistics;
        let count = match damage {
            Damage::Malformed => malformed,
            Damage::Oversized => oversized,
            Damage::Truncated => truncated,
        };
        *count = count.wrapping_add(1);
    }

    /// Counts since the start.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics { stack: self.meter.peak_stack(), ..self.statistics }
    }

    /// Counts a text that was classified, and shows its label.
    pub(crate) fn classified(&mut self, label: &str, class: u32) {
        self.statistics.texts = self.statistics.texts.wrapping_add(1);
        self.display.show(label, class);
    }
}
