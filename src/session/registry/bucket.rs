//! How often at most the handler is told of what peers can bring about as often as they like.

use std::time::{Duration, Instant};

/// A token bucket: so many events at once, and so many in a second.
pub(super) struct Bucket {
    tokens: u32,
    since: Instant,
}

impl Default for Bucket {
    fn default() -> Self {
        Bucket { tokens: Self::EACH_SECOND, since: Instant::now() }
    }
}

impl Bucket {
    const EACH_SECOND: u32 = 10;

    /// Takes a token if there is one.
    pub(super) fn take(&mut self) -> bool {
        let interval = Duration::from_secs(1) / Self::EACH_SECOND;
        let fresh = self.since.elapsed().as_nanos() / interval.as_nanos();
        if fresh > 0 {
            self.tokens = Self::EACH_SECOND.min(self.tokens.saturating_add(u32::try_from(fresh).unwrap_or(u32::MAX)));
            self.since = Instant::now();
        }
        let taken = self.tokens > 0;
        self.tokens -= u32::from(taken);
        taken
    }
}
