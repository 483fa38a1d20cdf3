//! What the handler of an endpoint is told, where and in what order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::{Registry, Role};
use crate::error::{Code, Error, panic_text};
use crate::log;
use crate::runtime::{Rate, Strand, batch, logging_to};
use crate::session::Session;
use crate::session::handler::{Handler, Message, Meter, Payload};
use crate::session::inbox::Inbox;
use crate::sys;

/// How often at most the handler is told of what peers can bring about as often as they like.
const TELLING: Rate = Rate { each_second: 10, at_once: 10 };

impl Registry {
    /// What a new session needs if its handlers do not run on the loop. Those of a client never overlap: its
    /// connections, and what concerns none of them, have one order.
    pub(in crate::session) fn new_inbox(&self) -> Option<Inbox> {
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
    pub(in crate::session) fn tell_open(self: &Arc<Self>, session: &Arc<Session>) {
        self.run(session, |registry, session| {
            registry.deliver(Some(session), |handler| handler.on_open(session));
            session.release_hold();
        });
    }

    /// Hands a message to the handler.
    #[inline(always)]
    pub(in crate::session) fn tell_message(self: &Arc<Self>, session: &Arc<Session>, kind: Payload, data: &[u8]) {
        match &session.inbox {
            None => self.deliver_message(session, Message { kind, data }),
            Some(inbox) => inbox.post_message(kind, data),
        }
    }

    /// Calls the handler with a message.
    #[inline(always)]
    pub(in crate::session) fn deliver_message(&self, session: &Arc<Session>, message: Message<'_>) {
        if self.config.log_messages {
            self.log_message("received", session, message.kind, message.data.len());
        }
        self.deliver(Some(session), |handler| handler.on_message(session, message));
    }

    /// Logs that a message was sent or received, and nothing of what is in it.
    #[cold]
    pub(in crate::session) fn log_message(&self, what: &'static str, session: &Session, kind: Payload, bytes: usize) {
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
    pub(in crate::session) fn tell_detached(self: &Arc<Self>, session: &Arc<Session>) {
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

    /// Calls the handler, never under a lock. A panic closes the session.
    #[inline]
    pub(in crate::session) fn deliver(&self, session: Option<&Arc<Session>>, event: impl FnOnce(&dyn Handler)) {
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

    /// Tells who measures the endpoint, if somebody does.
    pub(in crate::session) fn measure(&self, what: impl FnOnce(&dyn Meter)) {
        if let Some(meter) = self.handler.meter() {
            what(meter);
        }
    }

    pub(in crate::session) fn is_measured(&self) -> bool {
        self.handler.meter().is_some()
    }
}

/// The peer's address, for the log.
fn peer_of(session: &Session) -> String {
    session.remote_addr().map_or_else(|| "-".to_owned(), |peer| peer.to_string())
}
