//! The performance monitor of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::memory::Resident;
use super::{Counter, Counters, ErrorKind, Gauge, Histogram, Memory, Metrics, Rates};
use crate::{runtime, sys};

/// Something that counts by itself and tells the monitor of it when it is asked to.
pub trait Source: Send + Sync {
    /// Tells the monitor what it has not told yet.
    fn update(&self);
}

/// Takes what happens, and says how much and how fast. Recording takes no lock.
#[derive(Debug)]
pub struct Monitor {
    counters: Counters,
    rates: Rates,
    connections_current: Gauge,
    latency: Histogram,
    round_trip: Histogram,
    handler_time: Histogram,
    /// What the application said that it uses, and the most of it; [`UNKNOWN`] until it says something.
    memory_used: AtomicU64,
    memory_peak: AtomicU64,
    resident: Mutex<Peak>,
    start_ns: AtomicU64,
    sources: Mutex<Vec<Weak<dyn Source>>>,
}

/// The application has not said what it uses.
const UNKNOWN: u64 = u64::MAX;

/// The most that was resident.
#[derive(Debug, Default)]
struct Peak {
    since_reset: u64,
    /// What the kernel had seen at the last reset.
    before: u64,
}

/// The monitor of the process.
pub fn monitor() -> &'static Monitor {
    static MONITOR: LazyLock<Monitor> = LazyLock::new(Monitor::default);
    &MONITOR
}

impl Default for Monitor {
    fn default() -> Monitor {
        Monitor {
            counters: Counters::default(),
            rates: Rates::default(),
            connections_current: Gauge::default(),
            latency: Histogram::default(),
            round_trip: Histogram::default(),
            handler_time: Histogram::default(),
            memory_used: AtomicU64::new(UNKNOWN),
            memory_peak: AtomicU64::new(0),
            resident: Mutex::default(),
            start_ns: AtomicU64::new(sys::monotonic_ns()),
            sources: Mutex::default(),
        }
    }
}

impl Monitor {
    // --- recording ---------------------------------------------------------------------------------------------

    /// A connection came to be (`true`), or could not be made.
    #[inline]
    pub fn record_connection(&self, success: bool) {
        if success {
            self.add(&[(Counter::Connections, 1)]);
            self.connections_current.add(1);
        } else {
            self.add(&[(Counter::ConnectionsFailed, 1)]);
        }
    }

    /// A connection has ended.
    pub fn record_disconnection(&self) {
        self.connections_current.remove(1);
    }

    /// A message was sent.
    #[inline]
    pub fn record_message_sent(&self, bytes: u64) {
        self.add(&[(Counter::MessagesSent, 1), (Counter::BytesSent, bytes)]);
    }

    /// A message was received.
    #[inline]
    pub fn record_message_received(&self, bytes: u64) {
        self.add(&[(Counter::MessagesReceived, 1), (Counter::BytesReceived, bytes)]);
    }

    /// Something that the application waited for has taken so long.
    #[inline]
    pub fn record_latency(&self, latency: Duration) {
        self.latency.record(nanoseconds(latency));
    }

    /// Something went wrong.
    pub fn record_error(&self, kind: ErrorKind) {
        self.counters.add(kind.counter(), 1);
    }

    /// What the application uses. From now on that is what the monitor says, instead of what is resident.
    pub fn record_memory(&self, bytes: u64) {
        let bytes = bytes.min(UNKNOWN - 1);
        self.memory_peak.fetch_max(bytes, Relaxed);
        self.memory_used.store(bytes, Relaxed);
    }

    /// A heartbeat was answered.
    pub(crate) fn record_round_trip(&self, round_trip: Duration) {
        self.round_trip.record(nanoseconds(round_trip));
    }

    /// A message handler has run.
    pub(crate) fn record_handler_time(&self, time: Duration) {
        self.handler_time.record(nanoseconds(time));
    }

    /// Counts several things at once.
    #[inline]
    pub(crate) fn add(&self, counts: &[(Counter, u64)]) {
        self.rates.tick(&self.counters);
        counts.iter().for_each(|(counter, more)| self.counters.add(*counter, *more));
    }

    /// Connections have come, or gone, that were counted elsewhere.
    pub(crate) fn change_connections(&self, before: u64, now: u64) {
        if now > before {
            self.connections_current.add(now - before);
        } else if now < before {
            self.connections_current.remove(before - now);
        }
    }

    /// Has a source asked whenever somebody wants to know.
    pub(crate) fn add_source(&self, source: Weak<dyn Source>) {
        let mut sources = self.lock_sources();
        sources.retain(|other| other.strong_count() > 0);
        sources.push(source);
    }

    // --- knowing -----------------------------------------------------------------------------------------------

    /// Gathers what others have counted, and looks at the memory.
    pub fn update(&self) {
        self.gather();
    }

    /// How things stand.
    pub fn metrics(&self) -> Metrics {
        let resident = self.gather();
        let now_ns = sys::monotonic_ns();
        let start_ns = self.start_ns.load(Relaxed);
        let (used, peak) = match self.memory_used.load(Relaxed) {
            UNKNOWN => (resident.now, resident.peak),
            recorded => (recorded, self.memory_peak.load(Relaxed)),
        };
        Metrics {
            counts: self.counters.read(),
            connections_current: self.connections_current.get(),
            rates: self.rates.get(&self.counters, start_ns, now_ns),
            latency: self.latency.distribution(),
            round_trip: self.round_trip.distribution(),
            handler_time: self.handler_time.distribution(),
            memory: Memory { used, peak, resident: resident.now, buffered: runtime::buffered_bytes() as u64 },
            start_ns,
            last_update_ns: now_ns,
        }
    }

    /// Begins anew. The connections that there are stay.
    pub fn reset(&self) {
        let resident = self.gather();
        self.counters.reset();
        self.rates.reset();
        for histogram in [&self.latency, &self.round_trip, &self.handler_time] {
            histogram.reset();
        }
        self.memory_used.store(UNKNOWN, Relaxed);
        self.memory_peak.store(0, Relaxed);
        *self.lock_resident() = Peak { since_reset: resident.now, before: Resident::read().peak };
        self.start_ns.store(sys::monotonic_ns(), Relaxed);
    }

    /// What is resident, and the most of it since the last reset.
    fn gather(&self) -> Resident {
        let sources: Vec<_> = self.lock_sources().iter().filter_map(Weak::upgrade).collect();
        sources.iter().for_each(|source| source.update());
        let resident = Resident::read();
        let mut peak = self.lock_resident();
        // What the kernel has seen is of use only if it saw it since then.
        let seen = if resident.peak > peak.before { resident.peak } else { resident.now };
        peak.since_reset = peak.since_reset.max(seen);
        Resident { now: resident.now, peak: peak.since_reset }
    }

    fn lock_resident(&self) -> MutexGuard<'_, Peak> {
        self.resident.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_sources(&self) -> MutexGuard<'_, Vec<Weak<dyn Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Counts, PerSecond};
    use super::*;

    #[test]
    fn what_is_recorded_is_known() {
        let monitor = Monitor::default();
        monitor.record_connection(true);
        monitor.record_connection(true);
        monitor.record_connection(false);
        monitor.record_disconnection();
        monitor.record_message_sent(100);
        monitor.record_message_sent(50);
        monitor.record_message_received(7);
        monitor.record_latency(Duration::from_micros(100));
        monitor.record_latency(Duration::from_micros(300));
        monitor.record_error(ErrorKind::Send);
        monitor.record_error(ErrorKind::Other);
        let found = monitor.metrics();
        let expected: Counts = [2, 1, 2, 1, 150, 7, 1, 0, 0, 0, 1].into_iter().collect();
        assert_eq!((found.counts, found.connections_current), (expected, 1));
        let latency = found.latency;
        assert_eq!([latency.count, latency.min_ns, latency.max_ns, latency.mean_ns()], [2, 100_000, 300_000, 200_000]);

        monitor.reset();
        let anew = monitor.metrics();
        assert_eq!((anew.connections_current, anew.counts, anew.rates), (1, Counts::default(), PerSecond::default()));
        assert_eq!(anew.latency, Default::default());
        assert!(anew.start_ns > found.start_ns && anew.last_update_ns >= anew.start_ns);
    }

    #[test]
    fn there_are_never_less_than_no_connections() {
        let monitor = Monitor::default();
        monitor.record_disconnection();
        monitor.record_connection(true);
        assert_eq!(monitor.metrics().connections_current, 1);
    }

    #[test]
    fn memory_is_measured_until_the_application_says_something() {
        let monitor = Monitor::default();
        let measured = monitor.metrics();
        assert!(measured.memory.used > 1 << 20 && measured.memory.peak >= measured.memory.used);
        monitor.record_memory(2000);
        monitor.record_memory(1000);
        let recorded = monitor.metrics();
        assert_eq!((recorded.memory.used, recorded.memory.peak), (1000, 2000));
        monitor.record_memory(u64::MAX);
        assert!(monitor.metrics().memory.used > 1 << 60);
        assert!(recorded.memory.resident > 1 << 20);
        monitor.reset();
        assert!(monitor.metrics().memory.used > 1 << 20);
    }

    #[test]
    fn sources_are_asked_while_they_are_there() {
        struct Counting(Arc<Monitor>);
        impl Source for Counting {
            fn update(&self) {
                self.0.record_message_sent(5);
            }
        }
        let monitor = Arc::new(Monitor::default());
        let source: Arc<dyn Source> = Arc::new(Counting(Arc::clone(&monitor)));
        monitor.add_source(Arc::downgrade(&source));
        assert_eq!(monitor.metrics().counts[Counter::MessagesSent], 1);
        monitor.update();
        drop(source);
        assert_eq!(monitor.metrics().counts[Counter::MessagesSent], 2);
    }
}
