//! What a session reads from and writes to: a socket, or TLS over one. Reads on its loop, writes from any thread.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::net::TcpStream;

use super::tcp::{Read, Tcp};
use super::tls::Tls;
use crate::sys::TcpInfo;

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: Tcp,
    /// `None`: what is written goes out as it is.
    tls: Option<Box<Tls>>,
}

impl Stream {
    pub(crate) fn new(socket: TcpStream) -> Stream {
        Stream { tcp: Tcp::new(socket), tls: None }
    }

    /// A stream that is encrypted. Before anything else, its [handshake](super::tls::shake_hands) is to be made.
    pub(crate) fn encrypted(socket: TcpStream, tls: Tls) -> Stream {
        Stream { tcp: Tcp::new(socket), tls: Some(Box::new(tls)) }
    }

    /// Its encryption and the socket under that, if it is encrypted.
    pub(crate) fn tls(&self) -> Option<(&Tls, &Tcp)> {
        self.tls.as_deref().map(|tls| (tls, &self.tcp))
    }

    pub(crate) fn remote_addr(&self) -> Option<SocketAddr> {
        self.tcp.remote_addr()
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Reads into `buffer` once there is something. An encrypted stream that ended without saying so ends with
    /// [`io::ErrorKind::UnexpectedEof`].
    #[inline]
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Read>> {
        match &self.tls {
            None => self.tcp.poll_read(cx, buffer),
            Some(tls) => tls.poll_read(&self.tcp, cx, buffer),
        }
    }

    /// The same of a stream whose end is awaited: what is read means nothing any more.
    pub(crate) fn poll_discard(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Read>> {
        self.tcp.poll_read(cx, buffer)
    }

    /// Writes what is taken at once; `WouldBlock` when that is nothing. An encrypted stream may [owe](Stream::owes) the
    /// last of it to the kernel.
    #[inline]
    pub(crate) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.tcp.try_write(data),
            Some(tls) => tls.write(&self.tcp, data, false),
        }
    }

    /// Writes as [`Stream::try_write`] does, but whether or not the loop has seen room. The loop still will: the kernel
    /// tells it once there is.
    pub(crate) fn write_now(&self, data: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => self.tcp.write_now(data),
            Some(tls) => tls.write(&self.tcp, data, true),
        }
    }

    /// Whether the kernel has yet to take something that was written, which [`Stream::flush`] gives it.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.owes())
    }

    /// Gives the kernel what is owed to it, as far as it takes that.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.flush(&self.tcp))
    }

    /// Gives up memory that only much traffic needs.
    pub(crate) fn trim(&self) {
        if let Some(tls) = &self.tls {
            tls.trim();
        }
    }

    /// Whether there is something to read.
    pub(crate) fn has_input(&self) -> bool {
        self.tcp.has_input() || self.tls.as_ref().is_some_and(|tls| tls.has_plaintext())
    }

    /// What the kernel knows of the connection; `None`: it is none of TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        self.tcp.tcp_info()
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    /// Ends our direction, if nothing is owed to the kernel any more; else it is to be tried again when it takes
    /// something. What was written still arrives.
    pub(crate) fn end_write(&self) -> bool {
        let ended = self.tls.as_ref().is_none_or(|tls| tls.say_end(&self.tcp));
        if ended {
            self.tcp.shutdown_write();
        }
        ended
    }

    /// Ends our direction. What the kernel has taken still arrives.
    pub(crate) fn shutdown_write(&self) {
        self.end_write();
        self.tcp.shutdown_write();
    }

    /// Makes the close that follows a reset, which drops what the kernel still holds.
    pub(crate) fn reset_on_close(&self) {
        self.tcp.reset_on_close();
    }

    /// Whether the peer's kernel has acknowledged everything that was written.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.tcp.is_acknowledged()
    }
}
