//! Sending: from the user's call through the queue to the kernel, on whatever thread.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::handler::Payload;
use super::outbound::{Next, Outbound, Sent, Wire};
use super::registry::{Registry, Role};
use super::{Session, lock};
use crate::config::{Framing, SendPolicy};
use crate::error::{Code, Error, Result};
use crate::runtime::{batch, on_library_thread};
use crate::sys;
use crate::transport::Stream;
use crate::transport::frame::{Frame, HEADER_LEN, PREAMBLE};
use crate::transport::hello::Hello;

/// A queue that has grown past this is written although the batch has not ended, so that a handler that sends much
/// does not meet a full queue that only its own loop could empty.
const CORK_LIMIT: usize = 256 * 1024;

/// How many chunks a loop writes for one session before others have their turn.
const CHUNKS_PER_TURN: usize = 16;

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

/// Who writes: that decides what happens with the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// The session's driver, which waits for the socket.
    Driver,
    /// A batch, on a loop.
    Batch,
    /// A handler that meets a full queue. It asks the kernel, since its loop, which would be told, waits for it.
    Overfull,
    /// A thread of the user's, which writes once and leaves the rest to the driver.
    Caller,
}

/// The queue, and where it goes.
pub(super) struct Sending {
    pub queue: Outbound,
    /// `None`: there is no connection (any more).
    stream: Option<Arc<Stream>>,
    pub undecided: Undecided,
    /// Threads that wait for room.
    waiting: usize,
}

impl Sending {
    pub(super) fn new(registry: &Registry, stream: Option<Arc<Stream>>) -> Sending {
        let undecided = if registry.role == Role::Client { Undecided::ByPayload } else { Undecided::Keep };
        Sending { queue: Outbound::new(registry.config.send_buffer), stream, undecided, waiting: 0 }
    }

    pub(super) fn framing(&self) -> Framing {
        match self.queue.wire {
            Wire::Unknown => Framing::Auto,
            Wire::Framed => Framing::Framed,
            Wire::Raw => Framing::Raw,
        }
    }

    pub(super) fn counts(&self) -> (Sent, usize) {
        (self.queue.sent, self.queue.queued())
    }

    pub(super) fn seal(&mut self, why: &'static str) {
        self.queue.seal(why);
    }

    pub(super) fn trim(&mut self) {
        self.queue.trim();
    }

    pub(super) fn has_input(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.has_input())
    }

    /// Gives up the connection, and what was to be sent.
    pub(super) fn disconnect(&mut self) {
        self.seal("the session has ended");
        self.queue.end();
        self.stream = None;
    }

    /// Lets a message decide how to speak to a peer that is not known yet, if it may.
    fn decide(&mut self, payload: Payload, registry: &Registry) {
        match self.undecided {
            Undecided::Keep => {}
            Undecided::ByPayload if payload != Payload::Stream => self.greet(registry),
            Undecided::Raw | Undecided::ByPayload => self.queue.decide(Wire::Raw),
        }
    }

    /// Begins to speak the framed protocol, as a client.
    pub(super) fn greet(&mut self, registry: &Registry) {
        let mut greeting = PREAMBLE.to_vec();
        let hello = Frame::Hello(Hello::new(&registry.id, registry.max_message()));
        hello.encode(&mut greeting).expect("a hello is short");
        self.queue.push_control(greeting);
        self.queue.decide(Wire::Framed);
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
    /// queue with `WouldBlock` or, where the policy is to wait, `SendFailed` after the time for that.
    #[inline(always)] // With all it calls for most messages: the calls alone would cost half as much again.
    pub fn send_vectored(self: &Arc<Self>, payload: Payload, parts: &[&[u8]]) -> Result<()> {
        let len = parts.iter().map(|part| part.len()).sum();
        let mut sending = self.lock_sending();
        sending.queue.check_open()?;
        if len == 0 && payload == Payload::Stream {
            return Err(nothing());
        }
        if sending.queue.wire == Wire::Unknown {
            sending.decide(payload, &self.registry);
        }
        if sending.queue.wire != Wire::Raw {
            self.check_len(len)?;
        }
        let cost = sending.queue.cost(len);
        if !sending.queue.fits(cost, self.registry.config.send_queue) {
            sending = self.make_room(sending, cost)?;
        }
        sending.queue.push(payload, parts, len);
        self.transmit(sending);
        Ok(())
    }

    #[inline]
    fn check_len(&self, len: usize) -> Result<()> {
        let limit = self.registry.max_message().min(self.peer_limit());
        if len > limit as usize { Err(too_large(len, limit)) } else { Ok(()) }
    }

    /// What the policy says about a full queue.
    #[cold]
    fn make_room<'a>(
        self: &'a Arc<Self>,
        mut sending: MutexGuard<'a, Sending>,
        cost: usize,
    ) -> Result<MutexGuard<'a, Sending>> {
        let config = &self.registry.config;
        if config.send_policy == SendPolicy::WouldBlock {
            sending.queue.want_room(cost, config.send_queue);
            return Err(Error::new(
                Code::WouldBlock,
                format!(
                    "the outgoing queue holds {} of {} bytes: try again at the writable event",
                    sending.queue.queued(),
                    config.send_queue
                ),
            ));
        }
        if on_library_thread() {
            // First what the kernel takes.
            drop(sending);
            self.write_queue(Writer::Overfull);
            sending = self.lock_sending();
            sending.queue.check_open()?;
            if sending.queue.fits(cost, config.send_hard_limit) {
                if !sending.queue.fits(cost, config.send_queue) {
                    sending.queue.want_room(cost, config.send_queue);
                }
                return Ok(sending);
            }
            drop(sending);
            return Err(self.overrun());
        }
        let deadline = Instant::now() + config.send_timeout;
        sending.waiting += 1;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                sending.waiting -= 1;
                drop(sending);
                let error = Error::new(
                    Code::SendFailed,
                    format!(
                        "there was no room for the message for {} ms: the peer reads too little",
                        config.send_timeout.as_millis()
                    ),
                );
                self.report(error.clone());
                return Err(error);
            }
            sending = self.room.wait_timeout(sending, left).unwrap_or_else(PoisonError::into_inner).0;
            let open = sending.queue.check_open();
            if open.is_err() || sending.queue.fits(cost, config.send_queue) {
                sending.waiting -= 1;
                return open.map(|()| sending);
            }
        }
    }

    /// Ends the session since its peer takes nothing and the queue is at its hard limit.
    #[cold]
    fn overrun(&self) -> Error {
        let error = Error::new(
            Code::SendFailed,
            format!(
                "the peer does not read and the outgoing queue is at its hard limit of {} bytes",
                self.registry.config.send_hard_limit
            ),
        );
        self.fail(error.clone());
        error
    }

    /// Sends a broadcast's message, `framed` with its header. Waits for nothing. True: the caller is to have the queue
    /// written.
    pub(super) fn send_shared(self: &Arc<Self>, payload: Payload, framed: &Bytes) -> Result<bool> {
        let config = &self.registry.config;
        let data = framed.slice(HEADER_LEN..);
        let mut sending = self.lock_sending();
        sending.queue.check_open()?;
        if sending.queue.wire == Wire::Unknown {
            sending.decide(payload, &self.registry);
        }
        if sending.queue.wire != Wire::Raw {
            self.check_len(data.len())?;
        }
        let cost = sending.queue.cost(data.len());
        if !sending.queue.fits(cost, config.send_queue) {
            sending.queue.want_room(cost, config.send_queue);
            if config.send_policy == SendPolicy::WouldBlock {
                return Err(Code::WouldBlock.into());
            }
            if !sending.queue.fits(cost, config.send_hard_limit) {
                drop(sending);
                return Err(self.overrun());
            }
        }
        match sending.queue.wire {
            Wire::Framed => sending.queue.push_shared(framed),
            Wire::Raw => sending.queue.push_shared(&data),
            Wire::Unknown => sending.queue.push(payload, &[&data], data.len()),
        }
        if batch::is_active() {
            self.transmit(sending);
            return Ok(false);
        }
        Ok(sending.queue.next_step(false) == Next::Wake)
    }

    /// Sends a frame of the protocol itself. Runs on the loop, in a batch.
    pub(super) fn send_frame(self: &Arc<Self>, frame: &Frame<'_>) {
        let mut sending = self.lock_sending();
        sending.queue.push_frame(frame);
        self.transmit(sending);
    }

    /// Sees to it that what was queued is written.
    #[inline(always)]
    pub(super) fn transmit(self: &Arc<Self>, mut sending: MutexGuard<'_, Sending>) {
        let Some(thread) = batch::current() else {
            let next = sending.queue.next_step(!batch::leaves_writes());
            drop(sending);
            match next {
                Next::Nothing => {}
                Next::Write => self.write_queue(Writer::Caller),
                Next::Wake => self.kick(),
            }
            return;
        };
        let newly = sending.queue.mark_dirty(thread);
        let large = sending.queue.queued() > CORK_LIMIT;
        drop(sending);
        if newly {
            batch::flush_at_end(Arc::clone(self) as Arc<dyn batch::Flush>);
        }
        if large {
            self.write_queue(Writer::Batch);
        }
    }

    /// Writes what is queued, as far as the kernel takes it and unless somebody does so already.
    pub(super) fn write_queue(&self, writer: Writer) {
        let mut sending = self.lock_sending();
        let Some(stream) = sending.stream.clone() else { return };
        if writer == Writer::Overfull {
            sending.queue.unblock();
        }
        if !sending.queue.begin_writing(writer == Writer::Driver) {
            return;
        }
        let mut turns = if writer == Writer::Caller { 1 } else { CHUNKS_PER_TURN };
        let mut wake = false;
        while let Some(chunk) = sending.queue.next_chunk() {
            drop(sending);
            let outcome = if writer == Writer::Overfull {
                stream.write_now(chunk.rest())
            } else {
                stream.try_write(chunk.rest())
            };
            sending = self.lock_sending();
            let all = sending.queue.written(chunk, *outcome.as_ref().unwrap_or(&0));
            match outcome {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
                    sending.queue.fail(Error::os(Code::SendFailed, "cannot send", &error));
                    wake = true;
                    break;
                }
                _ if !all => {
                    sending.queue.block();
                    wake = writer != Writer::Driver;
                    break;
                }
                _ => {}
            }
            turns -= 1;
            if turns == 0 {
                wake = sending.queue.hand_over();
                break;
            }
        }
        sending.queue.sent.last_ns = sys::monotonic_ns();
        let open = sending.queue.is_open();
        // A driver that closes waits for the queue to be empty.
        wake |= sending.queue.is_writable_due() || (!open && writer != Writer::Driver);
        let room = sending.waiting > 0 && (!open || sending.queue.queued() <= self.registry.config.send_queue / 2);
        drop(sending);
        if room {
            self.room.notify_all();
        }
        if wake {
            self.kick();
        }
    }

    #[inline]
    pub(super) fn lock_sending(&self) -> MutexGuard<'_, Sending> {
        lock(&self.sending)
    }
}

impl batch::Flush for Session {
    fn flush(&self) {
        self.write_queue(Writer::Batch);
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
