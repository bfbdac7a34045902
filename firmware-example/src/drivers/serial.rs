//! A serial line. Bytes that arrive are put into a queue by the UART's interrupt; sending waits for the UART.

use core::cell::RefCell;

use critical_section::Mutex;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use heapless::Deque;
use kilornn_app::hardware::Lost;

use super::processor::wait_for_interrupt;

/// The capacity of the queue in bytes: what arrives in 44 ms at 115200 baud.
const ROOM: usize = 512;

/// What a UART has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// A byte.
    Byte(u8),
    /// Bytes were lost or damaged at this place.
    Loss,
}

/// The receiving half of a UART.
pub(crate) trait Receiver {
    /// Takes what arrived next, if anything has.
    ///
    /// What the receiver asked an interrupt for is forgotten before it is looked at, so that whatever arrives
    /// afterwards asks for another one.
    fn take(&mut self) -> Option<Arrived>;

    /// Switches the interrupt for bytes that have arrived on or off, in the UART.
    fn listen(&mut self, on: bool);
}

/// The sending half of a UART.
pub(crate) trait Transmitter {
    /// Sends a byte, after waiting until there is room for it.
    fn send(&mut self, byte: u8);

    /// Waits until everything is sent.
    fn flush(&mut self);
}

/// The queue of bytes that have arrived, which the line's reader and the UART's interrupt share.
pub(crate) struct Inbox<R>(Mutex<RefCell<Option<Shared<R>>>>);

struct Shared<R> {
    receiver: R,
    queue: Deque<u8, ROOM>,
    /// Bytes were lost behind so many bytes of the queue.
    loss: Option<usize>,
    /// Whether the receiver's interrupt is on: not while the queue is full.
    is_listening: bool,
}

impl<R: Receiver> Inbox<R> {
    /// An inbox without a receiver.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(RefCell::new(None)))
    }

    /// Opens the inbox: from now on, what `receiver` receives is put into it. Returns the line, which sends with
    /// `transmitter`.
    pub(crate) fn open<T: Transmitter>(&'static self, receiver: R, transmitter: T) -> SerialLine<R, T> {
        critical_section::with(|cs| {
            let shared = Shared { receiver, queue: Deque::new(), loss: None, is_listening: false };
            self.0.borrow_ref_mut(cs).insert(shared).resume();
        });
        SerialLine { inbox: self, transmitter }
    }

    /// The receiver's interrupt must call this.
    pub(crate) fn service(&self) {
        self.with(Shared::fill);
    }

    /// Sleeps until something has arrived.
    fn wait(&self) {
        let mut has_arrived = false;
        while !has_arrived {
            critical_section::with(|cs| {
                has_arrived = self.0.borrow_ref(cs).as_ref().is_some_and(Shared::has_arrived);
                if !has_arrived {
                    // An interrupt since the look at the queue is held back until the end of this section, but it
                    // ends the sleep.
                    wait_for_interrupt();
                }
            });
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shared<R>) -> T) -> Option<T> {
        critical_section::with(|cs| self.0.borrow_ref_mut(cs).as_mut().map(work))
    }
}

impl<R: Receiver> Shared<R> {
    /// Takes what the receiver has.
    ///
    /// With the queue full, the rest stays in the receiver. If that becomes full, too, the receiver knows of it.
    fn fill(&mut self) {
        while !self.queue.is_full() {
            match self.receiver.take() {
                Some(Arrived::Byte(byte)) => drop(self.queue.push_back(byte)),
                // Two losses that were not read yet become one, with the bytes between them.
                Some(Arrived::Loss) => match self.loss {
                    Some(place) => self.queue.truncate(place),
                    None => self.loss = Some(self.queue.len()),
                },
                None => return,
            }
        }
        self.is_listening = false;
        self.receiver.listen(false);
    }

    /// Goes on after the queue was full, now that it is not.
    fn resume(&mut self) {
        if !self.is_listening {
            self.is_listening = true;
            self.receiver.listen(true);
            // What arrived meanwhile may not ask for an interrupt any more.
            self.fill();
        }
    }

    fn has_arrived(&self) -> bool {
        !self.queue.is_empty() || self.loss.is_some()
    }

    /// Takes the next byte, if there is one before a loss.
    fn next(&mut self) -> Option<u8> {
        if self.loss == Some(0) {
            return None;
        }
        let byte = self.queue.pop_front()?;
        self.loss = self.loss.map(|place| place.saturating_sub(1));
        Some(byte)
    }

    /// Whether bytes were lost before the next byte. It is true once for each loss.
    fn has_lost(&mut self) -> bool {
        self.loss.take_if(|place| *place == 0).is_some()
    }
}

/// A serial line.
pub(crate) struct SerialLine<R: 'static, T> {
    inbox: &'static Inbox<R>,
    transmitter: T,
}

impl<R, T> ErrorType for SerialLine<R, T> {
    type Error = Lost;
}

impl<R: Receiver, T> Read for SerialLine<R, T> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Lost> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.inbox.wait();
        if self.inbox.with(Shared::has_lost) == Some(true) {
            return Err(Lost);
        }
        let mut count = 0;
        // One byte at a time, so that interrupts are never held back for long.
        for place in buffer {
            let Some(Some(byte)) = self.inbox.with(Shared::next) else { break };
            *place = byte;
            count += 1;
        }
        self.inbox.with(Shared::resume);
        Ok(count)
    }
}

impl<R: Receiver, T> ReadReady for SerialLine<R, T> {
    fn read_ready(&mut self) -> Result<bool, Lost> {
        Ok(self.inbox.with(|shared| shared.has_arrived()) == Some(true))
    }
}

impl<R, T: Transmitter> Write for SerialLine<R, T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Lost> {
        bytes.iter().for_each(|&byte| self.transmitter.send(byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Lost> {
        self.transmitter.flush();
        Ok(())
    }
}
