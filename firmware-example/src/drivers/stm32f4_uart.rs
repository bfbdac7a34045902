//! A UART of the STM32F4. It holds one byte in each direction.

use stm32f4xx_hal::hal_02::serial::{Read as _, Write as _};
use stm32f4xx_hal::nb::{self, block};
use stm32f4xx_hal::serial::{Instance, Rx, RxListen as _, Tx};

use super::serial::{Arrived, Receiver, Transmitter};

/// The receiving half.
pub(crate) struct Stm32Receiver<U: Instance>(pub(crate) Rx<U>);

impl<U: Instance> Receiver for Stm32Receiver<U> {
    fn take(&mut self) -> Option<Arrived> {
        match self.0.read() {
            Ok(byte) => Some(Arrived::Byte(byte)),
            Err(nb::Error::WouldBlock) => None,
            // The byte that waited is part of it.
            Err(nb::Error::Other(_)) => Some(Arrived::Loss),
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

/// The sending half.
pub(crate) struct Stm32Transmitter<U: Instance>(pub(crate) Tx<U>);

impl<U: Instance> Transmitter for Stm32Transmitter<U> {
    fn send(&mut self, byte: u8) {
        // It knows no error that could happen.
        let _ = block!(self.0.write(byte));
    }

    fn flush(&mut self) {
        let _ = block!(self.0.flush());
    }
}
