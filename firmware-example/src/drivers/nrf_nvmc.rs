//! The flash of the nRF51 and nRF52. While it is written, the processor waits, and so do interrupts.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;

use cortex_m::asm::dmb;
use embedded_storage::nor_flash::NorFlashErrorKind;
use microbit_common::pac::NVMC;
use microbit_common::pac::nvmc::RegisterBlock;

use super::flash::FlashDriver;

/// Its controller; pages have `PAGE` bytes.
pub(crate) struct Nvmc<const PAGE: usize>(());

impl<const PAGE: usize> Nvmc<PAGE> {
    /// One for each slot.
    pub(crate) fn both(_: NVMC) -> [Self; 2] {
        [Self(()), Self(())]
    }
}

fn wait(controller: &RegisterBlock) {
    while controller.ready.read().ready().bit_is_clear() {}
    // Nothing that is read or written later is moved to before.
    dmb();
}

fn registers() -> &'static RegisterBlock {
    // SAFETY: these are the registers of the controller, at any time. `both` took the controller, so that only the two
    // drivers use it, one after the other; each leaves it as it was.
    unsafe { &*NVMC::ptr() }
}

impl<const PAGE: usize> FlashDriver for Nvmc<PAGE> {
    const PAGE: usize = PAGE;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        let controller = registers();
        controller.config.write(|w| w.wen().een());
        wait(controller);
        // SAFETY: by the contract of `erase_page`, this is the address of a page in a slot to which no reference exists.
        controller.erasepage().write(|w| unsafe { w.bits(address as u32) });
        wait(controller);
        controller.config.write(|w| w.wen().ren());
        Ok(())
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let controller = registers();
        controller.config.write(|w| w.wen().wen());
        wait(controller);
        let (words, _) = bytes.as_chunks();
        for (address, word) in (address..).step_by(size_of::<u32>()).zip(words) {
            // SAFETY: by the contract of `write`, the word is in a slot to which no reference exists; the address is a
            // multiple of four.
            unsafe {
                with_exposed_provenance_mut::<u32>(address).write_volatile(u32::from_ne_bytes(*word));
            }
            wait(controller);
        }
        controller.config.write(|w| w.wen().ren());
        Ok(())
    }
}
