//! The bytes between host and device, whatever carries them.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// A line to a device.
pub trait Line: Send {
    /// Sends all bytes.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Takes the bytes that have arrived, and waits at most this long for the first; 0 if nothing comes.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Bits a second, where the line has a speed.
    fn baud(&self) -> Option<u32> {
        None
    }

    /// Opens the line again, after the other end was gone for a while.
    ///
    /// # Errors
    ///
    /// If it is still gone, or will never come back.
    fn reopen(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Advice for a person when no answer comes: what to check, or the other end's own error message.
    fn advice(&self) -> String;
}

impl<L: Line + ?Sized> Line for Box<L> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).send(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        (**self).receive(buffer, wait)
    }

    fn baud(&self) -> Option<u32> {
        (**self).baud()
    }

    fn reopen(&mut self) -> io::Result<()> {
        (**self).reopen()
    }

    fn advice(&self) -> String {
        (**self).advice()
    }
}

/// The ends of two pipes. Reading a pipe has no time-out, so a thread must read it and send what it reads through a channel.
#[derive(Debug)]
pub struct Pipes<W> {
    to: W,
    from: Receiver<Vec<u8>>,
    /// Bytes that have arrived and were not taken yet.
    held: Vec<u8>,
}

impl<W: Write> Pipes<W> {
    /// Writes to the one pipe; `from` brings what the thread reads from the other.
    pub const fn new(to: W, from: Receiver<Vec<u8>>) -> Self {
        Self { to, from, held: Vec::new() }
    }

    /// See [`Line::send`].
    ///
    /// # Errors
    ///
    /// If the other end is closed.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.to.flush()
    }

    /// See [`Line::receive`].
    ///
    /// # Errors
    ///
    /// If the other end is closed.
    pub fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        if self.held.is_empty() {
            match self.from.recv_timeout(wait) {
                Ok(bytes) => self.held = bytes,
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = self.held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_give_what_has_come_and_wait_no_longer() {
        let (sender, from) = std::sync::mpsc::channel();
        let mut pipes = Pipes::new(Vec::new(), from);
        pipes.send(b"to").unwrap();
        assert_eq!(pipes.to, b"to");
        sender.send(b"abc".to_vec()).unwrap();
        let mut two = [0; 2];
        assert_eq!((pipes.receive(&mut two, Duration::ZERO).unwrap(), two), (2, *b"ab"));
        assert_eq!((pipes.receive(&mut two, Duration::ZERO).unwrap(), two[0]), (1, b'c'));
        assert_eq!(pipes.receive(&mut two, Duration::from_millis(1)).unwrap(), 0);
        drop(sender);
        let error = pipes.receive(&mut two, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
