//! A serial line: an interrupt puts what arrives into a queue, the application takes it from there and sleeps while
//! there is nothing.
//!
//! When the queue is full, the interrupt is switched off and bytes stay where they are, in the UART. If that has no
//! room either, it says so, and the loss becomes an error at its place among the bytes.

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use embedded_io::{ErrorKind, ErrorType, Read, Write};
use heapless::spsc::Queue;

use super::sleep;

/// Room for what arrives while a text is classified: at 115,200 baud that of 44 ms. It holds a frame, too.
const ROOM: usize = 512;

/// Bytes were lost: they arrived faster than they were taken, or noise made them unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes were lost")
    }
}

impl core::error::Error for Lost {}

impl embedded_io::Error for Lost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// The receiving half of a UART.
pub(crate) trait Receive {
    /// Takes a byte that has arrived, if any has, and acknowledges its interrupt.
    fn receive(&mut self) -> Option<Result<u8, Lost>>;

    /// Switches the interrupt on or off that says that a byte has arrived.
    fn listen(&mut self, on: bool);
}

/// The receiving end of a line, shared with its interrupt.
pub(crate) struct Port<R>(Mutex<RefCell<State<R>>>);

struct State<R> {
    receiver: Option<R>,
    bytes: Queue<u8, ROOM>,
    /// Something was lost behind so many of the bytes.
    loss: Option<usize>,
    /// The interrupt is off, because there was no room.
    full: bool,
}

impl<R: Receive> Port<R> {
    /// Nothing is connected.
    pub(crate) const fn new() -> Self {
        let state = State { receiver: None, bytes: Queue::new(), loss: None, full: false };
        Self(Mutex::new(RefCell::new(state)))
    }

    /// Connects a UART, whose interrupt must lead to [`interrupt`](Self::interrupt).
    pub(crate) fn connect(&self, mut receiver: R) {
        receiver.listen(true);
        critical_section::with(|section| self.0.borrow_ref_mut(section).receiver = Some(receiver));
    }

    /// Takes what has arrived from the UART.
    pub(crate) fn interrupt(&self) {
        critical_section::with(|section| self.0.borrow_ref_mut(section).fill());
    }

    /// The next byte, or the loss that stands there; if there is nothing, sleeps until something happens.
    fn next_or_sleep(&self) -> Option<Result<u8, Lost>> {
        critical_section::with(|section| {
            let mut state = self.0.borrow_ref_mut(section);
            let next = state.next();
            if next.is_none() {
                // An interrupt that came since waits for the end of the section, and ends the sleep.
                sleep::until_interrupt();
            }
            next
        })
    }

    /// The next byte, if one is there and nothing was lost before it.
    fn next_byte(&self) -> Option<u8> {
        critical_section::with(|section| self.0.borrow_ref_mut(section).byte())
    }
}

impl<R: Receive> State<R> {
    fn fill(&mut self) {
        let Some(receiver) = &mut self.receiver else { return };
        while !self.bytes.is_full() {
            match receiver.receive() {
                // There is room.
                Some(Ok(byte)) => drop(self.bytes.enqueue(byte)),
                Some(Err(Lost)) => self.loss = self.loss.or(Some(self.bytes.len())),
                None => return,
            }
        }
        self.full = true;
        receiver.listen(false);
    }

    fn next(&mut self) -> Option<Result<u8, Lost>> {
        match self.loss {
            Some(0) => {
                self.loss = None;
                Some(Err(Lost))
            }
            _ => self.byte().map(Ok),
        }
    }

    fn byte(&mut self) -> Option<u8> {
        if self.loss == Some(0) {
            return None;
        }
        let byte = self.bytes.dequeue()?;
        self.loss = self.loss.map(|behind| behind.saturating_sub(1));
        // Not for every byte, or the interrupt would be switched on and off for each.
        if self.full && self.bytes.len() <= ROOM / 2 {
            self.full = false;
            if let Some(receiver) = &mut self.receiver {
                receiver.listen(true);
            }
            // What waited in the UART made its interrupt while that was off.
            self.fill();
        }
        Some(byte)
    }
}

/// Both ends of a line.
pub(crate) struct Line<R: 'static, W> {
    pub(crate) port: &'static Port<R>,
    pub(crate) sender: W,
}

impl<R, W> ErrorType for Line<R, W> {
    type Error = Lost;
}

impl<R: Receive, W> Read for Line<R, W> {
    /// Waits for one byte, then takes what has already arrived behind it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Lost> {
        let Some((first, rest)) = buffer.split_first_mut() else { return Ok(0) };
        *first = loop {
            if let Some(byte) = self.port.next_or_sleep() {
                break byte?;
            }
        };
        let mut count = 1;
        for place in rest {
            let Some(byte) = self.port.next_byte() else { break };
            *place = byte;
            count += 1;
        }
        Ok(count)
    }
}

/// The sending half of a UART.
pub(crate) trait Send {
    /// Sends a byte, as soon as there is room for it.
    fn send(&mut self, byte: u8);

    /// Waits until everything is on its way.
    fn flush(&mut self);
}

impl<R, W: Send> Write for Line<R, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Lost> {
        bytes.iter().for_each(|&byte| self.sender.send(byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Lost> {
        self.sender.flush();
        Ok(())
    }
}
