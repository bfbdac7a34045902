//! Arm's Cortex-M cores: SysTick, which QEMU drives by instructions.

use core::arch::global_asm;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::entry;
// Its interrupts, which the linker looks for.
#[cfg(feature = "nrf")]
use microbit_common as _;
use semihosting::process::ExitCode;

use super::Counter;

/// The counter's 24 bits.
const MASK: u32 = 0x00FF_FFFF;

macro_rules! count_down {
    () => {
        "subs {0}, {0}, #1\nbne 2b"
    };
}
pub(super) use count_down;

macro_rules! copy_stack_pointer {
    () => {
        "mov {}, sp"
    };
}
pub(super) use copy_stack_pointer;

#[entry]
fn main() -> ! {
    let success = cortex_m::Peripherals::take().is_some_and(|core| {
        let mut timer = core.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(MASK);
        timer.clear_current();
        timer.enable_counter();
        crate::run(&Counter::new(Clock(())))
    });
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }.exit_process()
}

/// SysTick, which counts down.
pub(super) struct Clock(());

impl Clock {
    pub(super) fn now(&self) -> u32 {
        SYST::get_current()
    }

    pub(super) fn since(before: u32, after: u32) -> u32 {
        before.wrapping_sub(after) & MASK
    }
}

// The loop whose cycles on each core stand in `xtask/src/bench/device/cycles/known.rs`, instruction by instruction.
global_asm!(
    "
    .section .text.kilornn_bench_loop, \"ax\"
    .p2align 2
    .global kilornn_bench_loop
    .type kilornn_bench_loop, %function
    .thumb_func
kilornn_bench_loop:
    movs r1, #100
2:  ldr r2, [r0]
    ldr r3, [r0, #4]
    muls r2, r3, r2
    str r2, [r0]
    subs r1, r1, #1
    bne 2b
    bx lr
    .size kilornn_bench_loop, . - kilornn_bench_loop
    "
);

pub(super) fn known_loop() {
    unsafe extern "C" {
        fn kilornn_bench_loop(numbers: *mut [u32; 2]);
    }
    // SAFETY: it reads and writes the two words that it is given, and follows the calling convention.
    unsafe { kilornn_bench_loop(&mut [1, 3]) }
}
