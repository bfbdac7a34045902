//! The UART without DMA of the nRF51, which the nRF52 has, too. It holds six bytes that have arrived.
#![allow(unsafe_code)]

use microbit_common::hal::gpio::{Floating, Input, Output, Pin, PushPull};
use microbit_common::pac::UART0;
use microbit_common::pac::uart0::RegisterBlock;

use super::serial::{Arrived, Receiver, Transmitter};

/// The UART's registers.
fn registers() -> &'static RegisterBlock {
    // SAFETY: these are the registers of the UART, at any time. `open` took the UART, so that only its two halves use it;
    // one uses only the registers for receiving, the other only those for sending.
    unsafe { &*UART0::ptr() }
}

/// Enables the UART on two pins, at 115200 baud.
pub(crate) fn open(
    uart: UART0,
    transmit: Pin<Output<PushPull>>,
    receive: Pin<Input<Floating>>,
) -> (NrfReceiver, NrfTransmitter) {
    // SAFETY: any number of a pin may be written, and these are the numbers of pins that `open` took.
    #[cfg(feature = "microbit")]
    unsafe {
        uart.pseltxd.write(|w| w.bits(transmit.psel_bits()));
        uart.pselrxd.write(|w| w.bits(receive.psel_bits()));
    }
    // SAFETY: as above.
    #[cfg(not(feature = "microbit"))]
    unsafe {
        uart.psel.txd.write(|w| w.bits(transmit.psel_bits()));
        uart.psel.rxd.write(|w| w.bits(receive.psel_bits()));
    }
    // Eight bits, no parity and no flow control are what it has after a reset.
    uart.baudrate.write(|w| w.baudrate().baud115200());
    uart.enable.write(|w| w.enable().enabled());
    // SAFETY: any bits may be written to these registers; bit 0 starts the task.
    unsafe {
        uart.tasks_starttx.write(|w| w.bits(1));
        uart.tasks_startrx.write(|w| w.bits(1));
    }
    (NrfReceiver(()), NrfTransmitter { is_busy: false })
}

/// The receiving half.
pub(crate) struct NrfReceiver(());

impl NrfReceiver {
    fn byte(&mut self) -> Option<u8> {
        let uart = registers();
        if uart.events_rxdrdy.read().bits() == 0 {
            return None;
        }
        // Before the byte is read: reading it brings the event again if another waits.
        uart.events_rxdrdy.reset();
        Some(uart.rxd.read().rxd().bits())
    }
}

impl Receiver for NrfReceiver {
    fn take(&mut self) -> Option<Arrived> {
        let uart = registers();
        if uart.events_error.read().bits() != 0 {
            uart.events_error.reset();
            let errors = uart.errorsrc.read().bits();
            // SAFETY: any bits may be written; a one clears the error of its bit.
            uart.errorsrc.write(|w| unsafe { w.bits(errors) });
            // Which of the bytes that wait were before it is not known.
            while self.byte().is_some() {}
            return Some(Arrived::Loss);
        }
        self.byte().map(Arrived::Byte)
    }

    fn listen(&mut self, on: bool) {
        let uart = registers();
        if on {
            uart.intenset.write(|w| w.rxdrdy().set().error().set());
        } else {
            uart.intenclr.write(|w| w.rxdrdy().clear().error().clear());
        }
    }
}

/// The sending half.
pub(crate) struct NrfTransmitter {
    /// Whether there was a byte to send, so that there will be an event when it is sent.
    is_busy: bool,
}

impl Transmitter for NrfTransmitter {
    fn send(&mut self, byte: u8) {
        self.flush();
        let uart = registers();
        uart.events_txdrdy.reset();
        // SAFETY: any byte may be written to this field, and is sent.
        uart.txd.write(|w| unsafe { w.txd().bits(byte) });
        self.is_busy = true;
    }

    fn flush(&mut self) {
        while self.is_busy && registers().events_txdrdy.read().bits() == 0 {}
    }
}
