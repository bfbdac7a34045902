//! The flash beside the RP2040, a chip of its own from which the program is read as it runs.
//!
//! While it is erased or written, nothing can be read from it: what does that is in RAM or in the boot ROM, and
//! interrupts wait. The UART holds what arrives meanwhile, but not for long, so whoever sends a model has to wait for
//! each answer.
#![allow(unsafe_code)]

use core::hint::black_box;
use core::mem::transmute;

use embedded_storage::nor_flash::NorFlashErrorKind;
use rp2040_boot2::BOOT_LOADER_W25Q080;
use rp2040_hal::rom_data;

use super::flash::FlashDriver;

/// The second stage of the boot: the ROM reads it from the beginning of the flash, where the linker script puts it. It
/// makes the rest of the flash readable, with the fast commands of the board's chip.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: Boot2 = Boot2(BOOT_LOADER_W25Q080);

/// Code, with the words that it reads.
#[repr(align(4))]
#[derive(Clone, Copy)]
struct Boot2([u8; 256]);

/// Where the program sees the flash.
const START: usize = 0x1000_0000;

/// Bytes that are written at once.
const ROW: usize = 256;

/// Bytes of a block, which can be erased faster than sector by sector, and the command that does so.
const BLOCK: (u32, u8) = (1 << 16, 0xD8);

/// The functions of the boot ROM.
struct Rom {
    connect: unsafe extern "C" fn(),
    exit_xip: unsafe extern "C" fn(),
    erase: unsafe extern "C" fn(u32, usize, u32, u8),
    program: unsafe extern "C" fn(u32, *const u8, usize),
    flush_cache: unsafe extern "C" fn(),
}

/// What to do with the flash.
enum Change<'c> {
    /// Erase the sector at this offset.
    Erase(u32),
    /// Write this row at this offset. Where it is all ones, nothing changes.
    Program(u32, &'c [u8; ROW]),
}

/// Changes the flash.
///
/// # Safety
///
/// Nothing may rely on what is at the offset.
unsafe fn change(change: &Change<'_>) {
    let rom = Rom {
        connect: rom_data::connect_internal_flash::ptr(),
        exit_xip: rom_data::flash_exit_xip::ptr(),
        erase: rom_data::flash_range_erase::ptr(),
        program: rom_data::flash_range_program::ptr(),
        flush_cache: rom_data::flash_flush_cache::ptr(),
    };
    // A copy in RAM that the compiler cannot take for unused, as it would if it saw that it is only run.
    let mut boot2 = BOOT2;
    let Boot2(code) = black_box(&mut boot2);
    // The lowest bit says that this is Thumb code.
    let entry = code.as_mut_ptr().expose_provenance() | 1;
    // SAFETY: the boot ROM calls the second stage in the same way, the code does not depend on where it is, and it
    // returns to whoever calls it from anywhere but the ROM.
    let boot2 = unsafe { transmute::<usize, unsafe extern "C" fn()>(entry) };
    critical_section::with(|_| {
        // SAFETY: no interrupt comes, the second processor was never started, and nothing else reads the flash.
        unsafe { without_flash(&rom, boot2, change) }
    });
}

/// The part of [`change`] that runs in RAM.
///
/// # Safety
///
/// As there; and nothing may read from the flash, nor interrupt.
#[unsafe(link_section = ".data.without_flash")]
#[inline(never)]
unsafe fn without_flash(rom: &Rom, boot2: unsafe extern "C" fn(), change: &Change<'_>) {
    // SAFETY: this is the order in which the boot ROM's functions are to be called. All of them, the second stage and
    // what they are given are outside the flash.
    unsafe {
        (rom.connect)();
        (rom.exit_xip)();
        match *change {
            Change::Erase(offset) => (rom.erase)(offset, RpFlash::PAGE, BLOCK.0, BLOCK.1),
            Change::Program(offset, row) => (rom.program)(offset, row.as_ptr(), ROW),
        }
        (rom.flush_cache)();
        boot2();
    }
}

/// The flash.
pub(crate) struct RpFlash;

impl FlashDriver for RpFlash {
    const PAGE: usize = 4096;

    unsafe fn erase_page(&mut self, address: usize) -> Result<(), NorFlashErrorKind> {
        // SAFETY: the caller promised that nothing relies on it.
        unsafe { change(&Change::Erase((address - START) as u32)) };
        Ok(())
    }

    unsafe fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let mut offset = address - START;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Only whole rows can be written, and what is written may begin and end within one.
            let skipped = offset % ROW;
            let (piece, others) = rest.split_at(rest.len().min(ROW - skipped));
            let mut row = [0xFF; ROW];
            row.iter_mut().skip(skipped).zip(piece).for_each(|(place, &byte)| *place = byte);
            // SAFETY: the caller promised that nothing relies on these bytes; the row's others stay what they are.
            unsafe { change(&Change::Program((offset - skipped) as u32, &row)) };
            (offset, rest) = (offset + piece.len(), others);
        }
        Ok(())
    }
}
