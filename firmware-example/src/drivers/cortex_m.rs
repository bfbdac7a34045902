//! What every Cortex-M has: sleep, a new start, and a stack.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance};

use cortex_m_rt::STACK_PAINT_VALUE;

/// Sleeps until an interrupt is pending, whether or not it is held back.
pub(crate) fn wait_for_interrupt() {
    cortex_m::asm::wfi();
}

/// Starts the chip anew.
pub(crate) fn restart() -> ! {
    // There, the processor's own reset leaves everything else as it is: clocks, flash, pins.
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
    let top = (&raw const _stack_start).addr();
    let mut address = (&raw const _stack_end).expose_provenance();
    // The lowest word that no longer has its paint.
    // SAFETY: cortex-m-rt painted all words from `_stack_end` to `_stack_start`, which the linker script keeps free
    // for the stack. Nothing below the stack pointer changes while they are read, except by an interrupt, which a
    // volatile read may see or miss.
    let word = |address| unsafe { read_volatile(with_exposed_provenance::<u32>(address)) };
    while address < top && word(address) == STACK_PAINT_VALUE {
        address += size_of::<u32>();
    }
    (top - address) as u32
}

/// On a board of its own nobody reads why the program failed: it starts anew.
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
