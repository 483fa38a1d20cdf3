//! How much happens in a second, over a window that slides.

use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use super::{Counter, Counters};
use crate::sys;

/// The window: the rates are those of the last ten seconds.
const WINDOW_S: u64 = 10;

/// Marks of as many seconds are kept: those of the window, and some that are being written.
const MARKS: usize = 16;

const SECOND_NS: u64 = 1_000_000_000;

/// What happens in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerSecond {
    /// Connections that come to be.
    pub connections: u64,
    /// Both directions, as the bytes.
    pub messages: u64,
    /// Bytes of messages.
    pub bytes: u64,
}

/// What had been counted when a second began.
#[derive(Debug, Default)]
struct Mark {
    /// Stored last; 0: there is none.
    second: AtomicU64,
    connections: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// Notes what had been counted at the first count of each second: for a count that costs no more than to see whether
/// the second is a new one.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    /// The last second of which there is a mark.
    current: AtomicU64,
    marks: [Mark; MARKS],
}

impl Rates {
    /// To be called before something is counted.
    #[inline]
    pub(crate) fn tick(&self, counters: &Counters) {
        self.tick_at(sys::monotonic_coarse_s(), counters);
    }

    #[inline]
    fn tick_at(&self, second: u64, counters: &Counters) {
        let current = self.current.load(Relaxed);
        if second > current {
            self.mark(current, second, counters);
        }
    }

    #[cold]
    fn mark(&self, current: u64, second: u64, counters: &Counters) {
        if self.current.compare_exchange(current, second, Relaxed, Relaxed).is_err() {
            return; // Another thread does it.
        }
        let now = totals(counters);
        let mark = &self.marks[second as usize % MARKS];
        mark.second.store(0, Relaxed);
        mark.connections.store(now.connections, Release);
        mark.messages.store(now.messages, Release);
        mark.bytes.store(now.bytes, Release);
        mark.second.store(second, Release);
    }

    /// The rates of the last ten seconds, or since `start_ns` if that is less. What happened in less than a second
    /// counts as if it had taken one.
    pub(crate) fn get(&self, counters: &Counters, start_ns: u64, now_ns: u64) -> PerSecond {
        let now = totals(counters);
        let first = (now_ns / SECOND_NS).saturating_sub(WINDOW_S);
        let oldest = || self.marks.iter().filter_map(|mark| mark.read(first)).min_by_key(|(second, _)| *second);
        let (before, since_ns) = match first * SECOND_NS {
            since_ns if since_ns <= start_ns => (PerSecond::default(), start_ns),
            // Without a mark nothing has been counted since.
            since_ns => (oldest().map_or(now, |(_, mark)| mark), since_ns),
        };
        let elapsed_ns = now_ns.saturating_sub(since_ns).max(SECOND_NS);
        let rate = |now: u64, before: u64| {
            let counted = u128::from(now.saturating_sub(before)) * u128::from(SECOND_NS);
            (counted + u128::from(elapsed_ns / 2)) / u128::from(elapsed_ns)
        };
        PerSecond {
            connections: rate(now.connections, before.connections) as u64,
            messages: rate(now.messages, before.messages) as u64,
            bytes: rate(now.bytes, before.bytes) as u64,
        }
    }

    /// To be called when the counts are reset.
    pub(crate) fn reset(&self) {
        self.marks.iter().for_each(|mark| mark.second.store(0, Relaxed));
        self.current.store(0, Relaxed);
    }
}

impl Mark {
    /// The second and what had been counted, unless it is older than `first` or is just being written.
    fn read(&self, first: u64) -> Option<(u64, PerSecond)> {
        let second = self.second.load(Acquire);
        let counted = PerSecond {
            connections: self.connections.load(Acquire),
            messages: self.messages.load(Acquire),
            bytes: self.bytes.load(Acquire),
        };
        (second != 0 && second >= first && self.second.load(Relaxed) == second).then_some((second, counted))
    }
}

fn totals(counters: &Counters) -> PerSecond {
    PerSecond {
        connections: counters.get(Counter::Connections),
        messages: counters.get(Counter::MessagesSent) + counters.get(Counter::MessagesReceived),
        bytes: counters.get(Counter::BytesSent) + counters.get(Counter::BytesReceived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `messages` of ten bytes at a second.
    fn count(rates: &Rates, counters: &Counters, second: u64, messages: u64) {
        rates.tick_at(second, counters);
        counters.add(Counter::MessagesSent, messages);
        counters.add(Counter::BytesReceived, 10 * messages);
    }

    #[test]
    fn the_window_slides() {
        let (rates, counters) = (Rates::default(), Counters::default());
        let at = |second: u64| {
            let found = rates.get(&counters, 100 * SECOND_NS, second * SECOND_NS);
            assert_eq!(found.bytes, 10 * found.messages);
            found.messages
        };
        assert_eq!(at(100), 0);
        count(&rates, &counters, 100, 500);
        assert_eq!(at(100), 500, "as if it had taken a second");
        assert_eq!(at(105), 100);
        for second in 101..=130 {
            count(&rates, &counters, second, 200);
        }
        assert_eq!(at(130), 220, "eleven seconds' counts in ten");
        assert_eq!(at(131), 200);
        assert_eq!(at(135), 120, "nothing came in the last five");
        assert_eq!(at(140), 20);
        assert_eq!(at(141), 0);
        count(&rates, &counters, 1000, 30);
        assert_eq!(at(1001), 3, "after a long pause");
    }

    #[test]
    fn a_reset_begins_anew() {
        let (rates, counters) = (Rates::default(), Counters::default());
        count(&rates, &counters, 50, 1000);
        counters.reset();
        rates.reset();
        count(&rates, &counters, 51, 8);
        assert_eq!(rates.get(&counters, 51 * SECOND_NS, 53 * SECOND_NS).messages, 4);
        assert_eq!(rates.get(&counters, 51 * SECOND_NS, 70 * SECOND_NS).messages, 0);
    }
}
