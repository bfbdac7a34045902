//! SysTick, the timer of most Cortex-M cores, as a clock that does not wrap.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;

use kilornn_app::hardware::Meter;

use super::processor::peak_stack;

/// The counter's 24 bits.
const MASK: u32 = 0x00FF_FFFF;

/// How often the counter has reached zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// SysTick on the processor's clock of `HZ`.
pub(crate) struct SysTickMeter<const HZ: u32>(());

impl<const HZ: u32> SysTickMeter<HZ> {
    /// Starts it.
    pub(crate) fn start(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(MASK);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self(())
    }
}

impl<const HZ: u32> Meter for SysTickMeter<HZ> {
    const TICKS_PER_SECOND: u32 = HZ;

    fn ticks(&self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::SeqCst);
            // The counter runs down, and the interrupt comes as it reaches zero, not as it leaves it.
            let since = SYST::get_current().wrapping_neg() & MASK;
            // Again if the counter reached zero meanwhile, whether or not that was counted already.
            if !SCB::is_pendst_pending() && WRAPS.load(Ordering::SeqCst) == wraps {
                return (u64::from(wraps) << 24) + u64::from(since);
            }
        }
    }

    fn peak_stack(&self) -> u32 {
        peak_stack()
    }
}

#[exception]
fn SysTick() {
    // The only writer. Not `fetch_add`, which a Cortex-M0 does not have.
    WRAPS.store(WRAPS.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
}
