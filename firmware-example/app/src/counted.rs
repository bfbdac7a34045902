//! A serial line that counts the bytes that are sent and the time that sending takes.

use embedded_io::{ErrorType, Read, ReadReady, Write};

use crate::hardware::{Meter, Serial};

/// Counts the bytes that are sent, and the time that it takes, which is not the application's work.
pub(crate) struct Counted<'b, S, M> {
    serial: &'b mut S,
    meter: &'b M,
    sent: Sent,
}

/// What was sent since the counts were taken last.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) bytes: u32,
    pub(crate) ticks: u64,
}

impl<'b, S: Serial, M: Meter> Counted<'b, S, M> {
    pub(crate) fn new(serial: &'b mut S, meter: &'b M) -> Self {
        Self { serial, meter, sent: Sent::default() }
    }

    /// Takes the counts, which begin at zero again.
    pub(crate) fn take(&mut self) -> Sent {
        core::mem::take(&mut self.sent)
    }

    fn timed<T>(&mut self, work: impl FnOnce(&mut S) -> T) -> T {
        let start = self.meter.ticks();
        let done = work(self.serial);
        self.sent.ticks += self.meter.ticks() - start;
        done
    }
}

impl<S: Serial, M> ErrorType for Counted<'_, S, M> {
    type Error = S::Error;
}

impl<S: Serial, M: Meter> Read for Counted<'_, S, M> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, S::Error> {
        self.serial.read(buffer)
    }
}

impl<S: Serial, M: Meter> ReadReady for Counted<'_, S, M> {
    fn read_ready(&mut self) -> Result<bool, S::Error> {
        self.serial.read_ready()
    }
}

impl<S: Serial, M: Meter> Write for Counted<'_, S, M> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, S::Error> {
        let written = self.timed(|serial| serial.write(bytes))?;
        self.sent.bytes = self.sent.bytes.saturating_add(written as u32);
        Ok(written)
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.timed(S::flush)
    }
}
