//! The flash of the STM32F4, from which the program runs: while it is written, the processor waits, and so do
//! interrupts. Erasing a sector takes seconds.
#![allow(unsafe_code)]

use embedded_storage::nor_flash::NorFlashErrorKind;
use stm32f4xx_hal::flash::FlashExt as _;
use stm32f4xx_hal::pac::FLASH;

use super::flash::Flash;

/// Every error there is, and the end of an operation.
const FLAGS: u32 = 0xF3;

/// Slots in the large sectors.
pub(crate) struct Stm32Flash(FLASH);

impl Stm32Flash {
    /// One for each slot.
    pub(crate) fn both(controller: FLASH) -> [Self; 2] {
        // SAFETY: what is made of the controller leaves it between any two uses as it was.
        [Self(controller), Self(unsafe { FLASH::steal() })]
    }

    /// Forgets errors that others made.
    fn begin(&mut self) {
        // SAFETY: the bits of these flags clear them.
        self.0.sr().write(|w| unsafe { w.bits(FLAGS) });
    }

    /// Forgets what was read earlier of what is changed now.
    fn end(&mut self) {
        self.0.acr().modify(|_, w| w.dcen().clear_bit());
        self.0.acr().modify(|_, w| w.dcrst().set_bit());
        self.0.acr().modify(|_, w| w.dcrst().clear_bit());
        self.0.acr().modify(|_, w| w.dcen().set_bit());
    }
}

impl Flash for Stm32Flash {
    const PAGE: usize = 128 << 10;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        let sector = self.0.sector(address - self.0.address()).ok_or(NorFlashErrorKind::OutOfBounds)?;
        self.begin();
        let erased = self.0.unlocked().erase(sector.number);
        self.end();
        erased.map_err(|_| NorFlashErrorKind::Other)
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let offset = address - self.0.address();
        self.begin();
        let written = self.0.unlocked().program(offset, bytes.iter());
        self.end();
        written.map_err(|_| NorFlashErrorKind::Other)
    }
}
