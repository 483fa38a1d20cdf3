//! Figures: counts, rates, times and memory, of the whole process or of one bridge, and the reports made of them.

mod counters;
mod errors;
mod histogram;
mod memory;
mod monitor;
mod rates;
pub mod report;

pub use self::counters::{Counter, Counts};
pub(crate) use self::counters::{Counters, Gauge};
pub use self::errors::ErrorKind;
pub use self::histogram::{Distribution, Histogram};
pub use self::memory::Memory;
pub use self::monitor::{Monitor, Source, monitor};
pub use self::rates::PerSecond;
pub(crate) use self::rates::Rates;

/// What a [`Monitor`] or a bridge knows, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// What has happened, of each kind.
    pub counts: Counts,
    /// The connections that there are.
    pub connections_current: u64,
    /// How much of it happens in a second.
    pub rates: PerSecond,
    /// What the application takes, in its own words.
    pub latency: Distribution,
    /// From a heartbeat to its answer.
    pub round_trip: Distribution,
    /// How long message handlers ran.
    pub handler_time: Distribution,
    /// What is in memory.
    pub memory: Memory,
    /// CLOCK_MONOTONIC in nanoseconds.
    pub start_ns: u64,
    /// When this was found: CLOCK_MONOTONIC in nanoseconds.
    pub last_update_ns: u64,
}
