//! Figures in the text format of Prometheus, version 0.0.4 (its documentation, "Exposition formats").

use std::fmt::Write;

use crate::metrics::Counter::*;
use crate::metrics::{Distribution, Metrics};

/// What a scrape gets.
pub fn prometheus(metrics: &Metrics) -> String {
    let m = metrics;
    let mut page = Page(String::new());
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    page.metric("info", "gauge", "The library.", &[(version, 1)]);
    let uptime = Seconds(m.last_update_ns.saturating_sub(m.start_ns));
    page.metric("uptime_seconds", "gauge", "Since the figures began.", &[("", uptime)]);

    page.count("connections_total", "Connections that came to be.", m.counts[Connections]);
    page.gauge("open_connections", "Connections that there are.", m.connections_current);
    page.count("connection_failures_total", "Connections that could not be made.", m.counts[ConnectionsFailed]);
    page.count("sent_messages_total", "Messages that were sent.", m.counts[MessagesSent]);
    page.count("received_messages_total", "Messages that were received.", m.counts[MessagesReceived]);
    page.count("sent_bytes_total", "Bytes of messages that were sent.", m.counts[BytesSent]);
    page.count("received_bytes_total", "Bytes of messages that were received.", m.counts[BytesReceived]);
    page.metric(
        "errors_total",
        "counter",
        "What went wrong.",
        &[
            ("{kind=\"send\"}", m.counts[SendErrors]),
            ("{kind=\"receive\"}", m.counts[ReceiveErrors]),
            ("{kind=\"timeout\"}", m.counts[TimeoutErrors]),
            ("{kind=\"connection\"}", m.counts[ConnectionErrors]),
            ("{kind=\"other\"}", m.counts[OtherErrors]),
        ],
    );

    page.summary("latency_seconds", "What the application measured.", &m.latency);
    page.summary("round_trip_seconds", "From a heartbeat to its answer.", &m.round_trip);
    page.summary("handler_seconds", "How long message handlers ran.", &m.handler_time);

    page.gauge("memory_used_bytes", "Memory as the application says it, or what is resident.", m.memory.used);
    page.gauge("memory_peak_bytes", "The most of it.", m.memory.peak);
    page.gauge("memory_resident_bytes", "What the process has in memory.", m.memory.resident);
    page.gauge("memory_buffered_bytes", "What sessions hold in buffers.", m.memory.buffered);
    page.0
}

struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str, samples: &[(&str, impl std::fmt::Display)]) {
        let page = &mut self.0;
        // Writing to a string cannot fail.
        _ = write!(page, "# HELP network_system_{name} {help}\n# TYPE network_system_{name} {kind}\n");
        for (suffix, value) in samples {
            _ = writeln!(page, "network_system_{name}{suffix} {value}");
        }
    }

    fn count(&mut self, name: &str, help: &str, value: u64) {
        self.metric(name, "counter", help, &[("", value)]);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.metric(name, "gauge", help, &[("", value)]);
    }

    fn summary(&mut self, name: &str, help: &str, times: &Distribution) {
        let quantile = |ns| if times.count == 0 { "NaN".to_owned() } else { Seconds(ns).to_string() };
        let samples = [
            ("{quantile=\"0.5\"}", quantile(times.p50_ns)),
            ("{quantile=\"0.95\"}", quantile(times.p95_ns)),
            ("{quantile=\"0.99\"}", quantile(times.p99_ns)),
            ("_sum", Seconds(times.sum_ns).to_string()),
            ("_count", times.count.to_string()),
        ];
        self.metric(name, "summary", help, &samples);
    }
}

/// Nanoseconds, written as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SECOND_NS: u64 = 1_000_000_000;
        write!(f, "{}.{:09}", self.0 / SECOND_NS, self.0 % SECOND_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_page_has_help_types_and_values() {
        let page = prometheus(&example());
        for part in [
            "# HELP network_system_connections_total Connections that came to be.\n\
             # TYPE network_system_connections_total counter\nnetwork_system_connections_total 12\n",
            "# TYPE network_system_open_connections gauge\nnetwork_system_open_connections 7\n",
            "network_system_errors_total{kind=\"timeout\"} 3\n",
            "# TYPE network_system_latency_seconds summary\nnetwork_system_latency_seconds{quantile=\"0.5\"} 0.000998650\n",
            "network_system_latency_seconds_sum 0.006000150\nnetwork_system_latency_seconds_count 3\n",
            "network_system_round_trip_seconds{quantile=\"0.99\"} NaN\nnetwork_system_round_trip_seconds_sum 0.000000000\n",
            "network_system_uptime_seconds 3723.500000000\n",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }
}
