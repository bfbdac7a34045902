//! What every Cortex-M has: sleep, restart and a stack.
#![allow(unsafe_code)]

use cortex_m_rt::STACK_PAINT_VALUE;

use super::stack;

/// Sleeps until an interrupt is pending, whether or not it is held back.
pub(crate) fn wait_for_interrupt() {
    cortex_m::asm::wfi();
}

/// Restarts the chip.
pub(crate) fn restart() -> ! {
    // On the RP2040 the processor's own request leaves the rest of the chip as it is.
    #[cfg(feature = "rp2040")]
    rp2040_hal::reset();
    #[cfg(not(feature = "rp2040"))]
    cortex_m::peripheral::SCB::sys_reset()
}

/// The most bytes of stack that were ever in use.
pub(crate) fn peak_stack() -> u32 {
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    // SAFETY: this is the contract of `stack::peak`: the linker script gives the words from `_stack_end` to `_stack_start`
    // to the stack alone. cortex-m-rt has painted them.
    unsafe { stack::peak(&raw const _stack_end, &raw const _stack_start, STACK_PAINT_VALUE) }
}

/// On a board nobody reads why the program failed, so that it restarts.
#[cfg(not(feature = "semihosting"))]
mod failure {
    use core::panic::PanicInfo;

    use cortex_m_rt::{ExceptionFrame, exception};

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        super::restart()
    }

    #[exception]
    unsafe fn HardFault(_: &ExceptionFrame) -> ! {
        super::restart()
    }

    #[exception]
    unsafe fn DefaultHandler(_: i16) {
        super::restart()
    }
}
