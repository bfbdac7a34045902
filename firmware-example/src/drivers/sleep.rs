//! Sleep.

/// Stops the processor until an interrupt is pending, whether or not interrupts are let through.
pub(crate) fn until_interrupt() {
    #[cfg(target_arch = "arm")]
    cortex_m::asm::wfi();
    #[cfg(target_arch = "riscv32")]
    riscv::asm::wfi();
}
