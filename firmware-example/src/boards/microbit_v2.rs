//! The BBC micro:bit, version 2: an nRF52833, a Cortex-M4F.

#[path = "micro_bit.rs"]
mod micro_bit;

use microbit_common::hal::uarte::Pins as SerialPins;
use microbit_common::pac::{Interrupt, interrupt};

/// Bytes of a page of the flash.
const PAGE: usize = 4096;

/// A row of the display is lit for 3 ms, and the text moves on every tenth of a second.
const PACE: u8 = 100 / 3;

/// The UART's interrupt.
const UART: Interrupt = Interrupt::UARTE0_UART0;

#[interrupt]
fn UARTE0_UART0() {
    micro_bit::INBOX.service();
}
