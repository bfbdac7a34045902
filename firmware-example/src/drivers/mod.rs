//! What boards are put together from: the only code that touches hardware, and with the boards the only `unsafe` code.
//!
//! The features of a board name the parts that it needs.

#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_uart;
#[cfg(feature = "mps2")]
pub(crate) mod mps2;
pub(crate) mod port;
#[cfg(feature = "mps2")]
pub(crate) mod ram_slot;
#[cfg(feature = "mps2")]
pub(crate) mod semihosting;
mod sleep;
pub(crate) mod stack;
#[cfg(feature = "systick")]
pub(crate) mod systick;

/// The part of the flash that `boards.toml` keeps for models that are sent: where it begins, and its bytes.
#[allow(unsafe_code)]
pub(crate) fn slots() -> (*mut u8, usize) {
    unsafe extern "C" {
        static mut _slots_start: u8;
        static mut _slots_end: u8;
    }
    let (start, end) = (&raw mut _slots_start, &raw mut _slots_end);
    (start, end.addr() - start.addr())
}
