//! What waits for the handlers of a session where these run elsewhere than on its loop.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::handler::{Message, Payload};
use super::registry::Registry;
use super::{Session, lock};
use crate::runtime::{Share, Strand, TURN, batch};

/// Events on their way from the session's driver to its handlers, in order.
pub(super) struct Inbox {
    strand: Arc<Strand>,
    /// When more bytes of messages than this wait, nothing is read.
    limit: usize,
    /// Messages of the burst that is being read: they are handed over together, so that the loop and the handlers'
    /// thread do not meet at each. Locked before `inner`.
    burst: Mutex<Burst>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Burst {
    messages: Vec<Waiting>,
    /// What they take,
    bytes: usize,
    /// and what there was room for when it began.
    room: usize,
}

type Event = Box<dyn FnOnce(&Arc<Registry>, &Arc<Session>) + Send>;

enum Waiting {
    Event(Event),
    Message(Payload, Box<[u8]>),
}

struct Inner {
    /// What waits, in order.
    waiting: VecDeque<Waiting>,
    /// How many of these are events,
    events: usize,
    /// and what the messages among them take, with the one that is being handled.
    bytes: usize,
    /// There is a turn of the strand for what waits, or one is under way.
    scheduled: bool,
    /// Something is being handled.
    busy: bool,
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

impl Inner {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }

    /// Frees what a message took.
    fn forget(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.share.shrink(bytes);
    }

    /// The next event; a pause holds messages only, so that two sessions that wait for each other's writable event get
    /// it.
    fn next_event(&mut self) -> Option<Waiting> {
        if self.events == 0 {
            return None;
        }
        let at = self.waiting.iter().position(|waiting| matches!(waiting, Waiting::Event(_)))?;
        self.events -= 1;
        self.waiting.remove(at)
    }

    /// What is to be handled next. Messages that the handler is not to get any more are discarded.
    fn next(&mut self, session: &Session) -> Option<Waiting> {
        let over = session.is_closing() || self.sealed;
        if session.is_paused() && !over {
            return self.next_event();
        }
        loop {
            match self.waiting.pop_front()? {
                Waiting::Message(_, data) if over => {
                    self.discarded += 1;
                    self.forget(EVENT + data.len());
                }
                Waiting::Event(event) => {
                    self.events -= 1;
                    return Some(Waiting::Event(event));
                }
                message => {
                    self.handled += 1;
                    return Some(message);
                }
            }
        }
    }
}

/// A step of a turn.
struct Step {
    /// What is to be handled now; `None`: the turn is over.
    next: Option<Waiting>,
    /// More waits behind it.
    more: bool,
    /// What waits is to get another turn, behind those of others.
    again: bool,
    /// The driver is to be woken, since less waits.
    wake: bool,
}

/// What an event takes beside its bytes, so that empty messages are bounded too.
const EVENT: usize = 64;

/// How many events there is room for while none waits.
const FEW: usize = 16;

impl Inbox {
    pub(super) fn new(strand: Arc<Strand>, limit: usize, share: Share) -> Inbox {
        let inner = Inner {
            waiting: VecDeque::new(),
            events: 0,
            bytes: 0,
            scheduled: false,
            busy: false,
            handled: 0,
            discarded: 0,
            share,
            sealed: false,
            awaited: false,
        };
        Inbox { strand, limit, burst: Mutex::default(), inner: Mutex::new(inner) }
    }

    /// Has `event` run after what was posted before.
    pub(super) fn post(
        &self,
        session: &Arc<Session>,
        event: impl FnOnce(&Arc<Registry>, &Arc<Session>) + Send + 'static,
    ) {
        let mut inner = self.take_over(&mut lock(&self.burst));
        inner.events += 1;
        inner.waiting.push_back(Waiting::Event(Box::new(event)));
        self.schedule(inner, session);
    }

    /// Has the handler get a message, unless the session is closed before its turn. It may not come before
    /// [`Inbox::end_burst`].
    #[inline(never)] // What is handled on the loop has no need of it.
    pub(super) fn post_message(&self, kind: Payload, data: &[u8]) {
        let mut burst = lock(&self.burst);
        burst.bytes += EVENT + data.len();
        burst.messages.push(Waiting::Message(kind, data.into()));
    }

    /// What was read at once has been posted: it may be handled.
    pub(super) fn end_burst(&self, session: &Arc<Session>) {
        let inner = {
            let mut burst = lock(&self.burst);
            if burst.messages.is_empty() {
                return;
            }
            self.take_over(&mut burst)
        };
        // Under no lock: an executor may run handlers where it is given them.
        self.schedule(inner, session);
    }

    /// Has the messages of the burst wait with the others.
    fn take_over(&self, burst: &mut Burst) -> MutexGuard<'_, Inner> {
        let mut inner = lock(&self.inner);
        let bytes = std::mem::take(&mut burst.bytes);
        inner.bytes += bytes;
        inner.share.grow(bytes);
        inner.waiting.extend(burst.messages.drain(..));
        burst.messages.shrink_to(FEW);
        burst.room = self.limit.saturating_sub(inner.bytes);
        inner
    }

    /// Goes on with what a pause has held.
    fn resume(&self, session: &Arc<Session>) {
        let inner = lock(&self.inner);
        if !inner.waiting.is_empty() {
            self.schedule(inner, session);
        }
    }

    /// Sees to it that there is a turn for what waits.
    fn schedule(&self, mut inner: MutexGuard<'_, Inner>, session: &Arc<Session>) {
        if !std::mem::replace(&mut inner.scheduled, true) {
            drop(inner);
            self.post_turn(session);
        }
    }

    fn post_turn(&self, session: &Arc<Session>) {
        let session = Arc::clone(session);
        self.strand.post(move || session.take_turn());
    }

    /// Ends the handling of what took so many bytes, if there was something, and begins that of the next. `late`: the
    /// turn has taken its time.
    fn advance(&self, session: &Session, done: Option<usize>, late: bool) -> Step {
        let mut inner = lock(&self.inner);
        inner.busy = false;
        inner.forget(done.unwrap_or(0));
        let again = late && !inner.waiting.is_empty();
        let next = if again { None } else { inner.next(session) };
        inner.busy = next.is_some();
        inner.scheduled = inner.busy || again;
        if inner.waiting.is_empty() {
            inner.waiting.shrink_to(FEW);
        }
        let less = inner.is_idle() || inner.bytes <= self.limit / 2;
        Step { next, more: !inner.waiting.is_empty(), again, wake: less && std::mem::take(&mut inner.awaited) }
    }

    /// Whether so much waits that no more is to be read. If so, the driver is woken when there is less.
    #[inline(never)]
    pub(super) fn is_full(&self, session: &Arc<Session>) -> bool {
        {
            let burst = lock(&self.burst);
            if burst.bytes > 0 && burst.bytes <= burst.room && !session.registry.budget.is_full() {
                return false;
            }
        }
        self.end_burst(session);
        let mut inner = lock(&self.inner);
        let full = inner.bytes > self.limit || (inner.bytes > 0 && inner.share.is_full());
        inner.awaited |= full;
        full
    }

    /// Whether anything waits or is being handled. If so, the driver is woken when there is less.
    pub(super) fn is_busy(&self, session: &Arc<Session>) -> bool {
        self.end_burst(session);
        let mut inner = lock(&self.inner);
        let busy = !inner.is_idle();
        inner.awaited |= busy;
        busy
    }

    /// How many messages the handler got.
    pub(super) fn handled(&self) -> u64 {
        lock(&self.inner).handled
    }

    /// Lets the handler get no further message. Tells how many it got, and how many it did not.
    pub(super) fn seal(&self) -> (u64, u64) {
        let mut inner = self.take_over(&mut lock(&self.burst));
        inner.sealed = true;
        (inner.handled, inner.discarded + (inner.waiting.len() - inner.events) as u64)
    }
}

impl Session {
    /// Handles what waits, one after the other, for as long as a turn may take.
    fn take_turn(self: &Arc<Self>) {
        let Some(inbox) = &self.inbox else { return };
        let end = Instant::now() + TURN;
        let mut done = None;
        loop {
            let late = done.is_some() && Instant::now() >= end;
            let Step { next, more, again, wake } = inbox.advance(self, done, late);
            if wake {
                self.kick();
            }
            if again {
                inbox.post_turn(self);
            }
            let Some(next) = next else { return };
            // One of many messages: the loop writes the answers to several at once.
            batch::set_leaves_writes(more);
            done = Some(match next {
                Waiting::Event(event) => {
                    event(&self.registry, self);
                    0
                }
                Waiting::Message(kind, data) => {
                    self.registry.deliver_message(self, Message { kind, data: &data });
                    EVENT + data.len()
                }
            });
            batch::set_leaves_writes(false);
        }
    }

    /// What was read at once has been given to its handlers.
    #[inline]
    pub(super) fn end_burst(self: &Arc<Self>) {
        if let Some(inbox) = &self.inbox {
            inbox.end_burst(self);
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
    pub(super) fn holds_reading(self: &Arc<Self>) -> bool {
        self.is_paused() || self.inbox.as_deref().is_some_and(|inbox| inbox.is_full(self))
    }

    /// Whether events wait for its handlers.
    pub(super) fn has_unhandled(self: &Arc<Self>) -> bool {
        self.inbox.as_deref().is_some_and(|inbox| inbox.is_busy(self))
    }
}
