//! A slot in RAM that behaves as flash does, for machines whose program memory is RAM.
#![allow(unsafe_code)]

use core::slice;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use kilornn_app::board::Slot;

/// Bits are only ever cleared, until they are all set again by erasing.
pub(crate) struct RamSlot {
    memory: &'static mut [u8],
}

impl RamSlot {
    /// Both halves of the memory that the linker keeps free for slots.
    ///
    /// # Safety
    ///
    /// Only once.
    pub(crate) unsafe fn pair() -> [Self; 2] {
        let (start, length) = super::slots();
        // SAFETY: the linker leaves this memory alone, and the caller promises to be the only one.
        let memory = unsafe { slice::from_raw_parts_mut(start, length) };
        let (first, second) = memory.split_at_mut(length / 2);
        [Self { memory: first }, Self { memory: second }]
    }

    fn range(&mut self, offset: u32, length: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let rest = self.memory.get_mut(offset as usize..);
        rest.and_then(|rest| rest.get_mut(..length)).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl Slot for RamSlot {
    fn memory(&self) -> &[u8] {
        self.memory
    }
}

impl ErrorType for RamSlot {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for RamSlot {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let range = self.range(offset, bytes.len())?;
        bytes.iter_mut().zip(range).for_each(|(byte, cell)| *byte = *cell);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.memory.len()
    }
}

impl NorFlash for RamSlot {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.range(from, (to - from) as usize)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.range(offset, bytes.len())?.iter_mut().zip(bytes).for_each(|(cell, &byte)| *cell &= byte);
        Ok(())
    }
}
