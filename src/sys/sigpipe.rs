//! Writing where nobody may read, without the SIGPIPE that ends a process: pthread_sigmask(3), sigtimedwait(2).

use std::io;

/// A set of signals that has SIGPIPE in it only.
fn only_sigpipe() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set before it is read, and all of it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        set.assume_init()
    }
}

/// Blocks SIGPIPE on this thread, and tells which signals were blocked before.
pub(crate) fn block_sigpipe() -> libc::sigset_t {
    let mut before = only_sigpipe();
    // SAFETY: both sets are initialised, and live through the call.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &only_sigpipe(), &raw mut before) };
    before
}

/// Writes to the standard error stream in one call. What it does not take is lost; nothing else happens where it is
/// closed or nobody reads it, on whatever thread: no failure and no SIGPIPE.
pub(crate) fn write_to_stderr(bytes: &[u8]) {
    let was_pending = is_sigpipe_pending();
    let before = block_sigpipe();
    // SAFETY: the bytes may be read for the call; whatever descriptor 2 is, writing to it breaks no rule of Rust's.
    let written = unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    if written < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EPIPE) && !was_pending {
        // The signal is this thread's, and came by this write: it is taken back before it is let through.
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time are initialised, and live through the call.
        unsafe { libc::sigtimedwait(&only_sigpipe(), std::ptr::null_mut(), &raw const at_once) };
    }
    // SAFETY: as in `block_sigpipe`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
}

fn is_sigpipe_pending() -> bool {
    let mut pending = only_sigpipe();
    // SAFETY: the set is initialised, and lives through both calls.
    unsafe { libc::sigpending(&raw mut pending) == 0 && libc::sigismember(&raw const pending, libc::SIGPIPE) == 1 }
}
