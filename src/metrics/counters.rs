//! Counts that any number of threads add to without getting into each other's way.

use std::cell::Cell;
use std::ops::Index;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub enum Counter {
    Connections,
    ConnectionsFailed,
    MessagesSent,
    MessagesReceived,
    BytesSent,
    BytesReceived,
    SendErrors,
    ReceiveErrors,
    TimeoutErrors,
    ConnectionErrors,
    OtherErrors,
}

/// How much was counted of each kind: `counts[Counter::MessagesSent]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; COUNTERS]);

impl Index<Counter> for Counts {
    type Output = u64;

    fn index(&self, counter: Counter) -> &u64 {
        &self.0[counter as usize]
    }
}

#[cfg(test)]
impl FromIterator<u64> for Counts {
    /// In the order of the kinds.
    fn from_iter<I: IntoIterator<Item = u64>>(counts: I) -> Counts {
        let mut found = Counts::default();
        found.0.iter_mut().zip(counts).for_each(|(count, given)| *count = given);
        found
    }
}

/// How many of them there are.
const COUNTERS: usize = Counter::OtherErrors as usize + 1;

/// Among how many places the threads are spread.
pub(super) const SHARDS: usize = 16;

/// The place of the calling thread, the same each time.
#[inline]
pub(super) fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    SHARD.with(|known| {
        if known.get() == usize::MAX {
            known.set(NEXT.fetch_add(1, Relaxed) % SHARDS);
        }
        known.get()
    })
}

/// One count of each kind, on cache lines that no other place shares.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Shard([AtomicU64; COUNTERS]);

/// A count of each kind. Adding takes no lock.
#[derive(Debug, Default)]
pub(crate) struct Counters([Shard; SHARDS]);

impl Counters {
    #[inline]
    pub(crate) fn add(&self, counter: Counter, more: u64) {
        self.0[shard()].0[counter as usize].fetch_add(more, Relaxed);
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0.iter().map(|shard| shard.0[counter as usize].load(Relaxed)).sum()
    }

    pub(crate) fn read(&self) -> Counts {
        let mut counts = Counts::default();
        for shard in &self.0 {
            counts.0.iter_mut().zip(&shard.0).for_each(|(sum, count)| *sum += count.load(Relaxed));
        }
        counts
    }

    pub(crate) fn reset(&self) {
        self.0.iter().flat_map(|shard| &shard.0).for_each(|count| count.store(0, Relaxed));
    }
}

/// How many there are of something now. On a cache line of its own, since all threads look at what lies beside it.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// There are never less than none, whatever an application records.
    #[inline]
    pub(crate) fn remove(&self, less: u64) {
        // It always has a new value.
        _ = self.0.fetch_update(Relaxed, Relaxed, |current| Some(current.saturating_sub(less)));
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_among_many_threads() {
        let counters = Counters::default();
        thread::scope(|scope| {
            for _ in 0..SHARDS + 3 {
                scope.spawn(|| {
                    for bytes in 0..1000 {
                        counters.add(Counter::MessagesSent, 1);
                        counters.add(Counter::BytesSent, bytes);
                    }
                });
            }
        });
        let threads = SHARDS as u64 + 3;
        assert_eq!(counters.get(Counter::MessagesSent), 1000 * threads);
        assert_eq!(counters.get(Counter::BytesSent), 499_500 * threads);
        let counts = counters.read();
        assert_eq!((counts[Counter::BytesSent], counts[Counter::OtherErrors]), (499_500 * threads, 0));
        counters.reset();
        assert_eq!(counters.get(Counter::BytesSent), 0);
    }
}
