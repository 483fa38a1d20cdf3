//! A pool of connections to one server.
//!
//! Every connection has a slot from when it is begun until its client has stopped, and there are never more slots than
//! the limit: so the server never sees more connections, closing ones included. Those who find no connection wait in a
//! queue. Whatever becomes available, be it new or returned, goes to the first of the queue, and so does the reason
//! when a connection cannot be made; nobody overtakes.
//!
//! Decisions are made under the pool's lock and carried out without it: connecting, stopping, and what users are told.

mod lease;
mod making;
mod promise;
mod slots;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use self::lease::Lease;
pub(crate) use self::making::ClientMaker;
use self::promise::Promise;
use self::slots::{Filling, Inner, Phase, Stage, Todo, ended_at_once};
use super::client::Client;
use super::lifecycle::Watcher;
use crate::config::{ClientConfig, LONGEST};
use crate::error::{Code, Error, Result, panic_text};
use crate::runtime::{Clock, Context, Endpoint, on_library_thread};
use crate::session::handler::Handler;

/// Settings of a pool.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// The most connections at a time, those that are being made or closed included.
    pub max_connections: usize,
    /// So many connections are made without being asked for, and kept while they are idle.
    pub min_idle: usize,
    /// More than these are closed when they were idle for this long; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// What idle times are measured with.
    pub clock: Clock,
}

impl Default for PoolConfig {
    fn default() -> Self {
        PoolConfig {
            max_connections: 10,
            min_idle: 0,
            idle_timeout: Some(Duration::from_secs(60)),
            clock: Clock::default(),
        }
    }
}

impl PoolConfig {
    fn validated(mut self) -> Result<Self> {
        let refused = |text: String| Err(Error::new(Code::InvalidArgument, text));
        if self.max_connections == 0 {
            return refused("max_connections is 0: a pool needs at least 1 connection".into());
        }
        if self.min_idle > self.max_connections {
            return refused(format!(
                "min_idle is {}, more than max_connections with {}: give it at most the same",
                self.min_idle, self.max_connections
            ));
        }
        self.idle_timeout = self.idle_timeout.map(|timeout| timeout.min(LONGEST));
        Ok(self)
    }
}

/// What a pool has and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections there may be.
    pub max_connections: usize,
    /// Connections there are: leased, idle, or being closed.
    pub connections: usize,
    /// Of these, the ones that somebody has.
    pub leased: usize,
    /// Of these, the ones that nobody has.
    pub idle: usize,
    /// Connections that are being made.
    pub connecting: usize,
    /// Threads that wait for one.
    pub waiting: usize,
    /// Leases given.
    pub acquired: u64,
    /// Waits that ended without a connection because the time was over.
    pub timed_out: u64,
    /// Connections made.
    pub connected: u64,
    /// Connections that could not be made.
    pub failed: u64,
    /// Connections that ended by themselves.
    pub broken: u64,
    /// Connections closed because their user said so, or because something came while they were idle.
    pub discarded: u64,
    /// Connections closed because they were idle for too long.
    pub expired: u64,
}

/// How a pool comes by its clients. All of it is called without a lock, on any thread, and must not wait.
pub(crate) trait Connector: Send + Sync + 'static {
    /// Starts a client.
    fn open(&self) -> Result<Opened>;
    /// A client that `open` started has stopped.
    fn closed(&self, opened: &Opened);
    /// The pool has ended: the last call.
    fn released(&self);
}

/// A client that was started, and what the connector calls it.
#[derive(Clone)]
pub(crate) struct Opened {
    pub client: Arc<Client>,
    pub tag: u64,
}

/// A pool. All functions may be called on any thread at any time, handlers included; only [`ConnectionPool::acquire`],
/// [`ConnectionPool::fill`] and [`ConnectionPool::wait`] wait.
///
/// A connection on which something arrives while it is idle is not clean: nobody knows whom the answer is for. It is
/// closed and never leased again. For the same reason a lease with an answer outstanding is to be discarded.
pub struct ConnectionPool {
    me: Weak<ConnectionPool>,
    config: PoolConfig,
    connector: Box<dyn Connector>,
    inner: Mutex<Inner>,
    /// Signalled when a connection has gone, and at the end.
    changed: Condvar,
}

impl ConnectionPool {
    /// Starts a pool of clients of that configuration. `handler` is told their events, but for `on_stopped`, and
    /// `on_release` once, when the pool has ended. Events of different connections may come at the same time.
    pub fn start(
        context: &Arc<Context>,
        config: PoolConfig,
        client: ClientConfig,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<ConnectionPool>> {
        Self::start_with(context, config, ClientMaker::new(context, client, handler, Box::new(Client::start_with))?)
    }

    /// Starts a pool of what the connector makes.
    pub(crate) fn start_with(
        context: &Arc<Context>,
        config: PoolConfig,
        connector: impl Connector,
    ) -> Result<Arc<ConnectionPool>> {
        let config = config.validated()?;
        let pool = Arc::new_cyclic(|me| ConnectionPool {
            me: Weak::clone(me),
            config,
            connector: Box::new(connector),
            inner: Mutex::default(),
            changed: Condvar::new(),
        });
        let membership = context.enroll(pool.clone())?;
        let too_late = {
            let mut inner = pool.lock();
            inner.membership = Some(membership);
            // A stop of the context may have come in between.
            if inner.phase == Phase::Ended { inner.membership.take() } else { None }
        };
        drop(too_late);
        pool.keep_house();
        Ok(pool)
    }

    /// Leases a connection: an idle one, or a new one, or the next that is returned. Whoever waits is served in order.
    ///
    /// Fails with [`Code::Timeout`], with the reason if the connection that was this caller's turn could not be made,
    /// with [`Code::Cancelled`] when the pool is stopped, and with [`Code::WouldDeadlock`] on a library thread if none
    /// is free at once. `None`: waits for ever; zero: takes an idle one only.
    pub fn acquire(self: &Arc<Self>, timeout: Option<Duration>) -> Result<Lease> {
        if let Some(lease) = self.try_acquire()? {
            return Ok(lease);
        }
        if on_library_thread() {
            return Err(would_deadlock());
        }
        let deadline = deadline(timeout);
        let turn = Arc::new(Promise::default());
        let todo = {
            let mut inner = self.lock();
            if inner.phase != Phase::Running {
                return Err(stopped());
            }
            if timeout == Some(Duration::ZERO) {
                inner.done.timed_out += 1;
                return Err(self.none_free());
            }
            inner.waiting.push_back(Arc::clone(&turn));
            // One may have become idle since.
            let mut todo = inner.serve();
            todo.add(inner.grow(&self.config));
            todo
        };
        self.carry_out(todo);
        let granted = turn.wait(deadline).unwrap_or_else(|| {
            let mut inner = self.lock();
            let place = inner.waiting.iter().position(|other| Arc::ptr_eq(other, &turn));
            if let Some(place) = place {
                inner.waiting.remove(place);
                inner.done.timed_out += 1;
                drop(inner);
                return Err(self.none_free());
            }
            drop(inner);
            // Its turn has come in this moment.
            turn.wait(None).unwrap_or_else(|| Err(Code::Internal.into()))
        })?;
        Ok(Lease::new(Arc::clone(self), granted))
    }

    fn none_free(&self) -> Error {
        let most = self.config.max_connections;
        Error::new(Code::Timeout, format!("none of {most} connections became free in the time given"))
    }

    /// Leases a connection if one is idle. Fails with [`Code::Cancelled`] when the pool is stopped.
    pub fn try_acquire(self: &Arc<Self>) -> Result<Option<Lease>> {
        let (granted, todo) = {
            let mut inner = self.lock();
            if inner.phase != Phase::Running {
                return Err(stopped());
            }
            inner.take_idle()
        };
        self.carry_out(todo);
        Ok(granted.map(|granted| Lease::new(Arc::clone(self), granted)))
    }

    /// Makes as many connections as there may be, and waits for them. Fails with what the first of them failed with,
    /// or with [`Code::Timeout`]; those that were made are kept.
    pub fn fill(&self, timeout: Option<Duration>) -> Result<()> {
        if on_library_thread() {
            return Err(would_deadlock());
        }
        let deadline = deadline(timeout);
        loop {
            let (filling, todo) = {
                let mut inner = self.lock();
                if inner.phase != Phase::Running {
                    return Err(stopped());
                }
                let todo = inner.make_slots(self.config.max_connections, &self.config);
                let mut awaited: Vec<_> =
                    inner.slots.values_mut().filter(|slot| slot.stage == Stage::Connecting).collect();
                if awaited.is_empty() {
                    if inner.slots.values().all(|slot| slot.stage != Stage::Closing) {
                        return Ok(());
                    }
                    // What is being closed still takes a place.
                    drop(self.wait_change(inner, deadline)?);
                    continue;
                }
                let filling = Arc::new(Filling::new(awaited.len()));
                awaited.iter_mut().for_each(|slot| slot.filling.push(Arc::clone(&filling)));
                (filling, todo)
            };
            self.carry_out(todo);
            filling.done.wait(deadline).unwrap_or_else(|| Err(Code::Timeout.into()))?;
        }
    }

    /// How it stands, and what it has done since it was started.
    pub fn stats(&self) -> PoolStats {
        let inner = self.lock();
        let count = |is: fn(&Stage) -> bool| inner.slots.values().filter(|slot| is(&slot.stage)).count();
        let connecting = count(|stage| *stage == Stage::Connecting);
        PoolStats {
            max_connections: self.config.max_connections,
            connections: inner.slots.len() - connecting,
            leased: count(|stage| *stage == Stage::Leased),
            idle: inner.idle.len(),
            connecting,
            waiting: inner.waiting.len(),
            ..inner.done
        }
    }

    /// Closes the connections that were idle for too long, and those that are no longer fit for use; says how many.
    /// The pool does it by itself from time to time.
    pub fn close_idle(&self) -> usize {
        let todo = self.lock().close_idle(&self.config);
        let closed = todo.stop.len();
        self.carry_out(todo);
        closed
    }

    /// Begins to stop: those who wait get [`Code::Cancelled`], idle connections are closed within `drain` (`None`: as
    /// configured), leased ones when they are returned.
    pub fn stop(&self, drain: Option<Duration>) {
        let (cancelled, clients, todo) = {
            let mut inner = self.lock();
            if inner.phase == Phase::Running {
                inner.phase = Phase::Stopping;
            }
            inner.idle.clear();
            let mut clients = Vec::new();
            for slot in inner.slots.values_mut().filter(|slot| slot.stage != Stage::Leased) {
                slot.stage = Stage::Closing;
                slot.filled(&Err(stopped()));
                clients.extend(slot.opened.as_ref().map(|opened| Arc::clone(&opened.client)));
            }
            let todo = Todo { end: inner.is_over(), ..Todo::default() };
            (std::mem::take(&mut inner.waiting), clients, todo)
        };
        self.changed.notify_all();
        cancelled.iter().for_each(|turn| turn.settle(Err(stopped())));
        clients.iter().for_each(|client| client.stop(drain));
        self.carry_out(todo);
    }

    /// Waits until it has stopped: all its connections have ended, the leased ones too.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        self.wait_until(timeout, |inner| inner.phase == Phase::Ended)
    }

    /// Waits until nothing is left but what is leased.
    pub(crate) fn wait_unleased(&self, timeout: Option<Duration>) -> Result<()> {
        self.wait_until(timeout, |inner| match inner.phase {
            Phase::Running | Phase::Ending => false,
            Phase::Stopping => inner.slots.values().all(|slot| slot.stage == Stage::Leased),
            Phase::Ended => true,
        })
    }

    fn wait_until(&self, timeout: Option<Duration>, holds: impl Fn(&Inner) -> bool) -> Result<()> {
        let deadline = deadline(timeout);
        let mut inner = self.lock();
        while !holds(&inner) {
            if on_library_thread() {
                return Err(would_deadlock());
            }
            inner = self.wait_change(inner, deadline)?;
        }
        Ok(())
    }

    /// Waits until something has changed, perhaps.
    fn wait_change<'a>(
        &self,
        inner: MutexGuard<'a, Inner>,
        deadline: Option<Instant>,
    ) -> Result<MutexGuard<'a, Inner>> {
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => Ok(self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner)),
            Some(Duration::ZERO) => Err(Code::Timeout.into()),
            Some(left) => Ok(self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0),
        }
    }

    // --- what becomes of a connection --------------------------------------------------------------------------

    /// Asks the connector for a connection.
    fn open(&self, number: u64) -> Todo {
        let opened = catch_unwind(AssertUnwindSafe(|| self.connector.open())).unwrap_or_else(|panic| {
            Err(Error::new(Code::HandlerFailed, format!("making a connection panicked: {}", panic_text(&*panic))))
        });
        match opened {
            Ok(opened) => {
                let client = Arc::clone(&opened.client);
                let late = {
                    let mut inner = self.lock();
                    let slot = inner.slots.get_mut(&number);
                    slot.is_some_and(|slot| {
                        slot.opened = Some(opened);
                        slot.stage == Stage::Closing
                    })
                };
                if late {
                    client.stop(None);
                }
                client.watch(Arc::new(Place { pool: Weak::clone(&self.me), number }));
                Todo::default()
            }
            Err(error) => {
                let mut todo = self.lock().fail(number, &error);
                todo.add(self.leave(number));
                todo
            }
        }
    }

    fn on_connected(&self, number: u64, outcome: &Result<()>) {
        let todo = {
            let mut inner = self.lock();
            match outcome {
                Ok(()) => inner.connected(number, &self.config.clock),
                Err(error) => inner.fail(number, error),
            }
        };
        self.carry_out(todo);
    }

    fn on_stopped(&self, number: u64) {
        let opened = {
            let mut inner = self.lock();
            let Some(opened) = inner.slots.get(&number).and_then(|slot| slot.opened.clone()) else { return };
            // Where the watch begins after the end, what became of the connection may not have been told yet.
            let outcome = opened.client.wait_connected(Some(Duration::ZERO));
            let _already_stopped = inner.fail(number, &outcome.err().unwrap_or_else(ended_at_once));
            inner.idle.retain(|other| *other != number);
            if let Some(slot) = inner.slots.get_mut(&number)
                && std::mem::replace(&mut slot.stage, Stage::Closing) != Stage::Closing
            {
                inner.done.broken += 1;
            }
            opened
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.connector.closed(&opened))) {
            tracing::error!("the end of a pooled connection panicked: {}", panic_text(&*panic));
        }
        let todo = self.leave(number);
        self.carry_out(todo);
    }

    /// Frees the slot.
    fn leave(&self, number: u64) -> Todo {
        let mut inner = self.lock();
        let slot = inner.slots.remove(&number);
        let mut todo = inner.grow(&self.config);
        todo.end = inner.is_over();
        drop(inner);
        self.changed.notify_all();
        // Outside the lock: it may be the last reference to the client.
        drop(slot);
        todo
    }

    /// Takes a connection back from its user.
    fn give_back(&self, number: u64, discard: bool) {
        let todo = {
            let mut inner = self.lock();
            let stopping = inner.phase != Phase::Running;
            match inner.slots.get_mut(&number) {
                Some(slot) if slot.stage == Stage::Leased => {
                    if discard {
                        inner.dismiss(number)
                    } else if stopping {
                        slot.close()
                    } else {
                        inner.offer(number, &self.config.clock)
                    }
                }
                // It ended while it was leased.
                _ => Todo::default(),
            }
        };
        self.changed.notify_all();
        self.carry_out(todo);
    }

    fn carry_out(&self, mut todo: Todo) {
        loop {
            todo.stop.drain(..).for_each(|client| client.stop(None));
            if todo.end {
                self.end();
                return;
            }
            let Some(number) = todo.open.pop() else { return };
            todo.add(self.open(number));
        }
    }

    /// Tells the end. Whoever finds that it is over does it, once.
    fn end(&self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.connector.released())) {
            tracing::error!("the release of a pool panicked: {}", panic_text(&*panic));
        }
        let membership = {
            let mut inner = self.lock();
            inner.phase = Phase::Ended;
            inner.membership.take()
        };
        self.changed.notify_all();
        drop(membership);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

fn would_deadlock() -> Error {
    Error::new(
        Code::WouldDeadlock,
        "this is a thread of the library, which must not wait for a connection: call it on a thread of your own",
    )
}

fn stopped() -> Error {
    Error::new(Code::Cancelled, "the connection pool is stopped")
}

impl Endpoint for ConnectionPool {
    fn stop(&self, drain: Option<Duration>) {
        ConnectionPool::stop(self, drain);
    }

    fn house_interval(&self) -> Duration {
        let minimum = (self.config.min_idle > 0).then_some(Duration::from_secs(4));
        let shortest = [self.config.idle_timeout, minimum].into_iter().flatten().min();
        (shortest.unwrap_or(LONGEST) / 4).max(Duration::from_millis(10))
    }

    fn keep_house(&self) {
        self.close_idle();
        let todo = {
            let mut inner = self.lock();
            let missing = self.config.min_idle.saturating_sub(inner.idle.len());
            inner.make_slots(missing, &self.config)
        };
        self.carry_out(todo);
    }
}

impl fmt::Debug for ConnectionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Tells the pool what becomes of the connection of a slot.
struct Place {
    pool: Weak<ConnectionPool>,
    number: u64,
}

impl Watcher for Place {
    fn on_connected(&self, outcome: &Result<()>) {
        if let Some(pool) = self.pool.upgrade() {
            pool.on_connected(self.number, outcome);
        }
    }

    fn on_stopped(&self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.on_stopped(self.number);
        }
    }
}
