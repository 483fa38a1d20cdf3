//! The events of a bridge, which come from many threads and are told one at a time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result, panic_text};
use crate::runtime::as_library_thread;

/// What a bridge tells its user: one at a time, in order, never under a lock, on threads of the library and on those
/// that call it.
pub trait Events: Send + Sync + 'static {
    /// A session of a server or client has begun, or ended, with this peer: "192.0.2.1:8080".
    fn on_connection(&self, _endpoint: &str, _connected: bool) {}
    /// Something failed in a server or client.
    fn on_error(&self, _error: &Error) {}
    /// Nothing is told any more: the last call of all.
    fn on_release(&self) {}
}

#[derive(Debug)]
pub(super) enum Event {
    Connection(String, bool),
    Failed(Error),
    Released,
}

/// Whoever brings an event while nobody tells any does, and tells what others bring meanwhile too.
pub(super) struct EventQueue {
    events: Arc<dyn Events>,
    inner: Mutex<Inner>,
    /// Signalled when nobody tells any more.
    idle: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Event>,
    telling: bool,
}

impl EventQueue {
    pub(super) fn new(events: Arc<dyn Events>) -> EventQueue {
        EventQueue { events, inner: Mutex::default(), idle: Condvar::new() }
    }

    pub(super) fn post(&self, event: Event) {
        if self.push(event) {
            self.tell_all();
        }
    }

    /// Adds an event; whether the caller is the one to tell it.
    #[must_use]
    pub(super) fn push(&self, event: Event) -> bool {
        let mut inner = self.lock();
        inner.waiting.push_back(event);
        !std::mem::replace(&mut inner.telling, true)
    }

    pub(super) fn tell_all(&self) {
        loop {
            let event = {
                let mut inner = self.lock();
                let Some(event) = inner.waiting.pop_front() else {
                    inner.telling = false;
                    self.idle.notify_all();
                    return;
                };
                event
            };
            self.tell(event);
        }
    }

    fn tell(&self, event: Event) {
        let tell = || match &event {
            Event::Connection(endpoint, connected) => self.events.on_connection(endpoint, *connected),
            Event::Failed(error) => self.events.on_error(error),
            Event::Released => self.events.on_release(),
        };
        // As in every handler, nothing waits in there.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| as_library_thread(tell))) {
            tracing::error!("an event handler of a bridge panicked: {}", panic_text(&*panic));
        }
    }

    /// Waits until all events have been told.
    pub(super) fn wait_idle(&self, timeout: Option<Duration>) -> Result<()> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inner = self.lock();
        while inner.telling {
            inner = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.idle.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Err(Code::Timeout.into()),
                Some(left) => self.idle.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
