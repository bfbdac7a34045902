//! Arm's MPS2 board with application note 386, a Cortex-M4F: QEMU's `mps2-an386`.

#[path = "mps2.rs"]
mod mps2;

/// The clock of the processor and of the UART.
const CLOCK: u32 = 25_000_000;

/// Where the first UART's registers begin.
const UART0: usize = 0x4000_4000;

/// Its interrupt: it has received a byte.
const RECEIVED: u16 = 0;
