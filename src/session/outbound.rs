//! The outgoing queue of a session: what sends accepted and the kernel has not taken yet.
//!
//! Messages are gathered in chunks, one write each. A chunk that is being written is out of the queue, so that sends
//! of other threads need not wait for the write. Nothing here does I/O or knows the session.

mod chunk;
mod dropping;
mod grant;
mod kept;
mod pool;
mod queuing;
mod room;
mod taking_back;
mod writing;

use std::collections::VecDeque;
use std::num::NonZeroU32;

use self::chunk::CHUNK;
pub(crate) use self::chunk::Chunk;
use self::grant::Grant;
use self::kept::Kept;
pub(crate) use self::pool::trim as trim_pool;
pub(crate) use self::taking_back::{Room, Unsent};
pub(crate) use self::writing::Next;
use crate::error::{Code, Error};
use crate::runtime::Share;
use crate::transport::compression::Algorithms;
use crate::transport::frame::HEADER_LEN;

/// What the peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Not known: messages are kept as they are.
    Unknown,
    /// The framed protocol, but messages are kept as they are until the peer has answered the hello.
    Greeted,
    /// The framed protocol.
    Framed,
    /// Bytes.
    Raw,
}

/// How many messages and payload bytes the kernel took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub messages: u64,
    pub payload: u64,
    pub wire: u64,
    /// Of these, what travelled compressed.
    pub compressed: SentCompressed,
    /// When the kernel took something last.
    pub last_ns: u64,
}

/// How many messages travelled compressed, how many bytes they have, and how many they took on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SentCompressed {
    pub messages: u64,
    pub payload: u64,
    pub wire: u64,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Outbound {
    chunks: VecDeque<Chunk>,
    /// Messages that wait for the framing to be known.
    unframed: VecDeque<Kept>,
    pub wire: Wire,
    /// How messages may be compressed, as far as that was agreed.
    pub agreed: Algorithms,
    /// Frames of the protocol itself in the queue.
    control: usize,
    /// Bytes in the queue, the chunk that is being written included.
    queued: usize,
    /// Somebody writes,
    writing: bool,
    /// and it is the driver.
    by_driver: bool,
    /// The kernel takes no more; the driver waits until it does.
    blocked: bool,
    /// Nothing may be written yet.
    pub held: bool,
    /// The thread whose batch will flush it.
    dirty: Option<NonZeroU32>,
    /// The driver has been woken to write.
    woken: bool,
    /// No further message is taken; the text says why.
    sealed: Option<&'static str>,
    /// What has not been begun is to be dropped.
    dropping: bool,
    /// The session has ended, and the queue with it.
    ended: bool,
    /// The write that failed.
    failed: Option<Box<Error>>,
    /// Sends in a row that wrote by themselves.
    inline_writes: u8,
    /// Messages in a row that the driver wrote one at a time.
    lone_messages: u8,
    /// A sender on another thread is so fast that it writes full chunks itself; the loop writes only what is left when
    /// it pauses.
    rushing: bool,
    /// It has written one since the loop looked.
    rushed: bool,
    /// The loop has begun to wait for it to pause.
    gathering: bool,
    /// Buffers for the next chunks, kept from large ones, as more will follow soon.
    spare: Vec<(Vec<u8>, Vec<u32>)>,
    /// The first capacity of a chunk that gathers messages.
    capacity: usize,
    /// Tell the user when no more than this is queued.
    writable_at: Option<usize>,
    /// Messages of which nothing was written, and that will not be written here; `None`: they are dropped.
    unsent: Option<Box<Unsent>>,
    /// Room that is kept for messages of an earlier connection.
    promised: Room,
    /// What its buffers have of the context's budget.
    share: Share,
    /// The most messages in the queue.
    max_messages: u64,
    /// What may follow the last message with no further question.
    grant: Grant,
    /// Messages accepted.
    pub accepted: u64,
    /// Of these, the ones that were given up while the session goes on.
    pub dropped: u64,
    pub sent: Sent,
    /// How many messages were sent when the stream last owed nothing to the kernel.
    pub flushed: u64,
}

impl Outbound {
    pub(crate) fn new(capacity: usize, max_messages: Option<NonZeroU32>, share: Share) -> Outbound {
        Outbound {
            chunks: VecDeque::new(),
            unframed: VecDeque::new(),
            wire: Wire::Unknown,
            agreed: Algorithms::NONE,
            control: 0,
            queued: 0,
            writing: false,
            blocked: false,
            held: false,
            dirty: None,
            by_driver: false,
            woken: false,
            sealed: None,
            dropping: false,
            ended: false,
            failed: None,
            inline_writes: 0,
            lone_messages: 0,
            rushing: false,
            rushed: false,
            gathering: false,
            spare: Vec::new(),
            // No chunk grows much beyond that, and the room in it is cleared.
            capacity: capacity.min(CHUNK),
            writable_at: None,
            unsent: None,
            promised: Room::default(),
            share,
            max_messages: max_messages.map_or(u64::MAX, |most| most.get().into()),
            grant: Grant::default(),
            accepted: 0,
            dropped: 0,
            sent: Sent::default(),
            flushed: 0,
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// How many bytes a message takes in the queue.
    pub(crate) fn cost(&self, len: usize) -> usize {
        if self.wire == Wire::Raw { len } else { HEADER_LEN + len }
    }

    /// Whether messages are taken.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.sealed.is_none() && self.failed.is_none()
    }

    /// Why no message is taken any more.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_open() { Ok(()) } else { Err(self.closed()) }
    }

    #[cold]
    fn closed(&self) -> Error {
        match (self.sealed, &self.failed) {
            (None, Some(error)) => Error {
                code: Code::ConnectionClosed,
                os_code: error.os_code,
                message: format!("the connection was lost: {error}").into(),
            },
            (why, _) => Error::new(Code::ConnectionClosed, why.unwrap_or_default()),
        }
    }

    /// Takes no further message.
    pub(crate) fn seal(&mut self, why: &'static str) {
        self.sealed.get_or_insert(why);
        self.put_by_writable();
    }

    /// Whether all that was queued has been written.
    pub(crate) fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Drops the messages of which nothing was written.
    pub(crate) fn drop_unsent(&mut self) {
        self.dropping = true;
        self.put_by_chunks();
        self.drop_unframed();
        let mut removed = 0;
        self.chunks.retain_mut(|chunk| {
            removed += chunk.truncate();
            let kept = chunk.written < chunk.len;
            if !kept {
                self.share.shrink(chunk.size());
            }
            kept
        });
        // A chunk that is being written is not here: `written` takes care of it.
        self.queued -= removed;
    }

    /// Gives up all that is in the queue. What is being written is given up when it comes back.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.unframed = VecDeque::new();
        self.spare = Vec::new();
        self.chunks = VecDeque::new();
        self.queued = 0;
        self.share.set(0);
    }

    /// Drops what a peer does not take that could not say so before.
    pub(crate) fn drop_larger(&mut self, limit: u32) {
        let mut removed = 0;
        let before = self.unframed.len();
        self.unframed.retain(|kept| {
            let fits = kept.message_len() <= limit as usize;
            removed += if fits { 0 } else { kept.cost() };
            fits
        });
        self.queued -= removed;
        self.share.shrink(removed);
        self.dropped += (before - self.unframed.len()) as u64;
    }

    /// Gives up memory that only a fast sender needs.
    pub(crate) fn trim(&mut self) {
        if self.queued == 0 {
            let spare = std::mem::take(&mut self.spare);
            self.share.shrink(spare.iter().map(|(data, _)| data.capacity()).sum());
            if self.chunks.is_empty() {
                self.chunks = VecDeque::new();
            }
        }
    }
}

#[cfg(test)]
mod tests;
