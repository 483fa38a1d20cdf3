//! TLS on one connection: what rustls makes of bytes, and which of them the socket has taken.
//!
//! The loop reads and any thread writes, so rustls' connection is under a lock of its own. It is the last that is
//! taken, and never held while a handler runs.
//!
//! What was written is encrypted and then given to the kernel. Where the kernel takes only a part, the rest is *owed*:
//! it stays encrypted in rustls' buffer, and nothing more is encrypted until it has gone out. So a stream owes at most
//! what one batch came to.

use std::fmt;
use std::io::{self, Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::Connection;

use super::failure::error_of;
use super::handshake::Seen;
use super::socket::{Nothing, Socket};
use super::verification::Verification;
use crate::error::{Code, Error};
use crate::transport::tcp::{Read, Tcp};

/// How much is encrypted before it is written: two records.
const BATCH: usize = 32 * 1024;

/// The longest record, and so the most that rustls keeps of what it cannot decrypt yet.
const LONGEST_RECORD: usize = 16384 + 2048 + 5;

/// A buffer that is shorter than this is filled by way of rustls' own.
const ROOMY: usize = 64 * 1024;

/// Which side of TLS this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// The encryption of a stream.
pub(crate) struct Tls {
    pub(super) side: Side,
    pub(super) verification: Verification,
    inner: Mutex<Inner>,
    /// There is something encrypted that the kernel has not taken.
    owes: AtomicBool,
    /// There is something decrypted that was not read.
    has_plaintext: AtomicBool,
}

pub(super) struct Inner {
    pub connection: Connection,
    /// The peer's certificate was verified although the handshake is resumed.
    pub verified: bool,
    /// The first bytes that came.
    pub first: Vec<u8>,
    /// What went wrong. What was decrypted before is still read.
    pub failure: Option<Error>,
    /// How the kernel failed a write. Nothing more is written.
    pub write_failure: Option<io::Error>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("side", &self.side).field("owes", &self.owes()).finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn new(connection: Connection, side: Side, verification: Verification) -> Tls {
        Tls {
            side,
            verification,
            inner: Mutex::new(Inner {
                connection,
                verified: false,
                first: Vec::new(),
                failure: None,
                write_failure: None,
            }),
            // A client's hello.
            owes: AtomicBool::new(side == Side::Client),
            has_plaintext: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
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
        let mut taken = 0;
        loop {
            // Anew for each batch: the loop may want to read.
            let mut inner = self.lock();
            match self.flush_inner(&mut inner, tcp, now) {
                Ok(true) if taken < data.len() => {
                    let end = data.len().min(taken + BATCH);
                    taken += inner.connection.writer().write(&data[taken..end])?;
                }
                Ok(false) if taken == 0 && !data.is_empty() => return Err(io::ErrorKind::WouldBlock.into()),
                Err(error) if taken == 0 => return Err(error),
                // That it failed is told once more, to who goes on: what was taken before may have arrived.
                Ok(_) | Err(_) => return Ok(taken),
            }
        }
    }

    /// Gives the kernel what is owed to it, as far as it takes that.
    pub(crate) fn flush(&self, tcp: &Tcp) -> io::Result<()> {
        self.flush_inner(&mut self.lock(), tcp, false).map(drop)
    }

    /// The same; true if nothing is owed any more.
    pub(super) fn flush_inner(&self, inner: &mut Inner, tcp: &Tcp, now: bool) -> io::Result<bool> {
        let mut socket = Socket { tcp, now };
        let outcome = loop {
            if let Some(error) = &inner.write_failure {
                break Err(again(error));
            }
            if !inner.connection.wants_write() {
                break Ok(true);
            }
            match inner.connection.write_tls(&mut socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(false),
                Err(error) => inner.write_failure = Some(error),
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
    pub(super) fn poll_flush(&self, inner: &mut Inner, tcp: &Tcp, cx: &mut Context<'_>) {
        // That the kernel fails a write, the next write or read shows.
        while let Ok(false) = self.flush_inner(inner, tcp, false) {
            if tcp.poll_write_ready(cx).is_pending() {
                return;
            }
        }
    }

    /// Has rustls give up the buffer that long records needed, if no record has come in part. A connection that is at
    /// work needs it.
    pub(crate) fn trim(&self) {
        let Ok(mut inner) = self.inner.try_lock() else { return };
        if !inner.connection.is_handshaking() {
            // It does so before it reads.
            let _ = inner.connection.read_tls(&mut Nothing);
        }
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
    pub(super) fn receive(&mut self, tcp: &Tcp) -> io::Result<usize> {
        let mut socket = Socket { tcp, now: false };
        if !self.connection.is_handshaking() {
            return self.connection.read_tls(&mut socket);
        }
        let mut seen = Seen { socket, first: &mut self.first };
        self.connection.read_tls(&mut seen)
    }

    /// Has rustls understand what it was given.
    pub(super) fn process(&mut self, side: Side) {
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

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
