//! The memory that all sessions of a context hold together in buffers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;

/// A place among those who wait for room. It takes memory when it is used first, since few ever wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket(OnceLock<Arc<AtomicBool>>);

impl Ticket {
    /// Gives the place up; false if there was none.
    pub(crate) fn give_up(&self) -> bool {
        self.0.get().is_some_and(|waits| waits.swap(false, SeqCst))
    }

    /// Takes the place; false if that has been done.
    fn take(&self) -> bool {
        !self.0.get_or_init(Arc::default).swap(true, SeqCst)
    }
}

/// A bound on memory. It may be passed by what was granted at the same time; it is full until an eighth is free again.
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Apart from `used`, which changes more often than this is looked at.
    full: AtomicBool,
    waiting: AtomicUsize,
    waiters: Mutex<VecDeque<(Ticket, Waker)>>,
}

/// The budgets of the contexts of this process.
static CONTEXTS: Mutex<Vec<Weak<Budget>>> = Mutex::new(Vec::new());

/// What the sessions of all contexts hold.
pub(crate) fn buffered_bytes() -> usize {
    let contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    contexts.iter().filter_map(Weak::upgrade).map(|budget| budget.used()).sum()
}

impl Budget {
    /// The budget of a context.
    pub(crate) fn of_context(limit: usize) -> Arc<Budget> {
        let budget = Budget::new(limit);
        let mut contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        contexts.retain(|other| other.strong_count() > 0);
        contexts.push(Arc::downgrade(&budget));
        budget
    }

    pub(crate) fn new(limit: usize) -> Arc<Budget> {
        Arc::new(Budget {
            limit,
            used: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            waiters: Mutex::default(),
        })
    }

    /// Whether nobody is to take more.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Relaxed)
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// How much has to be free before it is full no more.
    pub(crate) fn reserve(&self) -> usize {
        self.limit / 8
    }

    fn has_room(&self) -> bool {
        self.used.load(SeqCst) < self.limit - self.reserve()
    }

    /// Notes that so many bytes were allocated.
    fn charge(&self, bytes: usize) {
        if self.used.fetch_add(bytes, SeqCst).saturating_add(bytes) >= self.limit {
            self.full.store(true, SeqCst);
            if self.has_room() {
                // They were given back in between, by somebody who did not see that it is full.
                self.set_free();
            }
        }
    }

    /// Notes that they were given back.
    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, SeqCst);
        if self.full.load(SeqCst) && self.has_room() {
            self.set_free();
        } else if self.waiting.load(Relaxed) > 0 {
            self.pass_on();
        }
    }

    #[cold]
    fn set_free(&self) {
        self.full.store(false, SeqCst);
        self.pass_on();
    }

    /// Has the next one who waits try again, if there is room. Whoever did calls this, so that all have their turn.
    pub(crate) fn pass_on(&self) {
        if self.waiting.load(SeqCst) == 0 || self.is_full() {
            return;
        }
        let mut waiters = self.lock();
        while let Some(waiter) = waiters.pop_front() {
            self.waiting.fetch_sub(1, SeqCst);
            let (ticket, waker) = waiter;
            if ticket.give_up() {
                drop(waiters);
                waker.wake();
                return;
            }
        }
    }

    /// Has a task woken, in its turn, when there is room, or was a moment ago.
    pub(crate) fn wait(&self, ticket: &Ticket, waker: Waker) {
        if !ticket.take() {
            return;
        }
        let mut waiters = self.lock();
        waiters.push_back((ticket.clone(), waker));
        self.waiting.fetch_add(1, SeqCst);
        drop(waiters);
        // Room that came in between was passed on to nobody.
        self.pass_on();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Ticket, Waker)>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("limit", &self.limit).field("used", &self.used).finish_non_exhaustive()
    }
}

/// What one holder of buffers has of a budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    held: usize,
    charged: usize,
    /// The budget is told of whole steps only, so that small buffers cost nothing.
    step: usize,
}

impl Share {
    pub(crate) fn new(budget: Arc<Budget>, step: usize) -> Share {
        Share { budget, held: 0, charged: 0, step }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.budget.is_full()
    }

    /// So many bytes more were allocated.
    #[inline]
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.set(self.held + bytes);
    }

    /// So many of them were given back.
    #[inline]
    pub(crate) fn shrink(&mut self, bytes: usize) {
        self.set(self.held.saturating_sub(bytes));
    }

    /// So many are held now.
    #[inline]
    pub(crate) fn set(&mut self, held: usize) {
        self.held = held;
        if held < self.charged || held - self.charged >= self.step {
            self.settle();
        }
    }

    #[cold]
    fn settle(&mut self) {
        let charged = self.held / self.step * self.step;
        let before = std::mem::replace(&mut self.charged, charged);
        if charged > before {
            self.budget.charge(charged - before);
        } else {
            self.budget.release(before - charged);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Waiter(AtomicUsize);
    impl std::task::Wake for Waiter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn small_shares_are_free_and_large_ones_are_counted() {
        let budget = Budget::new(100);
        let mut share = Share::new(Arc::clone(&budget), 10);
        share.grow(9);
        assert_eq!(budget.used(), 0);
        share.grow(20);
        assert_eq!(budget.used(), 20);
        share.shrink(10);
        assert_eq!(budget.used(), 10);
        drop(share);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn it_is_full_until_an_eighth_is_free_and_then_one_after_another_tries() {
        let budget = Budget::new(80);
        let mut share = Share::new(Arc::clone(&budget), 1);
        share.set(80);
        assert!(budget.is_full());
        let waiters: Vec<Arc<Waiter>> = (0..3).map(|_| Arc::default()).collect();
        for waiter in &waiters {
            budget.wait(&Ticket::default(), Arc::clone(waiter).into());
        }
        let resumed = || waiters.iter().map(|waiter| waiter.0.load(Relaxed)).collect::<Vec<_>>();
        share.set(70);
        assert!(budget.is_full() && resumed() == [0, 0, 0]);
        share.set(69);
        assert!(!budget.is_full());
        assert_eq!(resumed(), [1, 0, 0]);
        budget.pass_on();
        assert_eq!(resumed(), [1, 1, 0]);
        share.set(0);
        assert_eq!(resumed(), [1, 1, 1]);
        budget.wait(&Ticket::default(), Arc::clone(&waiters[0]).into());
        assert_eq!(resumed(), [2, 1, 1], "there is room already");
    }

    #[test]
    fn nobody_waits_twice_and_who_has_gone_is_passed_over() {
        let budget = Budget::new(80);
        let mut share = Share::new(Arc::clone(&budget), 1);
        share.set(80);
        let (gone, patient) = (Ticket::default(), Ticket::default());
        let waiter: Arc<Waiter> = Arc::default();
        for ticket in [&gone, &patient, &patient] {
            budget.wait(ticket, Arc::clone(&waiter).into());
        }
        assert!(gone.give_up());
        share.set(0);
        assert!(!patient.give_up());
        budget.pass_on();
        assert_eq!(waiter.0.load(Relaxed), 1);
    }

    #[test]
    fn threads_that_take_and_give_leave_nothing() {
        let budget = Budget::new(10_000);
        std::thread::scope(|scope| {
            for seed in 1..5_usize {
                let budget = Arc::clone(&budget);
                scope.spawn(move || {
                    let mut share = Share::new(budget, 64);
                    for round in 0..100_000 {
                        share.set(round * seed * 7919 % 6000);
                    }
                });
            }
        });
        assert_eq!((budget.used(), budget.is_full()), (0, false));
    }
}
