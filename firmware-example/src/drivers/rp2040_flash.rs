//! The flash of an RP2040, a chip of its own from which the program runs: while it is written, nothing may be read
//! from it, so that all happens in a function in RAM, with interrupts off.
#![allow(unsafe_code)]

use core::mem::transmute;
use core::ptr::with_exposed_provenance;
use core::slice;

use embedded_storage::nor_flash::NorFlashErrorKind;
use rp2040_hal::rom_data::{
    connect_internal_flash, flash_exit_xip, flash_flush_cache, flash_range_erase, flash_range_program,
};

use super::flash::Flash;

/// Where the flash is read.
const BASE: usize = 0x1000_0000;

/// Words of the code at the beginning of the flash that sets up the reading of it.
const BOOT: usize = 64;

/// The command that erases a larger block, where there is one: none here.
const NO_BLOCK: (u32, u8) = (1 << 31, 0);

/// Bytes that the flash writes at once.
const ROW: usize = 256;

/// The flash of the Raspberry Pi Pico, or one like it.
pub(crate) struct Rp2040Flash;

/// What is to be done, and all functions that it takes: in the chip's ROM, and one in RAM.
struct Job {
    connect: unsafe extern "C" fn(),
    stop_reading: unsafe extern "C" fn(),
    erase: unsafe extern "C" fn(u32, usize, u32, u8),
    write: unsafe extern "C" fn(u32, *const u8, usize),
    flush: unsafe extern "C" fn(),
    read_again: unsafe extern "C" fn(),
    /// From the beginning of the flash.
    offset: u32,
    /// What is written; if nothing, a page is erased.
    row: Option<[u8; ROW]>,
}

impl Rp2040Flash {
    /// Does it, for `offset` in the flash.
    ///
    /// # Safety
    ///
    /// What is changed must not be used.
    unsafe fn run(offset: u32, row: Option<[u8; ROW]>) {
        // SAFETY: the flash begins with this code, which the linker script and `board` put there.
        let boot = unsafe { slice::from_raw_parts(with_exposed_provenance::<u32>(BASE), BOOT) };
        let mut copy = [0_u32; BOOT];
        copy.copy_from_slice(boot);
        // Its first instruction; the odd address stands for Thumb code.
        let entry = copy.as_ptr().wrapping_byte_add(1);
        let job = Job {
            connect: connect_internal_flash::ptr(),
            stop_reading: flash_exit_xip::ptr(),
            erase: flash_range_erase::ptr(),
            write: flash_range_program::ptr(),
            flush: flash_flush_cache::ptr(),
            // SAFETY: that code is a function that returns if it was called as one, wherever it is.
            read_again: unsafe { transmute::<*const u32, unsafe extern "C" fn()>(entry) },
            offset,
            row,
        };
        // SAFETY: interrupts are off, so that nothing else reads the flash meanwhile; the second core does not run.
        critical_section::with(|_| unsafe { run_in_ram(&job) });
    }
}

/// # Safety
///
/// Nothing else may read the flash meanwhile, and what is changed must not be used.
#[inline(never)]
#[unsafe(link_section = ".data.run_in_ram")]
unsafe fn run_in_ram(job: &Job) {
    // SAFETY: the order that the data sheet asks for. All functions and data are in ROM or RAM.
    unsafe {
        (job.connect)();
        (job.stop_reading)();
        match &job.row {
            Some(row) => (job.write)(job.offset, row.as_ptr(), ROW),
            None => (job.erase)(job.offset, Rp2040Flash::PAGE, NO_BLOCK.0, NO_BLOCK.1),
        }
        (job.flush)();
        (job.read_again)();
    }
}

impl Flash for Rp2040Flash {
    const PAGE: usize = 4096;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        // SAFETY: the caller says that the page may be erased.
        unsafe { Self::run((address - BASE) as u32, None) };
        Ok(())
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let mut offset = address - BASE;
        let mut rest = bytes;
        while !rest.is_empty() {
            let inside = offset % ROW;
            let (piece, tail) = rest.split_at(rest.len().min(ROW - inside));
            // Ones leave the flash as it is.
            let mut row = [0xFF; ROW];
            row.iter_mut().skip(inside).zip(piece).for_each(|(place, byte)| *place = *byte);
            // SAFETY: the caller says that these bytes may be written.
            unsafe { Self::run((offset - inside) as u32, Some(row)) };
            offset += piece.len();
            rest = tail;
        }
        Ok(())
    }
}
