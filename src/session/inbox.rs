//! What waits for the handlers of a session where these run elsewhere than on its loop.

use std::sync::{Arc, Mutex};

use super::handler::{Message, Payload};
use super::registry::Registry;
use super::{Session, lock};
use crate::runtime::{Share, Strand};

/// Events on their way from the session's driver to its handlers, in order.
pub(super) struct Inbox {
    strand: Arc<Strand>,
    /// When more bytes of messages than this wait, nothing is read.
    limit: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Events that wait or are being handled,
    events: usize,
    /// messages that wait,
    messages: u64,
    /// and what they and those that are being handled take.
    bytes: usize,
    /// Messages that the handler got.
    handled: u64,
    /// Messages that it did not get.
    discarded: u64,
    /// What the messages have of the context's budget.
    share: Share,
    /// It gets no further message.
    sealed: bool,
    /// The driver waits for there to be less.
    awaited: bool,
}

/// What an event takes beside its bytes, so that empty messages are bounded too.
const EVENT: usize = 64;

impl Inbox {
    pub(super) fn new(strand: Arc<Strand>, limit: usize, share: Share) -> Inbox {
        let inner =
            Inner { events: 0, messages: 0, bytes: 0, handled: 0, discarded: 0, share, sealed: false, awaited: false };
        Inbox { strand, limit, inner: Mutex::new(inner) }
    }

    /// Has `event` run after what was posted before.
    pub(super) fn post(
        &self,
        session: &Arc<Session>,
        event: impl FnOnce(&Arc<Registry>, &Arc<Session>) + Send + 'static,
    ) {
        lock(&self.inner).events += 1;
        let session = Arc::clone(session);
        self.strand.post(move || {
            event(&session.registry, &session);
            session.handled_event(0);
        });
    }

    /// Has the handler get a message, unless the session is closed before its turn.
    pub(super) fn post_message(&self, session: &Arc<Session>, kind: Payload, data: &[u8]) {
        let bytes = EVENT + data.len();
        {
            let mut inner = lock(&self.inner);
            inner.events += 1;
            inner.messages += 1;
            inner.bytes += bytes;
            inner.share.grow(bytes);
        }
        let data: Box<[u8]> = data.into();
        let session = Arc::clone(session);
        self.strand.post(move || {
            if session.inbox.as_ref().is_some_and(|inbox| inbox.begin_message(session.is_closing())) {
                let message = Message { kind, data: &data };
                session.registry.deliver(Some(&session), |handler| handler.on_message(&session, message));
            }
            session.handled_event(bytes);
        });
    }

    /// A message's turn has come; whether the handler gets it.
    fn begin_message(&self, closing: bool) -> bool {
        let mut inner = lock(&self.inner);
        inner.messages -= 1;
        if closing || inner.sealed {
            inner.discarded += 1;
            return false;
        }
        inner.handled += 1;
        true
    }

    /// An event was handled; true if the driver waits for that.
    fn end_event(&self, bytes: usize) -> bool {
        let mut inner = lock(&self.inner);
        inner.events -= 1;
        inner.bytes -= bytes;
        inner.share.shrink(bytes);
        let less = inner.events == 0 || inner.bytes <= self.limit / 2;
        less && std::mem::take(&mut inner.awaited)
    }

    /// Whether so much waits that no more is to be read. If so, the driver is woken when there is less.
    pub(super) fn is_full(&self) -> bool {
        let mut inner = lock(&self.inner);
        let full = inner.bytes > self.limit || (inner.bytes > 0 && inner.share.is_full());
        inner.awaited |= full;
        full
    }

    /// Whether anything waits or is being handled. If so, the driver is woken when there is less.
    pub(super) fn is_busy(&self) -> bool {
        let mut inner = lock(&self.inner);
        let busy = inner.events > 0;
        inner.awaited |= busy;
        busy
    }

    /// How many messages the handler got.
    pub(super) fn handled(&self) -> u64 {
        lock(&self.inner).handled
    }

    /// Lets the handler get no further message. Tells how many it got, and how many it did not.
    pub(super) fn seal(&self) -> (u64, u64) {
        let mut inner = lock(&self.inner);
        inner.sealed = true;
        (inner.handled, inner.discarded + inner.messages)
    }
}

impl Session {
    fn handled_event(&self, bytes: usize) {
        if self.inbox.as_ref().is_some_and(|inbox| inbox.end_event(bytes)) {
            self.kick();
        }
    }

    /// Whether its user has paused it, or its handlers are so far behind that nothing is to be read.
    #[inline]
    pub(super) fn holds_reading(&self) -> bool {
        self.is_paused() || self.inbox.as_deref().is_some_and(Inbox::is_full)
    }

    /// Whether events wait for its handlers.
    pub(super) fn has_unhandled(&self) -> bool {
        self.inbox.as_deref().is_some_and(Inbox::is_busy)
    }
}
