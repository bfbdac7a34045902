//! A simulated device in a thread, and the host's end of its serial line.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

use kilornn_app::simulated::{self, Clock, Flash, HostEnd, Noise, Power, ToDevice};
use kilornn_app::{Ended, run};
use kilornn_host::line::{Line, Pipes};

/// Room for models.
const UNITS: usize = 32;
const WINDOW: usize = 0;

/// How bad a line is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// One byte in so many is faulty; 0 is never.
    pub(crate) one_in: u64,
}

impl Faults {
    pub(crate) const NONE: Self = Self { seed: 0, one_in: 0 };
}

/// Starts a device in a thread of its own, which ends with the line.
fn start(built_in: &'static [u8]) -> HostEnd {
    // Room for either of the models here.
    let slots = [(); 2].map(|()| Flash::<4, 1024>::new(20 << 10, &Power::default()));
    let (mut hardware, host) = simulated::hardware(Clock::running(), slots);
    thread::spawn(move || {
        // Again after each restart, as the firmware does.
        while run::<UNITS, WINDOW>(&mut hardware, built_in) == Ended::Restart {
            hardware.serial.forget_arrived();
        }
    });
    host
}

/// The host's end of a line to a simulated device.
pub(crate) struct MemoryLine {
    pipes: Pipes<ToDevice>,
    to_device: Noise,
    from_device: Noise,
}

impl MemoryLine {
    /// Starts a device.
    pub(crate) fn to(built_in: &'static [u8], faults: Faults) -> Self {
        let HostEnd { to_device, from_device } = start(built_in);
        let noise = |seed| Noise::new(seed, faults.one_in);
        Self {
            pipes: Pipes::new(to_device, from_device),
            to_device: noise(2 * faults.seed),
            from_device: noise(2 * faults.seed + 1),
        }
    }

    /// The numbers of faults in both directions, which go on counting.
    pub(crate) fn faults(&self) -> [Arc<AtomicU64>; 2] {
        [self.to_device.faults(), self.from_device.faults()]
    }
}

impl Line for MemoryLine {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pipes.send(&self.to_device.over(bytes))
    }

    fn receive(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        // Noise may add a byte to each.
        let mut half = vec![0; buffer.len() / 2];
        let count = self.pipes.receive(&mut half, wait)?;
        let bytes = self.from_device.over(&half[..count]);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn advice(&self) -> String {
        "it is in memory".into()
    }
}

/// Starts a device on a pseudo-terminal; its path.
#[cfg(unix)]
pub(crate) fn on_a_port(built_in: &'static [u8]) -> String {
    use serialport::SerialPort as _;
    use std::io::Read as _;

    let (mut ours, theirs) = serialport::TTYPort::pair().unwrap();
    let HostEnd { to_device, from_device } = start(built_in);
    ours.set_timeout(Duration::from_millis(1)).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        loop {
            match ours.read(&mut buffer) {
                Ok(count) => to_device.send(&buffer[..count]),
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
