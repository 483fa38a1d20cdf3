//! Handlers that wait for the user to run them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::strand::Job;
use super::{Executor, on_library_thread};
use crate::error::{Code, Error, Result};
use crate::sys::EventFd;

/// The jobs of a context that [`ManualQueue::poll`] runs, one at a time whoever calls it.
#[derive(Debug)]
pub(crate) struct ManualQueue {
    inner: Mutex<Inner>,
    /// Signalled when there is something to do, or somebody who waits is to look again.
    changed: Condvar,
    /// Readable while there are jobs.
    event: EventFd,
}

#[derive(Debug, Default)]
struct Inner {
    jobs: VecDeque<Job>,
    /// A thread is at it.
    busy: bool,
    /// No job will come any more.
    closed: bool,
}

impl ManualQueue {
    pub(super) fn new() -> Result<ManualQueue> {
        let event = EventFd::new().map_err(|error| Error::os(Code::Io, "cannot make an event descriptor", &error))?;
        Ok(ManualQueue { inner: Mutex::default(), changed: Condvar::new(), event })
    }

    /// A descriptor that is readable while there is something to run.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    /// Waits for something to run, at most that long (`None`: for ever), and runs what is there. Tells how many jobs
    /// that were.
    pub(super) fn poll(&self, timeout: Option<Duration>) -> Result<usize> {
        if on_library_thread() {
            return Err(Error::new(Code::WouldDeadlock, "a handler is running on this thread: return from it first"));
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inner = self.lock();
        while inner.busy || inner.jobs.is_empty() {
            if inner.closed {
                return Err(Error::new(
                    Code::Cancelled,
                    "the context has been shut down: nothing will be due any more",
                ));
            }
            match self.wait(inner, deadline) {
                Some(again) => inner = again,
                None => return Ok(0),
            }
        }
        Ok(self.run(inner).1)
    }

    /// Runs what is there until `done` has an answer; `None` at the deadline.
    pub(crate) fn run_until<R>(&self, deadline: Option<Instant>, mut done: impl FnMut() -> Option<R>) -> Option<R> {
        let mut inner = self.lock();
        loop {
            // Under the lock, so that the notice of a change cannot come between the look and the wait.
            if let Some(answer) = done() {
                return Some(answer);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
            inner = if inner.busy || inner.jobs.is_empty() { self.wait(inner, deadline)? } else { self.run(inner).0 };
        }
    }

    /// Ends those who poll: nothing will come any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Has those who wait look again.
    pub(crate) fn notify(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Runs the jobs that are there now.
    fn run<'a>(&'a self, mut inner: MutexGuard<'a, Inner>) -> (MutexGuard<'a, Inner>, usize) {
        struct Idle<'a>(&'a ManualQueue);
        impl Drop for Idle<'_> {
            fn drop(&mut self) {
                self.0.lock().busy = false;
                self.0.changed.notify_all();
            }
        }
        inner.busy = true;
        let jobs = std::mem::take(&mut inner.jobs);
        self.event.clear();
        drop(inner);
        let idle = Idle(self);
        let count = jobs.len();
        jobs.into_iter().for_each(Job::run);
        drop(idle);
        (self.lock(), count)
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>, deadline: Option<Instant>) -> Option<MutexGuard<'a, Inner>> {
        let Some(deadline) = deadline else {
            return Some(self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        Some(self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for ManualQueue {
    fn execute(&self, job: Job) {
        let mut inner = self.lock();
        if inner.jobs.is_empty() {
            self.event.set();
        }
        inner.jobs.push_back(job);
        drop(inner);
        self.changed.notify_all();
    }
}
