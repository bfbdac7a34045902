//! The UARTs of the RP2040, which hold 32 bytes that have arrived.

use embedded_hal_nb::nb::Error;
use rp2040_hal::uart::{ReadErrorType, Reader, UartDevice, ValidUartPinout};

use super::serial::{Arrived, Receiver};

/// The receiving half. Its interrupt comes with the sixteenth byte, or when nothing has arrived for as long as four
/// bytes take.
pub(crate) struct RpReceiver<D: UartDevice, P: ValidUartPinout<D>> {
    reader: Reader<D, P>,
    /// A byte that came behind a loss that is told first.
    held: Option<u8>,
    /// Bytes were lost, and none has arrived since: the next one will say so once more.
    is_told: bool,
}

impl<D: UartDevice, P: ValidUartPinout<D>> RpReceiver<D, P> {
    /// What `reader` receives.
    pub(crate) fn new(reader: Reader<D, P>) -> Self {
        Self { reader, held: None, is_told: false }
    }
}

impl<D: UartDevice, P: ValidUartPinout<D>> Receiver for RpReceiver<D, P> {
    fn take(&mut self) -> Option<Arrived> {
        if let Some(byte) = self.held.take() {
            return Some(Arrived::Byte(byte));
        }
        let mut byte = [0];
        // Both reasons for the interrupt go with the last byte.
        match self.reader.read_raw(&mut byte) {
            Ok(_) => {
                self.is_told = false;
                let [byte] = byte;
                Some(Arrived::Byte(byte))
            }
            Err(Error::WouldBlock) => None,
            Err(Error::Other(error)) => {
                // Of all errors, an overrun alone comes with a byte that is good.
                let good = error.discarded.first().copied();
                let is_told = self.is_told;
                self.is_told = good.is_none() && error.err_type == ReadErrorType::Overrun;
                match good {
                    Some(byte) if is_told => Some(Arrived::Byte(byte)),
                    _ => {
                        self.held = good;
                        Some(Arrived::Loss)
                    }
                }
            }
        }
    }

    fn listen(&mut self, on: bool) {
        if on {
            self.reader.enable_rx_interrupt();
        } else {
            self.reader.disable_rx_interrupt();
        }
    }
}
