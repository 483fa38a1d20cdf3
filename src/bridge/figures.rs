//! What a bridge counts and measures, for itself and for the process's monitor.

use std::time::Duration;

use crate::metrics::{Counter, ErrorKind, Monitor, monitor};
use crate::session::Stats;

#[derive(Debug, Default)]
pub(super) struct Figures {
    pub own: Monitor,
}

impl Figures {
    fn both(&self) -> [&Monitor; 2] {
        [&self.own, monitor()]
    }

    /// Adds what has come to a server's or client's counts.
    pub(super) fn count(&self, before: &Stats, now: &Stats) {
        let come = now.since(before);
        let counts = [
            (Counter::Connections, come.connections_total),
            (Counter::ConnectionsFailed, come.connections_failed + come.connections_rejected),
            (Counter::MessagesSent, come.messages_sent),
            (Counter::MessagesReceived, come.messages_received),
            (Counter::BytesSent, come.bytes_sent),
            (Counter::BytesReceived, come.bytes_received),
            (Counter::SendErrors, come.messages_dropped),
        ];
        for monitor in self.both() {
            if counts.iter().any(|(_, count)| *count > 0) {
                monitor.add(&counts);
            }
            monitor.change_connections(before.connections_current, now.connections_current);
        }
    }

    pub(super) fn record_error(&self, kind: ErrorKind) {
        self.both().iter().for_each(|monitor| monitor.record_error(kind));
    }

    pub(super) fn record_round_trip(&self, time: Duration) {
        self.both().iter().for_each(|monitor| monitor.record_round_trip(time));
    }

    pub(super) fn record_handler_time(&self, time: Duration) {
        self.both().iter().for_each(|monitor| monitor.record_handler_time(time));
    }
}
