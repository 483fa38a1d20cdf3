//! Sessions: one connection each, with its queue, its driver on the loop, and the registry it belongs to.

mod backlog;
mod data;
mod driver;
pub mod handler;
mod inbox;
mod linger;
mod outbound;
mod registry;
mod sending;
mod session_manager;
mod stats;
mod sweep;

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::task::Waker;
use std::time::Duration;

pub(crate) use self::driver::{Driver, Ended};
pub(crate) use self::linger::linger;
pub(crate) use self::outbound::{Room, Unsent};
pub use self::registry::Fanout;
pub(crate) use self::registry::{Registry, Role};
pub use self::session_manager::{MAX_SESSION_ID, Managed, SessionManager, SessionManagerConfig, SessionManagerStats};
pub use self::stats::Stats;

use self::data::SessionData;
use self::handler::Handler;
use self::inbox::Inbox;
use self::sending::Sending;
use self::stats::Received;
use self::sweep::Watch;
use crate::config::{Framing, SessionConfig};
use crate::error::{Code, Error, Result};
use crate::runtime::Ticket;
use crate::sync::lock;
use crate::sys;
use crate::transport::Stream;
use crate::transport::compression::Algorithm;
use crate::transport::tls::TlsInfo;

/// What ids begin with.
const ID_PREFIX: &str = "session_";

/// Where a session stands.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The peer is not known yet.
    Connecting = 0,
    /// Messages flow.
    Connected = 1,
    /// It is being closed.
    Disconnecting = 2,
    /// It has ended.
    Disconnected = 3,
    /// It has ended by a failure.
    Error = 4,
}

impl State {
    fn from_number(number: u8) -> State {
        match number {
            0 => State::Connecting,
            1 => State::Connected,
            2 => State::Disconnecting,
            3 => State::Disconnected,
            _ => State::Error,
        }
    }
}

/// One connection. All functions may be called on any thread at any time, handlers included; none but a send under
/// [`SendPolicy::Wait`](crate::config::SendPolicy::Wait) waits.
pub struct Session {
    number: u64,
    id: String,
    /// What the peer called itself in its hello.
    peer_id: OnceLock<String>,
    registry: Arc<Registry>,
    remote: Option<SocketAddr>,
    local: Option<SocketAddr>,
    /// What TLS came to, if the connection is encrypted.
    tls: OnceLock<Box<TlsInfo>>,
    start_ns: u64,
    state: AtomicU8,
    /// It stands for the connection that a reconnecting client has not got yet.
    is_backlog: bool,
    /// A close was asked for: no message is handled any more.
    closing: AtomicBool,
    paused: AtomicBool,
    /// The largest message that the peer takes.
    peer_limit: AtomicU32,
    /// How messages are compressed for the peer, once it has agreed.
    compress_by: OnceLock<Algorithm>,
    /// There is something in `control`.
    attention: AtomicBool,
    control: Mutex<Control>,
    sending: Mutex<Sending>,
    /// Signalled when there is room in the queue again, or never will be.
    room: Condvar,
    received: Received,
    /// What waits for its handlers; `None`: they run on the loop.
    inbox: Option<Box<Inbox>>,
    watch: Watch,
    /// Its place among those who wait for memory.
    ticket: Ticket,
    reset: Mutex<Option<Box<Stats>>>,
    /// `None`: none, as with most sessions.
    data: Mutex<Option<Box<SessionData>>>,
    groups: Mutex<Vec<String>>,
    attachment: OnceLock<Box<dyn Any + Send + Sync>>,
    /// What is to be done when it has ended; `None` when that has been done.
    at_end: Mutex<Option<Vec<AtEnd>>>,
}

/// What is to be done at the end, for as long as that is wanted.
struct AtEnd {
    wanted: Weak<()>,
    then: Box<dyn FnOnce() + Send>,
}

/// What other threads ask of the driver.
#[derive(Default)]
struct Control {
    waker: Option<Waker>,
    /// A close was asked for; further requests do not count.
    close_requested: bool,
    /// What is asked: nothing, mostly.
    asked: Option<Box<Asked>>,
}

impl Control {
    /// What is asked, to ask for more.
    fn ask(&mut self) -> &mut Asked {
        self.asked.get_or_insert_default()
    }

    /// What sends failed with that waited in vain.
    fn take_errors(&mut self) -> Vec<Error> {
        self.asked.as_deref_mut().map_or_else(Vec::new, |asked| std::mem::take(&mut asked.errors))
    }
}

#[derive(Default)]
struct Asked {
    close: Option<CloseRequest>,
    /// The close is to take no longer than this.
    hurry: Option<Duration>,
    abort: bool,
    failure: Option<Error>,
    /// The same, once the handlers have got what came before.
    fault: Option<Error>,
    errors: Vec<Error>,
}

struct CloseRequest {
    code: Option<Code>,
    text: String,
    drain: Option<Duration>,
}

struct NoHandler;
impl Handler for NoHandler {}

impl Session {
    /// A session over a connected stream.
    pub(crate) fn new(registry: Arc<Registry>, stream: Arc<Stream>, paused: bool) -> Arc<Session> {
        let (remote, local) = (stream.remote_addr(), stream.local_addr());
        let mut session = Session::build(registry, None, Some(stream));
        session.remote = remote;
        session.local = local;
        session.paused = AtomicBool::new(paused);
        Arc::new(session)
    }

    /// A session without a connection: its data and groups work, sends fail.
    pub fn detached(session_id: String, client_id: String) -> Arc<Session> {
        let config = SessionConfig::default();
        let registry = Registry::new(Role::Server, String::new(), config, Arc::new(NoHandler), None, None);
        let mut session = Session::build(Arc::new(registry), Some(session_id), None);
        session.peer_id = OnceLock::from(client_id);
        session.state = AtomicU8::new(State::Disconnected as u8);
        session.closing = AtomicBool::new(true);
        session.lock_sending().seal("the session has no connection");
        Arc::new(session)
    }

    fn build(registry: Arc<Registry>, id: Option<String>, stream: Option<Arc<Stream>>) -> Session {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Session {
            number,
            id: id.unwrap_or_else(|| format!("{ID_PREFIX}{number}")),
            peer_id: OnceLock::new(),
            remote: None,
            local: None,
            tls: OnceLock::new(),
            start_ns: sys::monotonic_ns(),
            state: AtomicU8::new(State::Connecting as u8),
            is_backlog: false,
            closing: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            peer_limit: AtomicU32::new(u32::MAX),
            compress_by: OnceLock::new(),
            attention: AtomicBool::new(false),
            control: Mutex::default(),
            sending: Mutex::new(Sending::new(&registry, stream)),
            room: Condvar::new(),
            received: Received::default(),
            inbox: registry.new_inbox().map(Box::new),
            watch: Watch::new(),
            ticket: Ticket::default(),
            reset: Mutex::default(),
            data: Mutex::default(),
            groups: Mutex::default(),
            attachment: OnceLock::new(),
            at_end: Mutex::new(Some(Vec::new())),
            registry,
        }
    }

    // --- what it is --------------------------------------------------------------------------------------------

    /// Its id, unique in the process.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client's id: on a client its own, on a server what a framed peer said; empty while, or if never, known.
    pub fn client_id(&self) -> &str {
        self.id_of(Role::Client)
    }

    /// The server's id: on a server its own, on a client what a framed server said; empty while, or if never, known.
    pub fn server_id(&self) -> &str {
        self.id_of(Role::Server)
    }

    fn id_of(&self, role: Role) -> &str {
        if self.registry.role == role { &self.registry.id } else { self.peer_id.get().map_or("", String::as_str) }
    }

    /// The peer's address.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// This side's address.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// What TLS came to, and who the peer showed that it is; `None` if the connection is not encrypted. It stays known
    /// when the session has ended.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.get().map(Box::as_ref)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        let state = State::from_number(self.state.load(Ordering::Acquire));
        let ended = matches!(state, State::Disconnected | State::Error);
        if !ended && self.is_closing() { State::Disconnecting } else { state }
    }

    /// What it speaks; [`Framing::Auto`] while that is not known.
    pub fn framing(&self) -> Framing {
        self.lock_sending().framing()
    }

    /// Its counts since it began or they were reset.
    pub fn stats(&self) -> Stats {
        let reset = lock(&self.reset);
        let counts = self.counts();
        reset.as_deref().map_or(counts, |reset| counts.since(reset))
    }

    /// Starts counting anew.
    pub fn reset_stats(&self) {
        self.take_stats();
    }

    /// Its counts since it began or they were reset, which this does: each message is in exactly one such result.
    pub fn take_stats(&self) -> Stats {
        let mut reset = lock(&self.reset);
        let counts = self.counts();
        let before = reset.replace(Box::new(Stats { connections_total: 0, ..counts }));
        before.map_or(counts, |before| counts.since(&before))
    }

    /// Its counts since it began.
    fn counts(&self) -> Stats {
        let (sent, queued, messages_dropped) = {
            let sending = self.lock_sending();
            (sending.queue.sent, sending.queue.queued(), sending.queue.dropped)
        };
        Stats {
            connections_total: 1,
            connections_current: u64::from(self.state() == State::Connected),
            connections_rejected: 0,
            messages_sent: sent.messages,
            messages_received: self.received.messages.get(),
            bytes_sent: sent.payload,
            bytes_received: self.received.payload.get(),
            wire_bytes_sent: sent.wire,
            wire_bytes_received: self.received.wire.get(),
            errors: self.received.errors.get(),
            queued_bytes: queued as u64,
            start_ns: self.start_ns,
            last_activity_ns: self.received.last_ns.get().max(sent.last_ns),
            last_message_ns: self.received.last_message_ns.get(),
            messages_dropped,
            round_trip_ns: self.watch.round_trip_ns.load(Ordering::Relaxed),
            compressed_messages_sent: sent.compressed.messages,
            compressed_bytes_sent: sent.compressed.payload,
            compressed_wire_bytes_sent: sent.compressed.wire,
            compressed_messages_received: self.received.compressed_messages.get(),
            compressed_bytes_received: self.received.compressed_payload.get(),
            compressed_wire_bytes_received: self.received.compressed_wire.get(),
            ..Stats::default()
        }
    }

    /// How many messages have come since it began.
    pub(crate) fn messages_received(&self) -> u64 {
        self.received.messages.get()
    }

    /// A place for what a layer above keeps with the session.
    pub(crate) fn attachment(&self) -> &OnceLock<Box<dyn Any + Send + Sync>> {
        &self.attachment
    }

    /// Has something done when it has ended and its handler knows, where handlers run, if `wanted` lives then. False if
    /// that has been.
    pub(crate) fn at_end(&self, wanted: Weak<()>, then: Box<dyn FnOnce() + Send>) -> bool {
        let mut list = lock(&self.at_end);
        let Some(list) = list.as_mut() else { return false };
        list.retain(|other| other.wanted.strong_count() > 0);
        list.push(AtEnd { wanted, then });
        true
    }

    /// It has ended, and its handler was told.
    fn ended(&self) {
        let list = lock(&self.at_end).take();
        let wanted = list.into_iter().flatten().filter(|at_end| at_end.wanted.strong_count() > 0);
        wanted.for_each(|at_end| (at_end.then)());
    }

    fn peer_limit(&self) -> u32 {
        self.peer_limit.load(Ordering::Relaxed)
    }

    /// The session whose driver runs on this thread, which keeps it; NULL: none does. What a driver calls is told of
    /// this session, so that most of what is done there is done to it.
    #[inline]
    pub(crate) fn at_work() -> *const Session {
        crate::runtime::batch::subject().cast()
    }

    fn number(&self) -> u64 {
        self.number
    }

    /// The number in an id that [`Session::build`] made.
    fn number_of(id: &str) -> Option<u64> {
        id.strip_prefix(ID_PREFIX)?.parse().ok()
    }

    // --- data and groups ---------------------------------------------------------------------------------------

    /// Keeps a string with the session. Fails for a key that is empty or longer than 255 bytes, and where all the
    /// session's data would pass 64 KiB.
    pub fn set_data(&self, key: &str, value: &str) -> Result<()> {
        lock(&self.data).get_or_insert_default().set(key, value)
    }

    /// What was kept under that key.
    pub fn data(&self, key: &str) -> Option<String> {
        lock(&self.data).as_ref()?.get(key).map(str::to_owned)
    }

    /// Forgets a key.
    pub fn remove_data(&self, key: &str) {
        if let Some(data) = &mut *lock(&self.data) {
            data.remove(key);
        }
    }

    /// Forgets all keys.
    pub fn clear_data(&self) {
        *lock(&self.data) = None;
    }

    /// Joins a group of the server. Fails for a name that is empty or longer than 255 bytes, and for the 129th group.
    pub fn join_group(&self, group: &str) -> Result<()> {
        self.registry.join_group(self, group)
    }

    /// Leaves a group.
    pub fn leave_group(&self, group: &str) {
        self.registry.leave_group(self, group);
    }

    /// The groups that it is in, or was in when it ended.
    pub fn groups(&self) -> Vec<String> {
        self.lock_groups().clone()
    }

    /// Whether it is in that group.
    pub fn in_group(&self, group: &str) -> bool {
        self.lock_groups().iter().any(|known| known == group)
    }

    fn lock_groups(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.groups)
    }

    // --- control -----------------------------------------------------------------------------------------------

    /// Closes gracefully: what was accepted is delivered if the peer reads, within the configured time to drain.
    /// No message is handled any more from now on, and no send accepted. `code` and `text` say why; a framed peer is
    /// told. Only the first call counts.
    pub fn close(&self, code: Option<Code>, text: &str) {
        self.close_within(code, text, None);
    }

    pub(crate) fn close_within(&self, code: Option<Code>, text: &str, drain: Option<Duration>) {
        {
            let mut control = lock(&self.control);
            if !std::mem::replace(&mut control.close_requested, true) {
                control.ask().close = Some(CloseRequest { code, text: text.to_owned(), drain });
            } else {
                let asked = control.ask();
                asked.hurry = drain.into_iter().chain(asked.hurry).min();
            }
        }
        self.seal();
        self.kick();
    }

    /// Closes with a reset. What is queued, here or in the kernel, is dropped.
    pub fn abort(&self) {
        lock(&self.control).ask().abort = true;
        self.seal();
        self.kick();
    }

    /// Stops reading from the peer, or goes on. What has been read and not yet handled is kept; the kernel's buffers
    /// fill, and TCP slows the peer down.
    pub fn set_paused(&self, paused: bool) {
        self.watch.listen();
        self.paused.store(paused, Ordering::Release);
        if !paused {
            self.kick();
        }
    }

    /// Ends it because of a failure, without waiting for the peer.
    fn fail(&self, error: Error) {
        lock(&self.control).ask().failure.get_or_insert(error);
        self.seal();
        self.kick();
    }

    /// Ends it because of its peer, once the handlers have got what came before.
    fn fail_by_peer(&self, fault: Error) {
        lock(&self.control).ask().fault.get_or_insert(fault);
        self.kick();
    }

    /// Lets what was sent while the user was told that the session is open go out.
    fn release_hold(self: &Arc<Self>) {
        let mut sending = self.lock_sending();
        if std::mem::take(&mut sending.queue.held) {
            // Only now the peer is answered.
            self.watch.listen();
            self.transmit(sending);
        }
    }

    /// Has the handler told of an error.
    fn report(&self, error: Error) {
        lock(&self.control).ask().errors.push(error);
        self.kick();
    }

    /// No message is handled and no send accepted any more.
    fn seal(&self) {
        self.closing.store(true, Ordering::Release);
        self.lock_sending().seal("the session is being closed");
        self.room.notify_all();
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Has the driver woken when the context's budget has room.
    fn await_budget(&self) {
        // Of a backlog nobody is told that it is writable but the next connection.
        let waker = lock(&self.control).waker.clone().filter(|_| !self.is_backlog);
        if let Some(waker) = waker {
            self.registry.budget.wait(&self.ticket, waker);
        }
    }

    /// It is in the middle of a message, and there is no memory for the rest.
    #[cold]
    fn starve(&self, held: usize) {
        self.watch.starved_with.store(held, Ordering::Relaxed);
        let now = sys::monotonic_ns();
        let _ = self.watch.starved_since_ns.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        self.await_budget();
    }

    /// It has read.
    #[inline]
    fn is_fed(&self) {
        if self.watch.starved_since_ns.load(Ordering::Relaxed) != 0 {
            self.watch.starved_since_ns.store(0, Ordering::Relaxed);
            // The peer had to wait.
            self.watch.listen();
        }
        self.registry.budget.pass_on();
    }

    /// Wakes the driver.
    fn kick(&self) {
        self.attention.store(true, Ordering::Release);
        if let Some(waker) = &lock(&self.control).waker {
            waker.wake_by_ref();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("state", &self.state()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn what_is_not_wanted_at_the_end_any_more_is_forgotten() {
        let session = Session::detached("s".into(), "c".into());
        let done = Arc::new(AtomicUsize::new(0));
        let count = || {
            let done = Arc::clone(&done);
            Box::new(move || _ = done.fetch_add(1, Ordering::Relaxed))
        };
        let wanted = Arc::new(());
        assert!(session.at_end(Arc::downgrade(&wanted), count()));
        for _ in 0..1000 {
            let briefly = Arc::new(());
            assert!(session.at_end(Arc::downgrade(&briefly), count()));
        }
        assert!(lock(&session.at_end).as_ref().is_some_and(|list| list.len() <= 2));
        session.ended();
        assert_eq!(done.load(Ordering::Relaxed), 1);
        assert!(!session.at_end(Arc::downgrade(&wanted), count()), "it has ended");
    }
}
