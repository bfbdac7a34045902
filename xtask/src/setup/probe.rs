//! Compiled for a target to see whether its `core`, `alloc` and `compiler_builtins` are in order. Never run.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

struct NoHeap;

// SAFETY: giving no memory is allowed.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: NoHeap = NoHeap;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// A 64-bit division is a call into `compiler_builtins` on 32-bit targets.
#[unsafe(no_mangle)]
pub extern "C" fn probe(a: u64, b: u64) -> u64 {
    let mut list = Vec::new();
    list.push(a.checked_div(b).unwrap_or(b));
    list[0]
}
