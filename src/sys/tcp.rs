//! What the kernel tells about a connection: SIOCOUTQ, FIONREAD and TCP_INFO of tcp(7).

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

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
