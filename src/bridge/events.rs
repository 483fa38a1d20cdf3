//! The events of a bridge, which come from many threads and are told one at a time.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Code, Error, Result, panic_text};
use crate::runtime::as_library_thread;
use crate::sync::{lock, wait_while};

/// So many events of sessions may wait. Who brings more waits for room, as if it told its own: so peers that come and
/// go faster than that can be told are held up, and fill no memory.
const MOST_WAITING: usize = 1024;

/// Who has told so many is relieved by the next who brings one: no thread tells what the others bring for ever.
const TURN: usize = 64;

thread_local! {
    /// This thread is in a function of [`Events`], and must not wait until another has returned.
    static TELLS: Cell<bool> = const { Cell::new(false) };
}

/// What a bridge tells its user: one at a time, in order, never under a lock, on threads of the library and on those
/// that call it.
///
/// Where more wait to be told than are told, the threads that bring them wait too. Like a handler, none of these
/// functions may wait for the library.
pub trait Events: Send + Sync + 'static {
    /// A session of a server or client has begun, or ended, with this peer: "192.0.2.1:8080".
    fn on_connection(&self, _endpoint: &str, _connected: bool) {}
    /// Something failed in a server or client.
    fn on_error(&self, _error: &Error) {}
    /// Nothing is told any more: the last call of all, after [`Bridge::close`](super::Bridge::close). A bridge that is
    /// dropped without it does not call this.
    fn on_release(&self) {}
}

#[derive(Debug)]
pub(super) enum Event {
    Connection(String, bool),
    Failed(Error),
    Released,
}

/// Whoever brings an event while nobody tells any does, and tells what others bring meanwhile too, for a while.
pub(super) struct EventQueue {
    events: Arc<dyn Events>,
    inner: Mutex<Inner>,
    /// Signalled when there is room again, and when nobody tells any more.
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Event>,
    telling: bool,
    /// Who tells has told enough.
    tired: bool,
    /// The threads that brought an event and wait for room, or to tell.
    bringing: usize,
    /// The last event is in line, or has been told: what others bring later is left out.
    released: bool,
}

impl Inner {
    /// Puts an event in line, unless the last one is.
    fn add(&mut self, event: Event) -> bool {
        let open = !self.released;
        if open {
            self.released = matches!(event, Event::Released);
            self.waiting.push_back(event);
        }
        open
    }
}

impl EventQueue {
    pub(super) fn new(events: Arc<dyn Events>) -> EventQueue {
        EventQueue { events, inner: Mutex::default(), changed: Condvar::new() }
    }

    /// Tells an event of a session, or leaves it to who tells others. Waits where too many wait already.
    pub(super) fn post(&self, event: Event) {
        let mut inner = self.lock();
        if !inner.add(event) {
            return;
        }
        while inner.telling {
            let held_up = inner.tired || inner.waiting.len() > MOST_WAITING;
            if !held_up || TELLS.get() {
                return;
            }
            inner.bringing += 1;
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.bringing -= 1;
        }
        inner.telling = true;
        drop(inner);
        self.tell_for(TURN);
    }

    /// The same for what the program says, perhaps under locks of its own: does not wait, and leaves as soon as somebody
    /// else tells. What finds too many in line is not told.
    pub(super) fn post_in_passing(&self, event: Event) {
        if self.lock().waiting.len() <= MOST_WAITING && self.push(event) {
            self.tell_for(0);
        }
    }

    /// Puts an event in line, and does not wait. True: nobody tells any, and the caller has to, by
    /// [`EventQueue::tell`].
    #[must_use]
    pub(super) fn push(&self, event: Event) -> bool {
        let mut inner = self.lock();
        // Those who wait to tell do, as soon as they wake up.
        inner.add(event) && inner.bringing == 0 && !std::mem::replace(&mut inner.telling, true)
    }

    /// Tells what is in line, after [`EventQueue::push`] has said so.
    pub(super) fn tell(&self) {
        self.tell_for(TURN);
    }

    fn tell_for(&self, turn: usize) {
        let mut told = 0;
        while let Some(event) = self.take(told >= turn) {
            self.tell_one(event);
            told += 1;
        }
    }

    /// The next event; `None`: the caller does not tell any more.
    fn take(&self, tired: bool) -> Option<Event> {
        let mut inner = self.lock();
        let event = if tired && inner.bringing > 0 { None } else { inner.waiting.pop_front() };
        (inner.telling, inner.tired) = (event.is_some(), event.is_some() && tired);
        if event.is_none() || inner.waiting.len() == MOST_WAITING {
            self.changed.notify_all();
        }
        event
    }

    fn tell_one(&self, event: Event) {
        struct Restore(bool);
        impl Drop for Restore {
            fn drop(&mut self) {
                TELLS.set(self.0);
            }
        }
        let _restore = Restore(TELLS.replace(true));
        let tell = || match &event {
            Event::Connection(endpoint, connected) => self.events.on_connection(endpoint, *connected),
            Event::Failed(error) => self.events.on_error(error),
            Event::Released => self.events.on_release(),
        };
        // As in every handler, nothing waits in there.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| as_library_thread(tell))) {
            tracing::error!("an event handler of a bridge panicked: {}", panic_text(&*panic));
        }
    }

    /// Waits until all events have been told.
    pub(super) fn wait_idle(&self, deadline: Option<Instant>) -> Result<()> {
        let busy = |inner: &Inner| inner.telling || !inner.waiting.is_empty();
        wait_while(&self.changed, self.lock(), deadline, busy).map(drop).ok_or(Code::Timeout.into())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{OnceLock, Weak};
    use std::thread::{self, ThreadId};

    use super::*;

    /// What has been told, and on which thread. The first of these is slower than those that bring events.
    #[derive(Default)]
    struct Slow {
        told: Mutex<Vec<(String, ThreadId)>>,
        queue: OnceLock<Weak<EventQueue>>,
        /// The most that were in line.
        most: AtomicUsize,
        /// Nothing more is brought.
        done: AtomicBool,
    }

    impl Slow {
        fn queue() -> (Arc<Slow>, Arc<EventQueue>) {
            let slow = Arc::new(Slow::default());
            let queue = Arc::new(EventQueue::new(slow.clone()));
            slow.queue.set(Arc::downgrade(&queue)).expect("not set before");
            (slow, queue)
        }

        fn told(&self) -> MutexGuard<'_, Vec<(String, ThreadId)>> {
            self.told.lock().expect("not poisoned")
        }
    }

    impl Events for Slow {
        fn on_connection(&self, endpoint: &str, _connected: bool) {
            let this = thread::current().id();
            let is_first = {
                let mut told = self.told();
                told.push((endpoint.to_owned(), this));
                told[0].1 == this
            };
            let queue = self.queue.get().and_then(Weak::upgrade).expect("it tells");
            while is_first && !self.done.load(Ordering::SeqCst) {
                let inner = queue.lock();
                self.most.fetch_max(inner.waiting.len(), Ordering::SeqCst);
                if inner.bringing > 0 {
                    return;
                }
                drop(inner);
                thread::yield_now();
            }
        }
    }

    #[test]
    fn who_brings_more_than_is_told_waits_and_takes_over() {
        /// More than one thread tells or may leave in line.
        const EVENTS: usize = 3 * (TURN + MOST_WAITING);
        let (slow, queue) = Slow::queue();
        let bring = |event: usize| queue.post(Event::Connection(event.to_string(), true));
        thread::scope(|scope| {
            let first = scope.spawn(|| bring(0));
            while slow.told().is_empty() {
                thread::yield_now();
            }
            scope.spawn(|| {
                (1..EVENTS).for_each(bring);
                slow.done.store(true, Ordering::SeqCst);
            });
            let teller = first.thread().id();
            first.join().expect("no panic");
            let by_first = slow.told().iter().filter(|(_, thread)| *thread == teller).count();
            assert!(by_first <= TURN + 1, "one thread told {by_first}");
        });
        queue.wait_idle(None).expect("all is told");
        let told: Vec<_> = slow.told().iter().map(|(event, _)| event.clone()).collect();
        assert_eq!(told, (0..EVENTS).map(|event| event.to_string()).collect::<Vec<_>>(), "in order");
        assert_eq!(slow.most.load(Ordering::SeqCst), MOST_WAITING + 1);
    }

    /// What the program says while others are told neither waits nor fills the memory.
    #[test]
    fn what_is_said_in_passing_never_waits() {
        #[derive(Default)]
        struct Counting(AtomicUsize, OnceLock<Weak<EventQueue>>);
        impl Events for Counting {
            fn on_error(&self, error: &Error) {
                if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                    let queue = self.1.get().and_then(Weak::upgrade).expect("it tells");
                    (0..2 * MOST_WAITING).for_each(|_| queue.post_in_passing(Event::Failed(error.clone())));
                    // Nor does what a function of these brings otherwise, which could wait for ever.
                    queue.post(Event::Failed(error.clone()));
                }
            }
        }
        let counting = Arc::new(Counting::default());
        let queue = Arc::new(EventQueue::new(counting.clone()));
        counting.1.set(Arc::downgrade(&queue)).expect("not set before");
        queue.post(Event::Failed(Code::Io.into()));
        queue.wait_idle(None).expect("all is told");
        assert_eq!(counting.0.load(Ordering::SeqCst), 1 + MOST_WAITING + 1 + 1);
    }
}
