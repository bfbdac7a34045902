//! Two slots for models, in the part of the flash that the linker script keeps free for them.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance;
use core::slice;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use kilornn_app::hardware::Slot;

/// Erases and writes the flash of a chip.
pub(crate) trait FlashDriver {
    /// Bytes of a page, which are erased at once.
    const PAGE: usize;

    /// Erases the page at `address`, a multiple of [`PAGE`](Self::PAGE).
    ///
    /// # Safety
    ///
    /// The page must be in a [`FlashSlot`], and no reference to the slot's memory may exist.
    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind>;

    /// Writes `bytes` to `address`. Both the address and the number of bytes are multiples of four.
    ///
    /// # Safety
    ///
    /// All bytes must be in a [`FlashSlot`], and no reference to the slot's memory may exist.
    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind>;
}

/// Room for one model.
pub(crate) struct FlashSlot<F> {
    flash: F,
    /// The address, a multiple of a page.
    start: usize,
    /// Bytes, a multiple of a page.
    length: usize,
}

impl<F: FlashDriver> FlashSlot<F> {
    /// Both slots.
    ///
    /// # Safety
    ///
    /// It must be called at most once: each slot owns its memory.
    pub(crate) unsafe fn both([first, second]: [F; 2]) -> [Self; 2] {
        unsafe extern "C" {
            static _slots_start: u8;
            static _slots_end: u8;
        }
        let start = (&raw const _slots_start).expose_provenance();
        let length = ((&raw const _slots_end).expose_provenance() - start) / 2 / F::PAGE * F::PAGE;
        [Self { flash: first, start, length }, Self { flash: second, start: start + length, length }]
    }
}

impl<F: FlashDriver> Slot for FlashSlot<F> {
    fn memory(&self) -> &[u8] {
        // SAFETY: these `length` bytes are readable flash (or RAM) that the linker script gives to nothing else and
        // `both` gave to this slot alone. They change only in `erase` and `write`, which borrow the slot mutably.
        unsafe { slice::from_raw_parts(with_exposed_provenance(self.start), self.length) }
    }
}

impl<F: FlashDriver> ErrorType for FlashSlot<F> {
    type Error = NorFlashErrorKind;
}

impl<F: FlashDriver> ReadNorFlash for FlashSlot<F> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let held = self.memory().iter().skip(offset as usize);
        bytes.iter_mut().zip(held).for_each(|(byte, held)| *byte = *held);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.length
    }
}

impl<F: FlashDriver> NorFlash for FlashSlot<F> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = F::PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for offset in (from as usize..to as usize).step_by(F::PAGE) {
            // SAFETY: this is the contract of `erase_page`. The page is in the slot, as `check_erase` has checked, and the
            // slot is borrowed mutably, so that no reference to its memory exists.
            unsafe { self.flash.erase_page(self.start + offset)? };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        // SAFETY: this is the contract of `write`. The bytes are in the slot, as `check_write` has checked, and the slot is
        // borrowed mutably.
        unsafe { self.flash.write(self.start + offset as usize, bytes) }
    }
}
