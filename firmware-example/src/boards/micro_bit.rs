//! What the two versions of the BBC micro:bit have in common. The module above has the rest: the size of a page, the
//! pace of the display and the names of the UART.
#![allow(unsafe_code)]

use cortex_m_rt::entry;
use kilornn_app::hardware::Hardware;
use microbit_common::hal::clocks::Clocks;
use microbit_common::hal::gpio::Level;
use microbit_common::pac::{Interrupt, NVIC, interrupt};

use super::{PACE, PAGE, SerialPins, UART};
use crate::drivers::flash::FlashSlot;
use crate::drivers::led_matrix::{self, LedMatrix};
use crate::drivers::nrf_nvmc::Nvmc;
use crate::drivers::nrf_timer::{self, TimerMeter};
use crate::drivers::nrf_uart::{self, NrfReceiver};
use crate::drivers::processor::restart;
use crate::drivers::serial::Inbox;
use crate::{NAME, run_for_ever};

/// The UART's interrupt has to serve it.
pub(super) static INBOX: Inbox<NrfReceiver> = Inbox::new();

#[entry]
fn main() -> ! {
    let Some(board) = microbit_common::Board::take() else { restart() };
    // The crystal: without it the UART is not exact enough.
    Clocks::new(board.CLOCK).enable_ext_hfosc();
    // The line rests high.
    let pins = SerialPins::from(board.uart);
    let transmit = pins.txd.into_push_pull_output(Level::High);
    let (receiver, transmitter) = nrf_uart::open(board.UART0, transmit, pins.rxd);
    let serial = INBOX.open(receiver, transmitter);
    let meter = TimerMeter::start(board.TIMER0);
    let display = LedMatrix::start(board.TIMER1, board.display_pins, PACE);
    // SAFETY: `both` must be called once, and this is the only call.
    let slots = unsafe { FlashSlot::both(Nvmc::<PAGE>::both(board.NVMC)) };
    for interrupt in [UART, Interrupt::TIMER0, Interrupt::TIMER1] {
        // SAFETY: `NVIC::unmask` must not break a critical section that masks these interrupts, and there is none. What
        // the interrupts use is ready.
        unsafe { NVIC::unmask(interrupt) };
    }
    run_for_ever(Hardware { name: NAME, serial, meter, display, slots })
}

#[interrupt]
fn TIMER0() {
    nrf_timer::wrapped();
}

#[interrupt]
fn TIMER1() {
    led_matrix::next_row();
}
