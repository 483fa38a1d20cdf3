//! The library's log, handed to a callback of C: a `tracing` subscriber that is installed on library threads only.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::args::invalid;
use crate::error::Result;

/// Takes the records: level (1 error .. 5 trace), target, message.
pub(super) trait Sink: Send + Sync + 'static {
    fn log(&self, level: u32, unix_ms: u64, target: &str, message: &str);
}

/// The level that C names with this number; 0 is the default.
pub(super) fn level(number: u32) -> Result<Level> {
    match number {
        1 => Ok(Level::ERROR),
        0 | 2 => Ok(Level::WARN),
        3 => Ok(Level::INFO),
        4 => Ok(Level::DEBUG),
        5 => Ok(Level::TRACE),
        _ => Err(invalid(format!("log_level is {number}: use 1 (error) to 5 (trace), or 0 for the default, 2 (warn)"))),
    }
}

fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// Formats events and hands them to the sink.
struct Forwarder<S> {
    level: Level,
    sink: Arc<S>,
}

/// Where the events go that are not above `level`.
pub(super) fn dispatch<S: Sink>(level: Level, sink: Arc<S>) -> tracing::Dispatch {
    tracing::Dispatch::new(Forwarder { level, sink })
}

impl<S: Sink> Subscriber for Forwarder<S> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.sink.log(number(*metadata.level()), now.as_millis() as u64, metadata.target(), &line.into_text());
    }

    // The library opens no spans; those of others that run on its threads are not logged.
    fn new_span(&self, _attributes: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

/// An event's message, and behind it its fields: `message key=value key=value`.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn into_text(mut self) -> String {
        let fields = if self.message.is_empty() { self.fields.trim_start() } else { &self.fields };
        self.message += fields;
        self.message
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string fails only where the value's own formatting does; what there is of it is kept.
        _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Lines(Mutex<Vec<(u32, String, String)>>);

    impl Sink for Lines {
        fn log(&self, level: u32, unix_ms: u64, target: &str, message: &str) {
            assert!(unix_ms > 1_600_000_000_000, "the clock is set");
            self.0.lock().expect("no panic").push((level, target.to_owned(), message.to_owned()));
            tracing::error!("an event from inside the sink goes nowhere");
        }
    }

    #[test]
    fn events_up_to_the_level_are_forwarded() {
        let lines = Arc::new(Lines::default());
        tracing::dispatcher::with_default(&dispatch(Level::INFO, lines.clone()), || {
            tracing::error!(target: "a", "broken {}", 7);
            tracing::warn!(target: "b", count = 3, name = "x y", "odd");
            tracing::info!(target: "c", flag = true);
            tracing::debug!(target: "d", "not asked for");
            tracing::info_span!(target: "e", "span").in_scope(|| tracing::info!(target: "f", "inside"));
        });
        tracing::error!(target: "g", "outside");
        let expected =
            [(1, "a", "broken 7"), (2, "b", "odd count=3 name=x y"), (3, "c", "flag=true"), (3, "f", "inside")];
        let expected = expected.map(|(level, target, text)| (level, target.to_owned(), text.to_owned()));
        assert_eq!(*lines.0.lock().expect("no panic"), expected);
    }

    #[test]
    fn levels() {
        assert_eq!(level(0).ok(), Some(Level::WARN));
        for (n, expected) in (1..).zip([Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE]) {
            assert_eq!(level(n).ok(), Some(expected));
            assert_eq!(number(expected), n);
        }
        assert!(level(6).expect_err("no level").message.starts_with("log_level is 6"));
    }
}
