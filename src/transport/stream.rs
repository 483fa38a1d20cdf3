//! A connected stream socket: reads on its loop, writes from any thread.

use std::io::{self, Read as _};
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
pub(crate) struct Stream {
    inner: TcpStream,
}

impl Stream {
    pub(crate) fn new(inner: TcpStream) -> Stream {
        Stream { inner }
    }

    pub(crate) fn remote_addr(&self) -> Option<SocketAddr> {
        self.inner.peer_addr().ok()
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.local_addr().ok()
    }

    /// Reads into `buffer` once the socket has something.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Read>> {
        loop {
            ready!(self.inner.poll_read_ready(cx))?;
            let mut got = None;
            let outcome = self.inner.try_io(Interest::READABLE, || {
                let len = (&*SockRef::from(&self.inner)).read(buffer)?;
                got = Some(len);
                // A short read has emptied the socket: saying so spares the read that would only find that out.
                if 0 < len && len < buffer.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (got, outcome) {
                (Some(len), outcome) => return Poll::Ready(Ok(Read { len, drained: outcome.is_err() })),
                (None, Err(error)) if retry(&error) => {}
                (None, Err(error)) => return Poll::Ready(Err(error)),
                (None, Ok(())) => unreachable!("a read that succeeded has a length"),
            }
        }
    }

    /// Writes what the kernel takes at once; `WouldBlock` when that is nothing. Raises no SIGPIPE.
    pub(crate) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        let mut written = None;
        loop {
            let outcome = self.inner.try_io(Interest::WRITABLE, || {
                let len = SockRef::from(&self.inner).send_with_flags(data, libc::MSG_NOSIGNAL)?;
                written = Some(len);
                // As for reads: a short write has filled the socket.
                if len < data.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (written, outcome) {
                (Some(len), _) => return Ok(len),
                (None, Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                (None, Err(error)) => return Err(error),
                (None, Ok(())) => unreachable!("a write that succeeded has a length"),
            }
        }
    }

    /// Writes as [`Stream::try_write`] does, but whether or not the loop has seen room. The loop still will: the kernel
    /// tells it once there is.
    pub(crate) fn write_now(&self, data: &[u8]) -> io::Result<usize> {
        SockRef::from(&self.inner).send_with_flags(data, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
    }

    /// Whether there is something to read.
    pub(crate) fn has_input(&self) -> bool {
        sys::unread(self.inner.as_fd()) > 0
    }

    /// What the kernel knows of the connection; `None`: it is none of TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        sys::tcp_info(self.inner.as_fd())
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_write_ready(cx)
    }

    /// Ends our direction. What was written still arrives.
    pub(crate) fn shutdown_write(&self) {
        // Fails where the connection is gone already; then there is nothing to end.
        let _ = SockRef::from(&self.inner).shutdown(Shutdown::Write);
    }

    /// Makes the close that follows a reset, which drops what the kernel still holds.
    pub(crate) fn reset_on_close(&self) {
        // Fails only where the descriptor is no socket, and adopting one of those was refused.
        let _ = SockRef::from(&self.inner).set_linger(Some(Duration::ZERO));
    }

    /// Whether the peer's kernel has acknowledged everything that was written.
    pub(crate) fn is_acknowledged(&self) -> bool {
        sys::unacknowledged(self.inner.as_fd()) == 0
    }
}

fn retry(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
