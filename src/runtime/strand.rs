//! Work that is done one piece after the other, in order, on an executor.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, ptr};

use super::Executor;
use super::event_loop::WeakLoop;
use super::logging::logging_to;
use super::thread::as_library_thread;

/// After this long a job makes room for others.
pub(crate) const TURN: Duration = Duration::from_micros(200);

/// How many tasks there is room for while none waits.
const FEW: usize = 16;

type Task = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The strand of which this thread is handing a further job to an executor, and whether that job was run meanwhile.
    static HANDING_OVER: Cell<(*const Strand, bool)> = const { Cell::new((ptr::null(), false)) };
}

/// Where the handlers of a server or client run that do not run on its loop.
#[derive(Clone)]
pub(crate) struct Place {
    pub executor: Arc<dyn Executor>,
    /// Runs what the executor does not.
    pub fallback: Arc<WeakLoop>,
    /// Where the events of `tracing` go that the handlers' thread emits in the library.
    pub log: Option<tracing::Dispatch>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// A queue of tasks. Tasks of different strands may run at the same time.
pub(crate) struct Strand {
    place: Place,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    tasks: VecDeque<Task>,
    /// There is a job for it.
    scheduled: bool,
}

/// A turn of a strand: the handlers of one session, or of one server or client, that are due.
///
/// A job that is dropped is run by the library itself: nothing is lost with an executor that takes no more.
pub struct Job(Option<Arc<Strand>>);

impl Job {
    /// Runs the handlers. Further ones of the same session come with a further job, never before this has returned.
    pub fn run(mut self) {
        if let Some(strand) = self.0.take() {
            strand.run();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(strand) = self.0.take() {
            strand.run_on_loop();
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl Strand {
    pub(crate) fn new(place: Place) -> Arc<Strand> {
        Arc::new(Strand { place, inner: Mutex::default() })
    }

    /// Has `task`, which does not panic, run after what was posted before.
    pub(crate) fn post(self: &Arc<Self>, task: impl FnOnce() + Send + 'static) {
        let idle = {
            let mut inner = self.lock();
            inner.tasks.push_back(Box::new(task));
            !std::mem::replace(&mut inner.scheduled, true)
        };
        if idle {
            self.schedule();
        }
    }

    fn schedule(self: &Arc<Self>) {
        let job = Job(Some(Arc::clone(self)));
        if catch_unwind(AssertUnwindSafe(|| self.place.executor.execute(job))).is_err() {
            let tell = || tracing::error!("an executor panicked: what it was to run runs on the loop");
            logging_to(self.place.log.as_ref(), tell);
        }
    }

    fn run_on_loop(self: Arc<Self>) {
        match self.place.fallback.upgrade() {
            Some(event_loop) => {
                let keep_running = event_loop.clone();
                event_loop.spawn(async move {
                    self.run();
                    drop(keep_running);
                });
            }
            None => self.run(),
        }
    }

    fn run(self: Arc<Self>) {
        let this = Arc::as_ptr(&self);
        if HANDING_OVER.get().0 == this {
            // The executor runs jobs where it is given them: the next turn follows this one, and is not inside it.
            HANDING_OVER.set((this, true));
            return;
        }
        // Not a batch: a handler may go on for long after it has sent, or wait for an answer.
        let turn = || as_library_thread(|| self.take_turn());
        loop {
            if !logging_to(self.place.log.as_ref(), turn) {
                return;
            }
            let outer = HANDING_OVER.replace((this, false));
            self.schedule();
            if !HANDING_OVER.replace(outer).1 {
                return;
            }
        }
    }

    /// Runs tasks for a while; true if there are more.
    fn take_turn(&self) -> bool {
        let end = Instant::now() + TURN;
        let mut late = false;
        loop {
            let task = {
                let mut inner = self.lock();
                if late && !inner.tasks.is_empty() {
                    return true;
                }
                let Some(task) = inner.tasks.pop_front() else {
                    inner.scheduled = false;
                    inner.tasks.shrink_to(FEW);
                    return false;
                };
                task
            };
            task();
            late = Instant::now() >= end;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
