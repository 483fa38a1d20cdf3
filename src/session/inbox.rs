//! What waits for the handlers of a session where these run elsewhere than on its loop.

use std::collections::VecDeque;
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

type Event = Box<dyn FnOnce(&Arc<Registry>, &Arc<Session>) + Send>;

enum Waiting {
    Event(Event),
    Message(Payload, Box<[u8]>),
}

struct Inner {
    /// What waits, in order. For each there is a turn of the strand,
    waiting: VecDeque<Waiting>,
    /// but for as many as found the session paused and nothing but messages.
    held: usize,
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

/// How many events there is room for while none waits.
const FEW: usize = 16;

impl Inbox {
    pub(super) fn new(strand: Arc<Strand>, limit: usize, share: Share) -> Inbox {
        let inner = Inner {
            waiting: VecDeque::new(),
            held: 0,
            events: 0,
            messages: 0,
            bytes: 0,
            handled: 0,
            discarded: 0,
            share,
            sealed: false,
            awaited: false,
        };
        Inbox { strand, limit, inner: Mutex::new(inner) }
    }

    /// Has `event` run after what was posted before.
    pub(super) fn post(
        &self,
        session: &Arc<Session>,
        event: impl FnOnce(&Arc<Registry>, &Arc<Session>) + Send + 'static,
    ) {
        {
            let mut inner = lock(&self.inner);
            inner.events += 1;
            inner.waiting.push_back(Waiting::Event(Box::new(event)));
        }
        self.schedule(session);
    }

    /// Has the handler get a message, unless the session is closed before its turn.
    pub(super) fn post_message(&self, session: &Arc<Session>, kind: Payload, data: &[u8]) {
        {
            let mut inner = lock(&self.inner);
            inner.events += 1;
            inner.messages += 1;
            inner.bytes += EVENT + data.len();
            inner.share.grow(EVENT + data.len());
            inner.waiting.push_back(Waiting::Message(kind, data.into()));
        }
        self.schedule(session);
    }

    fn schedule(&self, session: &Arc<Session>) {
        let session = Arc::clone(session);
        self.strand.post(move || session.handle_next());
    }

    /// What is to be handled now. A pause holds messages only, so that two sessions that wait for each other's writable
    /// event get it; `None`: nothing else is there.
    fn next(&self, session: &Session) -> Option<Waiting> {
        let mut inner = lock(&self.inner);
        if !session.is_paused() || session.is_closing() || inner.sealed {
            return inner.waiting.pop_front();
        }
        let event = inner.waiting.iter().position(|waiting| matches!(waiting, Waiting::Event(_)));
        inner.held += usize::from(event.is_none());
        inner.waiting.remove(event?)
    }

    /// Goes on with what a pause has held.
    fn resume(&self, session: &Arc<Session>) {
        let held = std::mem::take(&mut lock(&self.inner).held);
        (0..held).for_each(|_| self.schedule(session));
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
        if inner.events == 0 {
            inner.waiting.shrink_to(FEW);
        }
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
    fn handle_next(self: &Arc<Self>) {
        let Some(inbox) = &self.inbox else { return };
        let bytes = match inbox.next(self) {
            None => return,
            Some(Waiting::Event(event)) => {
                event(&self.registry, self);
                0
            }
            Some(Waiting::Message(kind, data)) => {
                if inbox.begin_message(self.is_closing()) {
                    let message = Message { kind, data: &data };
                    self.registry.deliver_message(self, message);
                }
                EVENT + data.len()
            }
        };
        if inbox.end_event(bytes) {
            self.kick();
        }
    }

    /// Has its handlers go on, after a pause or since they are to get no further message.
    pub(super) fn resume_handling(self: &Arc<Self>) {
        if let Some(inbox) = &self.inbox {
            inbox.resume(self);
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
