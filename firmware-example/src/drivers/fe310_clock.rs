//! The clocks of the FE310, and its count of cycles as a clock that does not wrap.
#![allow(unsafe_code)]

use e310x::{CLINT, Prci, Qspi0};
use kilornn_app::hardware::Meter;
use riscv::register::mcycle;

use super::processor::peak_stack;

/// The board's crystal, which drives the processor and the UART.
pub(crate) const HZ: u32 = 16_000_000;

/// Steps of `mtime` over which [`CycleMeter::start`] counts cycles.
const STEPS: u64 = 8;

/// Cycles in a step of `mtime`, at least: 488, where it has the 32768 Hz of the board's other crystal.
const CYCLES: u64 = 300;

/// Runs everything from the crystal, with the PLL left out.
pub(crate) fn use_crystal(clocks: &Prci, flash: &Qspi0) {
    clocks.hfxosccfg().write(|w| w.enable().set_bit());
    while clocks.hfxosccfg().read().ready().bit_is_clear() {}
    clocks.pllcfg().modify(|_, w| w.refsel().set_bit().bypass().set_bit());
    clocks.plloutdiv().write(|w| w.divby1().set_bit());
    clocks.pllcfg().modify(|_, w| w.sel().set_bit());
    // The flash is read at half of that, the most there is.
    // SAFETY: any divider may be written.
    flash.sckdiv().write(|w| unsafe { w.div().bits(0) });
}

/// The processor's count of cycles.
///
/// A processor that stops its clocks in sleep does not count it.
pub(crate) struct CycleMeter {
    /// QEMU counts nanoseconds instead of cycles.
    is_emulated: bool,
}

impl CycleMeter {
    /// Compares the count with `mtime`, which tells whether this is an emulator: there it has 10 MHz.
    pub(crate) fn start() -> Self {
        let now = || (CLINT::mtimer().mtime.read(), mcycle::read64());
        let (begun, before) = now();
        loop {
            let (time, after) = now();
            if time - begun >= STEPS {
                return Self { is_emulated: after - before < CYCLES * (time - begun) };
            }
        }
    }
}

impl Meter for CycleMeter {
    const TICKS_PER_SECOND: u32 = HZ;

    fn ticks(&self) -> u64 {
        let count = mcycle::read64();
        if self.is_emulated { count * 2 / 125 } else { count }
    }

    fn peak_stack(&self) -> u32 {
        peak_stack()
    }
}
