//! The sessions of one server or client, their groups, and the handler that is told about them.

mod housekeeping;
mod shared;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

pub(super) use self::shared::SharedMessage;
use super::handler::{Handler, Message, Meter, Payload};
use super::inbox::Inbox;
use super::outbound::trim_pool;
use super::sending::{Outgoing, too_large};
use super::{Session, Stats};
use crate::config::SessionConfig;
use crate::error::{Code, Error, Result, panic_text};
use crate::log;
use crate::runtime::{Budget, LoopRef, Place, Rate, RateLimit, Share, Strand, WeakLoop, batch, logging_to};
use crate::sys;
use crate::transport::compression::{Algorithm, Compressors};
use crate::transport::hello::Hello;

/// The longest name of a group, and the most groups of a session.
const MAX_GROUP_NAME: usize = 255;
const MAX_GROUPS: usize = 128;

/// How often at most the handler is told of what peers can bring about as often as they like.
const TELLING: Rate = Rate { each_second: 10, at_once: 10 };

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

/// To how many sessions a broadcast went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fanout {
    /// Sessions whose queue took the message.
    pub queued: usize,
    /// Sessions that refused it, for want of room or because they are closing.
    pub refused: usize,
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

    // --- the handler -------------------------------------------------------------------------------------------

    /// What a new session needs if its handlers do not run on the loop. Those of a client never overlap: its
    /// connections, and what concerns none of them, have one order.
    pub(super) fn new_inbox(&self) -> Option<Inbox> {
        let (place, strand) = self.elsewhere.as_ref()?;
        let strand = if self.role == Role::Client { Arc::clone(strand) } else { Strand::new(place.clone()) };
        Some(Inbox::new(strand, self.config.receive_queue, self.share()))
    }

    /// Runs `event` where the session's handlers run, after all events of the session before.
    #[inline]
    fn run(
        self: &Arc<Self>,
        session: &Arc<Session>,
        event: impl FnOnce(&Arc<Registry>, &Arc<Session>) + Send + 'static,
    ) {
        match &session.inbox {
            None => event(self, session),
            Some(inbox) => inbox.post(session, event),
        }
    }

    /// Runs `event` where the handlers run that concern no session.
    fn run_for_all(self: &Arc<Self>, event: impl FnOnce(&Arc<Registry>) + Send + 'static) {
        match &self.elsewhere {
            None => batch::run(|| event(self)),
            Some((_, strand)) => {
                let registry = Arc::clone(self);
                strand.post(move || event(&registry));
            }
        }
    }

    /// Tells the handler something of a session.
    #[inline]
    pub(crate) fn tell(
        self: &Arc<Self>,
        session: &Arc<Session>,
        event: impl FnOnce(&dyn Handler, &Arc<Session>) + Send + 'static,
    ) {
        self.run(session, |registry, session| registry.deliver(Some(session), |handler| event(handler, session)));
    }

    /// Tells the handler that the session is open, and lets go out what was sent meanwhile.
    pub(super) fn tell_open(self: &Arc<Self>, session: &Arc<Session>) {
        self.run(session, |registry, session| {
            registry.deliver(Some(session), |handler| handler.on_open(session));
            session.release_hold();
        });
    }

    /// Hands a message to the handler.
    #[inline(always)]
    pub(super) fn tell_message(self: &Arc<Self>, session: &Arc<Session>, kind: Payload, data: &[u8]) {
        match &session.inbox {
            None => self.deliver_message(session, Message { kind, data }),
            Some(inbox) => inbox.post_message(kind, data),
        }
    }

    /// Calls the handler with a message.
    #[inline(always)]
    pub(super) fn deliver_message(&self, session: &Arc<Session>, message: Message<'_>) {
        if self.config.log_messages {
            self.log_message("received", session, message.kind, message.data.len());
        }
        self.deliver(Some(session), |handler| handler.on_message(session, message));
    }

    /// Logs that a message was sent or received, and nothing of what is in it.
    #[cold]
    pub(super) fn log_message(&self, what: &'static str, session: &Session, kind: Payload, bytes: usize) {
        let tell = || {
            let (session, peer, kind) = (session.id(), peer_of(session), kind.name());
            tracing::info!(target: log::MESSAGES, session, peer, kind, bytes, "{what}");
        };
        self.logging(tell);
    }

    /// Runs `work`, on whatever thread, with its log going where that of the context goes. Not to be called under a lock.
    pub(crate) fn logging<R>(&self, work: impl FnOnce() -> R) -> R {
        logging_to(self.log.as_ref(), work)
    }

    /// Tells the handler the last of a session.
    pub(super) fn tell_detached(self: &Arc<Self>, session: &Arc<Session>) {
        self.run(session, |registry, session| {
            registry.deliver(Some(session), |handler| handler.on_detach(session));
            session.ended();
            registry.live.fetch_sub(1, Ordering::AcqRel);
            registry.left.notify_one();
        });
    }

    /// Tells the handler that all has ended, because of `failure` if there is one. Returns when it has been told.
    pub(crate) async fn tell_stopped(self: &Arc<Self>, failure: Option<Error>) {
        let (told, done) = oneshot::channel();
        self.run_for_all(move |registry| {
            if let Some(error) = failure {
                registry.deliver_error(None, &error);
            }
            registry.deliver(None, |handler| handler.on_stopped());
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| registry.handler.on_release())) {
                tracing::error!("a handler panicked when it was released: {}", panic_text(&*panic));
            }
            let _ = told.send(());
        });
        let _ = done.await;
    }

    /// Tells the handler of an error, on a session or (`None`) beside all.
    pub(crate) fn tell_error(self: &Arc<Self>, session: Option<&Arc<Session>>, error: Error) {
        match session {
            Some(session) => self.run(session, move |registry, session| registry.deliver_error(Some(session), &error)),
            None => self.run_for_all(move |registry| registry.deliver_error(None, &error)),
        }
    }

    /// Tells the handler that a peer broke the protocol, though not more often than it can be hurt by that.
    pub(crate) fn tell_violation(self: &Arc<Self>, session: &Arc<Session>, error: &Error) {
        tracing::warn!(session = session.id(), peer = peer_of(session), "a peer broke the protocol: {error}");
        if self.violations.take(TELLING, sys::monotonic_ns()) {
            self.tell_error(Some(session), error.clone());
        } else {
            session.received.errors.add_shared(1);
            self.measure(|meter| meter.on_error_omitted(error.code));
        }
    }

    /// Calls the handler, never under a lock. A panic closes the session.
    #[inline]
    pub(super) fn deliver(&self, session: Option<&Arc<Session>>, event: impl FnOnce(&dyn Handler)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| event(&*self.handler))) {
            self.handler_panicked(session, &*panic);
        }
    }

    #[cold]
    fn handler_panicked(&self, session: Option<&Arc<Session>>, panic: &(dyn std::any::Any + Send)) {
        let text = panic_text(panic).to_owned();
        tracing::error!("a handler panicked: {text}");
        if let Some(session) = session {
            session.close(Some(Code::HandlerFailed), &text);
        }
        self.deliver_error(session, &Error::new(Code::HandlerFailed, text));
    }

    /// Calls the handler with an error. A panic is only logged.
    fn deliver_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        self.count_error(session);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.handler.on_error(session, error))) {
            tracing::error!("an error handler panicked: {}", panic_text(&*panic));
        }
    }

    fn count_error(&self, session: Option<&Arc<Session>>) {
        let mut inner = self.lock();
        if let Some(session) = session {
            session.received.errors.add_shared(1);
        }
        // The counts of a session that has gone were added already.
        if session.is_none_or(|session| !inner.sessions.contains_key(&session.number())) {
            inner.past.errors += 1;
        }
    }

    /// Counts that an attempt to connect has failed, and tells the handler, though not more often than violations.
    pub(crate) fn tell_failed_attempt(self: &Arc<Self>, error: Error) {
        let told = self.violations.take(TELLING, sys::monotonic_ns());
        {
            let mut inner = self.lock();
            inner.past.connections_failed += 1;
            inner.past.errors += u64::from(!told);
        }
        if told {
            self.tell_error(None, error);
        } else {
            self.measure(|meter| meter.on_error_omitted(error.code));
        }
    }

    /// Counts a handshake of TLS that has failed, and tells the handler likewise. That a peer went away before it had
    /// one tells nothing.
    pub(crate) fn tell_failed_handshake(self: &Arc<Self>, error: Error) {
        if error.code == Code::ConnectionClosed {
            tracing::debug!("{error}");
            self.count_failed_attempt();
        } else {
            self.tell_failed_attempt(error);
        }
    }

    /// Tells who measures the endpoint, if somebody does.
    pub(super) fn measure(&self, what: impl FnOnce(&dyn Meter)) {
        if let Some(meter) = self.handler.meter() {
            what(meter);
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        self.handler.meter().is_some()
    }

    // --- the sessions ------------------------------------------------------------------------------------------

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

    /// Has what a backlog holds and drops counted too, instead of that of an earlier one, which takes no message any
    /// more.
    pub(crate) fn count_backlog(&self, backlog: Weak<Session>) {
        let mut inner = self.lock();
        if let Some(earlier) = std::mem::replace(&mut inner.backlog, backlog).upgrade() {
            inner.past.add(&Stats { queued_bytes: 0, ..earlier.counts() });
        }
    }

    /// Whether the last was told of every session.
    pub(crate) fn is_quiet(&self) -> bool {
        self.live.load(Ordering::Acquire) == 0
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
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

    /// Counts a connection that was refused, and tells the handler, though not more often than it can be hurt by that.
    pub(crate) fn tell_refusal(self: &Arc<Self>, error: Error) {
        self.lock().past.connections_rejected += 1;
        tracing::warn!("a connection was refused: {error}");
        if !self.refusals.take(TELLING, sys::monotonic_ns()) {
            self.measure(|meter| meter.on_error_omitted(error.code));
        } else {
            self.run_for_all(move |registry| registry.deliver(None, |handler| handler.on_error(None, &error)));
        }
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

    // --- compression -------------------------------------------------------------------------------------------

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

    // --- groups ------------------------------------------------------------------------------------------------

    pub(crate) fn join_group(&self, session: &Session, group: &str) -> Result<()> {
        if group.is_empty() || group.len() > MAX_GROUP_NAME {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("the name of a group has 1 to {MAX_GROUP_NAME} bytes, this one has {}", group.len()),
            ));
        }
        let mut inner = self.lock();
        let mut groups = session.lock_groups();
        if groups.iter().any(|known| known == group) {
            return Ok(());
        }
        if groups.len() >= MAX_GROUPS {
            return Err(Error::new(
                Code::OutOfMemory,
                format!("a session is in at most {MAX_GROUPS} groups: leave one first"),
            ));
        }
        groups.push(group.to_owned());
        if let Some(member) = inner.sessions.get(&session.number()).cloned() {
            inner.groups.entry(group.to_owned()).or_default().insert(session.number(), member);
        }
        Ok(())
    }

    pub(crate) fn leave_group(&self, session: &Session, group: &str) {
        let mut inner = self.lock();
        session.lock_groups().retain(|known| known != group);
        inner.leave(group, session.number());
    }

    // --- broadcast ---------------------------------------------------------------------------------------------

    /// Sends to every session, or to those of a group. Waits for nobody: who has no room refuses, or is ended where
    /// that is the policy.
    pub(crate) fn broadcast(&self, group: Option<&str>, payload: Payload, data: &[u8]) -> Result<Fanout> {
        if data.is_empty() && payload == Payload::Stream {
            return Err(super::sending::nothing());
        }
        let limit = self.max_message();
        if data.len() > limit as usize {
            return Err(too_large(data.len(), limit));
        }
        let members: Arc<[Arc<Session>]> = {
            let Inner { sessions, everyone, groups, .. } = &mut *self.lock();
            match group {
                None => Arc::clone(everyone.get_or_insert_with(|| sessions.values().cloned().collect())),
                Some(group) => groups.get(group).into_iter().flat_map(HashMap::values).cloned().collect(),
            }
        };
        let mut message = SharedMessage::new(self, payload, data);
        let mut fanout = Fanout::default();
        let mut to_write = Vec::new();
        for session in &*members {
            match session.send_shared(&mut message) {
                Ok(write) => {
                    fanout.queued += 1;
                    if write {
                        to_write.push(Arc::clone(session));
                    }
                }
                Err(_) => fanout.refused += 1,
            }
        }
        self.write_on_loop(to_write);
        Ok(fanout)
    }

    /// Has the loop write what was queued on many sessions: one wake-up for all.
    fn write_on_loop(&self, sessions: Vec<Arc<Session>>) {
        if !sessions.is_empty() {
            self.on_loop(move || sessions.iter().for_each(|session| batch::Flush::flush(&**session)));
        }
    }

    // --- statistics --------------------------------------------------------------------------------------------

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

/// The peer's address, for the log.
fn peer_of(session: &Session) -> String {
    session.remote_addr().map_or_else(|| "-".to_owned(), |peer| peer.to_string())
}

impl Inner {
    fn leave(&mut self, group: &str, number: u64) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(&number);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    fn totals(&self) -> Stats {
        let mut totals = self.past;
        for session in self.sessions.values().chain(&self.backlog.upgrade()) {
            totals.add(&session.counts());
        }
        totals.connections_current = self.sessions.len() as u64;
        totals
    }
}
