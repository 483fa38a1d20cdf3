//! Figures as JSON, as docs/metrics.schema.json describes it.

use super::exact_microseconds;
use crate::metrics::Counter::*;
use crate::metrics::{Distribution, Metrics};

/// One object, with a line end.
pub fn json(metrics: &Metrics) -> String {
    let m = metrics;
    let uptime_ms = m.last_update_ns.saturating_sub(m.start_ns) / 1_000_000;
    let objects = [
        (
            "connections",
            numbers(&[
                ("total", m.counts[Connections]),
                ("current", m.connections_current),
                ("failed", m.counts[ConnectionsFailed]),
                ("per_second", m.rates.connections),
            ]),
        ),
        (
            "messages",
            numbers(&[
                ("sent", m.counts[MessagesSent]),
                ("received", m.counts[MessagesReceived]),
                ("per_second", m.rates.messages),
            ]),
        ),
        (
            "bytes",
            numbers(&[
                ("sent", m.counts[BytesSent]),
                ("received", m.counts[BytesReceived]),
                ("per_second", m.rates.bytes),
            ]),
        ),
        ("latency_us", distribution(&m.latency)),
        ("round_trip_us", distribution(&m.round_trip)),
        ("handler_time_us", distribution(&m.handler_time)),
        (
            "errors",
            numbers(&[
                ("send", m.counts[SendErrors]),
                ("receive", m.counts[ReceiveErrors]),
                ("timeout", m.counts[TimeoutErrors]),
                ("connection", m.counts[ConnectionErrors]),
                ("other", m.counts[OtherErrors]),
            ]),
        ),
        (
            "memory_bytes",
            numbers(&[
                ("used", m.memory.used),
                ("peak", m.memory.peak),
                ("resident", m.memory.resident),
                ("buffered", m.memory.buffered),
            ]),
        ),
    ];
    let objects = objects.map(|(name, object)| format!("  \"{name}\": {object}"));
    format!(
        "{{\n  \"version\": \"{}\",\n  \"uptime_ms\": {uptime_ms},\n{}\n}}\n",
        env!("CARGO_PKG_VERSION"),
        objects.join(",\n")
    )
}

fn numbers(members: &[(&str, u64)]) -> String {
    object(members.iter().map(|(name, value)| (*name, value.to_string())))
}

/// Where nothing was measured, the times are null.
fn distribution(times: &Distribution) -> String {
    let time = |ns| if times.count == 0 { "null".to_owned() } else { exact_microseconds(ns) };
    object([
        ("count", times.count.to_string()),
        ("mean", time(times.mean_ns())),
        ("min", time(times.min_ns)),
        ("max", time(times.max_ns)),
        ("p50", time(times.p50_ns)),
        ("p95", time(times.p95_ns)),
        ("p99", time(times.p99_ns)),
    ])
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members: Vec<_> = members.into_iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn every_figure_has_its_place() {
        let text = json(&example());
        for part in [
            "\"uptime_ms\": 3723500,",
            "\"connections\": {\"total\": 12, \"current\": 7, \"failed\": 1, \"per_second\": 2},",
            "\"bytes\": {\"sent\": 64000, \"received\": 3500000000, \"per_second\": 350006400},",
            "\"latency_us\": {\"count\": 3, \"mean\": 2000.050, \"min\": 1.500, \"max\": 5000.000, \"p50\": 998.650,",
            "\"round_trip_us\": {\"count\": 0, \"mean\": null,",
            "\"memory_bytes\": {\"used\": 10000, \"peak\": 20000, \"resident\": 8388608, \"buffered\": 4096}\n}",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
