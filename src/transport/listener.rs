//! A listening socket, and what to do when accepting fails.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::error::{Code, Error, Result};

/// Binds and listens. Must run inside a tokio runtime, whose poller the listener joins.
pub(crate) fn listen(address: SocketAddr, backlog: u32) -> Result<TcpListener> {
    let failed = |error: io::Error| {
        let mut text = format!("cannot listen on {address}: {error}");
        match error.kind() {
            io::ErrorKind::AddrInUse => text.push_str("; stop the other server or choose another port (0: a free one)"),
            io::ErrorKind::PermissionDenied => text.push_str("; ports below 1024 need a privilege"),
            io::ErrorKind::AddrNotAvailable => text.push_str("; choose an address of this host"),
            _ => {}
        }
        Error { code: Code::BindFailed, os_code: error.raw_os_error().unwrap_or(0), message: text.into() }
    };
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        TcpListener::from_std(socket.into())
    };
    bind().map_err(failed)
}

/// What an error of `accept` asks for (accept(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptFailure {
    /// The connection died before it was accepted, or was refused by a firewall: the next one is not concerned.
    ThisConnection,
    /// Descriptors or memory ran out, or something unknown is wrong: accepting again at once would fail again.
    Lasting,
}

/// Tells which it is.
pub(crate) fn classify_accept_error(error: &io::Error) -> AcceptFailure {
    match error.raw_os_error() {
        Some(
            libc::ECONNABORTED
            | libc::EPROTO
            | libc::EINTR
            | libc::EAGAIN
            | libc::EPERM
            | libc::ENETDOWN
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ENETUNREACH,
        ) => AcceptFailure::ThisConnection,
        _ => AcceptFailure::Lasting,
    }
}

/// The pauses between attempts while resources are exhausted: from 10 ms, doubling, to 500 ms.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    next: Option<Duration>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_millis(500);

    /// The pause to make now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next.unwrap_or(Self::FIRST);
        self.next = Some((pause * 2).min(Self::LONGEST));
        pause
    }

    /// An attempt succeeded.
    pub(crate) fn reset(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_half_a_second_and_starts_again() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 500, 500]);
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::from_millis(10));
    }

    #[test]
    fn only_what_lasts_asks_for_a_pause() {
        let of = |number| classify_accept_error(&io::Error::from_raw_os_error(number));
        for number in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EINVAL] {
            assert_eq!(of(number), AcceptFailure::Lasting);
        }
        for number in [libc::ECONNABORTED, libc::EPROTO, libc::EINTR] {
            assert_eq!(of(number), AcceptFailure::ThisConnection);
        }
    }
}
