//! A simulated serial line: channels between the device and a host.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;
use std::vec::Vec;

use embedded_io::{ErrorType, Read, ReadReady, Write};

use super::Clock;
use crate::hardware::Lost;

/// What arrives at the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes that were lost: the device's `read` returns [`Lost`].
    Loss,
    /// Nothing, for so long: the device's clock advances.
    Pause(Duration),
}

/// The device's end of a serial line. It is closed once the host's end is dropped and everything is read.
///
/// ```
/// use embedded_io::Read as _;
/// use kilornn_app::{hardware::Lost, simulated::{Arrival, Clock, SerialLine}};
///
/// let (mut line, host) = SerialLine::new(&Clock::standing());
/// host.to_device.send(b"abc");
/// host.to_device.arrive(Arrival::Loss);
/// drop(host);
/// let mut buffer = [0; 2];
/// assert_eq!((line.read(&mut buffer), buffer), (Ok(2), *b"ab"));
/// assert_eq!((line.read(&mut buffer), buffer[0]), (Ok(1), b'c'));
/// assert!(!line.is_closed());
/// assert_eq!(line.read(&mut buffer), Err(Lost));
/// assert_eq!(line.read(&mut buffer), Ok(0));
/// assert!(line.is_closed());
/// ```
#[derive(Debug)]
pub struct SerialLine {
    arriving: Receiver<Arrival>,
    /// What has arrived, in part read.
    arrived: Option<Arrival>,
    sent: Sender<Vec<u8>>,
    clock: Clock,
}

/// The host's end of a serial line. See [`SerialLine`] for an example.
#[derive(Debug)]
pub struct HostEnd {
    /// Sends to the device.
    pub to_device: ToDevice,
    /// What the device has sent, in the pieces in which it was written.
    pub from_device: Receiver<Vec<u8>>,
}

/// Sends to a device. As an [`io::Write`] it fails once the device is dropped.
#[derive(Debug, Clone)]
pub struct ToDevice(Sender<Arrival>);

impl SerialLine {
    /// A serial line whose pauses advance this clock; both of its ends. See [`SerialLine`] for an example.
    #[must_use]
    pub fn new(clock: &Clock) -> (Self, HostEnd) {
        let (to_device, arriving) = channel();
        let (sent, from_device) = channel();
        let line = Self { arriving, arrived: None, sent, clock: clock.clone() };
        (line, HostEnd { to_device: ToDevice(to_device), from_device })
    }

    /// Whether everything is read and the host's end is dropped. See [`SerialLine`] for an example.
    pub fn is_closed(&mut self) -> bool {
        match self.arrived.is_none().then(|| self.arriving.try_recv()) {
            Some(Ok(arrival)) => self.arrived = Some(arrival),
            Some(Err(TryRecvError::Disconnected)) => return true,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        false
    }

    /// Forgets what has arrived and is not read: a board that restarts loses it.
    ///
    /// ```
    /// use kilornn_app::simulated::{Clock, SerialLine};
    ///
    /// let (mut line, host) = SerialLine::new(&Clock::standing());
    /// host.to_device.send(b"lost");
    /// drop(host);
    /// line.forget_arrived();
    /// assert!(line.is_closed());
    /// ```
    pub fn forget_arrived(&mut self) {
        self.arrived = None;
        while self.arriving.try_recv().is_ok() {}
    }
}

impl ToDevice {
    /// Sends bytes. See [`SerialLine`] for an example.
    pub fn send(&self, bytes: &[u8]) {
        self.arrive(Arrival::Bytes(bytes.to_vec()));
    }

    /// Lets bytes, a loss or a pause arrive. See [`SerialLine`] for an example.
    pub fn arrive(&self, arrival: Arrival) {
        // A line does not tell whether a device is at its other end.
        let _ = self.0.send(arrival);
    }
}

impl io::Write for ToDevice {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(Arrival::Bytes(bytes.to_vec())).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ErrorType for SerialLine {
    type Error = Lost;
}

impl Read for SerialLine {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Lost> {
        loop {
            match self.arrived.take() {
                None => match self.arriving.recv() {
                    Ok(arrival) => self.arrived = Some(arrival),
                    Err(_) => return Ok(0),
                },
                Some(Arrival::Loss) => return Err(Lost),
                Some(Arrival::Pause(duration)) => self.clock.advance(duration),
                Some(Arrival::Bytes(mut bytes)) if !bytes.is_empty() => {
                    let count = bytes.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    self.arrived = Some(Arrival::Bytes(bytes));
                    return Ok(count);
                }
                Some(Arrival::Bytes(_)) => {}
            }
        }
    }
}

impl ReadReady for SerialLine {
    /// Where a clock stands still, each look at a line on which nothing has arrived takes a millisecond of it. So the
    /// device can wait for a time to pass.
    fn read_ready(&mut self) -> Result<bool, Lost> {
        const LOOK: Duration = Duration::from_millis(1);
        loop {
            match self.arrived.take() {
                None => match self.arriving.try_recv() {
                    Ok(arrival) => self.arrived = Some(arrival),
                    Err(TryRecvError::Disconnected) => return Ok(true),
                    Err(TryRecvError::Empty) => {
                        if self.clock.is_standing() {
                            self.clock.advance(LOOK);
                        }
                        return Ok(false);
                    }
                },
                Some(Arrival::Pause(duration)) if !duration.is_zero() => {
                    let passed = duration.min(LOOK);
                    self.clock.advance(passed);
                    self.arrived = Some(Arrival::Pause(duration - passed));
                    return Ok(false);
                }
                Some(Arrival::Pause(_)) => {}
                Some(Arrival::Bytes(bytes)) if bytes.is_empty() => {}
                Some(arrival) => {
                    self.arrived = Some(arrival);
                    return Ok(true);
                }
            }
        }
    }
}

impl Write for SerialLine {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Lost> {
        // A line does not tell whether a host is at its other end.
        let _ = self.sent.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Lost> {
        Ok(())
    }
}

/// Faults of a serial line: some bytes are lost, some changed in one bit, some followed by another byte. They are
/// random, and the same for the same seed and bytes.
///
/// ```
/// use kilornn_app::simulated::Noise;
///
/// let mut noise = Noise::new(1, 10);
/// let faults = noise.faults();
/// assert_ne!(noise.over(&[7; 1000]), [7; 1000]);
/// assert!(faults.load(std::sync::atomic::Ordering::Relaxed) > 50);
/// // 0 is never.
/// assert_eq!(Noise::new(1, 0).over(b"as it is"), b"as it is");
/// ```
#[derive(Debug, Clone)]
pub struct Noise {
    random: fastrand::Rng,
    one_in: u64,
    faults: Arc<AtomicU64>,
}

impl Noise {
    /// One byte in `one_in` is faulty, on average; with 0 none is. See [`Noise`] for an example.
    #[must_use]
    pub fn new(seed: u64, one_in: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), one_in, faults: Arc::default() }
    }

    /// The number of faults so far, which goes on counting. See [`Noise`] for an example.
    #[must_use]
    pub fn faults(&self) -> Arc<AtomicU64> {
        self.faults.clone()
    }

    /// What is left of bytes that went over the line: at most twice as many. See [`Noise`] for an example.
    #[must_use]
    pub fn over(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.one_in == 0 || self.random.u64(..self.one_in) != 0 {
                out.push(byte);
                continue;
            }
            self.faults.fetch_add(1, Ordering::Relaxed);
            match self.random.u8(..3) {
                0 => {}
                1 => out.push(byte ^ (1 << self.random.u8(..8))),
                _ => out.extend([byte, self.random.u8(..)]),
            }
        }
        out
    }
}
