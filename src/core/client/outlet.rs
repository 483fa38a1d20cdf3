//! Where the sends of a reconnecting client go: to its connection, and while there is none to a backlog.
//!
//! Both are sessions: the backlog is one without a connection, which takes messages by the same rules. At any time one
//! session is the *current* one. A send takes it under the lock, and sends without the lock. The current one changes at
//! three points:
//!
//! - *Connected*: under the lock, the backlog is sealed, what it has goes to the front of the new session, and that one
//!   becomes current. Its driver has not begun, so the user's `on_open` and all it sends come later.
//! - *Closed*: a session takes no message from the moment its end begins, while it may still be delivering what it
//!   took. The first send that meets a closed session makes a new backlog current. That one keeps room for all that the
//!   closed session has queued, so that both together stay within the bound.
//! - *Lost*: when the session has ended, what it had not begun to write goes to the front of the backlog.
//!
//! Why every order holds:
//!
//! - A session, once closed, is closed for ever. So a thread whose send was refused by one session sends to a later
//!   one, and never to an earlier one again: its own messages stay in order.
//! - A send that comes between *closed* and *lost* goes to the backlog, and what is taken back goes before it.
//! - A send that took the backlog and finds it sealed by *connected* is refused, and tries again with the new session,
//!   behind all that was handed over. It had not been accepted, so no message is in both.
//! - What was taken back was in the queue with no byte written, while nobody was writing. A message that was begun is
//!   never taken back: it is counted as undelivered, even if it did not arrive.
//! - A *stop* seals the current session before it closes the connection. A send either was accepted before, and is
//!   delivered or counted in the session's report or as left over here, or is refused.
//! - Waiting for room ends when the session is closed; the send goes on waiting at the next one until its own deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use crate::config::Framing;
use crate::error::{Code, Error, Result};
use crate::session::handler::Payload;
use crate::session::{Registry, Room, Session, Unsent};

pub(super) struct Outlet {
    registry: Arc<Registry>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// `None`: the client has ended.
    current: Option<Arc<Session>>,
    /// No message is accepted any more.
    stopping: bool,
    /// What an earlier connection spoke.
    framing: Framing,
}

impl Outlet {
    pub(super) fn new(registry: Arc<Registry>) -> Outlet {
        let backlog = new_backlog(&registry, Framing::Auto, Room::default());
        let inner = Inner { current: Some(backlog), stopping: false, framing: Framing::Auto };
        Outlet { registry, inner: Mutex::new(inner) }
    }

    /// See [`super::Client::send_vectored`].
    pub(super) fn send(&self, payload: Payload, parts: &[&[u8]]) -> Result<()> {
        let mut deadline = None;
        let mut session = self.lock().current.clone().ok_or_else(ended)?;
        loop {
            match session.send_by(payload, parts, &mut deadline) {
                Err(error) if error.code == Code::ConnectionClosed => session = self.after(&session)?,
                outcome => return outcome,
            }
        }
    }

    /// The session to send to after `closed` has refused.
    fn after(&self, closed: &Arc<Session>) -> Result<Arc<Session>> {
        let mut inner = self.lock();
        if inner.stopping {
            return Err(ended());
        }
        if inner.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, closed)) {
            inner.note_framing(closed);
            inner.current = Some(new_backlog(&self.registry, inner.framing, closed.owed()));
        }
        inner.current.clone().ok_or_else(ended)
    }

    /// There is a connection: `session`, whose driver has not begun.
    pub(super) fn connected(&self, session: &Arc<Session>) {
        let mut inner = self.lock();
        let framing = inner.framing;
        if let Some(backlog) = inner.current.replace(Arc::clone(session)) {
            let unsent = backlog.take_unsent();
            self.registry.count_backlog(Weak::new());
            session.inherit(unsent, framing);
            session.inherit_reports(&backlog);
        }
    }

    /// The connection `session` has ended, and this was left of it.
    pub(super) fn lost(&self, session: &Arc<Session>, unsent: Unsent) {
        let mut inner = self.lock();
        inner.note_framing(session);
        let framing = inner.framing;
        let Some(current) = &mut inner.current else { return };
        if !current.is_backlog() {
            *current = new_backlog(&self.registry, framing, Room::default());
        }
        current.inherit(unsent, framing);
    }

    /// Takes no message any more.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.stopping = true;
        if let Some(current) = &inner.current {
            current.refuse();
        }
    }

    /// The client has ended: gives back what was accepted and not sent.
    pub(super) fn end(&self) -> Unsent {
        let last = self.lock().current.take();
        let unsent = last.as_ref().map_or_else(Unsent::default, |session| session.take_unsent());
        self.registry.count_backlog(Weak::new());
        unsent
    }

    /// What sends failed with that waited for room in the backlog in vain.
    pub(super) fn take_reports(&self, waker: &Waker) -> Vec<Error> {
        let backlog = self.lock().current.clone().filter(|current| current.is_backlog());
        backlog.map_or_else(Vec::new, |backlog| backlog.take_reports(waker))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Remembers what a connection spoke, if that was decided.
    fn note_framing(&mut self, session: &Session) {
        if session.framing() != Framing::Auto {
            self.framing = session.framing();
        }
    }
}

/// A backlog whose counts are the client's.
fn new_backlog(registry: &Arc<Registry>, framing: Framing, promised: Room) -> Arc<Session> {
    let backlog = Session::backlog(Arc::clone(registry), framing, promised);
    registry.count_backlog(Arc::downgrade(&backlog));
    backlog
}

fn ended() -> Error {
    Error::new(Code::ConnectionClosed, "the client has been stopped, or has ended")
}
