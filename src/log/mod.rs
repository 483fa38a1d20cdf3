//! The log: which events of `tracing` are lines of it, how many of them, and where they go.
//!
//! | file | what is in it |
//! |---|---|
//! | [`Filter`] | levels by target, as a text says them |
//! | `callsite` | what is remembered of each place in the source that logs: whether it is on, how much it has said |
//! | `line` | an event as a line of text |
//!
//! No peer can flood it. Of each place in the source a line is let through 10 times a second in the long run, and 20
//! times at once after a rest; at level debug and trace, and of [`MESSAGES`], 1000 and 2000 times. The next line that
//! is let through tells how many like it were left out; for the last ones, the end of the log does.

mod callsite;
mod filter;
mod line;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use self::callsite::{Callsites, LeftOut};
pub use self::filter::Filter;
use crate::runtime::{Clock, takes_a_line, taking_a_line};
use crate::sync::lock;
use crate::sys;

/// The target of the lines of single messages, see
/// [`SessionConfig::log_messages`](crate::config::SessionConfig::log_messages).
pub const MESSAGES: &str = "network_system::messages";

/// A line.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// How much it matters.
    pub level: Level,
    /// When, in milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: u64,
    /// Which part of the library says it.
    pub target: &'a str,
    /// What it says, in one line: control characters are escaped.
    pub text: &'a str,
}

/// Takes the lines, on any thread and several at a time. Nothing is logged of what it does.
pub trait Sink: Send + Sync + 'static {
    /// Takes a line.
    fn log(&self, record: &Record<'_>);
}

/// The standard error stream as a sink: each line in one write, as
/// `2026-11-23T12:00:00.123Z WARN network_system::core::server: text`. Waits for whoever reads the stream, if that is
/// a pipe or a terminal.
pub struct StandardError;

impl Sink for StandardError {
    fn log(&self, record: &Record<'_>) {
        sys::write_to_stderr(line::whole(record).as_bytes());
    }
}

/// A log. A context that has its [`Log::dispatch`] as a hook writes to it.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    filter: Mutex<Numbered>,
    /// The number of the filter.
    number: AtomicU64,
    callsites: Callsites,
    clock: Clock,
    sinks: Vec<Arc<dyn Sink>>,
    /// Held while a sink is called. True at the end.
    closed: RwLock<bool>,
}

struct Numbered {
    filter: Filter,
    number: u64,
}

/// As long as a process has one dispatcher, `tracing` asks that of the thread at hand about a place in the source that
/// is met for the first time. On a thread without one, that place would be off for ever. So there is a second one.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| {
    // A `NoSubscriber` would have all levels looked at: it does not say that it wants none.
    let nothing = Inner::new(Filter::up_to(LevelFilter::OFF), Vec::new(), Clock::default());
    Dispatch::new(nothing)
});

/// Held while `tracing` is told of another filter: of two at once, one could put back what it found before the other.
static TELLING: Mutex<()> = Mutex::new(());

impl Log {
    /// A log of the events that `filter` lets through. `clock` is what their rates are measured with.
    pub fn new(filter: Filter, sinks: Vec<Arc<dyn Sink>>, clock: Clock) -> Log {
        LazyLock::force(&SECOND);
        Log(Arc::new(Inner::new(filter, sinks, clock)))
    }

    /// What events go through to this log.
    pub fn dispatch(&self) -> Dispatch {
        Dispatch::new(Arc::clone(&self.0))
    }

    /// Lets other events through from now on.
    pub fn set_filter(&self, filter: Filter) {
        {
            let mut current = lock(&self.0.filter);
            *current = Numbered { filter, number: current.number + 1 };
            self.0.number.store(current.number, Ordering::Release);
        }
        let _alone = lock(&TELLING);
        tracing::callsite::rebuild_interest_cache();
    }

    /// Writes what is still to be told of lines that were left out. When this returns, no sink is called any more. Not
    /// to be called by a sink, which it would wait for.
    pub fn close(&self) {
        self.0.tell_left_out();
        *self.0.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl Inner {
    fn new(filter: Filter, sinks: Vec<Arc<dyn Sink>>, clock: Clock) -> Inner {
        Inner {
            filter: Mutex::new(Numbered { filter, number: 1 }),
            number: AtomicU64::new(1),
            callsites: Callsites::default(),
            clock,
            sinks,
            closed: RwLock::new(false),
        }
    }

    fn tell_left_out(&self) {
        for (LeftOut { level, target, text }, more) in self.callsites.iter().filter_map(|one| one.take_left_out()) {
            self.write(level, target, &line::note(text, more));
        }
    }

    fn write(&self, level: Level, target: &str, text: &str) {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let record = Record { level, unix_ms: now.as_millis() as u64, target, text };
        taking_a_line(|| self.sinks.iter().for_each(|sink| sink.log(&record)));
    }
}

impl Subscriber for Inner {
    /// What is asked here is remembered by this log, not by `tracing`: that may meet a place in the source for the
    /// first time while a filter changes, and keep the answer of the old one.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let number = self.number.load(Ordering::Acquire);
        let decide = || {
            let current = lock(&self.filter);
            (current.number, current.filter.enables(metadata))
        };
        !takes_a_line() && self.callsites.find(metadata).is_on(number, decide)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(lock(&self.filter).filter.most())
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let (level, target) = (*metadata.level(), metadata.target());
        let callsite = self.callsites.find(metadata);
        let left_out = || LeftOut { level, target, text: line::text_of(event, 0) };
        if let Some(left_out) = callsite.pass(self.clock.now_ns(), left_out) {
            self.write(level, target, &line::text_of(event, left_out));
        }
    }

    // The library opens no spans; those of others that run on its threads are not logged.
    fn new_span(&self, _attributes: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _span: &Id, _values: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

#[cfg(test)]
mod tests;
