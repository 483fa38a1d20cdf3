//! Sending: from the user's call through the queue to the kernel, on whatever thread.

mod compressing;
mod room;
mod writing;

use std::sync::{Arc, MutexGuard};
use std::time::Instant;

pub(super) use self::writing::Writer;
use super::handler::Payload;
use super::outbound::{Next, Outbound, Wire};
use super::registry::{Registry, Role, SharedMessage};
use super::{Session, lock};
use crate::config::{Framing, SendPolicy};
use crate::error::{Code, Error, Result};
use crate::runtime::batch;
use crate::sys::TcpInfo;
use crate::transport::Stream;
use crate::transport::frame::{Frame, HEADER_LEN, PREAMBLE};

/// What a send does about a peer that is not known yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecided {
    /// It keeps the message until it is.
    Keep,
    /// It takes the peer for a raw one.
    Raw,
    /// What is sent decides.
    ByPayload,
}

/// A message that is to be sent: its bytes, in parts.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'m> {
    pub payload: Payload,
    pub parts: &'m [&'m [u8]],
    /// How many bytes they are together.
    pub len: usize,
}

impl<'m> Outgoing<'m> {
    #[inline(always)]
    pub(super) fn new(payload: Payload, parts: &'m [&'m [u8]]) -> Outgoing<'m> {
        Outgoing { payload, parts, len: parts.iter().map(|part| part.len()).sum() }
    }
}

/// The queue, and where it goes.
pub(super) struct Sending {
    pub queue: Outbound,
    /// `None`: there is no connection (any more).
    stream: Option<Arc<Stream>>,
    pub undecided: Undecided,
    /// How to speak, as far as that is known from the start: as configured, or as on an earlier connection.
    intended: Framing,
    /// What a full queue means.
    pub policy: SendPolicy,
    /// Threads that wait for room.
    waiting: usize,
}

impl Sending {
    pub(super) fn new(registry: &Registry, stream: Option<Arc<Stream>>) -> Sending {
        let may_decide = registry.role == Role::Client && registry.config.framing == Framing::Auto;
        let undecided = if may_decide && !registry.keeps_unsent() { Undecided::ByPayload } else { Undecided::Keep };
        let config = &registry.config;
        let mut queue = Outbound::new(config.send_buffer, config.send_queue_messages, registry.share());
        if registry.keeps_unsent() {
            queue.keep_unsent();
        }
        // Until the two have agreed on TLS.
        queue.held = stream.as_ref().is_some_and(|stream| stream.tls().is_some());
        Sending { queue, stream, undecided, intended: config.framing, policy: config.send_policy, waiting: 0 }
    }

    /// Speaks as an earlier connection of the same client did, if either way would do.
    pub(super) fn keep_to(&mut self, framing: Framing) {
        if self.intended == Framing::Auto {
            self.intended = framing;
        }
    }

    /// Whether messages have a largest size.
    fn is_bounded(&self) -> bool {
        self.queue.wire != Wire::Raw && self.intended != Framing::Raw
    }

    /// How to begin to speak. A client that may speak either way goes by the first message that it was left, and then
    /// by the first that it is to send.
    pub(super) fn begin(&mut self, registry: &Registry) -> Framing {
        if registry.role == Role::Server || self.intended != Framing::Auto {
            return self.intended;
        }
        self.undecided = Undecided::ByPayload;
        match self.queue.first_kept() {
            None => Framing::Auto,
            Some(Payload::Stream) => Framing::Raw,
            Some(Payload::Text | Payload::Binary) => Framing::Framed,
        }
    }

    pub(super) fn framing(&self) -> Framing {
        match self.queue.wire {
            Wire::Unknown => Framing::Auto,
            Wire::Framed | Wire::Greeted => Framing::Framed,
            Wire::Raw => Framing::Raw,
        }
    }

    pub(super) fn seal(&mut self, why: &'static str) {
        self.queue.seal(why);
    }

    /// Gives up memory that only much traffic needs. A stream that is given back is to be trimmed too, without this
    /// lock: a thread that encrypts may hold its own for long.
    pub(super) fn trim(&mut self) -> Option<Arc<Stream>> {
        self.queue.trim();
        self.stream.clone().filter(|stream| stream.tls().is_some())
    }

    pub(super) fn has_input(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.has_input())
    }

    /// Whether the peer's kernel has acknowledged everything that ours has taken.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.stream.as_ref().is_none_or(|stream| stream.is_acknowledged())
    }

    /// What the kernel knows of the connection.
    pub(super) fn tcp_info(&self) -> Option<TcpInfo> {
        self.stream.as_ref()?.tcp_info()
    }

    /// Of the messages that were sent, those that the kernel has taken whole: an encrypted stream may owe it some.
    pub(super) fn handed_over(&self) -> u64 {
        let owes = self.stream.as_ref().is_some_and(|stream| stream.owes());
        if owes { self.queue.flushed } else { self.queue.sent.messages }
    }

    /// Gives up the connection, and what was to be sent.
    pub(super) fn disconnect(&mut self) {
        self.seal("the session has ended");
        self.queue.end();
        self.stream = None;
    }

    /// Lets a message decide how to speak to a peer that is not known yet, if it may. True: a hello was queued.
    fn decide(&mut self, payload: Payload, registry: &Registry) -> bool {
        match self.undecided {
            Undecided::Keep => {}
            Undecided::ByPayload if payload != Payload::Stream => {
                self.greet(registry);
                self.queue.decide(Wire::Framed);
                return true;
            }
            Undecided::Raw | Undecided::ByPayload => self.queue.decide(Wire::Raw),
        }
        false
    }

    /// Says hello, as a client. Messages follow behind it, or are kept until it is answered if what is not written can
    /// still be sent on another connection.
    pub(super) fn begin_framed(&mut self, registry: &Registry) {
        self.greet(registry);
        if registry.keeps_unsent() {
            self.queue.wire = Wire::Greeted;
        } else {
            self.queue.decide(Wire::Framed);
        }
    }

    /// Queues the hello of a client.
    fn greet(&mut self, registry: &Registry) {
        let mut greeting = PREAMBLE.to_vec();
        let hello = Frame::Hello(registry.hello());
        hello.encode(&mut greeting).expect("a hello is short");
        self.queue.push_control(greeting);
    }
}

impl Session {
    /// Sends a message, which is copied. See [`Session::send_vectored`].
    #[inline]
    pub fn send(self: &Arc<Self>, payload: Payload, data: &[u8]) -> Result<()> {
        self.send_vectored(payload, &[data])
    }

    /// Sends a message that is given in parts. Success means that it was accepted: it is delivered, or counted in the
    /// report of the session's end.
    ///
    /// Fails with `ConnectionClosed`, `MessageTooLarge`, `InvalidArgument` (an empty piece of a stream), and on a full
    /// queue as the [`SendPolicy`] says: with `WouldBlock`, with `SendFailed` after the time to wait or where the
    /// session is ended, or not at all.
    #[inline(always)] // With all it calls for most messages: the calls alone would cost half as much again.
    pub fn send_vectored(self: &Arc<Self>, payload: Payload, parts: &[&[u8]]) -> Result<()> {
        self.send_by(payload, parts, &mut None)
    }

    /// The same with a deadline for the wait for room, which is set when the wait begins if it is not yet.
    #[inline(always)]
    pub(crate) fn send_by(
        self: &Arc<Self>,
        payload: Payload,
        parts: &[&[u8]],
        deadline: &mut Option<Instant>,
    ) -> Result<()> {
        let len = parts.iter().map(|part| part.len()).sum();
        // What is handed on is put together there only: the short way has it in registers.
        if self.registry.compresses(len)
            && let Some(sent) = self.send_compressed(Outgoing { payload, parts, len }, deadline)
        {
            return sent;
        }
        match self.send_granted(payload, parts, len) {
            None => Ok(()),
            Some(sending) => self.send_plain(sending, Outgoing { payload, parts, len }, deadline),
        }
    }

    /// Sends a message the short way if that was granted; else takes the queue.
    #[inline(always)]
    fn send_granted(&self, payload: Payload, parts: &[&[u8]], len: usize) -> Option<MutexGuard<'_, Sending>> {
        let mut sending = lock(&self.sending);
        if len > 0 && self.takes(len) && sending.queue.push_granted(batch::current(), payload, parts, len) {
            drop(sending);
            self.log_sent(payload, len);
            return None;
        }
        sending.queue.revoke();
        Some(sending)
    }

    #[inline(never)]
    fn send_plain<'a>(
        self: &'a Arc<Self>,
        mut sending: MutexGuard<'a, Sending>,
        message: Outgoing<'_>,
        deadline: &mut Option<Instant>,
    ) -> Result<()> {
        let Outgoing { payload, parts, len } = message;
        sending.queue.check_open()?;
        if len == 0 && payload == Payload::Stream {
            return Err(nothing());
        }
        let greeted = sending.queue.wire == Wire::Unknown && sending.decide(payload, &self.registry);
        if sending.is_bounded() {
            self.check_len(len)?;
        }
        let cost = sending.queue.cost(len);
        if greeted && !sending.queue.fits(cost, self.registry.config.send_queue) {
            // Nobody else writes the hello, behind which the message would wait for room.
            self.transmit(sending);
            sending = self.lock_sending();
            sending.queue.check_open()?;
        }
        self.enqueue(sending, message, cost, deadline, |queue| queue.push(payload, parts, len))
    }

    /// Queues a message that takes `cost` bytes, when there is room or as the policy says.
    #[inline(always)]
    fn enqueue<'a>(
        self: &'a Arc<Self>,
        mut sending: MutexGuard<'a, Sending>,
        message: Outgoing<'_>,
        cost: usize,
        deadline: &mut Option<Instant>,
        push: impl FnOnce(&mut Outbound),
    ) -> Result<()> {
        if !sending.queue.fits(cost, self.registry.config.send_queue) {
            let Some(room) = self.make_room(sending, cost, deadline)? else { return Ok(()) };
            sending = room;
        }
        push(&mut sending.queue);
        self.transmit(sending);
        self.log_sent(message.payload, message.len);
        Ok(())
    }

    /// Logs that a message was accepted, if that is wanted. Not under the lock.
    #[inline(always)]
    fn log_sent(&self, payload: Payload, len: usize) {
        if self.registry.config.log_messages {
            self.registry.log_message("sent", self, payload, len);
        }
    }

    /// The longest message that this side and its peer take, if messages have a largest size.
    #[inline]
    fn limit(&self) -> u32 {
        self.registry.max_message().min(self.peer_limit())
    }

    #[inline]
    fn takes(&self, len: usize) -> bool {
        len <= self.limit() as usize
    }

    #[inline]
    fn check_len(&self, len: usize) -> Result<()> {
        if self.takes(len) { Ok(()) } else { Err(too_large(len, self.limit())) }
    }

    /// Sends a broadcast's message as the session's policy says, but waits for nothing. True: the caller is to have the
    /// queue written.
    pub(super) fn send_shared(self: &Arc<Self>, message: &mut SharedMessage<'_>) -> Result<bool> {
        let (payload, data) = (message.payload, message.data);
        // Who takes it compressed speaks the framed protocol.
        let algorithm = self.compress_by().filter(|_| self.registry.compresses(data.len()));
        let mut sending = match algorithm {
            None => match self.send_granted(payload, &[data], data.len()) {
                None => return Ok(false),
                Some(sending) => sending,
            },
            Some(_) => {
                // Before the lock is taken, as above.
                message.framed(algorithm);
                self.lock_sending()
            }
        };
        let framed = message.framed(algorithm);
        sending.queue.check_open()?;
        if sending.queue.wire == Wire::Unknown {
            sending.decide(payload, &self.registry);
        }
        if sending.is_bounded() {
            self.check_len(data.len())?;
        }
        let cost = if sending.queue.wire == Wire::Framed { framed.len() } else { sending.queue.cost(data.len()) };
        if !sending.queue.fits(cost, self.registry.config.send_queue) {
            let Some(room) = self.make_room_without_waiting(sending, cost)? else { return Ok(false) };
            sending = room;
        }
        match sending.queue.wire {
            Wire::Framed => sending.queue.push_shared(framed, 0),
            Wire::Raw => sending.queue.push_shared(framed, HEADER_LEN),
            Wire::Unknown | Wire::Greeted => sending.queue.push(payload, &[data], data.len()),
        }
        let wake = if batch::is_active() {
            self.transmit(sending);
            false
        } else {
            let next = sending.queue.next_step(false);
            drop(sending);
            next == Next::Wake
        };
        self.log_sent(payload, data.len());
        Ok(wake)
    }

    /// Sends a frame of the protocol itself. Runs on the loop, in a batch.
    pub(super) fn send_frame(self: &Arc<Self>, frame: &Frame<'_>) {
        let mut sending = self.lock_sending();
        sending.queue.push_frame(frame);
        self.transmit(sending);
    }

    /// Takes the queue, for whatever but a message that is granted.
    #[inline]
    pub(super) fn lock_sending(&self) -> MutexGuard<'_, Sending> {
        let mut sending = lock(&self.sending);
        sending.queue.revoke();
        sending
    }
}

/// The refusal of an empty piece of a stream.
#[cold]
pub(super) fn nothing() -> Error {
    Error::new(Code::InvalidArgument, "a piece of a stream has at least one byte")
}

/// The refusal of a message that is too large for this side or its peer.
#[cold]
pub(super) fn too_large(len: usize, limit: u32) -> Error {
    Error::new(Code::MessageTooLarge, format!("message of {len} bytes: the limit is {limit} bytes"))
}
