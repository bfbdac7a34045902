//! What a RISC-V processor has: sleep, restart and a stack.
#![allow(unsafe_code)]

use core::arch::asm;
use core::ptr::with_exposed_provenance_mut;

use super::stack;

/// The value of words of the stack that were never in use.
const PAINT: u32 = 0xCCCC_CCCC;

/// Bytes below the stack pointer that are not painted, for a function that the compiler may call to paint.
const MARGIN: usize = 256;

unsafe extern "C" {
    static __estack: u32;
    static _stack_start: u32;
    /// Where the program begins.
    fn _start() -> !;
}

/// Sleeps until an interrupt is pending, whether or not it is held back.
pub(crate) fn wait_for_interrupt() {
    riscv::asm::wfi();
}

/// Restarts the program.
///
/// Not the chip: its watchdog could do that, but QEMU's has none. The program sets up all that it uses.
pub(crate) fn restart() -> ! {
    riscv::interrupt::disable();
    // SAFETY: `_start` may be called at any time with interrupts off: it expects nothing of registers or memory, and sets
    // up all that the program uses.
    unsafe { _start() }
}

/// Paints the stack, to be called once, as early as possible and before interrupts are on.
pub(crate) fn paint_stack() {
    let pointer: usize;
    // SAFETY: it copies a register and changes nothing else.
    unsafe { asm!("mv {}, sp", out(reg) pointer) };
    let bottom = (&raw const __estack).expose_provenance();
    for address in (bottom..pointer.saturating_sub(MARGIN)).step_by(size_of::<u32>()) {
        // SAFETY: the linker script gives this memory to the stack alone, and the part in use is above the pointer, from
        // which `MARGIN` bytes are left out.
        unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
}

/// The most bytes of stack that were ever in use.
pub(crate) fn peak_stack() -> u32 {
    // SAFETY: this is the contract of `stack::peak`: the linker script gives these words to the stack alone.
    unsafe { stack::peak(&raw const __estack, &raw const _stack_start, PAINT) }
}

/// On a board nobody reads why the program failed, so that it restarts.
#[cfg(not(feature = "semihosting"))]
mod failure {
    use core::panic::PanicInfo;

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        super::restart()
    }

    // SAFETY: no other function has this name, by which `riscv-rt` calls the handler of exceptions and of interrupts
    // without a handler.
    #[unsafe(no_mangle)]
    extern "C" fn abort() -> ! {
        super::restart()
    }
}
