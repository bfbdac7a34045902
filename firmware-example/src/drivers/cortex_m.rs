//! What every Cortex-M core with a SysTick can measure: time and stack.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance};
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::{STACK_PAINT_VALUE, exception};

use kilornn_app::board::Meter;

/// The counter's 24 bits.
const MASK: u32 = 0x00FF_FFFF;

/// How often the counter has reached zero.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// SysTick as a clock that does not wrap, and the stack's high-water mark.
pub(crate) struct CoreMeter(());

impl CoreMeter {
    /// Starts SysTick on the processor's clock.
    pub(crate) fn start(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(MASK);
        timer.clear_current();
        timer.enable_interrupt();
        timer.enable_counter();
        Self(())
    }
}

impl Meter for CoreMeter {
    const TICKS_PER_SECOND: u32 = 25_000_000;

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
        unsafe extern "C" {
            static _stack_start: u32;
            static _stack_end: u32;
        }
        let top = (&raw const _stack_start).addr();
        let mut address = (&raw const _stack_end).expose_provenance();
        // The lowest word that no longer has its paint.
        // SAFETY: cortex-m-rt painted all words from `_stack_end` to `_stack_start`, which the linker script
        // keeps free for the stack. Nothing below the stack pointer changes while they are read, except by an
        // interrupt, which a volatile read may see or miss.
        let word = |address| unsafe { read_volatile(with_exposed_provenance::<u32>(address)) };
        while address < top && word(address) == STACK_PAINT_VALUE {
            address += size_of::<u32>();
        }
        (top - address) as u32
    }
}

#[exception]
fn SysTick() {
    // The only writer. Not `fetch_add`, which a Cortex-M0 does not have.
    WRAPS.store(WRAPS.load(Ordering::SeqCst).wrapping_add(1), Ordering::SeqCst);
}
