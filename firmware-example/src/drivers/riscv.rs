//! What a RISC-V processor has: sleep, a new start, and a stack.
#![allow(unsafe_code)]

use core::arch::asm;
use core::ptr::with_exposed_provenance_mut;

use super::stack;

/// What a word of the stack has that was never in use.
const PAINT: u32 = 0xCCCC_CCCC;

/// Bytes below the stack pointer that are not painted: a call that the compiler may make to paint.
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

/// Starts the program anew.
///
/// Not the chip: its watchdog could do that, but QEMU's has none. The program sets up all that it uses.
pub(crate) fn restart() -> ! {
    riscv::interrupt::disable();
    // SAFETY: it expects nothing of registers or memory but that interrupts stay away.
    unsafe { _start() }
}

/// Paints the stack, to be called once, as early as possible and before interrupts are on.
pub(crate) fn paint_stack() {
    let pointer: usize;
    // SAFETY: copies a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer) };
    let bottom = (&raw const __estack).expose_provenance();
    for address in (bottom..pointer.saturating_sub(MARGIN)).step_by(size_of::<u32>()) {
        // SAFETY: the linker script keeps this memory free for the stack, and what is in use of it is above.
        unsafe { with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
}

/// The most bytes of stack that were ever in use.
pub(crate) fn peak_stack() -> u32 {
    // SAFETY: the linker script keeps this memory for the stack.
    unsafe { stack::peak(&raw const __estack, &raw const _stack_start, PAINT) }
}

/// On a board of its own nobody reads why the program failed: it starts anew.
#[cfg(not(feature = "semihosting"))]
mod failure {
    use core::panic::PanicInfo;

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        super::restart()
    }

    // SAFETY: by this name riscv-rt calls what handles exceptions, and interrupts that nobody asked for.
    #[unsafe(no_mangle)]
    extern "C" fn abort() -> ! {
        super::restart()
    }
}
