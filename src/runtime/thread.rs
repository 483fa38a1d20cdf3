//! The library's threads, and which threads are at work for it.

use std::cell::Cell;
use std::io;
use std::thread::JoinHandle;

use super::ContextHooks;
use crate::sys;

/// Handlers run on these threads, so they have what a program's own threads usually have.
const STACK: usize = 8 * 1024 * 1024;

thread_local! {
    static IN_LIBRARY: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of the library, or one that runs a handler for it: nothing on it may wait for the library.
#[inline]
pub fn on_library_thread() -> bool {
    IN_LIBRARY.get()
}

/// Runs `work` as a thread of the library does.
pub(crate) fn as_library_thread<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_LIBRARY.set(self.0);
        }
    }
    let _restore = Restore(IN_LIBRARY.replace(true));
    work()
}

/// Starts a thread that runs handlers.
pub(super) fn spawn(
    name: String,
    hooks: &ContextHooks,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let hooks = hooks.clone();
    let main = move || {
        sys::block_sigpipe();
        hooks.logging(|| {
            if let Some(hook) = &hooks.on_thread_start {
                hook();
            }
            as_library_thread(work);
            if let Some(hook) = &hooks.on_thread_stop {
                hook();
            }
        });
    };
    std::thread::Builder::new().name(name).stack_size(STACK).spawn(main)
}
