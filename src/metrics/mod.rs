//! Figures: counts, rates, times and memory, of the whole process or of one bridge, and the reports made of them.

mod counters;
mod errors;
mod histogram;
mod memory;
mod monitor;
mod rates;
pub mod report;

pub use self::counters::Counter;
pub(crate) use self::counters::{Counters, Gauge};
pub use self::errors::ErrorKind;
pub use self::histogram::{Distribution, Histogram};
pub use self::monitor::{Monitor, Source, monitor};
pub(crate) use self::rates::Rates;

use self::rates::PerSecond;

/// What a [`Monitor`] or a bridge knows, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub struct Metrics {
    pub connections_total: u64,
    pub connections_current: u64,
    pub connections_failed: u64,
    pub connections_per_second: u64,
    pub messages_sent: u64,
    pub messages_received: u64,
    /// Both directions, as the bytes.
    pub messages_per_second: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub bytes_per_second: u64,
    pub send_errors: u64,
    pub receive_errors: u64,
    pub timeout_errors: u64,
    pub connection_errors: u64,
    pub other_errors: u64,
    /// What the application takes, in its own words.
    pub latency: Distribution,
    /// From a heartbeat to its answer.
    pub round_trip: Distribution,
    /// How long message handlers ran.
    pub handler_time: Distribution,
    /// What the application said that it uses; until then what is resident.
    pub memory_used: u64,
    /// The most of that.
    pub memory_peak: u64,
    /// What the process has in memory.
    pub memory_resident: u64,
    /// What the sessions of all contexts hold in buffers.
    pub memory_buffered: u64,
    /// CLOCK_MONOTONIC in nanoseconds.
    pub start_ns: u64,
    /// When this was found: CLOCK_MONOTONIC in nanoseconds.
    pub last_update_ns: u64,
}

impl Metrics {
    /// Puts in what is counted.
    fn set_counts(&mut self, counts: &Counters) {
        let count = |counter| counts.get(counter);
        self.connections_total = count(Counter::Connections);
        self.connections_failed = count(Counter::ConnectionsFailed);
        self.messages_sent = count(Counter::MessagesSent);
        self.messages_received = count(Counter::MessagesReceived);
        self.bytes_sent = count(Counter::BytesSent);
        self.bytes_received = count(Counter::BytesReceived);
        self.send_errors = count(Counter::SendErrors);
        self.receive_errors = count(Counter::ReceiveErrors);
        self.timeout_errors = count(Counter::TimeoutErrors);
        self.connection_errors = count(Counter::ConnectionErrors);
        self.other_errors = count(Counter::OtherErrors);
    }

    fn set_rates(&mut self, rates: PerSecond) {
        self.connections_per_second = rates.connections;
        self.messages_per_second = rates.messages;
        self.bytes_per_second = rates.bytes;
    }
}
