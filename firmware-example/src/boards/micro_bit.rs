//! What the two versions of the BBC micro:bit have in common: everything but the sizes of two things and the names of
//! interrupts.
#![allow(unsafe_code)]

use kilornn_app::board::Board;
use kilornn_app::{Ended, run};
use microbit_common::hal::clocks::Clocks;
use microbit_common::hal::gpio::Level;
use microbit_common::pac::{Interrupt, NVIC};

use super::SerialPins;
use crate::NAME;
use crate::drivers::flash::FlashSlot;
use crate::drivers::led_matrix::LedMatrix;
use crate::drivers::nrf_nvmc::Nvmc;
use crate::drivers::nrf_timer::TimerMeter;
use crate::drivers::nrf_uart::{self, NrfReceiver};
use crate::drivers::processor::restart;
use crate::drivers::serial::Inbox;
use crate::model::{self, UNITS, WINDOW};

/// The UART's interrupt has to serve it.
pub(super) static INBOX: Inbox<NrfReceiver> = Inbox::new();

/// Everything, on a board whose flash has pages of `PAGE` bytes, whose UART's interrupt is `uart`, and whose display
/// moves on at every `pace` of its timer's interrupts.
///
/// # Safety
///
/// To be called once, with what is true of the board.
pub(super) unsafe fn main<const PAGE: usize>(uart: Interrupt, pace: u8) -> ! {
    let Some(board) = microbit_common::Board::take() else { restart() };
    // The crystal: without it the UART is not exact enough.
    Clocks::new(board.CLOCK).enable_ext_hfosc();
    // The line rests high.
    let pins = SerialPins::from(board.uart);
    let transmit = pins.txd.into_push_pull_output(Level::High);
    let (receiver, transmitter) = nrf_uart::open(board.UART0, transmit, pins.rxd);
    let serial = INBOX.open(receiver, transmitter);
    let meter = TimerMeter::start(board.TIMER0);
    let display = LedMatrix::start(board.TIMER1, board.display_pins, pace);
    // SAFETY: this is the only call.
    let slots = unsafe { FlashSlot::both(Nvmc::<PAGE>::both(board.NVMC)) };
    for interrupt in [uart, Interrupt::TIMER0, Interrupt::TIMER1] {
        // SAFETY: what they serve is ready, and no critical section depends on them being off.
        unsafe { NVIC::unmask(interrupt) };
    }
    let mut board = Board { name: NAME, serial, meter, display, slots };
    loop {
        match run::<UNITS, WINDOW>(&mut board, model::bytes()) {
            Ended::Closed => {}
            Ended::Restart => restart(),
        }
    }
}
