//! Simulated hardware: the application runs on it as a test double of a board, in memory (feature `simulated`, which
//! needs `std`).
//!
//! [`hardware`] puts a device together and returns the host's end of its serial line:
//!
//! - [`SerialLine`]: bytes, losses and pauses arrive from the host's end, which may be in the same thread or another.
//! - [`Flash`]: a NOR flash with words and sectors of any size, whose [`Power`] can be cut during any step.
//! - [`Clock`]: real time, or time that stands still until the test moves it.
//! - [`Shown`]: the labels that were shown.
//! - [`Noise`]: faults of a serial line, for the host's end.
//!
//! ```
//! use kilornn_app::simulated::{self, Clock, Flash, Power};
//! use kilornn_app::{Ended, run};
//!
//! let slots = [(); 2].map(|()| Flash::<4, 1024>::new(8 << 10, &Power::default()));
//! let (mut hardware, host) = simulated::hardware(Clock::standing(), slots);
//! host.to_device.send(b"a text\r");
//! drop(host.to_device); // the line is closed behind it
//! // Room for 16 hidden units and no window; the built-in model has no bytes.
//! assert_eq!(run::<16, 0>(&mut hardware, &[]), Ended::Closed);
//! drop(hardware);
//! let sent: Vec<u8> = host.from_device.iter().flatten().collect();
//! assert!(String::from_utf8_lossy(&sent).contains("> a text\r\nerror: no model runs"));
//! ```

mod flash;
mod line;

use std::borrow::ToOwned as _;
use std::string::String;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::vec::Vec;

pub use flash::{Flash, Power};
pub use line::{Arrival, HostEnd, Noise, SerialLine, ToDevice};

use crate::hardware::{Display, Hardware, Meter};

/// What [`Meter::peak_stack`] says of a simulated board, whose stack is not measured.
pub const STACK: u32 = 1234;

/// Simulated hardware, as [`hardware`] makes it.
pub type Simulated<F> = Hardware<SerialLine, Clock, Shown, F>;

/// Puts simulated hardware together; also returns the host's end of its serial line. See the module for an example.
#[must_use]
pub fn hardware<F>(clock: Clock, slots: [F; 2]) -> (Simulated<F>, HostEnd) {
    let (serial, host) = SerialLine::new(&clock);
    (Hardware { name: "simulated", serial, meter: clock, display: Shown::default(), slots }, host)
}

/// A clock that counts nanoseconds. Clones show the same time.
///
/// ```
/// use core::time::Duration;
/// use kilornn_app::{hardware::Meter as _, simulated::Clock};
///
/// let clock = Clock::standing();
/// clock.clone().advance(Duration::from_micros(3));
/// assert_eq!(clock.ticks(), 3000);
/// assert!(Clock::running().ticks() < 1_000_000_000);
/// ```
#[derive(Debug, Clone)]
pub struct Clock {
    /// Since when real time counts; none if the clock stands still.
    started: Option<Instant>,
    /// Nanoseconds by which it was advanced.
    advanced: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that stands still until [`advance`](Self::advance) moves it. See [`Clock`] for an example.
    #[must_use]
    pub fn standing() -> Self {
        Self { started: None, advanced: Arc::default() }
    }

    /// A clock that shows real time. See [`Clock`] for an example.
    #[must_use]
    pub fn running() -> Self {
        Self { started: Some(Instant::now()), advanced: Arc::default() }
    }

    fn is_standing(&self) -> bool {
        self.started.is_none()
    }

    /// Moves the clock forward. See [`Clock`] for an example.
    pub fn advance(&self, by: Duration) {
        self.advanced.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Meter for Clock {
    const TICKS_PER_SECOND: u32 = 1_000_000_000;

    fn ticks(&self) -> u64 {
        let real = self.started.map_or(0, |started| started.elapsed().as_nanos() as u64);
        real + self.advanced.load(Ordering::Relaxed)
    }

    fn peak_stack(&self) -> u32 {
        STACK
    }
}

/// A display that remembers the labels that were shown. Clones share them.
///
/// ```
/// use kilornn_app::{hardware::Display as _, simulated::Shown};
///
/// let shown = Shown::default();
/// shown.clone().show("positive", 1);
/// assert_eq!(shown.labels(), ["positive"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Shown(Arc<Mutex<Vec<String>>>);

impl Shown {
    /// The labels, the oldest first. See [`Shown`] for an example.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.0.lock().map(|labels| labels.clone()).unwrap_or_default()
    }
}

impl Display for Shown {
    fn show(&mut self, label: &str, _: u32) {
        if let Ok(mut labels) = self.0.lock() {
            labels.push(label.to_owned());
        }
    }
}
