//! The few system calls that need `unsafe` and that no crate of ours wraps.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

mod interfaces;
mod names;

pub(crate) use interfaces::{Interface, interface_number, interfaces};
pub(crate) use names::{LookUpFailure, host_name, look_up};

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

/// The bytes in the socket's send queue that the peer's kernel has not acknowledged (SIOCOUTQ of tcp(7)).
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open while it is borrowed, and SIOCOUTQ, which is TIOCOUTQ, stores one int.
    let failed = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    if failed == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
}

/// The bytes that the socket has received and nobody has read (FIONREAD of tcp(7)).
pub(crate) fn unread(socket: BorrowedFd<'_>) -> usize {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open while it is borrowed, and FIONREAD stores one int.
    let failed = unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &raw mut count) };
    if failed == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
}

/// What TCP_INFO of tcp(7) tells about how the peer's kernel answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpInfo {
    /// Segments that were sent and not acknowledged.
    pub unacknowledged: u32,
    /// How often in a row they were sent again without an answer.
    pub retransmits: u32,
    /// Probes in a row, of a closed window or an idle connection, without an answer.
    pub probes: u32,
    /// When the last acknowledgement came: so long ago.
    pub last_ack: Duration,
}

/// Asks for it. `None`: the socket is none of TCP.
pub(crate) fn tcp_info(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    let mut info = std::mem::MaybeUninit::<libc::tcp_info>::zeroed();
    let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed, and the kernel stores at most `len` bytes.
    let failed = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut len)
    };
    // SAFETY: all zero, which what the kernel did not store still is, is a value of this struct of numbers.
    let info = unsafe { info.assume_init() };
    (failed == 0).then(|| TcpInfo {
        unacknowledged: info.tcpi_unacked,
        retransmits: info.tcpi_retransmits.into(),
        probes: info.tcpi_probes.into(),
        last_ack: Duration::from_millis(info.tcpi_last_ack_recv.into()),
    })
}

/// CLOCK_MONOTONIC in nanoseconds: what C++ calls `std::chrono::steady_clock` on Linux.
pub(crate) fn monotonic_ns() -> u64 {
    let now = monotonic(libc::CLOCK_MONOTONIC);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The seconds of the same clock, some milliseconds late at times. Three times as fast.
pub(crate) fn monotonic_coarse_s() -> u64 {
    monotonic(libc::CLOCK_MONOTONIC_COARSE).tv_sec as u64
}

fn monotonic(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to store to. Both clocks always exist.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now
}

/// A descriptor that is readable while it is set (eventfd(2)).
#[derive(Debug)]
pub(crate) struct EventFd(File);

impl EventFd {
    pub(crate) fn new() -> io::Result<EventFd> {
        // SAFETY: takes two numbers, and gives a new descriptor or -1.
        let number = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made just now, and nobody else has it.
        Ok(EventFd(unsafe { OwnedFd::from_raw_fd(number) }.into()))
    }

    pub(crate) fn set(&self) {
        // Fails only where the counter is at its top: then it is set.
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    pub(crate) fn clear(&self) {
        // Fails only where it is not set.
        let _ = (&self.0).read(&mut [0; 8]);
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
