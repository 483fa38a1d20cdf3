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
    use super::{Distribution, Metrics};
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
        connections_total: 12,
        connections_current: 7,
        connections_failed: 1,
        connections_per_second: 2,
        messages_sent: 1000,
        messages_received: 2000,
        messages_per_second: 300,
        bytes_sent: 64_000,
        bytes_received: 3_500_000_000,
        bytes_per_second: 350_006_400,
        send_errors: 1,
        receive_errors: 2,
        timeout_errors: 3,
        connection_errors: 4,
        other_errors: 5,
        latency,
        memory_used: 10_000,
        memory_peak: 20_000,
        memory_resident: 8 << 20,
        memory_buffered: 4096,
        start_ns: 5_000_000_000,
        last_update_ns: 3_728_500_000_000,
        ..Metrics::default()
    }
}
