//! The UART of Arm's Cortex-M System Design Kit: a byte of buffer in each direction.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance_mut, write_volatile};

use super::port::{self, Lost, Receive};

// Registers, in words from the base.
const DATA: usize = 0;
const STATE: usize = 1;
const CTRL: usize = 2;
const INTERRUPT: usize = 3;
const BAUDDIV: usize = 4;

// Bits of STATE.
const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;
const RX_OVERRUN: u32 = 1 << 3;

// Bits of CTRL.
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
const RX_INTERRUPT_ENABLE: u32 = 1 << 3;

// Bits of INTERRUPT.
const RX_INTERRUPT: u32 = 1 << 1;

/// The registers of one UART.
struct Registers(usize);

impl Registers {
    fn read(&self, index: usize) -> u32 {
        // SAFETY: `new`'s caller promised the registers, and every index here is one of them.
        unsafe { read_volatile(with_exposed_provenance_mut::<u32>(self.0).add(index)) }
    }

    fn write(&self, index: usize, value: u32) {
        // SAFETY: as in `read`.
        unsafe { write_volatile(with_exposed_provenance_mut::<u32>(self.0).add(index), value) }
    }
}

/// Enables the UART whose registers begin at `base`; its two halves.
///
/// `divider` is the peripheral clock divided by the baud rate, at least 16.
///
/// # Safety
///
/// At `base` must be a CMSDK UART that nothing else uses.
pub(crate) unsafe fn new(base: usize, divider: u32) -> (Receiver, Sender) {
    let registers = Registers(base);
    registers.write(BAUDDIV, divider);
    registers.write(CTRL, TX_ENABLE | RX_ENABLE);
    (Receiver(registers), Sender(Registers(base)))
}

/// The receiving half, which alone writes CTRL and INTERRUPT.
pub(crate) struct Receiver(Registers);

impl Receive for Receiver {
    fn receive(&mut self) -> Option<Result<u8, Lost>> {
        let Self(registers) = self;
        // First, so that what arrives from here on makes another interrupt.
        registers.write(INTERRUPT, RX_INTERRUPT);
        let state = registers.read(STATE);
        if state & RX_OVERRUN != 0 {
            registers.write(STATE, RX_OVERRUN); // writing the bit clears it
            return Some(Err(Lost));
        }
        (state & RX_FULL != 0).then(|| Ok(registers.read(DATA) as u8))
    }

    fn listen(&mut self, on: bool) {
        let interrupt = if on { RX_INTERRUPT_ENABLE } else { 0 };
        self.0.write(CTRL, TX_ENABLE | RX_ENABLE | interrupt);
    }
}

/// The sending half, which writes DATA alone.
pub(crate) struct Sender(Registers);

impl port::Send for Sender {
    fn send(&mut self, byte: u8) {
        while self.0.read(STATE) & TX_FULL != 0 {}
        self.0.write(DATA, u32::from(byte));
    }

    fn flush(&mut self) {
        while self.0.read(STATE) & TX_FULL != 0 {}
    }
}
