//! The UART of the FE310. It holds eight bytes in each direction.
//!
//! It has no way to tell that it lost some.
#![allow(unsafe_code)]

use e310x::uart0::RegisterBlock;
use e310x::{Gpio0, Uart0};

use super::serial::{Arrived, Receiver, Transmitter};

/// Its pins on the GPIO: to receive and to send.
const PINS: u32 = 1 << 16 | 1 << 17;

/// The UART's registers.
fn registers() -> &'static RegisterBlock {
    // SAFETY: these are the registers of the UART, at any time. `open` took the UART, so that only its two halves use it;
    // one uses only the registers for receiving, the other only those for sending.
    unsafe { &*Uart0::ptr() }
}

/// Enables the UART; `divider` is the clock divided by the baud rate.
pub(crate) fn open(uart: Uart0, pins: &Gpio0, divider: u32) -> (Fe310Receiver, Fe310Transmitter) {
    // SAFETY: any bits may be written to these registers. The first function of the two pins is the UART, and other pins
    // stay as they are.
    unsafe {
        pins.iof_sel().modify(|r, w| w.bits(r.bits() & !PINS));
        pins.iof_en().modify(|r, w| w.bits(r.bits() | PINS));
        // An interrupt at the first byte that is received; all is sent when less than one byte waits.
        uart.div().write(|w| w.bits(divider - 1));
        uart.rxctrl().write(|w| w.enable().set_bit().counter().bits(0));
        uart.txctrl().write(|w| w.enable().set_bit().counter().bits(1));
    }
    (Fe310Receiver(()), Fe310Transmitter(()))
}

/// The receiving half.
pub(crate) struct Fe310Receiver(());

impl Receiver for Fe310Receiver {
    fn take(&mut self) -> Option<Arrived> {
        let received = registers().rxdata().read();
        (!received.empty().bit()).then(|| Arrived::Byte(received.data().bits()))
    }

    fn listen(&mut self, on: bool) {
        registers().ie().write(|w| w.rxwm().bit(on));
    }
}

/// The sending half.
pub(crate) struct Fe310Transmitter(());

impl Transmitter for Fe310Transmitter {
    fn send(&mut self, byte: u8) {
        while registers().txdata().read().full().bit_is_set() {}
        // SAFETY: any byte may be written to this field, and is sent.
        registers().txdata().write(|w| unsafe { w.data().bits(byte) });
    }

    fn flush(&mut self) {
        while registers().ip().read().txwm().bit_is_clear() {}
    }
}
