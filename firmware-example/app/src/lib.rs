//! The application of a KiloRNN device, the same on every board: text in over a serial line, label out.
//!
//! [`run`] reads the line, tells [frames](kilornn_link::frame) from text, and has two ways to answer: `terminal` for
//! people, `requests` for programs. Both use one classifier, around the model that [`store`] finds to be the newest.
//! What a board must have is in [`hardware`]; all of it can be had on the host, too, which is how this crate is tested.

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

use embedded_io::{Read, Write};
use kilornn_link::frame::{Damage, Piece, Splitter};
use kilornn_link::message::{Source, Statistics};

use counted::Counted;
use hardware::{Display, Hardware, Meter, Serial, Slot};
use loaded::Loaded;
use requests::Requests;
use store::{Spare, Stored};
use terminal::Terminal;

/// A frame that has not gone on for so long, in milliseconds, is given up.
///
/// A program sends a frame in one go. A person may begin one by accident, or noise on the line, and must not have to
/// know how to end it.
pub const PATIENCE_MS: u32 = 1000;

/// Why the application ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Ctrl-D was typed, or the other end of the line is closed.
    Closed,
    /// The device is to start anew.
    Restart,
}

/// Serves the serial line with the newest model that is in the board's slots and that this firmware can run, or with
/// the one that is `built_in`.
///
/// `UNITS` and `WINDOW` are the room for models: see [`kilornn::Classifier`].
pub fn run<const UNITS: usize, const WINDOW: usize>(
    hardware: &mut Hardware<impl Serial, impl Meter, impl Display, impl Slot>,
    built_in: &[u8],
) -> Ended {
    let Hardware { name, serial, meter, display, slots } = hardware;
    let stored = slots.each_ref().map(Stored::read);
    let newest = store::newest::<UNITS, WINDOW>(slots, &stored);
    let revisions = stored.map(|stored| stored.map_or(0, |stored| stored.revision()));
    let [first, second] = slots;
    // The slot that runs is only read from now on; the other may be written.
    let (file, source, spare) = match (newest, stored) {
        (Some(0), [Some(stored), _]) => (stored.file(first), slot(0, stored), second),
        (Some(_), [_, Some(stored)]) => (stored.file(second), slot(1, stored), first),
        // Neither runs: the older one makes room.
        _ if revisions[0] > revisions[1] => (built_in, Source::BuiltIn, second),
        _ => (built_in, Source::BuiltIn, first),
    };
    let mut spare = Spare::new(spare, revisions[0].max(revisions[1]));
    let model = kilornn::Model::from_bytes(file);
    let mut loaded = Loaded::<_, UNITS, WINDOW>::new(&model, file, source, meter);
    let serial = Counted::new(serial, meter);
    let mut device = Device { name, serial, display, meter, statistics: Statistics::default() };
    // If the line does not take what is written, there is no one to tell.
    device.serve(&mut loaded, &mut spare).unwrap_or(Ended::Closed)
}

fn slot(index: u8, stored: Stored) -> Source {
    Source::Slot { index, revision: stored.revision() }
}

/// The board's parts while the application runs, and what has happened.
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
                working - waiting > u64::from(M::TICKS_PER_SECOND) * u64::from(PATIENCE_MS) / 1000;
            if is_overdue && splitter.give_up() {
                self.count(Damage::Truncated);
            }
            match received {
                Ok(0) => return Ok(Ended::Closed),
                Ok(count) => {
                    self.statistics.bytes = self.statistics.bytes.wrapping_add(count as u32);
                    for &byte in chunk.iter().take(count) {
                        let ended = match splitter.push(byte) {
                            Piece::Text(byte) => {
                                requests.forget_text();
                                terminal.push(byte, self, loaded)?
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
                // Something was lost, and nobody knows what.
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

    fn count(&mut self, damage: Damage) {
        let Statistics { malformed, oversized, truncated, .. } = &mut self.statistics;
        let count = match damage {
            Damage::Malformed => malformed,
            Damage::Oversized => oversized,
            Damage::Truncated => truncated,
        };
        *count = count.wrapping_add(1);
    }

    /// What has happened since the start.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics { stack: self.meter.peak_stack(), ..self.statistics }
    }

    /// A text was classified.
    pub(crate) fn classified(&mut self, label: &str, class: u32) {
        self.statistics.texts = self.statistics.texts.wrapping_add(1);
        self.display.show(label, class);
    }
}
