//! The handshake of one connection: who the two are, and how they encrypt.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::{AlertDescription, HandshakeKind};
use tokio::sync::Semaphore;

use super::connection::{Inner, Side, Tls};
use super::failure::error_of;
use super::info::TlsInfo;
use super::socket::Socket;
use crate::error::{Code, Error, Result};
use crate::transport::Stream;
use crate::transport::frame::{PREAMBLE, refusal};
use crate::transport::tcp::Tcp;

/// The types of the records of TLS: change_cipher_spec to application_data.
const RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The level of an alert.
const FATAL: u8 = 2;

thread_local! {
    /// Whose handshake is at work on this loop. The others wait in the order in which they came, but not those of other
    /// loops: who holds this up is one of its own.
    static TURN: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

/// Whether the bytes begin a handshake of TLS: a record with a ClientHello.
pub(crate) fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, 3, 0..=4, _, _, 1, ..])
}

impl Tls {
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
            match self.speaks_tls(&inner.first) {
                None => continue,
                Some(true) => {}
                Some(false) => return Err(self.refuse_language(&mut inner, tcp)),
            }
            inner.process(self.side);
            self.verify_resumed(&mut inner, tcp);
            // With an alert that says what is wrong, if something is.
            let _ = self.flush_inner(&mut inner, tcp, false);
            if let Some(error) = &inner.failure {
                return Err(error.clone());
            }
            if !inner.connection.is_handshaking() {
                inner.first = Vec::new();
                return Ok(Some(TlsInfo::of(&inner.connection, self.verification.is_on())));
            }
        }
    }

    /// Verifies the peer's certificate where the handshake does not, since it is resumed.
    fn verify_resumed(&self, inner: &mut Inner, tcp: &Tcp) {
        if inner.verified
            || inner.failure.is_some()
            || inner.connection.handshake_kind() != Some(HandshakeKind::Resumed)
        {
            return;
        }
        inner.verified = true;
        let chain = inner.connection.peer_certificates().unwrap_or_default();
        let Err(failure) = self.verification.verify(chain) else { return };
        if self.side == Side::Server {
            // Nothing that is encrypted has gone out: what the client gets is what a full handshake would have told it.
            let _ = tcp.write_now(&alert(&failure));
        }
        inner.fail(error_of(&failure, self.side));
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

    /// Whether the peer speaks TLS; `None`: its first bytes do not tell yet.
    fn speaks_tls(&self, first: &[u8]) -> Option<bool> {
        match (self.side, first) {
            (Side::Server, [HANDSHAKE, ..]) => Some(true),
            // Who speaks the framed protocol is told in it, once that is sure.
            (Side::Server, first) if PREAMBLE.starts_with(first) => (first.len() == PREAMBLE.len()).then_some(false),
            (Side::Client, [first, ..]) => Some(RECORD_TYPES.contains(first)),
            (_, first) => (!first.is_empty()).then_some(false),
        }
    }

    /// Refuses a peer that does not speak TLS. One that speaks the framed protocol is told.
    fn refuse_language(&self, inner: &mut Inner, tcp: &Tcp) -> Error {
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
        inner.fail(error.clone());
        error
    }
}

impl Inner {
    /// Gives the handshake up. No alert of rustls' follows, nor anything else.
    fn fail(&mut self, error: Error) {
        self.failure = Some(error);
        self.write_failure = Some(io::ErrorKind::BrokenPipe.into());
    }
}

/// A record, not encrypted, that says why a certificate is refused.
fn alert(failure: &rustls::Error) -> [u8; 7] {
    let description = match failure {
        rustls::Error::InvalidCertificate(why) => why.clone().into(),
        _ => AlertDescription::HandshakeFailure,
    };
    [ALERT, 3, 3, 0, 2, FATAL, description.into()]
}

/// The socket, with the first bytes that come of it kept.
pub(super) struct Seen<'a> {
    pub socket: Socket<'a>,
    pub first: &'a mut Vec<u8>,
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
/// Each turn of it is work for a processor, a part of a millisecond: after each, what else there is to do on the loop is
/// done, so that many handshakes at once do not hold up the sessions that there are. Waiting for the peer is no work, so
/// that silent peers hold up nobody.
pub(crate) async fn shake_hands(stream: &Stream) -> Result<TlsInfo> {
    let Some((tls, tcp)) = stream.tls() else {
        return Err(Error::new(Code::Internal, "the stream is not encrypted"));
    };
    let turns = TURN.with(Arc::clone);
    loop {
        poll_fn(|cx| tls.poll_turn(tcp, cx)).await;
        let turn = turns.acquire().await;
        if let Some(info) = tls.advance(tcp)? {
            return Ok(info);
        }
        // Comes back when the poller has been asked what else there is to do.
        tokio::task::yield_now().await;
        drop(turn);
    }
}

#[cfg(test)]
mod tests;
