//! Ctrl-C: the first ends the training where nothing is lost, the second at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether someone wants the training to end.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

/// Someone wanted the training to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl Interrupted {
    /// The exit code of a program that Ctrl-C ended, by the shells' convention.
    pub const EXIT_CODE: u8 = 130;
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    /// Takes Ctrl-C (and `kill`) from now on. Once the epochs are over, what remains takes seconds and is not ended by
    /// the first.
    ///
    /// # Errors
    ///
    /// If the operating system does not let signals be caught.
    pub fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: a second signal finds the flag set by the first, and ends the program.
            flag::register_conditional_shutdown(signal, Interrupted::EXIT_CODE.into(), interrupt.0.clone())?;
            flag::register(signal, interrupt.0.clone())?;
        }
        Ok(interrupt)
    }

    /// Whether the training may go on.
    ///
    /// # Errors
    ///
    /// With [`Interrupted`] once someone has asked it to end.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
