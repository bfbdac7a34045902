//! TIMER0 of the nRF51 and nRF52 as a clock that does not wrap.
//!
//! Not SysTick: the nRF51 has none, and that of the nRF52 stands still while the processor sleeps.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering};

use kilornn_app::hardware::Meter;
use microbit_common::pac::TIMER0;

use super::processor::peak_stack;

/// The comparison that finds that the counter has wrapped.
const WRAP: usize = 0;

/// Where the counter is copied to, to be read.
const NOW: usize = 1;

/// How often the counter has wrapped.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// The timer, at 16 MHz.
pub(crate) struct TimerMeter(TIMER0);

impl TimerMeter {
    /// Starts it. The board's interrupt `TIMER0` has to be [`wrapped`].
    pub(crate) fn start(timer: TIMER0) -> Self {
        timer.bitmode.write(|w| w.bitmode()._32bit());
        // SAFETY: any number may be written to be compared with, a prescaler may be up to 9, and bit 0 starts a task.
        unsafe {
            timer.prescaler.write(|w| w.bits(0));
            timer.cc[WRAP].write(|w| w.bits(0));
            timer.tasks_clear.write(|w| w.bits(1));
            timer.tasks_start.write(|w| w.bits(1));
        }
        let meter = Self(timer);
        // The zero of the beginning is no wrap.
        while meter.counter() == 0 {}
        meter.0.events_compare[WRAP].reset();
        meter.0.intenset.write(|w| w.compare0().set());
        meter
    }

    fn counter(&self) -> u32 {
        // SAFETY: any bits may be written to this register; bit 0 starts the task.
        self.0.tasks_capture[NOW].write(|w| unsafe { w.bits(1) });
        self.0.cc[NOW].read().bits()
    }
}

impl Meter for TimerMeter {
    const TICKS_PER_SECOND: u32 = 16_000_000;

    fn ticks(&self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::SeqCst);
            let since = self.counter();
            // Again if the counter wrapped meanwhile, whether or not that was counted already.
            let is_pending = self.0.events_compare[WRAP].read().bits() != 0;
            if !is_pending && WRAPS.load(Ordering::SeqCst) == wraps {
                return (u64::from(wraps) << 32) + u64::from(since);
            }
        }
    }

    fn peak_stack(&self) -> u32 {
        peak_stack()
    }
}

/// The board's interrupt `TIMER0` must call this.
pub(crate) fn wrapped() {
    // SAFETY: these are the registers of the timer, at any time. `TimerMeter::start` took the timer and resets this event
    // only before it enables the interrupt; from then on only the interrupt does.
    unsafe { &*TIMER0::ptr() }.events_compare[WRAP].reset();
    // The only writer. Not `fetch_add`, which a Cortex-M0 does not have.
    WRAPS.store(WRAPS.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
}
