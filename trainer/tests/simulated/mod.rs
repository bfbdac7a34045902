//! A board in memory: the device's own application in a thread, between channels.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use kilornn_app::board::{Board, Meter, NoDisplay, Slot};
use kilornn_app::{Ended, run};
use kilornn_host::line::{Line, Pipes};

/// Room for models.
const UNITS: usize = 32;
const WINDOW: usize = 0;

/// How bad a line is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// Of so many bytes one is lost, changed, or followed by another; 0 is never.
    pub(crate) one_in: u64,
}

impl Faults {
    pub(crate) const NONE: Self = Self { seed: 0, one_in: 0 };
}

/// What a test may know of the device.
#[derive(Debug, Default)]
pub(crate) struct Simulated {
    /// Faults of the line so far.
    pub(crate) faults: AtomicU64,
}

impl Simulated {
    /// Starts a device; the host's end of its line.
    pub(crate) fn start(built_in: &'static [u8], faults: Faults) -> (MemoryLine, Arc<Self>) {
        let device = Arc::new(Self::default());
        let (to_device, from_host) = channel();
        let (to_host, from_device) = channel();
        thread::spawn(move || serve(built_in, Channel { from: from_host, to: to_host, held: Vec::new() }));
        let noise = |seed| Noise { state: seed, one_in: faults.one_in, device: device.clone() };
        let (there, back) = (noise(2 * faults.seed + 1), noise(2 * faults.seed + 2));
        (MemoryLine { pipes: Pipes::new(Chunks(to_device), from_device), there, back }, device)
    }

    /// Starts a device on a pseudo-terminal; its path.
    #[cfg(unix)]
    pub(crate) fn on_a_port(built_in: &'static [u8]) -> String {
        use serialport::SerialPort as _;
        use std::io::Read as _;

        let (mut ours, theirs) = serialport::TTYPort::pair().unwrap();
        let (to_device, from_host) = channel();
        let (to_host, from_device) = channel::<Vec<u8>>();
        thread::spawn(move || serve(built_in, Channel { from: from_host, to: to_host, held: Vec::new() }));
        ours.set_timeout(Duration::from_millis(1)).unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            loop {
                match ours.read(&mut buffer) {
                    Ok(count) => to_device.send(buffer[..count].to_vec()).unwrap(),
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                    // No program has it open.
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
                while let Ok(bytes) = from_device.try_recv() {
                    // A board does not know whether anyone listens, either.
                    let _ = ours.write_all(&bytes);
                }
            }
        });
        theirs.name().unwrap()
    }
}

/// Runs the application, again after each restart, as a board's `main` does.
fn serve(built_in: &[u8], serial: Channel) {
    let slots = [Flash::new(), Flash::new()];
    let mut board =
        Board { name: "simulated", serial, meter: Clock(Instant::now()), display: NoDisplay, slots };
    while run::<UNITS, WINDOW>(&mut board, built_in) == Ended::Restart {
        // What was on its way while the device starts is lost.
        board.serial.held.clear();
    }
}

/// The device's end of the line.
struct Channel {
    from: Receiver<Vec<u8>>,
    to: Sender<Vec<u8>>,
    held: Vec<u8>,
}

impl embedded_io::ErrorType for Channel {
    type Error = Infallible;
}

impl embedded_io::Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        while self.held.is_empty() {
            let Ok(bytes) = self.from.recv() else { return Ok(0) };
            self.held = bytes;
        }
        let count = self.held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.held[..count]);
        self.held.drain(..count);
        Ok(count)
    }
}

impl embedded_io::Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        // The host may have gone; a real line does not tell, either.
        let _ = self.to.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Nanoseconds.
struct Clock(Instant);

impl Meter for Clock {
    const TICKS_PER_SECOND: u32 = 1_000_000_000;

    fn ticks(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }

    fn peak_stack(&self) -> u32 {
        1234
    }
}

/// A slot for any of the models here, in words, as the loader wants a model aligned.
struct Flash(Vec<u32>);

impl Flash {
    fn new() -> Self {
        Self(vec![0x5A5A_5A5A; (20 << 10) / 4])
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(&self.memory()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        4 * self.0.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert!(from.is_multiple_of(1024) && to.is_multiple_of(1024));
        self.0[from as usize / 4..to as usize / 4].fill(u32::MAX);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let (words, rest) = bytes.as_chunks::<4>();
        assert!(rest.is_empty() && offset.is_multiple_of(4));
        for (place, &word) in self.0[offset as usize / 4..].iter_mut().zip(words) {
            assert_eq!(*place, u32::MAX, "only what is erased is written");
            *place = u32::from_ne_bytes(word);
        }
        Ok(())
    }
}

impl Slot for Flash {
    fn memory(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// The host's end of the line.
pub(crate) struct MemoryLine {
    pipes: Pipes<Chunks>,
    there: Noise,
    back: Noise,
}

impl Line for MemoryLine {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pipes.send(&self.there.over(bytes))
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        // Noise may add a byte.
        let mut half = vec![0; buffer.len() / 2];
        let count = self.pipes.receive(&mut half, wait)?;
        let bytes = self.back.over(&half[..count]);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn advice(&self) -> String {
        "it is in memory".into()
    }
}

/// Sends what is written as it is.
struct Chunks(Sender<Vec<u8>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Faults that come again with the same seed (splitmix64).
struct Noise {
    state: u64,
    one_in: u64,
    device: Arc<Simulated>,
}

impl Noise {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn over(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.one_in == 0 || !self.next().is_multiple_of(self.one_in) {
                out.push(byte);
                continue;
            }
            self.device.faults.fetch_add(1, Ordering::Relaxed);
            let random = self.next();
            match random % 3 {
                0 => {}
                1 => out.push(byte ^ (1 << (random / 3 % 8))),
                _ => out.extend([byte, (random >> 8) as u8]),
            }
        }
        out
    }
}
