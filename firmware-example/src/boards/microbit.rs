//! The BBC micro:bit, version 1: an nRF51822, a Cortex-M0. The same program runs on the board and in QEMU.
#![allow(unsafe_code)]

#[path = "micro_bit.rs"]
mod micro_bit;

use cortex_m_rt::entry;
use microbit_common::hal::uart::Pins as SerialPins;
use microbit_common::pac::{Interrupt, interrupt};

use crate::drivers::{led_matrix, nrf_timer};

/// Bytes of a page of the flash.
const PAGE: usize = 1024;

/// A row of the display is lit for 6 ms, and the text moves on every tenth of a second.
const PACE: u8 = 100 / 6;

#[entry]
fn main() -> ! {
    // SAFETY: the constants are those of the board, and this function is called once.
    unsafe { micro_bit::main::<PAGE>(Interrupt::UART0, PACE) }
}

#[interrupt]
fn UART0() {
    micro_bit::INBOX.service();
}

#[interrupt]
fn TIMER0() {
    nrf_timer::wrapped();
}

#[interrupt]
fn TIMER1() {
    led_matrix::next_row();
}
