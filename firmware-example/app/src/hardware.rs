//! The hardware that the application needs: traits for its parts, and [`Hardware`], which holds one of each.

use core::fmt;

use embedded_io::{ErrorKind, Read, ReadReady, Write};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// The hardware of one board, put together from its parts.
#[derive(Debug)]
pub struct Hardware<S, M, D, F> {
    /// The board's name, as `boards.toml` has it.
    pub name: &'static str,
    /// The serial line.
    pub serial: S,
    /// The clock, and the measure of the stack.
    pub meter: M,
    /// Where the label is shown, besides the serial line.
    pub display: D,
    /// Two parts of the flash, each with room for a model that came over the serial line.
    pub slots: [F; 2],
}

/// A serial line.
///
/// `read` sleeps until one byte has arrived, then takes that byte and those that have arrived behind it. It returns an
/// error once whenever bytes were lost since the last call (such as [`Lost`]), before the bytes that arrived after
/// them. It returns 0 when the line is closed, which on a real board never happens.
///
/// `read_ready` returns whether `read` would return at once.
pub trait Serial: Read + ReadReady + Write {}

impl<S: Read + ReadReady + Write> Serial for S {}

/// Bytes were lost on the serial line, or arrived damaged.
///
/// ```
/// assert_eq!(kilornn_app::hardware::Lost.to_string(), "text arrived faster than it was read");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text arrived faster than it was read")
    }
}

impl core::error::Error for Lost {}

impl embedded_io::Error for Lost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// A clock, and the measure of the stack.
pub trait Meter {
    /// The clock's ticks in a second.
    const TICKS_PER_SECOND: u32;

    /// Ticks since some moment before the application began. The count never wraps around.
    fn ticks(&self) -> u64;

    /// The most bytes of the stack that were in use at once, since the board started.
    fn peak_stack(&self) -> u32;
}

/// A display for labels.
pub trait Display {
    /// Shows the class of the text that was just classified, until the next call.
    fn show(&mut self, label: &str, class: u32);
}

/// No display.
#[derive(Debug, Clone, Copy)]
pub struct NoDisplay;

impl Display for NoDisplay {
    fn show(&mut self, _: &str, _: u32) {}
}

/// A part of the flash with room for one model, which the program can read in place.
///
/// Offsets are relative to its beginning, which is a multiple of [`NorFlash::ERASE_SIZE`].
pub trait Slot: NorFlash {
    /// Its contents: [`capacity`](embedded_storage::nor_flash::ReadNorFlash::capacity) bytes, which begin at a multiple
    /// of four in memory.
    fn memory(&self) -> &[u8];
}

/// No slot: for boards whose flash is not written.
#[derive(Debug, Clone, Copy)]
pub struct NoSlot;

impl Slot for NoSlot {
    fn memory(&self) -> &[u8] {
        &[]
    }
}

impl ErrorType for NoSlot {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for NoSlot {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }

    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for NoSlot {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::OutOfBounds)
    }
}
