//! Arm's MPS2 board with application note 500, a Cortex-M7: QEMU's `mps2-an500`.
#![allow(unsafe_code)]

#[path = "mps2.rs"]
mod mps2;

use cortex_m_rt::{entry, exception};

use mps2::Interrupt;

/// The clock of the processor and of the UART.
const CLOCK: u32 = 25_000_000;

/// Where the first UART's registers begin.
const UART0: usize = 0x4000_4000;

/// It has received a byte.
const RECEIVED: Interrupt = Interrupt(0);

#[entry]
fn main() -> ! {
    // SAFETY: the constants are those of the board, and this function is called once.
    unsafe { mps2::main::<CLOCK>(UART0, RECEIVED) }
}

/// Every interrupt but SysTick.
#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    mps2::interrupted(interrupt, RECEIVED);
}
