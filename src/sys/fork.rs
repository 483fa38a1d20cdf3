//! Whether this process is a forked child, which has none of the threads of its parent: pthread_atfork(3).

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static FORKED: AtomicBool = AtomicBool::new(false);
static WATCH_FORK: Once = Once::new();

extern "C" fn after_fork_in_child() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Lets [`forked`] tell from now on. Called when the first context is made: before that, a child has all there is.
pub(crate) fn watch_fork() {
    WATCH_FORK.call_once(|| {
        // SAFETY: the handler is a plain function of this library, which is never unloaded (`-z nodelete`), and only
        // stores to an atomic, which is async-signal-safe.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) };
        if failed != 0 {
            tracing::warn!("pthread_atfork failed ({failed}): a forked child will not be recognised");
        }
    });
}

/// Whether this process is a fork of the one whose threads serve this library.
#[inline]
pub(crate) fn forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}
