//! The clock that long idle times are measured with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sys;

/// CLOCK_MONOTONIC, or for tests, which should wait for nothing, a [`ManualClock`].
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// Nanoseconds of CLOCK_MONOTONIC; of a [`ManualClock`], with what it was advanced by.
    pub fn now_ns(&self) -> u64 {
        match &self.0 {
            None => sys::monotonic_ns(),
            Some(now) => now.load(Ordering::Acquire),
        }
    }
}

/// A clock that stands still until it is advanced.
#[derive(Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows the present time.
    #[expect(clippy::new_without_default, reason = "each one shows another time")]
    pub fn new() -> ManualClock {
        ManualClock(Arc::new(AtomicU64::new(sys::monotonic_ns())))
    }

    /// What the object under test reads.
    pub fn clock(&self) -> Clock {
        Clock(Some(Arc::clone(&self.0)))
    }

    /// Puts it forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::AcqRel);
    }
}
