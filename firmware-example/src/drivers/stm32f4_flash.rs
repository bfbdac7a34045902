//! The flash of the STM32F4: the large sectors of its first bank.
//!
//! It cannot be read while it is erased or written: the processor waits, and so do interrupts. So a host that sends a
//! model must wait for each response.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;

use embedded_storage::nor_flash::NorFlashErrorKind;
use stm32f4xx_hal::pac::FLASH;

use super::flash::FlashDriver;

/// Where the flash begins.
const START: usize = 0x0800_0000;

/// The sector that would begin there if all were large. (In place of this and the next there are five small ones.)
const FIRST: usize = 4;

/// What unlocks its control register.
const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];

/// The flash of a chip that has at least 2.7 V, so that a word can be written at once.
#[derive(Clone, Copy)]
pub(crate) struct Stm32f4Flash<'f>(pub(crate) &'f FLASH);

impl Stm32f4Flash<'_> {
    /// Changes the flash with its control register unlocked.
    fn change(
        &self,
        change: impl FnOnce(&Self) -> Result<(), NorFlashErrorKind>,
    ) -> Result<(), NorFlashErrorKind> {
        let Self(flash) = self;
        if flash.cr().read().lock().bit_is_set() {
            for key in KEYS {
                // SAFETY: any value may be written; only these two in this order unlock the register.
                flash.keyr().write(|w| unsafe { w.bits(key) });
            }
        }
        // Clears the flags of earlier failures, perhaps of a debugger, which would count as failures now.
        flash.sr().write(|w| {
            w.operr().clear_bit_by_one().wrperr().clear_bit_by_one().pgaerr().clear_bit_by_one();
            w.pgperr().clear_bit_by_one().pgserr().clear_bit_by_one()
        });
        let changed = change(self);
        flash.cr().write(|w| w.lock().set_bit());
        changed
    }

    /// Waits until a change is complete, and returns whether it succeeded.
    fn finish(&self) -> Result<(), NorFlashErrorKind> {
        let status = loop {
            let status = self.0.sr().read();
            if status.bsy().bit_is_clear() {
                break status;
            }
        };
        let has_failed = status.operr().bit()
            | status.wrperr().bit()
            | status.pgaerr().bit()
            | status.pgperr().bit()
            | status.pgserr().bit();
        if has_failed { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }

    /// Empties the data cache, which may hold bytes that were erased.
    fn forget_cached(&self) {
        let control = self.0.acr();
        control.modify(|_, w| w.dcen().clear_bit());
        // Only a cache that is off can be emptied.
        control.modify(|_, w| w.dcrst().set_bit());
        control.modify(|_, w| w.dcrst().clear_bit());
        control.modify(|_, w| w.dcen().set_bit());
    }
}

impl FlashDriver for Stm32f4Flash<'_> {
    const PAGE: usize = 128 << 10;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        let sector = FIRST + (address - START) / Self::PAGE;
        let erased = self.change(|Self(flash)| {
            flash.cr().write(|w| {
                w.lock().clear_bit().psize().psize32().ser().set_bit();
                // SAFETY: by the contract of `erase_page`, this sector is in a slot to which no reference exists.
                unsafe { w.snb().bits(sector as u8) }
            });
            flash.cr().modify(|_, w| w.strt().set_bit());
            self.finish()
        });
        self.forget_cached();
        erased
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.change(|Self(flash)| {
            flash.cr().write(|w| w.lock().clear_bit().psize().psize32().pg().set_bit());
            for (address, word) in (address..).step_by(4).zip(bytes.as_chunks().0) {
                // SAFETY: by the contract of `write`, the word is in a slot to which no reference exists; the address is a
                // multiple of four.
                unsafe {
                    with_exposed_provenance_mut::<u32>(address).write_volatile(u32::from_le_bytes(*word));
                }
                self.finish()?;
            }
            Ok(())
        })
    }
}
