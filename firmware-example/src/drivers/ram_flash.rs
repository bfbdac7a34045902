//! RAM that behaves like a flash, for emulators without one.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;

use embedded_storage::nor_flash::NorFlashErrorKind;

use super::flash::FlashDriver;

/// It keeps what is written until the emulator ends.
pub(crate) struct RamFlash;

impl FlashDriver for RamFlash {
    const PAGE: usize = 4096;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        for address in address..address + Self::PAGE {
            // SAFETY: by the contract of `erase_page`, the page is in a slot to which no reference exists.
            unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(0xFF) };
        }
        Ok(())
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (address, byte) in (address..).zip(bytes) {
            let cell = with_exposed_provenance_mut::<u8>(address);
            // Writing only clears bits.
            // SAFETY: by the contract of `write`, the bytes are in a slot to which no reference exists.
            unsafe { cell.write_volatile(cell.read_volatile() & byte) };
        }
        Ok(())
    }
}
