//! The clock that only goes forward: clock_gettime(2).

/// CLOCK_MONOTONIC in nanoseconds: what C++ calls `std::chrono::steady_clock` on Linux.
pub(crate) fn monotonic_ns() -> u64 {
    let now = monotonic(libc::CLOCK_MONOTONIC);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The seconds of the same clock, some milliseconds late at times. Three times as fast.
pub(crate) fn monotonic_coarse_s() -> u64 {
    monotonic(libc::CLOCK_MONOTONIC_COARSE).tv_sec as u64
}

fn monotonic(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to store to. Both clocks always exist.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now
}
