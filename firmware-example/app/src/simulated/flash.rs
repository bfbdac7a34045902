//! A simulated NOR flash, and its power supply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec::Vec;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

use crate::hardware::Slot;

/// The power supply of simulated flashes, which can be cut during any step. Clones are the same supply.
///
/// A step is one sector that is erased or one word that is written. The step during which the power is cut is done by
/// half: half of the sector is erased, or some of the word's bits are written. All later steps do nothing. Both return
/// an error.
///
/// ```
/// use embedded_storage::nor_flash::NorFlash as _;
/// use kilornn_app::{hardware::Slot as _, simulated::{Flash, Power}};
///
/// let power = Power::default();
/// let mut flash = Flash::<4, 1024>::new(2048, &power);
/// flash.erase(0, 2048)?;
/// assert_eq!(power.steps(), 2);
///
/// power.cut_at(1);
/// assert!(flash.write(0, &[0; 12]).is_err());
/// assert_eq!(flash.memory()[..4], [0; 4]); // before the cut
/// assert_ne!(flash.memory()[4..8], [0; 4]); // during it
/// assert_eq!(flash.memory()[8..12], [0xFF; 4]); // after it
///
/// power.restore();
/// flash.write(8, &[0; 4])?;
/// assert_eq!(flash.memory()[8..12], [0; 4]);
/// # Ok::<(), embedded_storage::nor_flash::NorFlashErrorKind>(())
/// ```
#[derive(Debug, Clone)]
pub struct Power {
    /// Steps that have begun.
    steps: Arc<AtomicU64>,
    /// The step that the cut comes in.
    cut_at: Arc<AtomicU64>,
}

/// No step has this number.
const NEVER: u64 = u64::MAX;

impl Default for Power {
    fn default() -> Self {
        Self { steps: Arc::default(), cut_at: Arc::new(AtomicU64::new(NEVER)) }
    }
}

/// The power during one step.
enum Supply {
    Whole,
    /// It fails during this step.
    Failing,
    /// It failed before.
    Dead,
}

impl Power {
    /// Steps since the power was restored last. See [`Power`] for an example.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Restores the power and cuts it during the step with this number, counted from now and from 0.
    /// See [`Power`] for an example.
    pub fn cut_at(&self, step: u64) {
        self.steps.store(0, Ordering::Relaxed);
        self.cut_at.store(step, Ordering::Relaxed);
    }

    /// Restores the power; steps are counted from 0 again. See [`Power`] for an example.
    pub fn restore(&self) {
        self.cut_at(NEVER);
    }

    fn step(&self) -> Supply {
        let (step, cut_at) =
            (self.steps.fetch_add(1, Ordering::Relaxed), self.cut_at.load(Ordering::Relaxed));
        match step.cmp(&cut_at) {
            core::cmp::Ordering::Less => Supply::Whole,
            core::cmp::Ordering::Equal => Supply::Failing,
            core::cmp::Ordering::Greater => Supply::Dead,
        }
    }
}

/// A NOR flash that writes words of `WRITE` bytes and erases sectors of `ERASE` bytes.
///
/// `Flash<4, 1024>` is like that of an nRF51, `Flash<1, 16384>` like that of an STM32F4 with small sectors, and
/// `Flash<256, 4096>` like the serial flash of an RP2040. Erased bytes are 0xFF.
///
/// It panics where a driver misuses a flash: if an offset or a length is no multiple of the word or the sector or
/// lies outside, or if a word is written that has not been erased.
///
/// See [`Power`] for an example.
#[derive(Debug, Clone)]
pub struct Flash<const WRITE: usize, const ERASE: usize> {
    /// In words of four bytes, since a model must lie at a multiple of four.
    cells: Vec<u32>,
    power: Power,
}

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// A flash of `capacity` bytes, a multiple of `ERASE`. It is not erased: its contents are random, and always the
    /// same. See [`Power`] for an example.
    #[must_use]
    pub fn new(capacity: usize, power: &Power) -> Self {
        assert!(capacity.is_multiple_of(ERASE) && ERASE.is_multiple_of(4) && ERASE.is_multiple_of(WRITE));
        let mut random = fastrand::Rng::with_seed(1);
        let cells = (0..capacity / 4).map(|_| random.u32(..)).collect();
        Self { cells, power: power.clone() }
    }

    fn bytes(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.cells)
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(&self.memory()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        4 * self.cells.len()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let (from, to) = (from as usize, to as usize);
        assert!(
            from.is_multiple_of(ERASE) && to.is_multiple_of(ERASE) && from <= to,
            "whole sectors are erased"
        );
        assert!(to <= self.capacity(), "the flash ends before");
        for start in (from..to).step_by(ERASE) {
            let end = match self.power.step() {
                Supply::Whole => start + ERASE,
                Supply::Failing => start + ERASE / 2,
                Supply::Dead => start,
            };
            self.bytes()[start..end].fill(0xFF);
            if end < start + ERASE {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let offset = offset as usize;
        assert!(offset.is_multiple_of(WRITE) && bytes.len().is_multiple_of(WRITE), "whole words are written");
        assert!(offset + bytes.len() <= self.capacity(), "the flash ends before");
        for (start, word) in (offset..).step_by(WRITE).zip(bytes.chunks_exact(WRITE)) {
            // The bits that are not written.
            let (unwritten, failed) = match self.power.step() {
                Supply::Whole => (0, false),
                Supply::Failing => (0b1010_0110, true),
                Supply::Dead => (0xFF, true),
            };
            for (cell, &byte) in self.bytes()[start..].iter_mut().zip(word) {
                assert!(failed || *cell == 0xFF, "only erased words are written");
                *cell &= byte | unwritten; // writing only clears bits
            }
            if failed {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize> Slot for Flash<WRITE, ERASE> {
    fn memory(&self) -> &[u8] {
        bytemuck::cast_slice(&self.cells)
    }
}
