//! The timer of the RP2040: microseconds in 64 bits.

use kilornn_app::hardware::Meter;
use rp2040_hal::Timer;

use super::processor::peak_stack;

/// The timer as a clock.
pub(crate) struct TimerMeter(pub(crate) Timer);

impl Meter for TimerMeter {
    const TICKS_PER_SECOND: u32 = 1_000_000;

    fn ticks(&self) -> u64 {
        self.0.get_counter().ticks()
    }

    fn peak_stack(&self) -> u32 {
        peak_stack()
    }
}
