//! The most bytes of a painted stack that were in use.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance};

/// Bytes from `top` down to the lowest word that no longer has its paint.
///
/// # Safety
///
/// The words from `bottom` to `top` must be readable memory that the stack alone uses.
pub(super) unsafe fn peak(bottom: *const u32, top: *const u32, paint: u32) -> u32 {
    let top = top.addr();
    let mut address = bottom.expose_provenance();
    // SAFETY: by the contract of `peak`, the word may be read. Below the stack pointer only an interrupt changes it
    // meanwhile, and a volatile read may see either value.
    let word = |address| unsafe { read_volatile(with_exposed_provenance::<u32>(address)) };
    while address < top && word(address) == paint {
        address += size_of::<u32>();
    }
    (top - address) as u32
}
