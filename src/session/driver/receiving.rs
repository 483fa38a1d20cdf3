//! What arrives: from bytes to messages, and the frames of the protocol itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::closing::End;
use super::{Driver, Ending, Phase};
use crate::config::Framing;
use crate::error::{Code, Error, Result};
use crate::runtime::Share;
use crate::session::handler::Payload;
use crate::session::outbound::Wire;
use crate::session::registry::Role;
use crate::session::sending::{Sending, Undecided};
use crate::transport::compression::Algorithms;
use crate::transport::frame::{self, Decoder, Detect, Frame, Header, Kind, MAX_CONTROL_LEN, PREAMBLE};
use crate::transport::hello::Hello;
use crate::transport::tls::is_client_hello;

/// A framed peer is told how far its messages got after this many of them or bytes, so that after a reset few are of
/// unknown fate.
const RECEIPT_MESSAGES: u64 = 65_536;
const RECEIPT_BYTES: u64 = 1024 * 1024;

/// How much is read at a time while memory is short.
const LITTLE: usize = 2048;

/// How far the understanding of what comes has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The peer may speak either way, or its preamble is to come.
    Preamble,
    /// The preamble has come, the hello or its answer has not.
    Hello,
    Frames,
    Raw,
    /// Nothing that comes is understood any more.
    Ignore,
}

/// The receiving side of a session.
#[derive(Debug)]
pub(super) struct Incoming {
    mode: Mode,
    /// The beginning of what may become the preamble.
    first: Vec<u8>,
    decoder: Decoder,
    /// How messages may come compressed.
    agreed: Algorithms,
    /// What was read and not handled, since the session was paused,
    kept: Vec<u8>,
    /// and where in it that begins.
    kept_at: usize,
    /// What its buffers have of the context's budget.
    share: Share,
    /// The number of the frame that the housekeeping watches.
    watched: Option<u64>,
    /// How much of what is being handled is to be kept.
    left: usize,
    /// Messages that the handler got.
    pub(super) handled: u64,
    /// Messages that it did not get.
    pub(super) discarded: u64,
    /// The handler got messages of which the outgoing queue has not been told.
    pub(super) heard: bool,
    /// Since the last receipt.
    unreceipted_messages: u64,
    unreceipted_bytes: u64,
}

impl Incoming {
    pub(super) fn new(limit: u32, first_capacity: usize, share: Share) -> Incoming {
        Incoming {
            mode: Mode::Preamble,
            first: Vec::new(),
            decoder: Decoder::with_capacity(limit, first_capacity),
            agreed: Algorithms::NONE,
            kept: Vec::new(),
            kept_at: 0,
            share,
            watched: None,
            left: 0,
            handled: 0,
            discarded: 0,
            heard: false,
            unreceipted_messages: 0,
            unreceipted_bytes: 0,
        }
    }

    /// How much of a buffer of `len` bytes may be read into; `None`: what would come has no place in memory.
    #[inline]
    pub(super) fn may_read(&mut self, len: usize) -> Option<usize> {
        let full = self.share.is_full();
        self.decoder.set_tight(full);
        if full { self.may_read_little(len) } else { Some(len) }
    }

    /// While memory is short, small messages still come, and what large ones have been given already is filled.
    #[cold]
    fn may_read_little(&self, len: usize) -> Option<usize> {
        match (self.mode, self.decoder.begun()) {
            (Mode::Raw | Mode::Ignore, _) => Some(len),
            (_, Some(_)) => Some(self.decoder.room().min(len)).filter(|room| *room > 0),
            (_, None) => Some(len.min(LITTLE)),
        }
    }

    /// Tells the budget what the buffers hold now.
    #[inline]
    pub(super) fn settle(&mut self) {
        self.share.set(self.held());
    }

    pub(super) fn held(&self) -> usize {
        self.decoder.held() + self.kept.capacity()
    }

    /// Whether not a byte has come.
    pub(super) fn is_silent(&self) -> bool {
        self.mode == Mode::Preamble && self.first.is_empty()
    }

    /// Whether the peer said hello, so that it understands a close.
    pub(super) fn is_framed(&self) -> bool {
        self.mode == Mode::Frames
    }

    pub(super) fn ignore(&mut self) {
        self.mode = Mode::Ignore;
        self.kept = Vec::new();
    }

    /// Counts what is kept as discarded.
    pub(super) fn discard_kept(&mut self) {
        let Some((kept, at)) = self.take_kept() else { return };
        if self.mode != Mode::Frames {
            self.discarded += 1;
            return;
        }
        let mut input = &kept[at..];
        while let Ok(Some((header, _))) = self.decoder.next(&mut input) {
            self.discarded += u64::from(Kind::from_number(header.kind).is_some_and(Kind::is_message));
        }
    }

    /// Keeps what begins at `at`.
    pub(super) fn keep(&mut self, bytes: Vec<u8>, at: usize) {
        if at < bytes.len() {
            self.kept = bytes;
            self.kept_at = at;
        }
    }

    /// What was kept, and where it begins.
    pub(super) fn take_kept(&mut self) -> Option<(Vec<u8>, usize)> {
        (!self.kept.is_empty()).then(|| (std::mem::take(&mut self.kept), std::mem::take(&mut self.kept_at)))
    }
}

impl Driver {
    /// Whether the peer understands a close: it has begun to speak the framed protocol, or is a server that we have
    /// said hello to.
    pub(super) fn speaks_frames(&self) -> bool {
        match self.session.registry.role {
            Role::Server => matches!(self.incoming.mode, Mode::Hello | Mode::Frames),
            Role::Client => self.session.framing() == Framing::Framed,
        }
    }

    /// Handles what came. Gives back how much at its end is to be kept, since the session was paused.
    pub(super) fn on_bytes(&mut self, bytes: &[u8]) -> usize {
        let before = self.incoming.handled;
        if let Err(error) = self.understand(bytes) {
            self.end_by(Ending::Violation(error));
        }
        self.session.end_burst();
        self.incoming.heard |= self.incoming.handled != before;
        std::mem::take(&mut self.incoming.left)
    }

    fn understand(&mut self, bytes: &[u8]) -> Result<()> {
        match self.incoming.mode {
            Mode::Preamble => self.identify(bytes),
            Mode::Hello | Mode::Frames => self.on_frames(bytes),
            Mode::Raw => {
                self.on_stream(bytes);
                Ok(())
            }
            Mode::Ignore => Ok(()),
        }
    }

    /// The first bytes tell a framed peer from a raw one.
    fn identify(&mut self, bytes: &[u8]) -> Result<()> {
        let mut all = std::mem::take(&mut self.incoming.first);
        all.extend_from_slice(bytes);
        let client = self.session.registry.role == Role::Client;
        let only_framed = self.session.registry.config.framing == Framing::Framed;
        // Held on to, so that no send decides otherwise meanwhile.
        let mut sending = self.session.lock_sending();
        let known = sending.framing();
        let detect = match known {
            // It was decided by a send, or configured.
            Framing::Raw if client || self.session.registry.config.framing == Framing::Raw => Detect::Raw,
            // A client that hears before it has spoken is raw.
            Framing::Auto if client => Detect::Raw,
            _ => frame::classify(&all),
        };
        let encrypts = detect == Detect::Raw && !client && known != Framing::Raw && is_client_hello(&all);
        if encrypts && self.stream.tls().is_none() {
            drop(sending);
            // It is told so in the framed protocol, which no client of TLS takes for an answer.
            self.incoming.mode = Mode::Hello;
            return Err(Error::new(
                Code::TlsMismatch,
                "the peer speaks TLS, this port does not: switch TLS on in the server, or off in the client",
            ));
        }
        if detect == Detect::Framed {
            sending.undecided = Undecided::Keep;
        } else if detect == Detect::Raw && known == Framing::Auto && !only_framed {
            sending.queue.decide(Wire::Raw);
        }
        drop(sending);
        match detect {
            Detect::NeedMore => {
                self.incoming.first = all;
                if !matches!(self.phase, Phase::Identifying) && self.may_be_raw() {
                    self.set_timer(Instant::now() + super::SILENCE);
                }
                Ok(())
            }
            Detect::Raw if known == Framing::Framed || only_framed => Err(Error::new(
                Code::Protocol,
                "the peer does not speak the framed protocol: use framing raw or auto for it",
            )),
            Detect::Raw => {
                self.incoming.mode = Mode::Raw;
                self.open();
                self.on_stream(&all);
                Ok(())
            }
            Detect::Framed if known == Framing::Raw => Err(Error::new(
                Code::Protocol,
                "the peer said hello after it had been spoken to as a raw one: use framing framed for it",
            )),
            Detect::Framed => {
                self.incoming.mode = Mode::Hello;
                if !matches!(self.phase, Phase::Identifying) {
                    // It was taken for a silent raw peer, and now has as long as any other.
                    self.set_timer(Instant::now() + self.session.registry.config.handshake_timeout);
                }
                self.on_frames(&all[PREAMBLE.len()..])
            }
        }
    }

    /// Whether what has come may be the beginning of a preamble, or all that a raw peer has to say.
    pub(super) fn may_be_raw(&self) -> bool {
        let begun = self.incoming.mode == Mode::Preamble && !self.incoming.first.is_empty();
        begun && self.session.registry.config.framing == Framing::Auto && !self.speaks_frames()
    }

    /// Takes what looked like the beginning of a preamble for the words of a raw peer.
    pub(super) fn settle_for_raw(&mut self) {
        let all = std::mem::take(&mut self.incoming.first);
        self.incoming.mode = Mode::Raw;
        if self.session.framing() == Framing::Auto {
            self.session.lock_sending().queue.decide(Wire::Raw);
        }
        self.open();
        self.on_stream(&all);
        self.session.end_burst();
    }

    /// Bytes of a raw session.
    fn on_stream(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.session.holds_reading() && !self.session.is_closing() {
            // A handler paused the session when it was told that it is open.
            self.incoming.kept = bytes.to_vec();
            return;
        }
        self.on_message(Payload::Stream, bytes);
    }

    fn on_frames(&mut self, bytes: &[u8]) -> Result<()> {
        // The frames borrow the decoder, and handling them needs all of the driver.
        let mut decoder = std::mem::replace(&mut self.incoming.decoder, Decoder::new(0));
        decoder.set_limit(self.frame_limit());
        let outcome = self.decode(&mut decoder, bytes);
        self.incoming.decoder = decoder;
        self.watch_frame();
        outcome
    }

    /// Has the housekeeping know of the frame that has come in part.
    #[inline]
    fn watch_frame(&mut self) {
        let watch = &self.session.watch;
        match self.incoming.decoder.begun() {
            Some(size) if self.incoming.mode == Mode::Frames => {
                let number = self.incoming.decoder.partial_number();
                if self.incoming.watched.replace(number) != Some(number) {
                    watch.frame_begun_ns.store(self.session.received.last_ns.get(), Ordering::Relaxed);
                }
                watch.frame_size.store(size as u64, Ordering::Relaxed);
            }
            _ if self.incoming.watched.take().is_some() => watch.frame_begun_ns.store(0, Ordering::Relaxed),
            _ => {}
        }
    }

    #[inline]
    fn decode(&mut self, decoder: &mut Decoder, mut bytes: &[u8]) -> Result<()> {
        loop {
            if self.incoming.mode == Mode::Frames
                && let Some((kind, payload)) = decoder.next_message(&mut bytes)
            {
                self.on_framed_message(Payload::of_frame(kind), payload);
            } else if let Some((header, payload)) = decoder.next(&mut bytes)? {
                if self.incoming.mode == Mode::Frames && header.is_plain(Kind::Binary) {
                    self.on_framed_message(Payload::Binary, payload);
                } else if self.incoming.mode == Mode::Frames && header.is_plain(Kind::Text) {
                    self.on_framed_message(Payload::Text, payload);
                } else {
                    self.on_control(header, payload)?;
                    if self.incoming.mode == Mode::Ignore || self.ending.is_some() {
                        return Ok(());
                    }
                    decoder.set_limit(self.frame_limit());
                    decoder.set_agreed(self.incoming.agreed);
                }
            } else {
                return Ok(());
            }
            if self.session.holds_reading() && !self.session.is_closing() {
                self.incoming.left = bytes.len();
                return Ok(());
            }
        }
    }

    /// How long a frame may be that is no control frame. A stranger's may be no longer than those.
    fn frame_limit(&self) -> u32 {
        let limit = self.session.registry.max_message();
        if self.incoming.mode == Mode::Frames { limit } else { limit.min(MAX_CONTROL_LEN) }
    }

    #[inline(always)]
    pub(super) fn on_framed_message(&mut self, payload: Payload, data: &[u8]) {
        self.on_message(payload, data);
        self.incoming.unreceipted_messages += 1;
        self.incoming.unreceipted_bytes += data.len() as u64;
        if self.incoming.unreceipted_messages >= RECEIPT_MESSAGES || self.incoming.unreceipted_bytes >= RECEIPT_BYTES {
            self.send_receipt();
        }
    }

    #[cold]
    fn send_receipt(&mut self) {
        self.incoming.unreceipted_messages = 0;
        self.incoming.unreceipted_bytes = 0;
        if matches!(self.phase, Phase::Open) && !self.session.lock_sending().queue.is_control_full() {
            self.session.send_frame(&Frame::Receipt { received: self.handled() });
        }
    }

    #[inline(always)]
    fn on_message(&mut self, kind: Payload, data: &[u8]) {
        let session = &self.session;
        session.received.messages.add(1);
        session.received.payload.add(data.len() as u64);
        if session.is_closing() {
            self.incoming.discarded += 1;
            return;
        }
        self.incoming.handled += 1;
        session.received.last_message_ns.set(session.received.last_ns.get());
        session.registry.tell_message(session, kind, data);
    }

    /// How many messages the handler has got so far.
    fn handled(&self) -> u64 {
        self.session.inbox.as_ref().map_or(self.incoming.handled, |inbox| inbox.handled())
    }

    /// Lets the handler get no further message, and tells how many it got.
    pub(super) fn handled_at_last(&self) -> u64 {
        self.session.inbox.as_ref().map_or(self.incoming.handled, |inbox| inbox.seal().0)
    }

    fn on_control(&mut self, header: Header, payload: &[u8]) -> Result<()> {
        let frame = Frame::decode(header, payload)?;
        match (self.incoming.mode, self.session.registry.role, frame) {
            (Mode::Hello, Role::Server, Frame::Hello(hello)) => self.on_hello(hello),
            (Mode::Hello, Role::Client, Frame::HelloAck(hello)) => self.on_hello_ack(hello),
            (_, _, Frame::Close(close)) => self.on_close_frame(close),
            (Mode::Frames, _, Frame::Compressed(message)) => self.on_compressed_message(&message)?,
            (Mode::Frames, _, Frame::Ping(token)) => {
                if matches!(self.phase, Phase::Open) && !self.session.lock_sending().queue.is_control_full() {
                    self.session.send_frame(&Frame::Pong(token));
                }
            }
            (Mode::Frames, _, Frame::Pong(token)) => self.session.on_pong(token),
            (Mode::Frames, _, Frame::CloseAck { received }) if matches!(self.phase, Phase::Closing(_)) => {
                self.confirm(received);
                self.confirmed_last = true;
            }
            (Mode::Frames, _, Frame::Receipt { received }) => self.confirm(received),
            (Mode::Frames, _, Frame::Unknown { .. }) => {}
            (Mode::Hello, ..) => {
                return Err(Error::new(
                    Code::Protocol,
                    format!("the first frame is of kind {}, it has to be a hello", header.kind),
                ));
            }
            _ => {
                return Err(Error::new(Code::Protocol, format!("a frame of kind {} has no place here", header.kind)));
            }
        }
        Ok(())
    }

    /// A client introduces itself. The user is told before the client is answered, and what the user sends while it
    /// is told goes out after the answer.
    fn on_hello(&mut self, hello: Hello<'_>) {
        let session = Arc::clone(&self.session);
        session.peer_id.get_or_init(|| hello.id.to_owned());
        session.peer_limit.store(hello.max_message_bytes, Ordering::Relaxed);
        self.incoming.mode = Mode::Frames;
        self.timer = None;
        let mut answer = PREAMBLE.to_vec();
        let ack = Frame::HelloAck(session.registry.hello());
        ack.encode(&mut answer).expect("a hello is short");
        {
            let mut sending = session.lock_sending();
            sending.queue.held = true;
            sending.queue.push_control(answer);
            self.agree(&mut sending, &hello);
        }
        if !self.open() {
            session.lock_sending().queue.held = false;
        }
    }

    fn on_hello_ack(&mut self, hello: Hello<'_>) {
        self.session.peer_id.get_or_init(|| hello.id.to_owned());
        self.session.peer_limit.store(hello.max_message_bytes, Ordering::Relaxed);
        self.incoming.mode = Mode::Frames;
        {
            let session = Arc::clone(&self.session);
            self.agree(&mut session.lock_sending(), &hello);
        }
        self.open();
    }

    /// Both hellos are known, and with them what may be sent.
    fn agree(&mut self, sending: &mut Sending, hello: &Hello<'_>) {
        let agreed = hello.offered().and(self.session.registry.config.compression.offered());
        self.incoming.agreed = agreed;
        sending.queue.agreed = agreed;
        sending.queue.drop_larger(hello.max_message_bytes);
        sending.queue.decide(Wire::Framed);
        self.session.agree(agreed);
    }

    /// The peer says how many of our messages its handler got.
    fn confirm(&mut self, received: u64) {
        self.confirmed = self.confirmed.max(received);
    }

    fn on_close_frame(&mut self, close: frame::Close<'_>) {
        self.confirm(close.received);
        self.confirmed_last = true;
        let reason = (close.code != 0).then(|| Code::from_number(close.code).unwrap_or(Code::Network));
        let text = if close.reason.is_empty() { "closed by the peer" } else { close.reason };
        self.end_by(Ending::Close(reason, text.to_owned()));
    }

    pub(super) fn on_peer_close(&mut self, reason: Option<Code>, text: String) {
        if matches!(self.phase, Phase::Closing(_)) {
            // Both close at once: each close confirms the other.
            return;
        }
        let framed = self.incoming.is_framed();
        let end = End::by_peer(reason, text);
        // It handles nothing any more: what it has not got it will not get.
        {
            let mut sending = self.session.lock_sending();
            sending.seal("the peer closed the session");
            sending.queue.drop_unsent();
            if framed {
                sending.queue.push_frame(&Frame::CloseAck { received: self.handled_at_last() });
            }
        }
        self.incoming.ignore();
        self.close(end, None);
    }

    /// The peer ended its direction; `fault`: not as it should.
    pub(super) fn on_eof(&mut self, fault: Option<Error>) {
        if matches!(self.phase, Phase::Closing(_)) {
            return;
        }
        if self.may_be_raw() {
            self.settle_for_raw();
        }
        let end = if self.speaks_frames() {
            let error = Error::new(Code::ConnectionClosed, "the peer ended the connection without a close");
            if self.session.registry.keeps_unsent() {
                // It handles nothing any more, but another connection may.
                self.session.lock_sending().queue.drop_unsent();
            }
            self.tell_failure(&error);
            End::by_peer(Some(error.code), error.message.into_owned())
        } else if let Some(error) = fault {
            self.tell_failure(&error);
            End::by_peer(Some(error.code), error.message.into_owned())
        } else {
            End::by_peer(None, "closed by the peer".into())
        };
        self.close(end, None);
    }
}
