//! What the C library does with memory that is given back to it.

/// Has the C library keep freed memory for what is asked for next, instead of giving it back to the system.
///
/// A training step asks for the same few megabytes again and again. Memory that comes from the system has to be mapped and set
/// to zero first, page by page, which would take a quarter of a step of a SimpleRNN of 100 units. The most memory that
/// is in use does not change. For a program to call when it starts; without effect where the C library is not glibc.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// More than a step ever has free.
        const KEPT: i32 = i32::MAX;
        /// What is larger is mapped on its own in any case: glibc takes no higher threshold.
        const LARGEST: i32 = 32 << 20;
        // SAFETY: these set two numbers of the allocator, under its own lock.
        unsafe {
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST);
        }
    }
}
