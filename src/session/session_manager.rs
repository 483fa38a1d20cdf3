//! A limited set of sessions: who may come in, under which id, and who has been idle for too long.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::{ID_PREFIX, Session, State};
use crate::config::LONGEST;
use crate::error::{Code, Error, Result};
use crate::runtime::{Clock, Context, Endpoint, Membership};

/// The longest id of a managed session, in bytes.
pub const MAX_SESSION_ID: usize = 255;

/// Settings of a session manager.
#[derive(Clone, Debug)]
pub struct SessionManagerConfig {
    /// The most sessions at a time.
    pub max_sessions: usize,
    /// A session that sent and received nothing for this long is stopped; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// How often idle sessions are looked for; `None`: only when it is asked for.
    pub cleanup_interval: Option<Duration>,
    /// The part of `max_sessions` from which on there is back-pressure, 0 to 1; `None`: there never is.
    pub backpressure_threshold: Option<f64>,
    /// What idle times are measured with.
    pub clock: Clock,
}

impl Default for SessionManagerConfig {
    fn default() -> Self {
        SessionManagerConfig {
            max_sessions: 1000,
            idle_timeout: Some(Duration::from_secs(300)),
            cleanup_interval: Some(Duration::from_secs(30)),
            backpressure_threshold: Some(0.8),
            clock: Clock::default(),
        }
    }
}

impl SessionManagerConfig {
    fn validated(mut self) -> Result<Self> {
        if let Some(threshold) = self.backpressure_threshold
            && !(0.0..=1.0).contains(&threshold)
        {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("backpressure_threshold is {threshold}: give a part of max_sessions, 0 to 1"),
            ));
        }
        self.idle_timeout = self.idle_timeout.map(|timeout| timeout.min(LONGEST));
        // More often would keep the clock from everything else.
        self.cleanup_interval = self.cleanup_interval.map(|interval| interval.clamp(Duration::from_millis(1), LONGEST));
        Ok(self)
    }
}

/// What a session manager has and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SessionManagerStats {
    /// Sessions there are.
    pub sessions: usize,
    /// Sessions there may be.
    pub max_sessions: usize,
    /// The part of it that is used, 0 to 1, or more when the limit was lowered.
    pub utilization: f64,
    /// Whether that is more than the threshold.
    pub backpressure: bool,
    /// Sessions that were taken in.
    pub accepted: u64,
    /// Sessions that were refused because there were too many.
    pub rejected: u64,
    /// Sessions that were stopped because they were idle for too long.
    pub cleaned_up: u64,
    /// Sessions that ended by themselves.
    pub ended: u64,
}

/// What a manager has to know of a session. Called without a lock.
pub trait Managed: Send + Sync + 'static {
    /// The id that it is known by if none is given; empty: it has none.
    fn own_id(&self) -> String;
    /// When something was sent or received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
    fn last_activity_ns(&self) -> u64;
    /// Whether it has ended. Asked when sessions are cleaned up or there is no room.
    fn has_ended(&self) -> bool;
    /// Ends it. `None`: in good order.
    fn stop(&self, reason: Option<Code>, text: &str);
    /// Has `then` called once when it has ended, if it can tell, and if `wanted` lives then. False if it has ended
    /// already.
    fn at_end(&self, wanted: Weak<()>, then: Box<dyn FnOnce() + Send>) -> bool;
}

impl Managed for Session {
    fn own_id(&self) -> String {
        self.id().to_owned()
    }

    fn last_activity_ns(&self) -> u64 {
        self.counts().last_activity_ns
    }

    fn has_ended(&self) -> bool {
        // One that never had a connection is as good as ever.
        self.remote_addr().is_some() && matches!(self.state(), State::Disconnected | State::Error)
    }

    fn stop(&self, reason: Option<Code>, text: &str) {
        self.close(reason, text);
    }

    fn at_end(&self, wanted: Weak<()>, then: Box<dyn FnOnce() + Send>) -> bool {
        Session::at_end(self, wanted, then)
    }
}

/// A limited set of sessions. All functions may be called on any thread at any time, handlers included; none waits.
///
/// Sessions that end by themselves leave it. Those that are idle for too long are stopped, without anybody's doing.
/// Dropping the manager leaves its sessions alone.
pub struct SessionManager<S: Managed = Session> {
    me: Weak<SessionManager<S>>,
    config: SessionManagerConfig,
    /// The clock of the context, which looks for idle sessions.
    tenure: Mutex<Tenure>,
    inner: Mutex<Inner<S>>,
}

/// Its place in the context.
enum Tenure {
    /// There is none yet, or never.
    Awaited,
    Kept {
        _membership: Membership,
    },
    /// The context has been stopped.
    Over,
}

struct Inner<S> {
    sessions: HashMap<String, Entry<S>>,
    max_sessions: usize,
    /// The sessions that came, and the ids that were made, are numbered.
    arrivals: u64,
    ids_made: u64,
    accepted: u64,
    rejected: u64,
    cleaned_up: u64,
    ended: u64,
}

struct Entry<S> {
    session: Arc<S>,
    arrival: u64,
    since_ns: u64,
    _membership: Arc<()>,
}

impl<S: Managed> SessionManager<S> {
    /// A manager without sessions.
    pub fn start(context: &Arc<Context>, config: SessionManagerConfig) -> Result<Arc<SessionManager<S>>> {
        let config = config.validated()?;
        let (interval, max_sessions) = (config.cleanup_interval, config.max_sessions);
        let manager = Arc::new_cyclic(|me| SessionManager {
            me: Weak::clone(me),
            config,
            tenure: Mutex::new(Tenure::Awaited),
            inner: Mutex::new(Inner {
                sessions: HashMap::new(),
                max_sessions,
                arrivals: 0,
                ids_made: 0,
                accepted: 0,
                rejected: 0,
                cleaned_up: 0,
                ended: 0,
            }),
        });
        if let Some(interval) = interval {
            let membership = context.enroll(Arc::new(Housekeeper { manager: Arc::downgrade(&manager), interval }))?;
            manager.keep(membership);
        }
        Ok(manager)
    }

    /// Keeps its place in the context, unless that has been stopped since.
    fn keep(&self, membership: Membership) {
        let mut tenure = self.lock_tenure();
        if matches!(*tenure, Tenure::Awaited) {
            *tenure = Tenure::Kept { _membership: membership };
            return;
        }
        drop(tenure);
        drop(membership);
    }

    /// Gives its place in the context up, for good.
    fn give_up(&self) {
        let tenure = std::mem::replace(&mut *self.lock_tenure(), Tenure::Over);
        // Outside the lock: it may be the last reference to the context.
        drop(tenure);
    }

    /// Takes a session in, and gives back the id that it is known by: `id`, or if that is empty the session's own, or
    /// if it has none `session_<n>`.
    ///
    /// Fails with [`Code::ServerBusy`] if there is no room, with [`Code::AlreadyExists`] if the id is in use, with
    /// [`Code::InvalidArgument`] if it is longer than [`MAX_SESSION_ID`], and with [`Code::ConnectionClosed`] if the
    /// session has ended.
    pub fn add(&self, session: Arc<S>, id: &str) -> Result<String> {
        let id = if id.is_empty() { session.own_id() } else { id.to_owned() };
        if id.len() > MAX_SESSION_ID {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("the id has {} bytes: at most {MAX_SESSION_ID} are possible", id.len()),
            ));
        }
        if !self.can_accept() {
            // There may be room that nobody has told of.
            self.drop_ended();
        }
        let (id, membership) = self.insert(&session, id)?;
        let (manager, known_as, ending) = (Weak::clone(&self.me), id.clone(), Arc::downgrade(&session));
        let leave = move || {
            if let (Some(manager), Some(session)) = (manager.upgrade(), ending.upgrade()) {
                manager.leave(&known_as, &session, |inner| inner.ended += 1);
            }
        };
        let lives = session.at_end(membership, Box::new(leave));
        if !lives {
            self.leave(&id, &session, |inner| inner.accepted -= 1);
            return Err(Error::new(Code::ConnectionClosed, "the session has ended"));
        }
        Ok(id)
    }

    /// Gives back the id, and what lives for as long as the session is in.
    fn insert(&self, session: &Arc<S>, id: String) -> Result<(String, Weak<()>)> {
        let mut inner = self.lock();
        if inner.sessions.len() >= inner.max_sessions {
            inner.rejected += 1;
            return Err(Error::new(
                Code::ServerBusy,
                format!("the session manager is at its limit of {} sessions: try again later", inner.max_sessions),
            ));
        }
        let id = if id.is_empty() { inner.make_id() } else { id };
        if inner.sessions.contains_key(&id) {
            return Err(Error::new(Code::AlreadyExists, format!("there is a session with the id {id} already")));
        }
        inner.arrivals += 1;
        inner.accepted += 1;
        let membership = Arc::new(());
        let is_in = Arc::downgrade(&membership);
        let (arrival, since_ns) = (inner.arrivals, self.config.clock.now_ns());
        let entry = Entry { session: Arc::clone(session), arrival, since_ns, _membership: membership };
        inner.sessions.insert(id.clone(), entry);
        Ok((id, is_in))
    }

    /// Takes a session out; it goes on.
    pub fn remove(&self, id: &str) -> Result<Arc<S>> {
        let removed = self.lock().sessions.remove(id);
        removed.map(|entry| entry.session).ok_or_else(|| not_found(id))
    }

    /// The session with that id.
    pub fn get(&self, id: &str) -> Result<Arc<S>> {
        self.lock().sessions.get(id).map(|entry| Arc::clone(&entry.session)).ok_or_else(|| not_found(id))
    }

    /// All sessions and their ids, in the order in which they came.
    pub fn all(&self) -> Vec<(String, Arc<S>)> {
        let mut all: Vec<_> = {
            let inner = self.lock();
            let each = inner.sessions.iter();
            each.map(|(id, entry)| (entry.arrival, id.clone(), Arc::clone(&entry.session))).collect()
        };
        all.sort_unstable_by_key(|(arrival, ..)| *arrival);
        all.into_iter().map(|(_, id, session)| (id, session)).collect()
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Whether there is room for one more.
    pub fn can_accept(&self) -> bool {
        let inner = self.lock();
        inner.sessions.len() < inner.max_sessions
    }

    /// Changes the limit. Sessions beyond a lower one stay.
    pub fn set_max_sessions(&self, max_sessions: usize) {
        self.lock().max_sessions = max_sessions;
    }

    /// How it stands, and what it has done.
    pub fn stats(&self) -> SessionManagerStats {
        let inner = self.lock();
        let (sessions, max_sessions) = (inner.sessions.len(), inner.max_sessions);
        let utilization = if max_sessions == 0 { 1.0 } else { sessions as f64 / max_sessions as f64 };
        SessionManagerStats {
            sessions,
            max_sessions,
            utilization,
            backpressure: self.config.backpressure_threshold.is_some_and(|threshold| utilization >= threshold),
            accepted: inner.accepted,
            rejected: inner.rejected,
            cleaned_up: inner.cleaned_up,
            ended: inner.ended,
        }
    }

    /// Takes all sessions out and stops them.
    pub fn stop_all(&self) {
        for (id, session) in self.all() {
            self.leave(&id, &session, |_| ());
            session.stop(None, "stopped");
        }
    }

    /// Stops the sessions that have been idle for too long and takes them out; says how many. Those that have ended are
    /// taken out too. It happens by itself at the configured interval.
    pub fn clean_up(&self) -> usize {
        self.drop_ended();
        let Some(limit) = self.config.idle_timeout else { return 0 };
        let now = self.config.clock.now_ns();
        let arrived: Vec<_> = {
            let inner = self.lock();
            let each = inner.sessions.iter();
            each.map(|(id, entry)| (id.clone(), Arc::clone(&entry.session), entry.since_ns)).collect()
        };
        let mut stopped = 0;
        for (id, session, since_ns) in arrived {
            let last = session.last_activity_ns().max(since_ns);
            if Duration::from_nanos(now.saturating_sub(last)) >= limit
                && self.leave(&id, &session, |inner| inner.cleaned_up += 1)
            {
                let text = format!("nothing was sent or received for {} ms", limit.as_millis());
                session.stop(Some(Code::SessionExpired), &text);
                stopped += 1;
            }
        }
        stopped
    }

    fn drop_ended(&self) {
        for (id, session) in self.all() {
            if session.has_ended() {
                self.leave(&id, &session, |inner| inner.ended += 1);
            }
        }
    }

    /// Takes this session out, if it is still the one that is known by that id.
    fn leave(&self, id: &str, session: &Arc<S>, count: impl FnOnce(&mut Inner<S>)) -> bool {
        let mut inner = self.lock();
        let known = inner.sessions.get(id).is_some_and(|entry| Arc::ptr_eq(&entry.session, session));
        if known {
            count(&mut inner);
            // The caller has a reference: nothing ends here, under the lock.
            inner.sessions.remove(id);
        }
        known
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tenure(&self) -> MutexGuard<'_, Tenure> {
        self.tenure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Inner<S> {
    fn make_id(&mut self) -> String {
        loop {
            self.ids_made += 1;
            let id = format!("{ID_PREFIX}{}", self.ids_made);
            if !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }
}

fn not_found(id: &str) -> Error {
    Error::new(Code::SessionNotFound, format!("there is no session with the id {id}"))
}

impl<S: Managed> fmt::Debug for SessionManager<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// What the context's clock calls. It does not keep the manager alive.
struct Housekeeper<S: Managed> {
    manager: Weak<SessionManager<S>>,
    interval: Duration,
}

impl<S: Managed> Endpoint for Housekeeper<S> {
    fn stop(&self, _drain: Option<Duration>) {
        if let Some(manager) = self.manager.upgrade() {
            manager.give_up();
        }
    }

    fn house_interval(&self) -> Duration {
        self.interval
    }

    fn keep_house(&self) {
        if let Some(manager) = self.manager.upgrade() {
            manager.clean_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ContextConfig;
    use crate::runtime::ContextHooks;

    #[test]
    fn a_context_that_is_stopped_while_a_manager_starts_does_not_wait_for_it() {
        let context = Context::new(ContextConfig::default(), ContextHooks::default());
        let config = SessionManagerConfig { cleanup_interval: None, ..SessionManagerConfig::default() };
        let manager = SessionManager::<Session>::start(&context, config).expect("a context");
        let keeper = Housekeeper { manager: Arc::downgrade(&manager), interval: LONGEST };
        let membership = context.enroll(Arc::new(keeper)).expect("it runs");
        context.stop(None);
        manager.keep(membership);
        context.join().expect("on a thread of its own");
    }
}
