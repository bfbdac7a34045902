//! The BBC micro:bit, version 1: an nRF51822, a Cortex-M0. The same program runs on the board and in QEMU.

#[path = "micro_bit.rs"]
mod micro_bit;

use microbit_common::hal::uart::Pins as SerialPins;
use microbit_common::pac::{Interrupt, interrupt};

/// Bytes of a page of the flash.
const PAGE: usize = 1024;

/// A row of the display is lit for 6 ms, and the text moves on every tenth of a second.
const PACE: u8 = 100 / 6;

/// The UART's interrupt.
const UART: Interrupt = Interrupt::UART0;

#[interrupt]
fn UART0() {
    micro_bit::INBOX.service();
}
