//! RAM that behaves as flash does: where an emulator has no other.
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
            // SAFETY: the caller promised that all of the page may be written.
            unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(0xFF) };
        }
        Ok(())
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        for (address, byte) in (address..).zip(bytes) {
            let cell = with_exposed_provenance_mut::<u8>(address);
            // Only an erased bit can become either.
            // SAFETY: the caller promised that all these bytes may be written.
            unsafe { cell.write_volatile(cell.read_volatile() & byte) };
        }
        Ok(())
    }
}
