//! Limits of how often something may happen.

use std::sync::atomic::{AtomicU64, Ordering};

/// So many times a second in the long run, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub each_second: u32,
    pub at_once: u32,
}

/// Counts against a [`Rate`], on any thread and without a lock.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    /// Up to when, in nanoseconds, what has happened would have taken if it had kept to the rate.
    paid_until: AtomicU64,
}

impl RateLimit {
    /// Whether it may happen once more.
    pub(crate) fn take(&self, rate: Rate, now_ns: u64) -> bool {
        let interval = 1_000_000_000 / u64::from(rate.each_second);
        let ahead = interval * u64::from(rate.at_once.saturating_sub(1));
        let paid = |until: u64| (until.max(now_ns) - now_ns <= ahead).then(|| until.max(now_ns) + interval);
        self.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { each_second: 10, at_once: 3 };
    const INTERVAL: u64 = 100_000_000;

    fn taken(limit: &RateLimit, now_ns: u64) -> usize {
        (0..10).take_while(|_| limit.take(RATE, now_ns)).count()
    }

    #[test]
    fn so_many_at_once_and_then_at_the_rate() {
        let limit = RateLimit::default();
        let start = 1 << 40;
        assert_eq!(taken(&limit, start), 3);
        assert_eq!(taken(&limit, start + INTERVAL - 1), 0);
        assert_eq!(taken(&limit, start + INTERVAL), 1);
        assert_eq!(taken(&limit, start + 3 * INTERVAL), 2);
        // A rest gives no more than a burst, and a clock that is read late by a thread does no harm.
        assert_eq!(taken(&limit, start + 1000 * INTERVAL), 3);
        assert_eq!(taken(&limit, start), 0);
    }

    #[test]
    fn threads_share_it() {
        let limit = RateLimit::default();
        let rate = Rate { each_second: 1, at_once: 1000 };
        let count = || (0..1000).filter(|_| limit.take(rate, 1)).count();
        let all: usize = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(count));
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(all, 1000);
    }
}
