//! The first UART of the RP2040. It holds 32 bytes in each direction.
#![allow(unsafe_code)]

use rp2040_hal::pac::UART0;
use rp2040_hal::pac::uart0::RegisterBlock;
use rp2040_hal::uart::{Enabled, FifoWatermark, UartPeripheral, ValidUartPinout};

use super::serial::{Arrived, Receiver, Transmitter};

/// The UART's registers.
fn registers() -> &'static RegisterBlock {
    // SAFETY: `open` owns the UART. Of what is left to the halves, the receiving one touches only registers for
    // receiving, and the sending one only those for sending; each reads what the data register received or writes
    // what it sends.
    unsafe { &*UART0::ptr() }
}

/// Takes the UART apart.
pub(crate) fn open<P: ValidUartPinout<UART0>>(
    mut uart: UartPeripheral<Enabled, UART0, P>,
) -> (Rp2040Receiver, Rp2040Transmitter) {
    // Fewer ask for an interrupt when no more come for the time of four.
    uart.set_fifos(true);
    uart.set_rx_watermark(FifoWatermark::Bytes4);
    (Rp2040Receiver { after_loss: None }, Rp2040Transmitter(()))
}

/// The receiving half.
pub(crate) struct Rp2040Receiver {
    /// The byte that came after something was lost.
    after_loss: Option<u8>,
}

impl Receiver for Rp2040Receiver {
    fn take(&mut self) -> Option<Arrived> {
        if let Some(byte) = self.after_loss.take() {
            return Some(Arrived::Byte(byte));
        }
        let uart = registers();
        if uart.uartfr().read().rxfe().bit_is_set() {
            return None;
        }
        let received = uart.uartdr().read();
        let byte = received.data().bits();
        let is_damaged =
            received.be().bit_is_set() || received.pe().bit_is_set() || received.fe().bit_is_set();
        let has_lost = received.oe().bit_is_set();
        if has_lost && !is_damaged {
            self.after_loss = Some(byte);
        }
        Some(if is_damaged || has_lost { Arrived::Loss } else { Arrived::Byte(byte) })
    }

    fn listen(&mut self, on: bool) {
        registers().uartimsc().modify(|_, w| w.rxim().bit(on).rtim().bit(on));
    }
}

/// The sending half.
pub(crate) struct Rp2040Transmitter(());

impl Transmitter for Rp2040Transmitter {
    fn send(&mut self, byte: u8) {
        let uart = registers();
        while uart.uartfr().read().txff().bit_is_set() {}
        // SAFETY: any byte can be sent.
        uart.uartdr().write(|w| unsafe { w.data().bits(byte) });
    }

    fn flush(&mut self) {
        while registers().uartfr().read().busy().bit_is_set() {}
    }
}
