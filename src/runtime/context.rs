//! A context: the loops, and the servers and clients that live on them.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::event_loop::{LoopRef, WeakLoop};
use super::logging::logging_to;
use super::manual::ManualQueue;
use super::pool::{Pool, Started};
use super::thread::as_library_thread;
use super::{Dispatch, Executor, Place, on_library_thread};
use crate::config::ContextConfig;
use crate::error::{Code, Error, Result};
use crate::sys;
use crate::transport::compression::Compressors;

/// How long peers are read off at most after a stop of the context.
const LINGER: Duration = Duration::from_secs(5);

/// What runs on, or is installed in, each loop thread of a context.
#[derive(Clone, Default)]
pub struct ContextHooks {
    /// Where the events of `tracing` go that those threads emit, and those that other threads emit while they do
    /// something for the context; `None`: nowhere.
    pub dispatch: Option<tracing::Dispatch>,
    /// Runs first on each thread.
    pub on_thread_start: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Runs last on each thread.
    pub on_thread_stop: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl ContextHooks {
    /// Runs `work` with its log going where it should.
    pub(super) fn logging<R>(&self, work: impl FnOnce() -> R) -> R {
        logging_to(self.dispatch.as_ref(), work)
    }
}

impl fmt::Debug for ContextHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextHooks")
            .field("dispatch", &self.dispatch.is_some())
            .field("on_thread_start", &self.on_thread_start.is_some())
            .field("on_thread_stop", &self.on_thread_stop.is_some())
            .finish()
    }
}

/// Something that lives in a context: a server, a client, an adopted session, a connection pool.
pub(crate) trait Endpoint: Send + Sync {
    /// Begins to stop. `None`: with the time to drain that its configuration gives.
    fn stop(&self, drain: Option<Duration>);

    /// How often [`Endpoint::keep_house`] is to be called.
    fn house_interval(&self) -> Duration;

    /// Does, or has its loop do, what is to be done from time to time. Called on a thread that must not be held up.
    fn keep_house(&self);
}

/// Loops, and what lives on them.
#[derive(Debug)]
pub struct Context {
    config: ContextConfig,
    hooks: ContextHooks,
    budget: Arc<Budget>,
    compressors: Arc<Compressors>,
    inner: Mutex<Inner>,
    /// Signalled when an endpoint has come or gone.
    changed: Condvar,
    /// What [`Context::poll`] runs, once something is dispatched so.
    manual: OnceLock<Arc<ManualQueue>>,
}

#[derive(Default)]
struct Inner {
    stopping: bool,
    /// How long peers are still read off.
    linger_until: Option<Instant>,
    loops: Vec<WeakLoop>,
    threads: Vec<JoinHandle<()>>,
    threads_started: u64,
    endpoints: HashMap<u64, Arc<dyn Endpoint>>,
    endpoints_started: u64,
    /// The threads that run handlers beside the loops, and how many endpoints use them.
    pool: Option<(Arc<Pool>, usize)>,
    /// There is a thread that calls the endpoints' housekeeping.
    has_clock: bool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("stopping", &self.stopping)
            .field("threads", &self.threads.len())
            .field("endpoints", &self.endpoints.len())
            .finish()
    }
}

/// The context's knowledge of an endpoint. Dropped when the endpoint has ended.
#[derive(Debug)]
pub(crate) struct Membership {
    context: Arc<Context>,
    id: u64,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let endpoint = self.context.lock().endpoints.remove(&self.id);
        self.context.endpoints_changed();
        // Outside the lock: it may be the last reference.
        drop(endpoint);
    }
}

/// An endpoint's place in its context: the loop, and the context's knowledge of it. Dropped when the endpoint has
/// ended.
#[derive(Debug)]
pub(crate) struct EndpointGuard {
    /// The first to be dropped: the loop's thread is joined when all endpoints are gone.
    _membership: Membership,
    event_loop: LoopRef,
    _place: Option<EndpointPlace>,
}

impl EndpointGuard {
    pub(crate) fn event_loop(&self) -> &LoopRef {
        &self.event_loop
    }
}

impl Drop for EndpointGuard {
    fn drop(&mut self) {
        self.event_loop.remove_endpoint();
    }
}

/// Where an endpoint's handlers run, if that is not its loop. The pool is there for as long as somebody has such a
/// place in it.
#[derive(Debug)]
pub(crate) struct EndpointPlace {
    context: Arc<Context>,
    in_pool: bool,
    place: Place,
    /// The queue that the user polls, if the handlers run there.
    pub manual: Option<Arc<ManualQueue>>,
}

impl EndpointPlace {
    pub(crate) fn place(&self) -> Place {
        self.place.clone()
    }
}

impl Drop for EndpointPlace {
    fn drop(&mut self) {
        if self.in_pool {
            self.context.leave_pool();
        }
    }
}

impl Context {
    /// A context without a thread: loops start with the servers and clients that need them.
    pub fn new(config: ContextConfig, hooks: ContextHooks) -> Arc<Context> {
        hooks.logging(sys::watch_fork);
        let budget = Budget::of_context(config.max_buffered);
        Arc::new(Context {
            config,
            hooks,
            budget,
            compressors: Arc::default(),
            inner: Mutex::default(),
            changed: Condvar::new(),
            manual: OnceLock::new(),
        })
    }

    /// Runs `work`, on whatever thread, with its log going where that of the context goes. Not to be called under a lock.
    pub(crate) fn logging<R>(&self, work: impl FnOnce() -> R) -> R {
        self.hooks.logging(work)
    }

    /// Runs the handlers that are due of what is dispatched by hand ([`Dispatch::Manual`]), after it has waited for
    /// some for at most `timeout` (`None`: for ever). Tells how many turns of sessions, servers and clients that were.
    /// One thread at a time does this. Fails inside a handler, and once the context has been shut down.
    pub fn poll(&self, timeout: Option<Duration>) -> Result<usize> {
        self.manual()?.poll(timeout)
    }

    /// A descriptor that is readable while [`Context::poll`] has something to run, for an event loop of the user's. It
    /// is the context's, which closes it.
    pub fn poll_descriptor(&self) -> Result<BorrowedFd<'_>> {
        self.manual().map(|manual| manual.descriptor())
    }

    fn manual(&self) -> Result<&Arc<ManualQueue>> {
        if self.manual.get().is_none() {
            // Of two threads that make one, one's stays.
            let _ = self.manual.set(Arc::new(ManualQueue::new()?));
        }
        self.manual.get().ok_or_else(|| Code::Internal.into())
    }

    /// Where handlers run under `dispatch`; `None`: on the loop.
    pub(crate) fn place(self: &Arc<Self>, dispatch: &Dispatch, event_loop: &LoopRef) -> Result<Option<EndpointPlace>> {
        let mut manual = None;
        let executor: Arc<dyn Executor> = match dispatch {
            Dispatch::Inline => return Ok(None),
            Dispatch::Pool => self.join_pool()?,
            Dispatch::Manual => Arc::clone(manual.insert(Arc::clone(self.manual()?))) as _,
            Dispatch::Executor(executor) => Arc::clone(executor),
        };
        let fallback = Arc::new(event_loop.downgrade());
        let place = Place { executor, fallback, log: self.hooks.dispatch.clone() };
        let in_pool = matches!(dispatch, Dispatch::Pool);
        Ok(Some(EndpointPlace { context: Arc::clone(self), in_pool, place, manual }))
    }

    fn join_pool(&self) -> Result<Arc<Pool>> {
        self.reap();
        let mut inner = self.lock();
        // Else threads could start that a join does not know of.
        inner.refuse_if_stopping()?;
        if let Some((pool, users)) = &mut inner.pool {
            *users += 1;
            return Ok(Arc::clone(pool));
        }
        let Started { pool, threads, missing } =
            Pool::start(self.config.pool_threads, &self.config.thread_name_prefix, &self.hooks)?;
        let count = threads.len();
        inner.threads.extend(threads);
        inner.pool = Some((Arc::clone(&pool), 1));
        drop(inner);
        if let Some(error) = missing {
            self.hooks.logging(|| tracing::warn!("the pool has no more than {count} threads: {error}"));
        }
        Ok(pool)
    }

    fn leave_pool(&self) {
        let mut inner = self.lock();
        if let Some((_, users)) = &mut inner.pool {
            *users -= 1;
        }
        if let Some((pool, _)) = inner.pool.take_if(|(_, users)| *users == 0) {
            pool.close();
        }
    }

    /// Tells those who wait for endpoints to come or go.
    fn endpoints_changed(&self) {
        self.changed.notify_all();
        if let Some(manual) = self.manual.get() {
            manual.notify();
        }
    }

    /// How many bytes its sessions hold in buffers: frames that have come in part, and what is queued for sending. What
    /// one session holds is counted in steps of 4 KiB.
    pub fn buffered(&self) -> usize {
        self.budget.used()
    }

    /// Begins to stop all that lives in the context. Nothing can be started in it any more. `drain`: how long each
    /// may take to deliver what is queued; `None`: what its configuration says.
    pub fn stop(&self, drain: Option<Duration>) {
        let linger_until = Instant::now() + drain.map_or(LINGER, |drain| drain.min(LINGER));
        let endpoints: Vec<_> = {
            let mut inner = self.lock();
            inner.stopping = true;
            inner.linger_until = inner.linger_until.into_iter().chain([linger_until]).min();
            inner.endpoints.values().cloned().collect()
        };
        for endpoint in endpoints {
            endpoint.stop(drain);
        }
    }

    /// Waits until all that lived in the context has ended and its threads are gone. After a [`Context::stop`], peers
    /// that are still read off are given up when the time to drain is over.
    pub fn join(&self) -> Result<()> {
        if on_library_thread() {
            return Err(Error::new(
                Code::WouldDeadlock,
                "this is a thread of the library, which the call would wait for: call it on a thread of your own",
            ));
        }
        let threads = {
            let mut inner = self.lock();
            while !inner.endpoints.is_empty() {
                inner = match self.manual.get() {
                    None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                    Some(manual) => {
                        drop(inner);
                        manual.run_until(None, || self.lock().endpoints.is_empty().then_some(()));
                        self.lock()
                    }
                };
            }
            if let Some(deadline) = inner.linger_until {
                inner
                    .loops
                    .iter()
                    .filter_map(WeakLoop::upgrade)
                    .for_each(|event_loop| event_loop.cut_at(deadline.into()));
            }
            if inner.stopping
                && let Some(manual) = self.manual.get()
            {
                manual.close();
            }
            std::mem::take(&mut inner.threads)
        };
        self.join_threads(threads);
        Ok(())
    }

    /// Joins the threads that have ended.
    fn reap(&self) {
        let ended = self.lock().threads.extract_if(.., |thread| thread.is_finished()).collect();
        self.join_threads(ended);
    }

    fn join_threads(&self, threads: Vec<JoinHandle<()>>) {
        for thread in threads {
            if thread.join().is_err() {
                self.hooks.logging(|| tracing::error!("a thread of the library panicked"));
            }
        }
    }

    /// Runs `then` after [`Context::join`] on a thread made for it, for those who cannot wait.
    pub fn when_joined(self: &Arc<Self>, then: impl FnOnce() + Send + 'static) -> Result<()> {
        let context = Arc::clone(self);
        let reaper = move || {
            if let Err(error) = context.join() {
                let tell = || tracing::error!("the threads of a context could not be joined: {error}");
                context.hooks.logging(tell);
            }
            then();
        };
        std::thread::Builder::new()
            .name(format!("{}-reaper", self.config.thread_name_prefix))
            .spawn(reaper)
            .map(drop)
            .map_err(|error| Error::os(Code::Io, "cannot start a thread", &error))
    }

    /// The most loops that it makes.
    pub(crate) fn max_loops(&self) -> usize {
        self.config.max_loops.max(1)
    }

    /// Where its log goes.
    pub(crate) fn log(&self) -> Option<&tracing::Dispatch> {
        self.hooks.dispatch.as_ref()
    }

    /// A loop for work that is soon done: one that there is, or else a new one.
    pub(crate) fn any_loop(&self) -> Result<LoopRef> {
        let existing = self.lock().loops.iter().find_map(WeakLoop::upgrade);
        existing.map_or_else(|| self.assign_loop(), Ok)
    }

    /// Gives a loop to an endpoint that is about to start, a new one while there are fewer than the limit.
    pub(crate) fn assign_loop(&self) -> Result<LoopRef> {
        self.assign_loop_beside(&[])
    }

    /// The same for an endpoint that has these loops already, which are fewer than the limit.
    pub(crate) fn assign_loop_beside(&self, taken: &[LoopRef]) -> Result<LoopRef> {
        self.reap();
        let mut inner = self.lock();
        inner.refuse_if_stopping()?;
        let mut loops: Vec<LoopRef> = Vec::with_capacity(inner.loops.len());
        inner.loops.retain(|known| known.upgrade().map(|found| loops.push(found)).is_some());
        if loops.len() >= self.max_loops() {
            let others = loops.into_iter().filter(|found| !taken.iter().any(|known| known.is(found)));
            let least = others.min_by_key(LoopRef::endpoints);
            return least.ok_or_else(|| Error::new(Code::Internal, "there is no loop to share"));
        }
        inner.threads_started += 1;
        let busy_poll = Duration::from_micros(self.config.busy_poll_us.into());
        let name = format!("{}-{}", self.config.thread_name_prefix, inner.threads_started);
        let (event_loop, thread) =
            LoopRef::start(name, &self.hooks, Arc::clone(&self.budget), Arc::clone(&self.compressors), busy_poll)?;
        inner.loops.push(event_loop.downgrade());
        inner.threads.push(thread);
        Ok(event_loop)
    }

    /// Makes the context know an endpoint that lives on a loop.
    pub(crate) fn register(
        self: &Arc<Self>,
        event_loop: LoopRef,
        place: Option<EndpointPlace>,
        endpoint: Arc<dyn Endpoint>,
    ) -> Result<EndpointGuard> {
        let membership = self.enroll(endpoint)?;
        event_loop.add_endpoint();
        Ok(EndpointGuard { _membership: membership, event_loop, _place: place })
    }

    /// Makes the context know an endpoint, so that [`Context::stop`] and the clock reach it.
    pub(crate) fn enroll(self: &Arc<Self>, endpoint: Arc<dyn Endpoint>) -> Result<Membership> {
        let mut inner = self.lock();
        inner.refuse_if_stopping()?;
        if !inner.has_clock {
            let context = Arc::clone(self);
            let clock = std::thread::Builder::new()
                .name(format!("{}-clock", self.config.thread_name_prefix))
                .spawn(move || context.hooks.logging(|| as_library_thread(|| context.run_clock())))
                .map_err(|error| Error::os(Code::Io, "cannot start a thread", &error))?;
            inner.threads.push(clock);
            inner.has_clock = true;
        }
        inner.endpoints_started += 1;
        let id = inner.endpoints_started;
        inner.endpoints.insert(id, endpoint);
        drop(inner);
        self.endpoints_changed();
        Ok(Membership { context: Arc::clone(self), id })
    }

    /// Calls the endpoints' housekeeping for as long as there are endpoints. On a thread of its own, since a timer that
    /// is pending makes every wait of a loop dearer (by 0.8 us of some 12, measured).
    fn run_clock(&self) {
        sys::block_sigpipe();
        let mut called: HashMap<u64, Instant> = HashMap::new();
        let mut inner = self.lock();
        while !inner.endpoints.is_empty() {
            let now = Instant::now();
            called.retain(|id, _| inner.endpoints.contains_key(id));
            let mut due = Vec::new();
            let mut next = Duration::MAX;
            for (id, endpoint) in &inner.endpoints {
                let interval = endpoint.house_interval();
                let last = called.entry(*id).or_insert(now);
                if now.duration_since(*last) >= interval {
                    *last = now;
                    due.push(Arc::clone(endpoint));
                }
                next = next.min(interval.saturating_sub(now.duration_since(*last)));
            }
            if due.is_empty() {
                inner = self.changed.wait_timeout(inner, next).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            drop(inner);
            due.iter().for_each(|endpoint| endpoint.keep_house());
            // Outside the lock: they may be the last references.
            drop(due);
            inner = self.lock();
        }
        inner.has_clock = false;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn refuse_if_stopping(&self) -> Result<()> {
        if self.stopping {
            return Err(Error::new(Code::Cancelled, "the context is being shut down: nothing can be started in it"));
        }
        Ok(())
    }
}
