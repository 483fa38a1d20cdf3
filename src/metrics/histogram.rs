//! A histogram of a high dynamic range: times from a nanosecond to more than a day, with the same relative precision.
//!
//! The known implementations have one writer; this one is recorded in by any number of threads without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::counters::{SHARDS, shard};

/// Each power of two is cut into this many buckets of one width, so that a value is known to 1 / 128.
const STEPS: u64 = 1 << STEP_BITS;
const STEP_BITS: u32 = 7;

/// Longer times, of more than three days, are taken for this one.
const LONGEST_NS: u64 = (1 << 48) - 1;

const BUCKETS: usize = bucket_of(LONGEST_NS) + 1;

/// The bucket of a value. Values below twice [`STEPS`] have one each.
const fn bucket_of(value: u64) -> usize {
    let shift = (value | STEPS).ilog2() - STEP_BITS;
    ((shift as u64) * STEPS + (value >> shift)) as usize
}

/// The largest value of a bucket.
const fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    (((bucket % STEPS + STEPS) + 1) << shift) - 1
}

/// How times are distributed. All are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub struct Distribution {
    pub count: u64,
    /// At most `u64::MAX`, where it stays.
    pub sum_ns: u64,
    /// 0 where there are none.
    pub min_ns: u64,
    pub max_ns: u64,
    /// Half of the times are no longer, to within 1 %,
    pub p50_ns: u64,
    /// 95 of 100,
    pub p95_ns: u64,
    /// and 99 of 100.
    pub p99_ns: u64,
}

impl Distribution {
    /// The mean; 0 where there are none.
    pub fn mean_ns(&self) -> u64 {
        self.sum_ns.checked_div(self.count).unwrap_or(0)
    }
}

/// What threads recorded that share a place.
#[repr(align(128))]
struct Shard {
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    buckets: Box<[AtomicU64]>,
}

impl Shard {
    fn new() -> Shard {
        Shard {
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// Times that were recorded. Recording takes no lock. A place for threads takes 42 KiB once one of them records.
#[derive(Default)]
pub struct Histogram {
    shards: [OnceLock<Shard>; SHARDS],
}

impl Histogram {
    /// Records a time.
    #[inline]
    pub fn record(&self, nanoseconds: u64) {
        let value = nanoseconds.min(LONGEST_NS);
        let shard = self.shards[shard()].get_or_init(Shard::new);
        shard.buckets[bucket_of(value)].fetch_add(1, Relaxed);
        if shard.sum.fetch_add(value, Relaxed) > u64::MAX - value {
            shard.sum.store(u64::MAX, Relaxed);
        }
        // Seldom a new one: looking first spares the write.
        if value < shard.min.load(Relaxed) {
            shard.min.fetch_min(value, Relaxed);
        }
        if value > shard.max.load(Relaxed) {
            shard.max.fetch_max(value, Relaxed);
        }
    }

    /// How the times are distributed that were recorded since it was made or reset.
    pub fn distribution(&self) -> Distribution {
        let shards: Vec<&Shard> = self.shards.iter().filter_map(OnceLock::get).collect();
        let min = shards.iter().map(|shard| shard.min.load(Relaxed)).min().unwrap_or(u64::MAX);
        let max = shards.iter().map(|shard| shard.max.load(Relaxed)).max().unwrap_or(0);
        if min > max {
            return Distribution::default();
        }
        // A value that is just being recorded may be missing in one or the other.
        let first = bucket_of(min);
        let mut counts = vec![0_u64; bucket_of(max) + 1 - first];
        for shard in &shards {
            counts.iter_mut().zip(&shard.buckets[first..]).for_each(|(count, bucket)| *count += bucket.load(Relaxed));
        }
        let count: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let wanted = (count * percent).div_ceil(100);
            let mut seen = 0;
            let bucket = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            bucket.map_or(max, |bucket| upper_bound(first + bucket)).clamp(min, max)
        };
        Distribution {
            count,
            sum_ns: shards.iter().fold(0, |sum, shard| sum.saturating_add(shard.sum.load(Relaxed))),
            min_ns: min,
            max_ns: max,
            p50_ns: percentile(50),
            p95_ns: percentile(95),
            p99_ns: percentile(99),
        }
    }

    /// Forgets all times.
    pub fn reset(&self) {
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            shard.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
            shard.sum.store(0, Relaxed);
            shard.min.store(u64::MAX, Relaxed);
            shard.max.store(0, Relaxed);
        }
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Histogram").field(&self.distribution()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Values of every size, the same ones each time.
    fn values(count: usize) -> Vec<u64> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 16) >> ((state >> 8) % 48)
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut expected = 0;
        for bucket in 0..BUCKETS {
            assert_eq!(bucket_of(expected), bucket, "the first value");
            assert_eq!(bucket_of(upper_bound(bucket)), bucket, "the last value");
            assert!(upper_bound(bucket) - expected <= expected / STEPS, "the width");
            expected = upper_bound(bucket) + 1;
        }
        assert_eq!(expected, LONGEST_NS + 1);
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let histogram = Histogram::default();
        let mut sorted = values(100_000);
        sorted.iter().for_each(|value| histogram.record(*value));
        sorted.sort_unstable();
        let found = histogram.distribution();
        assert_eq!((found.count, found.sum_ns), (100_000, sorted.iter().sum()));
        assert_eq!((found.min_ns, found.max_ns), (sorted[0], sorted[99_999]));
        for (percent, found) in [(50, found.p50_ns), (95, found.p95_ns), (99, found.p99_ns)] {
            let exact = sorted[1000 * percent - 1];
            assert!((exact..=exact + exact / STEPS).contains(&found), "p{percent}: {found}, exactly {exact}");
        }
    }

    #[test]
    fn the_ends_are_exact() {
        let histogram = Histogram::default();
        assert_eq!(histogram.distribution(), Distribution::default());
        histogram.record(123_457);
        let alone = histogram.distribution();
        assert_eq!([alone.min_ns, alone.p50_ns, alone.p99_ns, alone.max_ns, alone.mean_ns()], [123_457; 5]);
        histogram.record(u64::MAX);
        histogram.record(0);
        let found = histogram.distribution();
        assert_eq!((found.min_ns, found.max_ns), (0, LONGEST_NS));
        histogram.reset();
        assert_eq!(histogram.distribution(), Distribution::default());
        histogram.record(5);
        assert_eq!(histogram.distribution().min_ns, 5);
    }

    #[test]
    fn the_sum_stays_at_its_largest_value() {
        let histogram = Histogram::default();
        let enough = u64::MAX / LONGEST_NS + 1;
        for _ in 0..enough {
            histogram.record(LONGEST_NS);
        }
        let found = histogram.distribution();
        assert_eq!((found.count, found.sum_ns), (enough, u64::MAX));
        thread::scope(|scope| drop(scope.spawn(|| histogram.record(1))));
        assert_eq!(histogram.distribution().sum_ns, u64::MAX, "with those of other threads");
    }

    #[test]
    fn nothing_is_lost_among_many_threads() {
        let histogram = Histogram::default();
        thread::scope(|scope| {
            for thread in 0..20 {
                let histogram = &histogram;
                scope.spawn(move || (1..=1000).for_each(|value| histogram.record(value + thread)));
            }
        });
        let found = histogram.distribution();
        assert_eq!((found.count, found.min_ns, found.max_ns), (20_000, 1, 1019));
    }
}
