//! The flash beside the RP2040, a chip of its own from which the program is read as it runs.
//!
//! It cannot be read while it is erased or written: the code that does so is in RAM and in the boot ROM, and interrupts
//! wait. The UART holds only some bytes that arrive meanwhile, so a host that sends a model must wait for each response.
#![allow(unsafe_code)]

use core::hint::black_box;
use core::mem::transmute;

use embedded_storage::nor_flash::NorFlashErrorKind;
use rp2040_boot2::BOOT_LOADER_W25Q080;
use rp2040_hal::rom_data;

use super::flash::FlashDriver;

/// The second stage of the boot. The boot ROM loads it from the beginning of the flash, where the linker script puts it. It
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
/// The sector or row must be in the flash, and nothing may read or refer to the bytes that change.
unsafe fn change(change: &Change<'_>) {
    let rom = Rom {
        connect: rom_data::connect_internal_flash::ptr(),
        exit_xip: rom_data::flash_exit_xip::ptr(),
        erase: rom_data::flash_range_erase::ptr(),
        program: rom_data::flash_range_program::ptr(),
        flush_cache: rom_data::flash_flush_cache::ptr(),
    };
    // A copy in RAM. `black_box` keeps the compiler from dropping bytes that are only executed.
    let mut boot2 = BOOT2;
    let Boot2(code) = black_box(&mut boot2);
    // The lowest bit says that this is Thumb code.
    let entry = code.as_mut_ptr().expose_provenance() | 1;
    // SAFETY: the address is of Thumb code that can be called as a C function without arguments: the boot ROM calls it in
    // the same way, the code runs at any address, and it returns unless the boot ROM called it.
    let boot2 = unsafe { transmute::<usize, unsafe extern "C" fn()>(entry) };
    critical_section::with(|_| {
        // SAFETY: this is the contract of `without_flash`. The caller keeps that of `change`; in this critical section no
        // interrupt comes, and the second processor was never started, so that nothing reads the flash.
        unsafe { without_flash(&rom, boot2, change) }
    });
}

/// The part of [`change`] that runs in RAM.
///
/// # Safety
///
/// That of [`change`]. Moreover, nothing may read from the flash meanwhile, not even an interrupt, and `rom`, `boot2` and
/// `change` must be outside the flash.
#[unsafe(link_section = ".data.without_flash")]
#[inline(never)]
unsafe fn without_flash(rom: &Rom, boot2: unsafe extern "C" fn(), change: &Change<'_>) {
    // SAFETY: the boot ROM's functions are called in the order that its documentation demands, with a sector or a row
    // that may change, by the contract of `change`. They, the second stage and all arguments are outside the flash.
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
        // SAFETY: by the contract of `erase_page`, the sector is in a slot to which no reference exists.
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
            // SAFETY: by the contract of `write`, the bytes are in a slot to which no reference exists. The other bytes of
            // the row are all ones, which change nothing.
            unsafe { change(&Change::Program((offset - skipped) as u32, &row)) };
            (offset, rest) = (offset + piece.len(), others);
        }
        Ok(())
    }
}
