//! The USARTs of the STM32F4.

use embedded_hal_nb::nb::Error;
use embedded_hal_nb::serial::Read;
use stm32f4xx_hal::serial::{Instance, Rx, RxListen as _};

use super::serial::{Arrived, Receiver};

/// The receiving half of a USART, which has room for a byte besides the one that is arriving.
pub(crate) struct UsartReceiver<U: Instance>(pub(crate) Rx<U>);

impl<U: Instance> Receiver for UsartReceiver<U> {
    fn take(&mut self) -> Option<Arrived> {
        // The flag of the interrupt goes with the byte. The interrupt for bytes is that for an overrun, too.
        match self.0.read() {
            Ok(byte) => Some(Arrived::Byte(byte)),
            Err(Error::WouldBlock) => None,
            Err(Error::Other(_)) => Some(Arrived::Loss),
        }
    }

    fn listen(&mut self, on: bool) {
        if on {
            self.0.listen();
        } else {
            self.0.unlisten();
        }
    }
}
