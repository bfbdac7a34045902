//! The high-water mark of a stack that was painted.
#![allow(unsafe_code)]

use core::ptr::{read_volatile, with_exposed_provenance};

/// Bytes from `top` down to the lowest word that no longer has its paint.
///
/// # Safety
///
/// The words from `bottom` to `top` must be kept for the stack alone.
pub(super) unsafe fn peak(bottom: *const u32, top: *const u32, paint: u32) -> u32 {
    let top = top.addr();
    let mut address = bottom.expose_provenance();
    // SAFETY: the caller promises that it is the stack's. Nothing below the stack pointer changes while it is read,
    // except by an interrupt, which a volatile read may see or miss.
    let word = |address| unsafe { read_volatile(with_exposed_provenance::<u32>(address)) };
    while address < top && word(address) == paint {
        address += size_of::<u32>();
    }
    (top - address) as u32
}
