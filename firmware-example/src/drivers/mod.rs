//! What boards are put together from: the only code that touches hardware, and the only `unsafe` code.

#[cfg(feature = "mps2-an386")]
pub(crate) mod cmsdk_uart;
#[cfg(feature = "mps2-an386")]
pub(crate) mod cortex_m;
#[cfg(feature = "mps2-an386")]
pub(crate) mod semihosting;
