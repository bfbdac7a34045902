//! The most stack that was ever in use, by the paint that is still on the rest.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance};

#[cfg(target_arch = "arm")]
use cortex_m_rt::STACK_PAINT_VALUE as PAINT;

/// What [`paint`] leaves in every word.
#[cfg(target_arch = "riscv32")]
const PAINT: u32 = 0x5EED_FACE;

unsafe extern "C" {
    static _stack_start: u32;
    #[cfg_attr(target_arch = "riscv32", link_name = "_stack_limit")]
    static _stack_end: u32;
}

/// Bytes from the top of the stack to the lowest word that no longer has its paint.
pub(crate) fn peak() -> u32 {
    let top = (&raw const _stack_start).addr();
    let mut address = (&raw const _stack_end).expose_provenance();
    // SAFETY: all words from `_stack_end` to `_stack_start` are painted, and the linker script keeps them free for the
    // stack. Nothing below the stack pointer changes while they are read, except by an interrupt, which a volatile
    // read may see or miss.
    let word = |address| unsafe { read_volatile(with_exposed_provenance::<u32>(address)) };
    while address < top && word(address) == PAINT {
        address += size_of::<u32>();
    }
    (top - address) as u32
}

/// Paints the stack, before much of it is in use. (On Cortex-M the runtime has done so.)
#[cfg(target_arch = "riscv32")]
#[inline(always)]
pub(crate) fn paint() {
    use core::arch::asm;
    use core::ptr::{with_exposed_provenance_mut, write_volatile};

    let pointer: usize;
    // SAFETY: copies a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer) };
    let mut address = (&raw const _stack_end).expose_provenance();
    // The frame of a call, should the compiler make one.
    while address < pointer - 64 {
        // SAFETY: below the stack pointer nothing is in use, as no interrupt is enabled yet, and above `_stack_end`
        // nothing else lies.
        unsafe { write_volatile(with_exposed_provenance_mut::<u32>(address), PAINT) };
        address += size_of::<u32>();
    }
}
