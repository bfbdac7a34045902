//! What any implementation of embedded-hal's traits has.

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::nb::block;
use embedded_hal_nb::serial::Write;
use kilornn_app::hardware::Display;

use super::serial::Transmitter;

/// The sending half of a UART.
pub(crate) struct HalTransmitter<W>(pub(crate) W);

impl<W: Write> Transmitter for HalTransmitter<W> {
    fn send(&mut self, byte: u8) {
        // A UART cannot fail to send.
        let _ = block!(self.0.write(byte));
    }

    fn flush(&mut self) {
        let _ = block!(self.0.flush());
    }
}

/// An LED that is on for every class but the first.
pub(crate) struct Led<P>(pub(crate) P);

impl<P: OutputPin> Display for Led<P> {
    fn show(&mut self, _: &str, class: u32) {
        // If the pin cannot be set, the label still is on the serial line.
        let _ = self.0.set_state((class > 0).into());
    }
}
