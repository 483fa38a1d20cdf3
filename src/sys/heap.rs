//! Giving memory that was freed back to the kernel: malloc_trim(3).

/// Gives the kernel every page of the heap in which nothing is left. Takes some milliseconds for a heap of hundreds of
/// MiB, and holds up who allocates meanwhile. C libraries but glibc's do it by themselves, if at all.
pub(crate) fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no memory of ours is passed; the function may be called on any thread at any time.
    unsafe {
        libc::malloc_trim(0)
    };
}
