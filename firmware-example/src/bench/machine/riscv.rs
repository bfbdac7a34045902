//! RISC-V: the counter of retired instructions.

use core::arch::asm;

// Its interrupts, which the linker looks for.
use e310x as _;
use riscv_rt::entry;
use semihosting::process::ExitCode;

use super::Counter;

macro_rules! count_down {
    () => {
        "addi {0}, {0}, -1\nbnez {0}, 2b"
    };
}
pub(super) use count_down;

macro_rules! copy_stack_pointer {
    () => {
        "mv {}, sp"
    };
}
pub(super) use copy_stack_pointer;

#[entry]
fn main() -> ! {
    let success = crate::run(&Counter::new(Clock));
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }.exit_process()
}

/// The low half of `minstret`.
pub(super) struct Clock;

impl Clock {
    pub(super) fn now(&self) -> u32 {
        let count;
        // SAFETY: it reads a counter, which a program in machine mode may do at any time.
        unsafe { asm!("csrr {}, minstret", out(reg) count) };
        count
    }

    pub(super) fn since(before: u32, after: u32) -> u32 {
        after.wrapping_sub(before)
    }
}

/// Nobody reckons with this processor's cycles.
pub(super) fn known_loop() {}
