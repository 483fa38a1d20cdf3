//! What an endpoint counts.

use std::sync::{Arc, Weak};

use super::{Inner, Registry, Role};
use crate::session::{Session, Stats};

impl Registry {
    pub(crate) fn stats(&self) -> Stats {
        let inner = self.lock();
        inner.totals().since(&inner.reset)
    }

    /// All counts, whatever was reset.
    pub(crate) fn totals(&self) -> Stats {
        self.lock().totals()
    }

    /// The counts since the last reset, which this is the next of: each message is in exactly one such result.
    pub(crate) fn take_stats(&self) -> Stats {
        let mut inner = self.lock();
        let totals = inner.totals();
        let before = std::mem::replace(&mut inner.reset, totals);
        totals.since(&before)
    }

    /// Has what a backlog holds and drops counted too, instead of that of an earlier one, which takes no message any
    /// more.
    pub(crate) fn count_backlog(&self, backlog: Weak<Session>) {
        let mut inner = self.lock();
        if let Some(earlier) = std::mem::replace(&mut inner.backlog, backlog).upgrade() {
            inner.past.add(&Stats { queued_bytes: 0, ..earlier.counts() });
        }
    }

    /// Counts, on a client, a connection that has come to be open.
    pub(crate) fn count_open(&self) {
        if self.role == Role::Client {
            let mut inner = self.lock();
            inner.past.reconnects += u64::from(std::mem::replace(&mut inner.was_open, true));
        }
    }

    /// Counts the last of a client's attempts to connect, of which the handler is told anyhow.
    pub(crate) fn count_failed_attempt(&self) {
        self.lock().past.connections_failed += 1;
    }

    /// Counts messages that are given up with the client.
    pub(crate) fn count_unsent(&self, messages: u64) {
        self.lock().past.messages_unsent += messages;
    }

    pub(super) fn count_error(&self, session: Option<&Arc<Session>>) {
        let mut inner = self.lock();
        if let Some(session) = session {
            session.received.errors.add_shared(1);
        }
        // The counts of a session that has gone were added already.
        if session.is_none_or(|session| !inner.sessions.contains_key(&session.number())) {
            inner.past.errors += 1;
        }
    }
}

impl Inner {
    fn totals(&self) -> Stats {
        let mut totals = self.past;
        for session in self.sessions.values().chain(&self.backlog.upgrade()) {
            totals.add(&session.counts());
        }
        totals.connections_current = self.sessions.len() as u64;
        totals
    }
}
