//! A connected stream socket: bytes as the kernel takes and gives them.

use std::io::{self, IoSlice, Read as _};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::sys::{self, TcpInfo};

/// What a read brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    /// How many bytes; 0: the end of the stream.
    pub len: usize,
    /// Whether the socket had no more, so that it need not be asked again.
    pub drained: bool,
}

/// A connected stream socket.
#[derive(Debug)]
pub(crate) struct Tcp {
    inner: TcpStream,
}

impl Tcp {
    pub(super) fn new(inner: TcpStream) -> Tcp {
        Tcp { inner }
    }

    pub(super) fn remote_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr().ok()
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr().ok()
    }

    /// Waits until there may be something to read.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_read_ready(cx)
    }

    /// Reads into `buffer` once the socket has something.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Read>> {
        loop {
            ready!(self.inner.poll_read_ready(cx))?;
            match self.try_read(buffer) {
                Err(error) if retry(&error) => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Reads what the socket has; `WouldBlock` if that is nothing.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        let mut got = None;
        let outcome = self.inner.try_io(Interest::READABLE, || {
            let len = (&*SockRef::from(&self.inner)).read(buffer)?;
            got = Some(len);
            // A short read has emptied the socket: saying so spares the read that would only find that out.
            if 0 < len && len < buffer.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (got, outcome) {
            (Some(len), outcome) => Ok(Read { len, drained: outcome.is_err() }),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => unreachable!("a read that succeeded has a length"),
        }
    }

    /// Writes what the kernel takes at once; `WouldBlock` when that is nothing. Raises no SIGPIPE.
    pub(super) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.try_send(data.len(), |socket| socket.send_with_flags(data, libc::MSG_NOSIGNAL))
    }

    /// The same with data in pieces.
    pub(super) fn try_write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        let len = data.iter().map(|piece| piece.len()).sum();
        self.try_send(len, |socket| socket.send_vectored_with_flags(data, libc::MSG_NOSIGNAL))
    }

    /// Has `send` write `len` bytes once the loop has seen room.
    fn try_send(&self, len: usize, send: impl Fn(&SockRef<'_>) -> io::Result<usize>) -> io::Result<usize> {
        let mut written = None;
        loop {
            let outcome = self.inner.try_io(Interest::WRITABLE, || {
                let taken = send(&SockRef::from(&self.inner))?;
                written = Some(taken);
                // As for reads: a short write has filled the socket.
                if taken < len { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (written, outcome) {
                (Some(taken), _) => return Ok(taken),
                (None, Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                (None, Err(error)) => return Err(error),
                (None, Ok(())) => unreachable!("a write that succeeded has a length"),
            }
        }
    }

    /// Writes as [`Tcp::try_write`] does, but whether or not the loop has seen room. The loop still will: the kernel
    /// tells it once there is.
    pub(super) fn write_now(&self, data: &[u8]) -> io::Result<usize> {
        SockRef::from(&self.inner).send_with_flags(data, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
    }

    /// The same with data in pieces.
    pub(super) fn write_vectored_now(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        SockRef::from(&self.inner).send_vectored_with_flags(data, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
    }

    /// Whether there is something to read.
    pub(super) fn has_input(&self) -> bool {
        sys::unread(self.inner.as_fd()) > 0
    }

    /// What the kernel knows of the connection; `None`: it is none of TCP.
    pub(super) fn tcp_info(&self) -> Option<TcpInfo> {
        sys::tcp_info(self.inner.as_fd())
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_write_ready(cx)
    }

    /// Ends our direction. What was written still arrives.
    pub(super) fn shutdown_write(&self) {
        // Fails where the connection is gone already; then there is nothing to end.
        let _ = SockRef::from(&self.inner).shutdown(Shutdown::Write);
    }

    /// Makes the close that follows a reset, which drops what the kernel still holds.
    pub(super) fn reset_on_close(&self) {
        // Fails only where the descriptor is no socket, and adopting one of those was refused.
        let _ = SockRef::from(&self.inner).set_linger(Some(Duration::ZERO));
    }

    /// Whether the peer's kernel has acknowledged everything that was written.
    pub(super) fn is_acknowledged(&self) -> bool {
        sys::unacknowledged(self.inner.as_fd()) == 0
    }
}

fn retry(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
