//! What differs between processors: where the program starts, how it counts and where its stack is; and what a host
//! looks for that traces the program.
#![allow(unsafe_code)]

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;

use core::arch::asm;

#[cfg(target_arch = "arm")]
use cortex_m as arch;
#[cfg(target_arch = "riscv32")]
use riscv as arch;

/// Where a trace begins or ends. The host stops the program here, by this name, and logs what is executed between one
/// call and the next; without such a host it does nothing.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn kilornn_bench_mark() {
    // SAFETY: no instruction at all, only something that a compiler must not take for nothing.
    unsafe { asm!("") }
}

/// Runs `work` with a mark on either side.
pub(crate) fn traced(work: impl FnOnce()) {
    kilornn_bench_mark();
    work();
    kilornn_bench_mark();
}

/// A mark in the midst of something.
pub(crate) fn mark() {
    kilornn_bench_mark();
}

/// Runs the loop whose cycles are known by hand, if this processor has one, with a mark on either side.
pub(crate) fn known_loop() {
    traced(arch::known_loop);
}

/// Instructions of the loop by which the clock is calibrated.
const CALIBRATION: u32 = 200_000;

/// Counts instructions by a clock that QEMU (`-icount`) derives from them.
pub(crate) struct Counter {
    clock: arch::Clock,
    /// Ticks of [`CALIBRATION`] instructions.
    calibration: u32,
}

impl Counter {
    fn new(clock: arch::Clock) -> Self {
        let mut counter = Self { clock, calibration: 1 };
        counter.calibration = counter.ticks(|| {
            // SAFETY: two instructions that count a register of this `asm!` down to zero, and change nothing else.
            unsafe { asm!("2:", arch::count_down!(), inout(reg) CALIBRATION / 2 => _) }
        });
        counter
    }

    /// The instructions that `work` takes, to the tick of the clock; at most 10 million.
    pub(crate) fn instructions(&self, work: impl FnOnce()) -> u64 {
        let ticks = self.ticks(work);
        let calibration = u64::from(self.calibration);
        (u64::from(ticks) * u64::from(CALIBRATION) + calibration / 2) / calibration
    }

    fn ticks(&self, work: impl FnOnce()) -> u32 {
        let before = self.clock.now();
        work();
        arch::Clock::since(before, self.clock.now())
    }
}

/// Words below the stack pointer that [`Watched`] watches.
const WATCHED: usize = 1024;

/// What is written there.
const PAINT: u32 = 0x5EED_FACE;

/// The stack below a function's own frame, painted to see how much of it is used.
pub(crate) struct Watched {
    top: usize,
}

impl Watched {
    /// Paints it. The caller's frame is above.
    #[inline(always)]
    pub(crate) fn paint() -> Self {
        let watched = Self { top: stack_pointer() };
        for index in 0..WATCHED {
            // SAFETY: every board has this much RAM below the stack pointer, and it is not in use: the caller's frame is
            // above, and `SKIPPED` words are left out for a function that it may call.
            unsafe { watched.word(index).write_volatile(PAINT) };
        }
        watched
    }

    /// The bytes that have been used of it.
    #[inline(always)]
    pub(crate) fn used(&self) -> u32 {
        // SAFETY: the same words as in `paint`; a volatile read may see any value.
        let deepest = (0..WATCHED).rev().find(|&index| unsafe { self.word(index).read_volatile() } != PAINT);
        deepest.map_or(0, |index| 4 * (index + 1 + SKIPPED) as u32)
    }

    #[inline(always)]
    fn word(&self, index: usize) -> *mut u32 {
        self.top.wrapping_sub(4 * (index + SKIPPED)) as *mut u32
    }
}

/// Words right below the stack pointer that are left alone: a call that the compiler may make to paint.
const SKIPPED: usize = 16;

#[inline(always)]
fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it copies a register and changes nothing else.
    unsafe { asm!(arch::copy_stack_pointer!(), out(reg) pointer) };
    pointer
}
