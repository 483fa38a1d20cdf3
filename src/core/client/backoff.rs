//! How long a client waits before it tries to connect again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use crate::config::Reconnect;

/// Exponential back-off with full jitter: the n-th wait in a row is uniform in 0 to `first_delay` * 2^n, or to
/// `max_delay` if that is less. Clients that lost the same server spread over the whole of it, and do not come back in
/// step.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    /// Waits since it began.
    waits: u32,
}

impl Backoff {
    pub(super) fn new(policy: &Reconnect) -> Backoff {
        Backoff { first: policy.first_delay, max: policy.max_delay, waits: 0 }
    }

    /// The next wait; `random` is uniform in all 64 bits.
    pub(super) fn next(&mut self, random: u64) -> Duration {
        let longest = self.longest();
        self.waits = self.waits.saturating_add(1);
        let nanos = (u128::from(random) * (longest.as_nanos() + 1)) >> 64;
        // No longer than `longest`, which is bounded.
        Duration::from_nanos(nanos as u64)
    }

    /// The connection has ended that was open for so long. Only one that lasted lets the waits be short again: a server
    /// that accepts and drops is no better than one that refuses.
    pub(super) fn connection_lasted(&mut self, open: Duration) {
        if open >= self.max {
            self.waits = 0;
        }
    }

    fn longest(&self) -> Duration {
        let factor = 1u32.checked_shl(self.waits).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }
}

/// Random numbers from the standard library's hasher, whose keys are random: good enough to spread clients.
#[derive(Debug, Default)]
pub(super) struct Jitter {
    keys: RandomState,
    drawn: u64,
}

impl Jitter {
    pub(super) fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.keys.hash_one(self.drawn)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::random::Random;

    const POLICY: Reconnect = Reconnect {
        enabled: true,
        first_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(5),
        max_attempts: None,
    };

    #[test]
    fn waits_are_between_nothing_and_a_bound_that_doubles() {
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut backoff = Backoff::new(&POLICY);
            for bound_ms in [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000] {
                let bound = Duration::from_millis(bound_ms);
                let wait = backoff.next(random);
                let expected = bound.mul_f64(random as f64 / u64::MAX as f64);
                assert!(wait.abs_diff(expected) <= Duration::from_nanos(2), "{random}: {wait:?} of {bound:?}");
                assert!(wait <= bound);
            }
        }
    }

    /// For any policy, any random numbers and any number of waits.
    #[test]
    fn no_wait_is_longer_than_its_bound() {
        let mut random = Random(1);
        for _ in 0..2_000 {
            let (a, b) = (random.next() >> (random.next() % 64), random.next() >> (random.next() % 64));
            let longest = Duration::from_secs(10 * 365 * 24 * 3600);
            let max_delay = Duration::from_nanos(a.max(b)).min(longest);
            let policy = Reconnect { first_delay: Duration::from_nanos(a.min(b)).min(max_delay), max_delay, ..POLICY };
            let mut backoff = Backoff::new(&policy);
            for n in 0..80 {
                let bound = policy.first_delay.as_nanos().saturating_mul(1 << n).min(max_delay.as_nanos());
                assert!(backoff.next(random.next()).as_nanos() <= bound, "{policy:?}, wait {n}");
            }
        }
    }

    #[test]
    fn only_a_connection_that_lasted_lets_it_begin_anew() {
        let mut backoff = Backoff::new(&POLICY);
        for _ in 0..10 {
            backoff.next(0);
            backoff.connection_lasted(Duration::from_millis(4999));
        }
        assert_eq!(backoff.next(u64::MAX), Duration::from_secs(5));
        backoff.connection_lasted(Duration::from_secs(5));
        assert_eq!(backoff.next(u64::MAX), Duration::from_millis(100));
    }

    /// 1,000 clients lose their server at the same moment and try for a minute: after the first seconds, in which the
    /// waits grow, the attempts of any second are about 2 / `max_delay` for each client, and never in step.
    #[test]
    fn clients_do_not_come_back_as_a_herd() {
        const CLIENTS: usize = 1000;
        let mut random = Random(2);
        for (max_delay, most_a_second) in [(5, 500), (10, 300)] {
            let policy = Reconnect { max_delay: Duration::from_secs(max_delay), ..POLICY };
            let mut tenths = vec![0; 600];
            for _ in 0..CLIENTS {
                let mut backoff = Backoff::new(&policy);
                let mut now = Duration::ZERO;
                loop {
                    // Each attempt takes a moment.
                    now += backoff.next(random.next()) + Duration::from_millis(1);
                    let Some(bucket) = tenths.get_mut((now.as_millis() / 100) as usize) else { break };
                    *bucket += 1;
                }
            }
            let steady = &tenths[200..];
            let peak = steady.windows(10).map(|second| second.iter().sum::<usize>()).max().unwrap();
            let mean = steady.iter().sum::<usize>() * 10 / steady.len();
            let expected = 2 * CLIENTS / max_delay as usize;
            assert!(mean.abs_diff(expected) <= expected / 20, "{mean} attempts a second, {expected} expected");
            assert!(peak <= most_a_second, "{peak} attempts within a second at {max_delay} s");
            // Of a tenth of a second the same holds but for chance, which is some five standard deviations at most.
            let most = *steady.iter().max().unwrap() as f64;
            let tenth = expected as f64 / 10.0;
            assert!(most <= tenth + 5.0 * tenth.sqrt(), "{most} attempts within 100 ms at {max_delay} s");
        }
    }

    #[test]
    fn two_clients_draw_different_numbers() {
        let mut drawn = BTreeSet::new();
        for _ in 0..100 {
            let mut jitter = Jitter::default();
            (0..100).for_each(|_| assert!(drawn.insert(jitter.draw())));
        }
        let middle = drawn.iter().filter(|&&number| number < u64::MAX / 2).count();
        assert!((4500..5500).contains(&middle), "{middle} of 10000 in the lower half");
    }
}
