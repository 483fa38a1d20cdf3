//! Figures for people.

use std::fmt::Write;

use crate::metrics::Counter::*;
use crate::metrics::{Distribution, Metrics};

/// A page of text.
pub fn text(metrics: &Metrics) -> String {
    let m = metrics;
    let mut page = String::new();
    let mut line = |name: &str, what: String| {
        // Writing to a string cannot fail.
        _ = writeln!(page, "{name:<13}{what}");
    };
    line("uptime", duration(m.last_update_ns.saturating_sub(m.start_ns)));
    line(
        "connections",
        format!(
            "{} open, {} in all, {} failed, {} a second",
            m.connections_current, m.counts[Connections], m.counts[ConnectionsFailed], m.rates.connections
        ),
    );
    line(
        "messages",
        format!(
            "{} sent, {} received, {} a second",
            m.counts[MessagesSent], m.counts[MessagesReceived], m.rates.messages
        ),
    );
    line(
        "bytes",
        format!(
            "{} sent, {} received, {} a second",
            bytes(m.counts[BytesSent]),
            bytes(m.counts[BytesReceived]),
            bytes(m.rates.bytes)
        ),
    );
    line("latency", distribution(&m.latency));
    line("round trip", distribution(&m.round_trip));
    line("handlers", distribution(&m.handler_time));
    line(
        "errors",
        format!(
            "{} sending, {} receiving, {} time-outs, {} of connections, {} other",
            m.counts[SendErrors],
            m.counts[ReceiveErrors],
            m.counts[TimeoutErrors],
            m.counts[ConnectionErrors],
            m.counts[OtherErrors]
        ),
    );
    line(
        "memory",
        format!(
            "{} used, {} at most, {} resident, {} in buffers",
            bytes(m.memory.used),
            bytes(m.memory.peak),
            bytes(m.memory.resident),
            bytes(m.memory.buffered)
        ),
    );
    page
}

fn distribution(times: &Distribution) -> String {
    if times.count == 0 {
        return "not measured".into();
    }
    format!(
        "mean {}, min {}, p50 {}, p95 {}, p99 {}, max {} of {}",
        microseconds(times.mean_ns()),
        microseconds(times.min_ns),
        microseconds(times.p50_ns),
        microseconds(times.p95_ns),
        microseconds(times.p99_ns),
        microseconds(times.max_ns),
        times.count
    )
}

/// "12.5 us"
fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{} us", nanoseconds / 1000, nanoseconds % 1000 / 100)
}

/// "850 B", "1.5 KiB"
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let Some(power) = bytes.max(1).ilog2().checked_div(10).filter(|power| *power > 0) else {
        return format!("{bytes} B");
    };
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power as usize - 1])
}

/// "1 h 2 min 3.5 s"
fn duration(nanoseconds: u64) -> String {
    let tenths = nanoseconds / 100_000_000;
    let (hours, minutes, seconds) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    let seconds = format!("{}.{} s", seconds / 10, seconds % 10);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes} min {seconds}"),
        _ => format!("{hours} h {minutes} min {seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_report_reads_well() {
        let report = text(&example());
        for line in [
            "uptime       1 h 2 min 3.5 s",
            "connections  7 open, 12 in all, 1 failed, 2 a second",
            "bytes        62.5 KiB sent, 3.2 GiB received, 333.7 MiB a second",
            "latency      mean 2000.0 us, min 1.5 us, p50 998.6 us, p95 5000.0 us, p99 5000.0 us, max 5000.0 us of 3",
            "round trip   not measured",
            "errors       1 sending, 2 receiving, 3 time-outs, 4 of connections, 5 other",
            "memory       9.7 KiB used, 19.5 KiB at most, 8.0 MiB resident, 4.0 KiB in buffers",
        ] {
            assert!(report.lines().any(|found| found == line), "{line}\n{report}");
        }
    }

    #[test]
    fn units() {
        assert_eq!([0, 1, 1023, 1024, u64::MAX].map(bytes), ["0 B", "1 B", "1023 B", "1.0 KiB", "15.9 EiB"]);
        assert_eq!([0, 59_900_000_000, 60_000_000_000].map(duration), ["0.0 s", "59.9 s", "1 min 0.0 s"]);
    }
}
