//! Corking: while a loop handles what arrived, sends only queue, and each session is written to once at the end.
//!
//! A write costs some ten microseconds in the kernel, a queued message some ten nanoseconds: so the writes per message
//! decide the throughput.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Something that sends were queued on.
pub(crate) trait Flush {
    /// Writes what is queued, as far as the kernel takes it now.
    fn flush(&self);
}

static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

/// What a thread knows about itself.
struct Thread {
    /// Its number, once it has one.
    number: Cell<Option<NonZeroU32>>,
    /// The same while it is inside a batch.
    active: Cell<Option<NonZeroU32>>,
    /// What that batch is for: see [`run_for`].
    subject: Cell<*const ()>,
    /// Its sends are left to the loops to write.
    leaves_writes: Cell<bool>,
    /// There was a batch.
    worked: Cell<bool>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            number: Cell::new(None),
            active: Cell::new(None),
            subject: Cell::new(ptr::null()),
            leaves_writes: Cell::new(false),
            worked: Cell::new(false),
        }
    };
    static DIRTY: RefCell<VecDeque<Arc<dyn Flush>>> = const { RefCell::new(VecDeque::new()) };
}

impl Thread {
    #[cold]
    fn take_number(&self) -> Option<NonZeroU32> {
        // After 2^32 threads it may be none: then this thread has no batches, and its sends write at once.
        self.number.set(NonZeroU32::new(NEXT_THREAD.fetch_add(1, Ordering::Relaxed)));
        self.number.get()
    }
}

/// Whether this thread is inside a batch, so that a send need not write.
#[inline]
pub(crate) fn is_active() -> bool {
    current().is_some()
}

/// A number of this thread's own, if it is inside a batch.
#[inline]
pub(crate) fn current() -> Option<NonZeroU32> {
    THREAD.with(|thread| thread.active.get())
}

/// Whether what this thread sends now is better written by the loops, since more is about to follow.
#[inline]
pub(crate) fn leaves_writes() -> bool {
    THREAD.with(|thread| thread.leaves_writes.get())
}

/// Says so.
pub(crate) fn set_leaves_writes(leave: bool) {
    THREAD.with(|thread| thread.leaves_writes.set(leave));
}

/// Whether there was a batch on this thread since the last time.
pub(super) fn take_worked() -> bool {
    THREAD.with(|thread| thread.worked.replace(false))
}

/// Has `queue` flushed at the end of this thread's batch.
#[cold] // Once for a session and batch, not for each send.
pub(crate) fn flush_at_end(queue: Arc<dyn Flush>) {
    debug_assert!(is_active());
    DIRTY.with_borrow_mut(|dirty| dirty.push_back(queue));
}

/// What the batch that this thread is inside of is for; NULL: it is for nothing in particular, or there is none.
#[inline]
pub(crate) fn subject() -> *const () {
    THREAD.with(|thread| thread.subject.get())
}

/// Runs `work` as a batch and then flushes.
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    run_for(ptr::null(), work)
}

/// Runs `work`, which is for `subject`, as a batch and then flushes. Work inside of other work is part of that one's
/// batch, and for the same.
pub(crate) fn run_for<R>(subject: *const (), work: impl FnOnce() -> R) -> R {
    struct End<'t>(&'t Thread);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.active.set(None);
            self.0.subject.set(ptr::null());
            DIRTY.with(|dirty| {
                // Taken out first: a flush may drop the last reference to something with a destructor of its own.
                let next = || dirty.borrow_mut().pop_front();
                while let Some(queue) = next() {
                    queue.flush();
                }
            });
        }
    }
    THREAD.with(|thread| {
        if thread.active.get().is_some() {
            return work();
        }
        thread.active.set(thread.number.get().or_else(|| thread.take_number()));
        thread.subject.set(subject);
        thread.worked.set(true);
        let _end = End(thread);
        work()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);
    impl Flush for Counter {
        fn flush(&self) {
            assert!(!is_active());
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_is_queued_is_flushed_once_when_the_outermost_batch_ends() {
        let queue = Arc::new(Counter::default());
        run(|| {
            assert!(is_active());
            run(|| flush_at_end(queue.clone()));
            assert_eq!(queue.0.load(Ordering::Relaxed), 0);
        });
        assert_eq!(queue.0.load(Ordering::Relaxed), 1);
        assert!(!is_active());
        assert_eq!(Arc::strong_count(&queue), 1);
    }

    #[test]
    fn a_panic_ends_the_batch() {
        let queue = Arc::new(Counter::default());
        let inner = queue.clone();
        std::panic::catch_unwind(|| {
            run(|| {
                flush_at_end(inner);
                panic!("as a test");
            })
        })
        .unwrap_err();
        assert_eq!(queue.0.load(Ordering::Relaxed), 1);
        assert!(!is_active());
    }
}
