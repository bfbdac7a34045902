//! The UART of Arm's Cortex-M System Design Kit, polled.
#![allow(unsafe_code)]

use core::fmt;
use core::ptr::{read_volatile, with_exposed_provenance_mut, write_volatile};

use embedded_io::{ErrorKind, ErrorType, Read, Write};

// Registers, in words from the base.
const DATA: usize = 0;
const STATE: usize = 1;
const CTRL: usize = 2;
const BAUDDIV: usize = 4;

// Bits of STATE.
const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;
const RX_OVERRUN: u32 = 1 << 3;

// Bits of CTRL.
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;

/// A byte arrived before the one before it was read, and one of them is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overrun;

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text arrived faster than it was read")
    }
}

impl core::error::Error for Overrun {}

impl embedded_io::Error for Overrun {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// One UART: a byte of buffer in each direction.
pub(crate) struct CmsdkUart {
    registers: *mut u32,
}

impl CmsdkUart {
    /// Enables the UART whose registers begin at `base`.
    ///
    /// `divider` is the peripheral clock divided by the baud rate, at least 16.
    ///
    /// # Safety
    ///
    /// At `base` must be a CMSDK UART that nothing else uses.
    pub(crate) unsafe fn new(base: usize, divider: u32) -> Self {
        let mut uart = Self { registers: with_exposed_provenance_mut(base) };
        uart.write_register(BAUDDIV, divider);
        uart.write_register(CTRL, TX_ENABLE | RX_ENABLE);
        uart
    }

    fn register(&self, index: usize) -> u32 {
        // SAFETY: `new`'s caller promised the registers, and every index here is one of them.
        unsafe { read_volatile(self.registers.add(index)) }
    }

    fn write_register(&mut self, index: usize, value: u32) {
        // SAFETY: as in `register`.
        unsafe { write_volatile(self.registers.add(index), value) }
    }
}

impl ErrorType for CmsdkUart {
    type Error = Overrun;
}

impl Read for CmsdkUart {
    /// Waits for one byte, then takes what has already arrived behind it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Overrun> {
        let mut count = 0;
        for byte in buffer {
            let state = loop {
                let state = self.register(STATE);
                if state & RX_FULL != 0 || count > 0 {
                    break state;
                }
            };
            if state & RX_OVERRUN != 0 {
                self.write_register(STATE, RX_OVERRUN); // writing the bit clears it
                let _ = self.register(DATA);
                return Err(Overrun);
            }
            if state & RX_FULL == 0 {
                break;
            }
            *byte = self.register(DATA) as u8;
            count += 1;
        }
        Ok(count)
    }
}

impl Write for CmsdkUart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Overrun> {
        for &byte in bytes {
            while self.register(STATE) & TX_FULL != 0 {}
            self.write_register(DATA, u32::from(byte));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Overrun> {
        while self.register(STATE) & TX_FULL != 0 {}
        Ok(())
    }
}
