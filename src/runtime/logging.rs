//! Where goes what is logged, on whatever thread.

use std::cell::Cell;

use tracing::Dispatch;
use tracing::dispatcher::with_default;

use super::thread::as_library_thread;

thread_local! {
    static TAKING_A_LINE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, on whatever thread, with its log going to `dispatch`. Not to be called under a lock: what is logged
/// reaches the user's code.
pub(crate) fn logging_to<R>(dispatch: Option<&Dispatch>, work: impl FnOnce() -> R) -> R {
    match dispatch {
        // Where a line is being taken, the thread's dispatcher is in use, and cannot be exchanged.
        Some(dispatch) if !takes_a_line() => with_default(dispatch, work),
        _ => work(),
    }
}

/// Runs what takes a line of the log. Nothing is logged of it, and it cannot wait for the library, which waits for it
/// when the log is closed.
pub(crate) fn taking_a_line(work: impl FnOnce()) {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            TAKING_A_LINE.set(self.0);
        }
    }
    let _restore = Restore(TAKING_A_LINE.replace(true));
    as_library_thread(work);
}

/// Whether this thread is in [`taking_a_line`].
pub(crate) fn takes_a_line() -> bool {
    TAKING_A_LINE.get()
}
