//! Arm's MPS2+ board with application note 505, a Cortex-M33: QEMU's `mps2-an505`. All of it is in the secure world.

#[path = "mps2.rs"]
mod mps2;

/// The clock of the processor and of the UART.
const CLOCK: u32 = 20_000_000;

/// Where the first UART's registers begin, as the secure world sees them.
const UART0: usize = 0x5020_0000;

/// Its interrupt: it has received a byte.
const RECEIVED: u16 = 32;
