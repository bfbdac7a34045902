//! SysTick as a clock that does not wrap, on Cortex-M cores that have one.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use kilornn_app::board::Meter;

use super::stack;

/// The counter's 24 bits.
const MASK: u32 = 0x00FF_FFFF;

/// How often the counter has reached zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// Ticks of a processor that runs at `HZ`.
pub(crate) struct SysTick<const HZ: u32>(());

impl<const HZ: u32> SysTick<HZ> {
    /// Starts it on the processor's clock.
    pub(crate) fn start(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(MASK);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self(())
    }
}

impl<const HZ: u32> Meter for SysTick<HZ> {
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
        stack::peak()
    }
}

#[exception]
fn SysTick() {
    // The only writer. Not `fetch_add`, which a Cortex-M0 does not have.
    WRAPS.store(WRAPS.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
}
