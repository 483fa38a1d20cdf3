//! Figures as text: for programs, for Prometheus and for people.

mod json;
mod prometheus;
mod text;

pub use self::json::json;
pub use self::prometheus::prometheus;
pub use self::text::text;

pub(crate) use self::text::bytes;

/// A time in microseconds, to the nanosecond.
fn exact_microseconds(nanoseconds: u64) -> String {
    format!("{}.{:03}", nanoseconds / 1000, nanoseconds % 1000)
}

#[cfg(test)]
fn example() -> super::Metrics {
    use super::{Distribution, Memory, Metrics, PerSecond};
    let latency = Distribution {
        count: 3,
        sum_ns: 6_000_150,
        min_ns: 1_500,
        max_ns: 5_000_000,
        p50_ns: 998_650,
        p95_ns: 5_000_000,
        p99_ns: 5_000_000,
    };
    Metrics {
        counts: [12, 1, 1000, 2000, 64_000, 3_500_000_000, 1, 2, 3, 4, 5].into_iter().collect(),
        connections_current: 7,
        rates: PerSecond { connections: 2, messages: 300, bytes: 350_006_400 },
        latency,
        memory: Memory { used: 10_000, peak: 20_000, resident: 8 << 20, buffered: 4096 },
        start_ns: 5_000_000_000,
        last_update_ns: 3_728_500_000_000,
        ..Metrics::default()
    }
}
