//! Corking: while a loop handles what arrived, sends only queue, and each session is written to once at the end.
//!
//! A write costs some ten microseconds in the kernel, a queued message some ten nanoseconds: so the writes per message
//! decide the throughput.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Something that sends were queued on.
pub(crate) trait Flush {
    /// Writes what is queued, as far as the kernel takes it now.
    fn flush(&self);
}

static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

thread_local! {
    /// The number of this thread while it is inside a batch, else 0.
    static ACTIVE: Cell<u32> = const { Cell::new(0) };
    static THREAD: u32 = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
    static DIRTY: RefCell<Vec<Arc<dyn Flush>>> = const { RefCell::new(Vec::new()) };
}

/// Whether this thread is inside a batch, so that a send need not write.
#[inline]
pub(crate) fn is_active() -> bool {
    current().is_some()
}

/// A number of this thread's own, if it is inside a batch.
#[inline]
pub(crate) fn current() -> Option<NonZeroU32> {
    NonZeroU32::new(ACTIVE.get())
}

/// Has `queue` flushed at the end of this thread's batch.
pub(crate) fn flush_at_end(queue: Arc<dyn Flush>) {
    debug_assert!(is_active());
    DIRTY.with_borrow_mut(|dirty| dirty.push(queue));
}

/// Runs `work` as a batch and then flushes.
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            ACTIVE.set(0);
            // Taken out first: a flush may drop the last reference to something with a destructor of its own.
            let mut dirty = DIRTY.take();
            for queue in dirty.drain(..) {
                queue.flush();
            }
            DIRTY.with_borrow_mut(|empty| {
                if empty.is_empty() {
                    *empty = dirty;
                }
            });
        }
    }
    if is_active() {
        return work();
    }
    ACTIVE.set(THREAD.with(|number| *number));
    let _end = End;
    work()
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
