//! What the application asks of a board.

use embedded_io::{Read, Write};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// A board, put together from its parts.
#[derive(Debug)]
pub struct Board<S, M, D, F> {
    /// What a person calls it.
    pub name: &'static str,
    /// Its serial line.
    pub serial: S,
    /// What it can measure.
    pub meter: M,
    /// Where it shows the label, besides the serial line.
    pub display: D,
    /// Where models are that came over the serial line.
    pub slots: [F; 2],
}

/// A serial line.
///
/// `read` waits for one byte, in sleep, then takes what has already arrived behind it. It gives an error once whenever
/// bytes were lost since the last call, before what arrived after them; and 0 when nothing will arrive any more, which
/// on a real board never is.
pub trait Serial: Read + Write {}

impl<S: Read + Write> Serial for S {}

/// What a board can measure.
pub trait Meter {
    /// Ticks of the clock in a second.
    const TICKS_PER_SECOND: u32;

    /// Ticks since some moment; never wraps.
    fn ticks(&self) -> u64;

    /// The most bytes of stack that were ever in use.
    fn peak_stack(&self) -> u32;
}

/// Shows labels.
pub trait Display {
    /// Shows the class of the text that was just classified, until the next.
    fn show(&mut self, label: &str, class: u32);
}

/// No display.
#[derive(Debug, Clone, Copy)]
pub struct NoDisplay;

impl Display for NoDisplay {
    fn show(&mut self, _: &str, _: u32) {}
}

/// Room for one model in the flash, which the program can read in place.
///
/// Offsets are relative to its beginning, which is at a multiple of [`NorFlash::ERASE_SIZE`].
pub trait Slot: NorFlash {
    /// What is in it: [`capacity`](embedded_storage::nor_flash::ReadNorFlash::capacity) bytes, at a multiple of four in
    /// memory.
    fn memory(&self) -> &[u8];
}

/// No room: for boards whose flash is not written.
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
