//! The threads of a context that run handlers beside its loops.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, available_parallelism};

use super::strand::Job;
use super::{ContextHooks, Executor, thread};
use crate::error::{Code, Error, Result};

/// Threads, and the jobs that wait for them.
#[derive(Debug, Default)]
pub(super) struct Pool {
    inner: Mutex<Inner>,
    available: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// A pool that was started.
pub(super) struct Started {
    pub pool: Arc<Pool>,
    pub threads: Vec<JoinHandle<()>>,
    /// Why it has fewer threads than it was to have.
    pub missing: Option<io::Error>,
}

impl Pool {
    /// A pool of `count` threads; 0: one for each processor.
    pub(super) fn start(count: usize, prefix: &str, hooks: &ContextHooks) -> Result<Started> {
        let count = match count {
            0 => available_parallelism().map_or(2, NonZeroUsize::get),
            count => count,
        };
        let pool = Arc::new(Pool::default());
        let mut threads = Vec::new();
        let mut missing = None;
        for number in 1..=count {
            let worker = Arc::clone(&pool);
            match thread::spawn(format!("{prefix}-pool-{number}"), hooks, move || worker.serve()) {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => {
                    return Err(Error::os(Code::Io, "cannot start a thread of the pool", &error));
                }
                Err(error) => {
                    missing = Some(error);
                    break;
                }
            }
        }
        Ok(Started { pool, threads, missing })
    }

    /// Ends the threads once the jobs that wait have run.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.available.notify_all();
    }

    fn serve(&self) {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.jobs.pop_front() {
                drop(inner);
                job.run();
                inner = self.lock();
            } else if inner.closed {
                return;
            } else {
                inner = self.available.wait(inner).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for Pool {
    fn execute(&self, job: Job) {
        {
            let mut inner = self.lock();
            if inner.closed {
                drop(inner);
                return; // And the loop runs what is dropped.
            }
            inner.jobs.push_back(job);
        }
        self.available.notify_one();
    }
}
