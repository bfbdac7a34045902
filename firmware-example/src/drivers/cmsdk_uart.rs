//! The UART of Arm's Cortex-M System Design Kit.
#![allow(unsafe_code)]

use core::ptr::with_exposed_provenance_mut;

use super::serial::{Arrived, Receiver, Transmitter};

// Registers, in words from the base.
const DATA: usize = 0;
const STATE: usize = 1;
const CTRL: usize = 2;
const INTCLEAR: usize = 3;
const BAUDDIV: usize = 4;

// Bits of STATE.
const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;
const RX_OVERRUN: u32 = 1 << 3;

// Bits of CTRL.
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
const RX_INTERRUPT: u32 = 1 << 3;

// A bit of INTCLEAR.
const RX_CLEAR: u32 = 1 << 1;

/// Where a UART's registers begin.
struct Registers(usize);

impl Registers {
    fn read(&self, index: usize) -> u32 {
        // SAFETY: by the contract of `open`, the registers of a CMSDK UART begin here, and `index` is that of one of them.
        unsafe { with_exposed_provenance_mut::<u32>(self.0).add(index).read_volatile() }
    }

    fn write(&mut self, index: usize, value: u32) {
        // SAFETY: as in `read`; by the contract of `open`, nothing else uses the UART.
        unsafe { with_exposed_provenance_mut::<u32>(self.0).add(index).write_volatile(value) }
    }
}

/// Enables the UART whose registers begin at `base`; it has a byte of buffer in each direction.
///
/// `divider` is the peripheral clock divided by the baud rate, at least 16.
///
/// # Safety
///
/// At `base` must be a CMSDK UART that nothing else uses.
pub(crate) unsafe fn open(base: usize, divider: u32) -> (CmsdkReceiver, CmsdkTransmitter) {
    let mut registers = Registers(base);
    registers.write(BAUDDIV, divider);
    registers.write(CTRL, TX_ENABLE | RX_ENABLE);
    (CmsdkReceiver(registers), CmsdkTransmitter(Registers(base)))
}

/// The receiving half; CTRL is its own.
pub(crate) struct CmsdkReceiver(Registers);

impl Receiver for CmsdkReceiver {
    fn take(&mut self) -> Option<Arrived> {
        self.0.write(INTCLEAR, RX_CLEAR);
        let state = self.0.read(STATE);
        if state & RX_OVERRUN != 0 {
            // Writing the bit clears it. The byte that is there now came after the one that was lost.
            self.0.write(STATE, RX_OVERRUN);
            return Some(Arrived::Loss);
        }
        (state & RX_FULL != 0).then(|| Arrived::Byte(self.0.read(DATA) as u8))
    }

    fn listen(&mut self, on: bool) {
        let interrupt = if on { RX_INTERRUPT } else { 0 };
        self.0.write(CTRL, TX_ENABLE | RX_ENABLE | interrupt);
    }
}

/// The sending half.
pub(crate) struct CmsdkTransmitter(Registers);

impl Transmitter for CmsdkTransmitter {
    fn send(&mut self, byte: u8) {
        self.flush();
        self.0.write(DATA, u32::from(byte));
    }

    fn flush(&mut self) {
        while self.0.read(STATE) & TX_FULL != 0 {}
    }
}
