//! A board that is not there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use kilornn_app::board::{Board, Display, Meter, Slot};
use kilornn_app::{Ended, run};
use kilornn_link::frame::{self, FRAME, Piece, Splitter};
use kilornn_link::message::{self, Header, Message, Request, Response, VERSION};

/// Room for models, as in every test.
pub(crate) const UNITS: usize = 32;
pub(crate) const WINDOW: usize = 0;

/// Two shipped models, at multiples of four.
pub(crate) static OLD: &[u8] = kilornn::include_model!("../../../../models/imdb-8k.kilo");
pub(crate) static NEW: &[u8] = kilornn::include_model!("../../../../models/imdb-16k.kilo");

/// What arrives over the line.
#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    Bytes(Vec<u8>),
    /// Bytes are lost here.
    Loss,
    /// Nothing arrives for so many milliseconds.
    Pause(u64),
}

/// A serial line on which everything that arrives is known beforehand.
#[derive(Debug)]
pub(crate) struct Line {
    arrivals: VecDeque<Arrival>,
    sent: Rc<RefCell<Vec<u8>>>,
    clock: Rc<Cell<u64>>,
}

/// Bytes were lost.
#[derive(Debug)]
pub(crate) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes were lost")
    }
}

impl std::error::Error for Lost {}

impl embedded_io::Error for Lost {
    fn kind(&self) -> embedded_io::ErrorKind {
        embedded_io::ErrorKind::Other
    }
}

impl embedded_io::ErrorType for Line {
    type Error = Lost;
}

impl embedded_io::Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Lost> {
        loop {
            match self.arrivals.front_mut() {
                None => return Ok(0),
                Some(Arrival::Loss) => {
                    self.arrivals.pop_front();
                    return Err(Lost);
                }
                Some(Arrival::Pause(ms)) => {
                    self.clock.set(self.clock.get() + *ms);
                    self.arrivals.pop_front();
                }
                Some(Arrival::Bytes(bytes)) if bytes.is_empty() => {
                    self.arrivals.pop_front();
                }
                Some(Arrival::Bytes(bytes)) => {
                    let count = bytes.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    return Ok(count);
                }
            }
        }
    }
}

impl embedded_io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Lost> {
        self.sent.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Lost> {
        Ok(())
    }
}

/// A clock of milliseconds that stands still but in pauses.
#[derive(Debug)]
pub(crate) struct Clock(Rc<Cell<u64>>);

impl Meter for Clock {
    const TICKS_PER_SECOND: u32 = 1000;

    fn ticks(&self) -> u64 {
        self.0.get()
    }

    fn peak_stack(&self) -> u32 {
        1234
    }
}

/// What was shown.
#[derive(Debug)]
pub(crate) struct Shown(Rc<RefCell<Vec<String>>>);

impl Display for Shown {
    fn show(&mut self, label: &str, _: u32) {
        self.0.borrow_mut().push(label.to_owned());
    }
}

/// The supply of a flash, which may fail at a step: a word that is programmed, or a sector that is erased.
#[derive(Debug, Clone, Default)]
pub(crate) struct Power {
    /// Steps that have begun.
    pub(crate) steps: Rc<Cell<u64>>,
    /// The step that does not end.
    pub(crate) fails_at: Rc<Cell<Option<u64>>>,
}

enum Supply {
    Whole,
    /// It fails in the midst of this step.
    Failing,
    Dead,
}

impl Power {
    fn step(&self) -> Supply {
        let step = self.steps.get();
        self.steps.set(step + 1);
        match self.fails_at.get() {
            Some(fails_at) if step == fails_at => Supply::Failing,
            Some(fails_at) if step > fails_at => Supply::Dead,
            _ => Supply::Whole,
        }
    }
}

/// A NOR flash that programs words of `WRITE` bytes and erases sectors of `ERASE`.
#[derive(Debug, Clone)]
pub(crate) struct Flash<const WRITE: usize, const ERASE: usize> {
    /// In words of four bytes, as the loader wants a model aligned.
    cells: Vec<u32>,
    power: Power,
}

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// With whatever a flash held before.
    pub(crate) fn new(capacity: usize, power: &Power) -> Self {
        let mut seed = 1u32;
        let cells = (0..capacity / 4).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        });
        Self { cells: cells.collect(), power: power.clone() }
    }

    /// Everything in it.
    pub(crate) fn memory_of(&self) -> Vec<u8> {
        self.memory().to_vec()
    }

    fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.cells)
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let offset = offset as usize;
        bytes.copy_from_slice(&self.bytes()[offset..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        4 * self.cells.len()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert!((from as usize).is_multiple_of(ERASE) && (to as usize).is_multiple_of(ERASE) && from <= to);
        assert!(to as usize <= self.capacity());
        for start in (from as usize..to as usize).step_by(ERASE) {
            let end = match self.power.step() {
                Supply::Whole => start + ERASE,
                Supply::Failing => start + ERASE / 2,
                Supply::Dead => start,
            };
            self.bytes()[start..end].fill(0xFF);
            if end < start + ERASE {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        assert!((offset as usize).is_multiple_of(WRITE) && bytes.len().is_multiple_of(WRITE));
        assert!(offset as usize + bytes.len() <= self.capacity());
        for (start, word) in (offset as usize..).step_by(WRITE).zip(bytes.chunks_exact(WRITE)) {
            // Of a word that is cut short, some bits are programmed.
            let (unprogrammed, failed) = match self.power.step() {
                Supply::Whole => (0, false),
                Supply::Failing => (0b1010_0110, true),
                Supply::Dead => (0xFF, true),
            };
            for (cell, &byte) in self.bytes()[start..].iter_mut().zip(word) {
                assert!(failed || *cell == 0xFF, "only what is erased is written");
                *cell &= byte | unprogrammed; // bits are only ever cleared
            }
            if failed {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize> Slot for Flash<WRITE, ERASE> {
    fn memory(&self) -> &[u8] {
        bytemuck::cast_slice(&self.cells)
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ended: Ended,
    /// All that was sent.
    pub(crate) sent: Vec<u8>,
    /// All labels that were shown.
    pub(crate) shown: Vec<String>,
}

/// Starts a device and lets all this arrive.
pub(crate) fn device<F: Slot + Clone>(slots: &mut [F; 2], built_in: &[u8], arrivals: Vec<Arrival>) -> Run {
    start::<UNITS, F>(slots, built_in, arrivals, false)
}

/// The same, and whatever ends the application, it begins again.
pub(crate) fn device_that_goes_on(arrivals: Vec<Arrival>) -> Run {
    start::<UNITS, _>(&mut empty(), NEW, arrivals, true)
}

/// Starts a device with room for other models.
pub(crate) fn device_of<const UNITS: usize, F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    bytes: Vec<u8>,
) -> Run {
    start::<UNITS, F>(slots, built_in, vec![Arrival::Bytes(bytes)], false)
}

fn start<const UNITS: usize, F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    arrivals: Vec<Arrival>,
    run_again: bool,
) -> Run {
    let (sent, shown, clock) = (Rc::default(), Rc::default(), Rc::default());
    let mut board = Board {
        name: "simulated",
        serial: Line { arrivals: arrivals.into(), sent: Rc::clone(&sent), clock: Rc::clone(&clock) },
        meter: Clock(clock),
        display: Shown(Rc::clone(&shown)),
        slots: slots.clone(),
    };
    let mut ended = run::<UNITS, WINDOW>(&mut board, built_in);
    // As boards do that nothing can switch off.
    while run_again && !board.serial.arrivals.is_empty() {
        ended = run::<UNITS, WINDOW>(&mut board, built_in);
    }
    *slots = board.slots;
    Run { ended, sent: sent.take(), shown: shown.take() }
}

/// A flash that holds nothing, of two slots for any of the models here.
pub(crate) fn empty() -> [Flash<4, 1024>; 2] {
    let flash = Flash::new(20 << 10, &Power::default());
    [flash.clone(), flash]
}

/// A request as it goes over the line.
pub(crate) fn frame(sequence: u16, body: Request<'_>) -> Vec<u8> {
    let message = Message { header: Header { version: VERSION, sequence }, body };
    frame::encode(&message, &mut [0; FRAME]).unwrap().to_vec()
}

/// Requests, numbered from 0.
pub(crate) fn frames(requests: &[Request<'_>]) -> Vec<u8> {
    (0..).zip(requests).flat_map(|(sequence, &request)| frame(sequence, request)).collect()
}

/// All responses in what was sent, as bytes of messages.
pub(crate) fn messages(sent: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new();
    let mut messages = Vec::new();
    for &byte in sent {
        match splitter.push(byte) {
            Piece::Message(message) => messages.push(message.to_vec()),
            Piece::Damaged(damage) => panic!("the device sent a frame of which {damage}"),
            Piece::Text(_) | Piece::Inside => {}
        }
    }
    messages
}

/// A response of this version, with its sequence number.
pub(crate) fn response(message: &[u8]) -> (u16, Response<'_>) {
    let (header, body) = message::header(message).unwrap();
    assert_eq!(header.version, VERSION);
    (header.sequence, message::body(body).unwrap())
}

/// Sends requests to a device and hands its responses, which must be as many and in order, to `check`.
pub(crate) fn exchange<F: Slot + Clone>(
    slots: &mut [F; 2],
    built_in: &[u8],
    requests: &[Request<'_>],
    check: impl FnOnce(&[Response<'_>]),
) -> Ended {
    let run = device(slots, built_in, vec![Arrival::Bytes(frames(requests))]);
    let messages = messages(&run.sent);
    let responses: Vec<_> = (0..)
        .zip(&messages)
        .map(|(sequence, message)| {
            let (number, response) = response(message);
            assert_eq!(number, sequence);
            response
        })
        .collect();
    assert_eq!(responses.len(), requests.len());
    check(&responses);
    run.ended
}

/// Bytes at a multiple of four, for the rest of the test.
pub(crate) fn aligned(bytes: &[u8]) -> &'static [u8] {
    let mut words: Vec<u32> = vec![0; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut::<_, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
    &bytemuck::cast_slice(words.leak())[..bytes.len()]
}
