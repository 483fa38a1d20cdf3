//! The sessions of one server or client, and what they have in common.
//!
//! | file | what is in it |
//! |---|---|
//! | here | who is in, and the limits and compressors of all |
//! | [`telling`] | the handler, told about them |
//! | [`groups`], [`broadcast`], [`shared`] | messages to many |
//! | [`counts`] | statistics |
//! | [`housekeeping`] | what the clock has it do |

mod broadcast;
mod counts;
mod groups;
mod housekeeping;
mod shared;
mod telling;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;

pub use self::broadcast::Fanout;
pub(super) use self::shared::SharedMessage;
use super::handler::Handler;
use super::outbound::trim_pool;
use super::sending::Outgoing;
use super::{Session, Stats};
use crate::config::SessionConfig;
use crate::error::{Code, Error, Result};
use crate::runtime::{Budget, LoopRef, Place, RateLimit, Share, Strand, WeakLoop};
use crate::sys;
use crate::transport::compression::{Algorithm, Compressors};
use crate::transport::hello::Hello;

/// In what steps the context's budget is told of a session's buffers, so that small messages cost nothing.
const SHARE_STEP: usize = 4096;

/// Which side of a connection a session is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It was accepted (or adopted).
    Server,
    /// It connected.
    Client,
}

/// The sessions of one endpoint.
pub(crate) struct Registry {
    pub role: Role,
    /// The server's or client's own id.
    pub id: String,
    pub config: SessionConfig,
    /// What a session accepted and did not begin to write is given back when it ends.
    keeps_unsent: bool,
    handler: Arc<dyn Handler>,
    event_loop: Option<WeakLoop>,
    /// Where the context's log goes.
    log: Option<tracing::Dispatch>,
    /// Where handlers run, and the order of those that concern no session; `None`: on the loop.
    elsewhere: Option<(Place, Arc<Strand>)>,
    /// What all sessions of the context hold in buffers.
    pub budget: Arc<Budget>,
    /// Messages of this length or more are compressed where the peer has agreed.
    compress_from: usize,
    compressors: Arc<Compressors>,
    max_message: AtomicU32,
    /// Sessions of which something is still to be told.
    live: AtomicUsize,
    /// Signalled when one has been told the last.
    pub left: Notify,
    violations: RateLimit,
    refusals: RateLimit,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    stopping: bool,
    /// A client was connected before.
    was_open: bool,
    sessions: HashMap<u64, Arc<Session>>,
    /// The same as a list, made by a broadcast for the next ones.
    everyone: Option<Arc<[Arc<Session>]>>,
    /// Where a reconnecting client's messages wait that has no connection.
    backlog: Weak<Session>,
    groups: HashMap<String, HashMap<u64, Arc<Session>>>,
    /// The counts of the sessions that have ended, and those that concern no session.
    past: Stats,
    /// The counts at the last reset.
    reset: Stats,
    /// The most sessions there were at once since memory was last given back.
    crowd: usize,
    /// When all sessions were last swept.
    swept_ns: u64,
    /// When who measures looked at the counts last.
    measured_ns: u64,
}

impl Registry {
    pub(crate) fn new(
        role: Role,
        id: String,
        config: SessionConfig,
        handler: Arc<dyn Handler>,
        event_loop: Option<&LoopRef>,
        place: Option<Place>,
    ) -> Registry {
        let compress_from =
            if config.compression.offered().is_empty() { usize::MAX } else { config.compression_threshold };
        let past = Stats { start_ns: sys::monotonic_ns(), ..Stats::default() };
        Registry {
            role,
            id,
            max_message: AtomicU32::new(config.max_message),
            config,
            keeps_unsent: false,
            handler,
            event_loop: event_loop.map(LoopRef::downgrade),
            log: event_loop.and_then(LoopRef::log).cloned(),
            elsewhere: place.map(|place| (place.clone(), Strand::new(place))),
            budget: event_loop.map_or_else(|| Budget::new(usize::MAX), |found| Arc::clone(found.budget())),
            compress_from,
            compressors: event_loop.map(|found| Arc::clone(found.compressors())).unwrap_or_default(),
            live: AtomicUsize::new(0),
            left: Notify::new(),
            violations: RateLimit::default(),
            refusals: RateLimit::default(),
            inner: Mutex::new(Inner { past, ..Inner::default() }),
        }
    }

    /// Has sessions give back what they did not begin to write, for the next connection.
    pub(crate) fn keep_unsent(mut self) -> Registry {
        self.keeps_unsent = true;
        self
    }

    #[inline]
    pub(crate) fn keeps_unsent(&self) -> bool {
        self.keeps_unsent
    }

    /// What a holder of buffers has of the context's budget: nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share::new(Arc::clone(&self.budget), SHARE_STEP)
    }

    /// Whether a session may be taken in: the endpoint does not stop, and fewer than `max` are in.
    pub(crate) fn check_room(&self, max: usize) -> Result<()> {
        let inner = self.lock();
        if inner.stopping {
            return Err(stopped());
        }
        if inner.sessions.len() >= max {
            return Err(Error::new(
                Code::ServerBusy,
                format!("the server is at its limit of {max} connections: try again later"),
            ));
        }
        Ok(())
    }

    /// Takes a session in, unless the endpoint stops.
    pub(crate) fn add(&self, session: &Arc<Session>) -> Result<()> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err(stopped());
        }
        inner.past.connections_total += 1;
        inner.sessions.insert(session.number(), Arc::clone(session));
        inner.crowd = inner.crowd.max(inner.sessions.len());
        inner.everyone = None;
        self.live.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Forgets a session that has ended; its counts are kept.
    pub(crate) fn remove(&self, session: &Session) {
        let mut inner = self.lock();
        let groups = session.groups();
        for group in groups {
            inner.leave(&group, session.number());
        }
        let removed = inner.sessions.remove(&session.number());
        inner.everyone = None;
        if removed.is_some() {
            inner.past.add(&Stats { queued_bytes: 0, ..session.counts() });
        }
        if inner.sessions.is_empty() {
            trim_pool(true);
        }
    }

    /// Whether the last was told of every session.
    pub(crate) fn is_quiet(&self) -> bool {
        self.live.load(Ordering::Acquire) == 0
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Takes no session any more, and closes those that are in.
    pub(crate) fn stop(&self, drain: Duration) {
        self.lock().stopping = true;
        for session in self.sessions() {
            session.close_within(None, "stopped", Some(drain));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().sessions.len()
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.lock().sessions.values().cloned().collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Session>> {
        let number = Session::number_of(id)?;
        self.lock().sessions.get(&number).cloned()
    }

    pub(crate) fn max_message(&self) -> u32 {
        self.max_message.load(Ordering::Relaxed)
    }

    pub(crate) fn set_max_message(&self, bytes: u32) {
        self.max_message.store(bytes, Ordering::Relaxed);
    }

    /// Whether a message of that length is to be compressed for those peers that take it so.
    #[inline]
    pub(super) fn compresses(&self, len: usize) -> bool {
        len >= self.compress_from
    }

    /// Hands `work` the frame of the message, compressed; `None`: that does not make it shorter. Takes its time, so
    /// nobody holds a lock meanwhile.
    pub(super) fn compress<R>(
        &self,
        algorithm: Algorithm,
        message: Outgoing<'_>,
        work: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let (kind, level) = (message.payload.frame_kind(), self.config.compression_level);
        self.compressors
            .with(|compressor| work(compressor.compress(kind, algorithm, level, message.parts, message.len)))
    }

    /// What peers are told first.
    pub(super) fn hello(&self) -> Hello<'_> {
        Hello::new(&self.id, self.max_message()).offering(self.config.compression.offered())
    }

    /// Runs `work` on the loop, if it still runs.
    fn on_loop(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(event_loop) = self.event_loop.as_ref().and_then(WeakLoop::upgrade) {
            let keep_running = event_loop.clone();
            event_loop.spawn(async move {
                work();
                drop(keep_running);
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cold]
fn stopped() -> Error {
    Error::new(Code::ConnectionClosed, "stopped")
}
