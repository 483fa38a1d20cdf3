//! Running, stopping, stopped: the same for servers and clients.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::runtime::{EndpointPlace, ManualQueue, StopSignal, on_library_thread};
use crate::sync::{lock, wait_while};

/// Where a server or client stands.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It was started.
    Running = 1,
    /// It is being stopped.
    Stopping = 2,
    /// It has stopped, and nothing is told any more.
    Stopped = 3,
}

/// Whether a client is connected.
#[derive(Clone, Debug, Default)]
enum Connection {
    #[default]
    Awaited,
    Made,
    Failed(Error),
}

/// Who is told what others wait for: each of the two once, on the loop or, if it happened before, by the call that
/// begins the watch. Never under a lock.
pub(super) trait Watcher: Send + Sync {
    /// The connection was made, or could not be.
    fn on_connected(&self, outcome: &Result<()>);
    /// It has stopped. The last call.
    fn on_stopped(&self);
}

#[derive(Default)]
struct Inner {
    stopped: bool,
    connection: Connection,
    /// It was made, and has not ended.
    connected: bool,
    watchers: Vec<Arc<dyn Watcher>>,
}

/// The life of an endpoint, and those who wait for a part of it.
#[derive(Default)]
pub(super) struct Lifecycle {
    pub signal: StopSignal,
    inner: Mutex<Inner>,
    changed: Condvar,
    /// The queue from which whoever waits runs the handlers, if nobody else does.
    manual: Option<Arc<ManualQueue>>,
}

impl Lifecycle {
    pub(super) fn new(place: Option<&EndpointPlace>) -> Lifecycle {
        Lifecycle { manual: place.and_then(|place| place.manual.clone()), ..Lifecycle::default() }
    }

    pub(super) fn state(&self) -> EndpointState {
        if self.lock().stopped {
            EndpointState::Stopped
        } else if self.signal.is_requested() {
            EndpointState::Stopping
        } else {
            EndpointState::Running
        }
    }

    pub(super) fn set_stopped(&self) {
        let watchers = {
            let mut inner = self.lock();
            inner.stopped = true;
            std::mem::take(&mut inner.watchers)
        };
        self.tell_change();
        watchers.iter().for_each(|watcher| watcher.on_stopped());
    }

    /// Has the watcher told. What a loop tells while this call begins may come before what this call tells.
    pub(super) fn watch(&self, watcher: Arc<dyn Watcher>) {
        let (connection, stopped) = {
            let mut inner = self.lock();
            if !inner.stopped {
                inner.watchers.push(Arc::clone(&watcher));
            }
            (inner.connection.clone(), inner.stopped)
        };
        match connection {
            Connection::Awaited => {}
            Connection::Made => watcher.on_connected(&Ok(())),
            Connection::Failed(error) => watcher.on_connected(&Err(error)),
        }
        if stopped {
            watcher.on_stopped();
        }
    }

    /// The connection was made, or could not be.
    pub(super) fn set_connected(&self, outcome: Result<()>) {
        let watchers = {
            let mut inner = self.lock();
            if !matches!(inner.connection, Connection::Awaited) {
                return;
            }
            inner.connected = outcome.is_ok();
            inner.connection = match &outcome {
                Ok(()) => Connection::Made,
                Err(error) => Connection::Failed(error.clone()),
            };
            inner.watchers.clone()
        };
        self.tell_change();
        watchers.iter().for_each(|watcher| watcher.on_connected(&outcome));
    }

    fn tell_change(&self) {
        self.changed.notify_all();
        if let Some(manual) = &self.manual {
            manual.notify();
        }
    }

    /// The connection has ended. `reconnects`: another one will be made.
    pub(super) fn set_disconnected(&self, reconnects: bool) {
        let mut inner = self.lock();
        inner.connected = false;
        if reconnects {
            inner.connection = Connection::Awaited;
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().connected
    }

    /// Waits until it has stopped. `None`: for ever.
    pub(super) fn wait_stopped(&self, timeout: Option<Duration>) -> Result<()> {
        self.wait(timeout, |inner| inner.stopped.then_some(Ok(())))
    }

    /// Waits until it is connected, or will not be.
    pub(super) fn wait_connected(&self, timeout: Option<Duration>) -> Result<()> {
        self.wait(timeout, |inner| match &inner.connection {
            Connection::Awaited if inner.stopped => Some(Err(Code::ConnectionClosed.into())),
            Connection::Awaited => None,
            Connection::Made => Some(Ok(())),
            Connection::Failed(error) => Some(Err(error.clone())),
        })
    }

    fn wait(&self, timeout: Option<Duration>, outcome: impl Fn(&Inner) -> Option<Result<()>>) -> Result<()> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let inner = self.lock();
        if let Some(outcome) = outcome(&inner) {
            return outcome;
        }
        if on_library_thread() {
            return Err(Error::would_deadlock());
        }
        if let Some(manual) = &self.manual {
            drop(inner);
            let outcome = manual.run_until(deadline, || outcome(&self.lock()));
            return outcome.unwrap_or_else(|| Err(Code::Timeout.into()));
        }
        let mut found = None;
        drop(wait_while(&self.changed, inner, deadline, |inner| {
            found = outcome(inner);
            found.is_none()
        }));
        found.unwrap_or_else(|| Err(Code::Timeout.into()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}
