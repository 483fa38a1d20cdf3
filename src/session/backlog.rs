//! A session without a connection that keeps what is sent until there is one: a reconnecting client's backlog.
//!
//! It takes messages by the rules of any session, with the same bound and policy, and passes them on.

use std::sync::Arc;
use std::task::Waker;

use super::outbound::{Room, Unsent};
use super::{Registry, Session, lock};
use crate::config::Framing;
use crate::error::Error;

impl Session {
    /// A backlog for a connection that will speak as `framing` says, if that is known. It keeps room for what a lost
    /// connection will give back.
    pub(crate) fn backlog(registry: Arc<Registry>, framing: Framing, promised: Room) -> Arc<Session> {
        let mut session = Session::build(registry, Some("backlog".into()), None);
        session.is_backlog = true;
        session.lock_sending().keep_to(framing);
        session.lock_sending().queue.promise(promised);
        Arc::new(session)
    }

    /// Whether it is one.
    pub(crate) fn is_backlog(&self) -> bool {
        self.is_backlog
    }

    /// The room for what the session has not written, or gave back when it ended.
    pub(crate) fn owed(&self) -> Room {
        self.lock_sending().queue.owed()
    }

    /// Puts messages of an earlier connection before its own. `framing`: how that connection spoke, if it is known.
    pub(crate) fn inherit(&self, unsent: Unsent, framing: Framing) {
        {
            let mut sending = self.lock_sending();
            sending.keep_to(framing);
            sending.queue.prepend(unsent);
        }
        // There may be more room than was promised.
        self.room.notify_all();
    }

    /// Has its own handler told what sends failed with that waited for room in the backlog in vain.
    pub(crate) fn inherit_reports(&self, backlog: &Session) {
        let reports = lock(&backlog.control).take_errors();
        reports.into_iter().for_each(|error| self.report(error));
    }

    /// Takes no message any more, and gives back what it has.
    pub(crate) fn take_unsent(&self) -> Unsent {
        let unsent = {
            let mut sending = self.lock_sending();
            sending.seal("the backlog was passed on");
            sending.queue.take_unsent()
        };
        self.room.notify_all();
        unsent
    }

    /// Takes no message any more.
    pub(crate) fn refuse(&self) {
        self.lock_sending().seal("the client is being stopped");
        self.room.notify_all();
    }

    /// What sends failed with that waited for room here in vain. `waker` is woken when there is more.
    pub(crate) fn take_reports(&self, waker: &Waker) -> Vec<Error> {
        let mut control = lock(&self.control);
        control.waker = Some(waker.clone());
        control.take_errors()
    }
}
