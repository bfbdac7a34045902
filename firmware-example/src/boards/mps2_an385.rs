//! Arm's MPS2 board with application note 385, a Cortex-M3: QEMU's `mps2-an385`.

#[path = "mps2.rs"]
mod mps2;

/// The clock of the processor and of the UART.
const CLOCK: u32 = 25_000_000;

/// Where the first UART's registers begin.
const UART0: usize = 0x4000_4000;

/// Its interrupt: it has received a byte.
const RECEIVED: u16 = 0;
