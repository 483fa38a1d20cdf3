//! TLS on one connection: what rustls makes of bytes, and which of them the socket has taken.
//!
//! The loop reads and any thread writes, so rustls' connection is under a lock of its own. It is the last that is
//! taken, and never held while a handler runs.
//!
//! What was written is encrypted and then given to the kernel. Where the kernel takes only a part, the rest is *owed*:
//! it stays encrypted in rustls' buffer, and nothing more is encrypted until it has gone out. So a stream owes at most
//! what one batch came to.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::Connection;
use tokio::sync::Semaphore;

use super::failure::error_of;
use super::info::TlsInfo;
use crate::error::{Code, Error, Result};
use crate::transport::Stream;
use crate::transport::frame::{PREAMBLE, refusal};
use crate::transport::tcp::{Read, Tcp};

/// How much is encrypted before it is written: two records.
const BATCH: usize = 32 * 1024;

/// The longest record, and so the most that rustls keeps of what it cannot decrypt yet.
const LONGEST_RECORD: usize = 16384 + 2048 + 5;

/// A buffer that is shorter than this is filled by way of rustls' own.
const ROOMY: usize = 64 * 1024;

/// The types of the records of TLS: change_cipher_spec to application_data.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;
const HANDSHAKE: u8 = 22;

/// Bounds how many handshakes are at work at a time in a context: twice as many as there are processors. The others
/// wait in the order in which they came. Waiting for the peer is no work, so that silent peers hold up nobody.
pub(crate) type Gate = Arc<Semaphore>;

/// A gate for a context.
pub(crate) fn new_gate() -> Gate {
    let processors = std::thread::available_parallelism().map_or(1, Into::into);
    Arc::new(Semaphore::new(2 * processors))
}

/// Whether the bytes begin a handshake of TLS: a record with a ClientHello.
pub(crate) fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, 0..=4, _, _, 1, ..])
}

/// Which side of TLS this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// The encryption of a stream.
pub(crate) struct Tls {
    side: Side,
    /// A certificate that the peer shows is verified.
    verifies: bool,
    gate: Gate,
    inner: Mutex<Inner>,
    /// There is something encrypted that the kernel has not taken.
    owes: AtomicBool,
    /// There is something decrypted that was not read.
    has_plaintext: AtomicBool,
}

struct Inner {
    connection: Connection,
    /// The first bytes that came.
    first: Vec<u8>,
    /// What went wrong. What was decrypted before is still read.
    failure: Option<Error>,
    /// The kernel failed a write.
    broken: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("side", &self.side).field("owes", &self.owes()).finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn new(connection: Connection, side: Side, verifies: bool, gate: &Gate) -> Tls {
        Tls {
            side,
            verifies,
            gate: Arc::clone(gate),
            inner: Mutex::new(Inner { connection, first: Vec::new(), failure: None, broken: false }),
            // A client's hello.
            owes: AtomicBool::new(side == Side::Client),
            has_plaintext: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn owes(&self) -> bool {
        self.owes.load(Ordering::Acquire)
    }

    pub(crate) fn has_plaintext(&self) -> bool {
        self.has_plaintext.load(Ordering::Relaxed)
    }

    // --- writing -----------------------------------------------------------------------------------------------

    /// Encrypts as much of `data` as can be written, and at most one batch more, which is owed then. `now`: whether or
    /// not the loop has seen room.
    pub(crate) fn write(&self, tcp: &Tcp, data: &[u8], now: bool) -> io::Result<usize> {
        let mut inner = self.lock();
        let mut taken = 0;
        while self.flush_inner(&mut inner, tcp, now)? && taken < data.len() {
            let end = data.len().min(taken + BATCH);
            taken += inner.connection.writer().write(&data[taken..end])?;
        }
        if taken == 0 && !data.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Gives the kernel what is owed to it, as far as it takes that.
    pub(crate) fn flush(&self, tcp: &Tcp) -> io::Result<()> {
        self.flush_inner(&mut self.lock(), tcp, false).map(drop)
    }

    /// The same; true if nothing is owed any more.
    fn flush_inner(&self, inner: &mut Inner, tcp: &Tcp, now: bool) -> io::Result<bool> {
        let mut socket = Socket { tcp, now };
        let outcome = loop {
            if inner.broken {
                break Err(io::ErrorKind::BrokenPipe.into());
            }
            if !inner.connection.wants_write() {
                break Ok(true);
            }
            match inner.connection.write_tls(&mut socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(false),
                Err(error) => {
                    inner.broken = true;
                    break Err(error);
                }
            }
        };
        self.owes.store(!matches!(outcome, Ok(true)), Ordering::Release);
        outcome
    }

    /// Says that nothing more will be written (close_notify); true once the kernel has taken that. Who has not agreed
    /// on TLS with the peer says nothing.
    pub(crate) fn say_end(&self, tcp: &Tcp) -> bool {
        let mut inner = self.lock();
        if !inner.connection.is_handshaking() && inner.failure.is_none() {
            inner.connection.send_close_notify();
        }
        self.flush_inner(&mut inner, tcp, false).unwrap_or(true)
    }

    // --- reading -----------------------------------------------------------------------------------------------

    /// Reads what was decrypted, after it has decrypted what the socket has.
    pub(crate) fn poll_read(&self, tcp: &Tcp, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Read>> {
        let mut inner = self.lock();
        loop {
            match inner.take(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => {
                    // It may have been all, but that is found out with the next call, which costs little.
                    self.has_plaintext.store(matches!(outcome, Ok(1..)), Ordering::Relaxed);
                    return Poll::Ready(outcome.map(|len| Read { len, drained: false }));
                }
            }
            self.has_plaintext.store(false, Ordering::Relaxed);
            // What came may have been answered: a change of keys, an alert.
            self.poll_flush(&mut inner, tcp, cx);
            if buffer.len() < ROOMY {
                ready!(tcp.poll_read_ready(cx))?;
                match inner.receive(tcp) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(_) => inner.process(self.side),
                }
                continue;
            }
            // All that can come of the one part, and of a record that was begun before, has room in the other.
            let (plain, cipher) = buffer.split_at_mut(buffer.len().div_ceil(2) + LONGEST_RECORD);
            let read = ready!(tcp.poll_read(cx, cipher))?;
            let len = inner.decrypt(&cipher[..read.len], plain, self.side);
            self.poll_flush(&mut inner, tcp, cx);
            if len > 0 {
                let drained = read.drained && inner.failure.is_none();
                return Poll::Ready(Ok(Read { len, drained }));
            }
        }
    }

    /// Gives the kernel what is owed to it; has the task woken if that is not all.
    fn poll_flush(&self, inner: &mut Inner, tcp: &Tcp, cx: &mut Context<'_>) {
        // That the kernel fails a write, the next write or read shows.
        while let Ok(false) = self.flush_inner(inner, tcp, false) {
            if tcp.poll_write_ready(cx).is_pending() {
                return;
            }
        }
    }

    /// Has rustls give up the buffer that long records needed, if no record has come in part.
    pub(crate) fn trim(&self) {
        let mut inner = self.lock();
        if !inner.connection.is_handshaking() {
            // It does so before it reads.
            let _ = inner.connection.read_tls(&mut Nothing);
        }
    }

    // --- the handshake -----------------------------------------------------------------------------------------

    /// Waits until there may be something to do for the handshake.
    fn poll_turn(&self, tcp: &Tcp, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_flush(&mut self.lock(), tcp, cx);
        // An error shows in the turn.
        tcp.poll_read_ready(cx).map(drop)
    }

    /// Goes on with the handshake as far as what has come allows; gives back what it came to when it is done.
    fn advance(&self, tcp: &Tcp) -> Result<Option<TlsInfo>> {
        let mut inner = self.lock();
        loop {
            match inner.receive(tcp) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(self.lost(Some(&error))),
                Ok(0) => return Err(self.lost(None)),
                Ok(_) => {}
            }
            if let Some(error) = self.other_language(&mut inner, tcp) {
                return Err(error);
            }
            inner.process(self.side);
            // With an alert that says what is wrong, if something is.
            let _ = self.flush_inner(&mut inner, tcp, false);
            if let Some(error) = &inner.failure {
                return Err(error.clone());
            }
            if !inner.connection.is_handshaking() {
                inner.first = Vec::new();
                return Ok(Some(TlsInfo::of(&inner.connection, self.verifies)));
            }
        }
    }

    /// The connection ended too early.
    fn lost(&self, error: Option<&io::Error>) -> Error {
        let peer = self.side.peer();
        let hint = match self.side {
            Side::Server => "it may not trust this side's certificate, or not speak TLS",
            Side::Client => "it may not speak TLS, or have no room for another connection",
        };
        let text = format!("the {peer} ended the connection before TLS was agreed on: {hint}");
        match error {
            None => Error::new(Code::ConnectionClosed, text),
            Some(error) => Error::os(Code::ConnectionClosed, text, error),
        }
    }

    /// The peer does not speak TLS, if its first bytes say so. One that speaks the framed protocol is told.
    fn other_language(&self, inner: &mut Inner, tcp: &Tcp) -> Option<Error> {
        let first = *inner.first.first()?;
        let spoken = match self.side {
            Side::Server => first == HANDSHAKE,
            Side::Client => RECORD_TYPES.contains(&first),
        };
        if spoken {
            return None;
        }
        let text = match self.side {
            Side::Server => "this port speaks TLS, and what came is none: switch TLS on in the client",
            Side::Client => {
                "the server does not speak TLS on this port: switch TLS on in the server, or use its other port"
            }
        };
        let error = Error::new(Code::TlsMismatch, text);
        if self.side == Side::Server && inner.first.starts_with(&PREAMBLE) {
            let _ = tcp.write_now(&refusal(&error));
        }
        // No alert follows.
        inner.failure = Some(error.clone());
        inner.broken = true;
        Some(error)
    }
}

impl Inner {
    /// What was decrypted; `WouldBlock`: nothing was. 0: the peer said that it has ended.
    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.connection.reader().read(buffer).map_err(|error| match &self.failure {
            Some(failure) => failure.clone().into_io(),
            None => error,
        })
    }

    /// Moves what the socket has to rustls, which takes some 4 KiB.
    fn receive(&mut self, tcp: &Tcp) -> io::Result<usize> {
        let mut socket = Socket { tcp, now: false };
        if !self.connection.is_handshaking() {
            return self.connection.read_tls(&mut socket);
        }
        let mut seen = Seen { socket, first: &mut self.first };
        self.connection.read_tls(&mut seen)
    }

    /// Has rustls understand what it was given.
    fn process(&mut self, side: Side) {
        if let Err(failure) = self.connection.process_new_packets() {
            self.failure.get_or_insert_with(|| error_of(&failure, side));
        }
    }

    /// Decrypts what came, to the front of `plain`; an empty `cipher` is the end of the stream.
    fn decrypt(&mut self, mut cipher: &[u8], plain: &mut [u8], side: Side) -> usize {
        let mut len = 0;
        loop {
            match self.connection.read_tls(&mut cipher) {
                // Behind the end of what the peer says there is nothing.
                Ok(0) => break,
                Ok(_) => self.process(side),
                Err(error) => {
                    self.failure.get_or_insert_with(|| Error::os(Code::TlsFailed, "what came is no TLS", &error));
                }
            }
            while len < plain.len()
                && let Ok(more) = self.connection.reader().read(&mut plain[len..])
                && more > 0
            {
                len += more;
            }
            if cipher.is_empty() || self.failure.is_some() {
                break;
            }
        }
        len
    }
}

/// The socket as rustls reads and writes it.
struct Socket<'a> {
    tcp: &'a Tcp,
    now: bool,
}

impl io::Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tcp.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome.map(|read| read.len),
            }
        }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.now { self.tcp.write_now(data) } else { self.tcp.try_write(data) }
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.now { self.tcp.write_vectored_now(data) } else { self.tcp.try_write_vectored(data) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket that has nothing now.
struct Nothing;

impl io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// The socket, with the first bytes that come of it kept.
struct Seen<'a> {
    socket: Socket<'a>,
    first: &'a mut Vec<u8>,
}

impl io::Read for Seen<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.socket.read(buffer)?;
        let wanted = PREAMBLE.len() - self.first.len();
        self.first.extend_from_slice(&buffer[..len.min(wanted)]);
        Ok(len)
    }
}

/// Makes the handshake of an encrypted stream, with what it came to.
///
/// Each turn of it is work for a processor, a part of a millisecond: after each, others have theirs, so that many
/// handshakes at once do not hold up the sessions that there are.
pub(crate) async fn shake_hands(stream: &Stream) -> Result<TlsInfo> {
    let Some((tls, tcp)) = stream.tls() else {
        return Err(Error::new(Code::Internal, "the stream is not encrypted"));
    };
    loop {
        poll_fn(|cx| tls.poll_turn(tcp, cx)).await;
        let turn = tls.gate.acquire().await;
        if let Some(info) = tls.advance(tcp)? {
            return Ok(info);
        }
        // Comes back when the poller has been asked what else there is to do.
        tokio::task::yield_now().await;
        drop(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_is_told_from_other_things() {
        assert!(is_client_hello(&[22, 3, 1, 2, 0, 1, 0, 1]));
        assert!(is_client_hello(&[22, 3, 3, 0, 200, 1]));
        for other in
            [&b""[..], &[22], &[22, 3, 1, 2, 0], &[22, 3, 1, 2, 0, 2], &[22, 2, 1, 2, 0, 1], b"NSYS\r\n", b"GET / "]
        {
            assert!(!is_client_hello(other), "{other:?}");
        }
    }
}
