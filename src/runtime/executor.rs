//! Who runs handlers.

use std::fmt;
use std::sync::Arc;

use super::strand::Job;

/// Runs jobs on threads that are not the library's, or on its own.
pub trait Executor: Send + Sync + 'static {
    /// Sees to it that [`Job::run`] is called soon, on any thread. An executor that is full or has stopped drops the
    /// job, and the library runs it. Called on the library's threads and on those that run jobs.
    fn execute(&self, job: Job);
}

/// Where the handlers of a server or client run.
#[derive(Clone, Default)]
pub enum Dispatch {
    /// On its loop: one at a time, and without a hand-over between threads.
    #[default]
    Inline,
    /// On the threads of the context's pool: one at a time for each session, several sessions at a time.
    Pool,
    /// In [`Context::poll`](super::Context::poll), which the user calls.
    Manual,
    /// On an executor of the user's: one at a time for each session.
    Executor(Arc<dyn Executor>),
}

/// Executors are equal if they are one.
impl PartialEq for Dispatch {
    fn eq(&self, other: &Dispatch) -> bool {
        match (self, other) {
            (Dispatch::Inline, Dispatch::Inline)
            | (Dispatch::Pool, Dispatch::Pool)
            | (Dispatch::Manual, Dispatch::Manual) => true,
            (Dispatch::Executor(one), Dispatch::Executor(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Dispatch {}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dispatch::Inline => "Inline",
            Dispatch::Pool => "Pool",
            Dispatch::Manual => "Manual",
            Dispatch::Executor(_) => "Executor",
        })
    }
}
