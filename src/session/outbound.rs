//! The outgoing queue of a session: what sends accepted and the kernel has not taken yet.
//!
//! Messages are gathered in chunks, one write each. A chunk that is being written is out of the queue, so that sends
//! of other threads need not wait for the write. Nothing here does I/O or knows the session.

mod chunk;
mod dropping;
mod grant;
mod kept;
mod pool;
mod room;
mod taking_back;

use std::collections::VecDeque;
use std::num::NonZeroU32;

use bytes::Bytes;

pub(crate) use self::chunk::Chunk;
use self::chunk::{CHUNK, Data, Ends, fill};
use self::grant::Grant;
use self::kept::Kept;
pub(crate) use self::pool::trim as trim_pool;
pub(crate) use self::taking_back::{Room, Unsent};
use crate::error::{Code, Error};
use crate::runtime::Share;
use crate::session::handler::Payload;
use crate::transport::compression::Algorithms;
use crate::transport::frame::{self, Frame, HEADER_LEN};

/// The most answers and receipts that are queued for a peer.
const CONTROL_FRAMES: usize = 256;
/// How many buffers are kept while messages flow, if they are as large as this.
const SPARES: usize = 4;
const SPARE: usize = 64 * 1024;
/// A broadcast's message of this size or more is shared by its sessions; shorter ones are copied, to be gathered.
const SHARED: usize = 64 * 1024;
/// How many sends in a row write by themselves before the loop is left to gather them.
const INLINE_WRITES: u8 = 8;
/// Where the loop finds this much to write at once, the sender is so fast that it is left to write full chunks itself.
const RUSH: usize = 16 * 1024;
/// How many messages in a row the loop writes one at a time before sends write by themselves again.
const LONE_MESSAGES: u8 = 4;

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

/// What a send is to do after it queued a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: somebody is at it already, or the socket is full.
    Nothing,
    /// Write at once.
    Write,
    /// Wake the session's driver, which writes.
    Wake,
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

    /// Queues a message, given in parts that add up to `len` bytes.
    #[inline(always)]
    pub(crate) fn push(&mut self, payload: Payload, parts: &[&[u8]], len: usize) {
        self.accepted += 1;
        if len == 0 && self.wire == Wire::Raw {
            self.sent.messages += 1;
            return;
        }
        self.queued += self.cost(len);
        match self.wire {
            Wire::Framed => {
                let header = frame::Header::plain(payload.frame_kind() as u8, len as u32);
                self.append(Some(header.encode()), parts, HEADER_LEN + len);
            }
            Wire::Raw => self.append(None, parts, len),
            Wire::Unknown | Wire::Greeted => {
                self.share.grow(HEADER_LEN + len);
                self.unframed.push_back(Kept::plain(payload, parts.concat()));
            }
        }
    }

    /// Appends a message of `total` bytes to the last chunk, or to a new one.
    #[inline(always)]
    fn append(&mut self, header: Option<[u8; HEADER_LEN]>, parts: &[&[u8]], total: usize) {
        if total < CHUNK
            && let Some(Chunk { data: Data::Owned(data), len, ends: Ends::Many(ends), .. }) = self.chunks.back_mut()
            && *len < CHUNK
            && let Some(room) = data.get_mut(*len..*len + total)
        {
            fill(room, header, parts);
            *len += total;
            ends.push(*len as u32);
        } else {
            self.append_slowly(header, parts, total);
        }
    }

    /// The same where the last chunk gathers no messages yet, or has no room.
    ///
    /// A batch gathers in a buffer of its loop's. Elsewhere only the second message shows that there is something to
    /// gather: the first one's buffer is as large as that message, so that a dialogue needs little memory.
    #[inline(never)]
    fn append_slowly(&mut self, header: Option<[u8; HEADER_LEN]>, parts: &[&[u8]], total: usize) {
        if total < CHUNK
            && let Some(Chunk { data: Data::Owned(data), len, ends, .. }) = self.chunks.back_mut()
            && *len < CHUNK
            && let Some(ends) = ends.gathering(*len)
        {
            let end = *len + total;
            let before = data.capacity();
            if data.len() < end {
                // Full chunks are to have no room that no message will fill.
                data.resize(end.max((2 * *len).max(self.capacity).min(CHUNK + total)), 0);
            }
            fill(&mut data[*len..end], header, parts);
            *len = end;
            ends.push(end as u32);
            let more = data.capacity() - before;
            self.share.grow(more);
            return;
        }
        let spare = self.spare.pop_if(|(data, _)| data.len() >= total);
        let borrowed = if spare.is_none() { pool::take(total) } else { None };
        if let Some((data, _)) = &borrowed {
            self.share.grow(data.capacity());
        }
        let (data, ends) = if let Some((mut data, mut ends)) = spare.or(borrowed) {
            fill(&mut data[..total], header, parts);
            ends.push(total as u32);
            (data, Ends::Many(ends))
        } else {
            let mut data = Vec::with_capacity(total);
            data.extend_from_slice(header.as_ref().map_or(&[], |header| header));
            parts.iter().for_each(|part| data.extend_from_slice(part));
            self.share.grow(data.capacity());
            (data, Ends::One)
        };
        self.push_chunk(Chunk { data: Data::Owned(data), len: total, written: 0, ends, counted: 0 });
    }

    pub(super) fn push_chunk(&mut self, chunk: Chunk) {
        if self.chunks.capacity() == 0 {
            // In a dialogue there is one at a time: a list that grows by itself begins with room for four.
            self.chunks.reserve_exact(1);
        }
        self.chunks.push_back(chunk);
    }

    /// Queues a message whose bytes on the wire are `bytes`.
    pub(crate) fn push_encoded(&mut self, bytes: &[u8]) {
        self.accepted += 1;
        self.queued += bytes.len();
        self.append(None, &[bytes], bytes.len());
    }

    /// Queues a broadcast's message, whose bytes on the wire are those of `frame` from `start` on.
    pub(crate) fn push_shared(&mut self, frame: &Bytes, start: usize) {
        let len = frame.len() - start;
        if len < SHARED {
            self.push_encoded(&frame[start..]);
            return;
        }
        self.accepted += 1;
        self.queued += len;
        self.push_chunk(Chunk::single(Data::Shared(frame.slice(start..)), Ends::One));
    }

    /// Queues bytes of the protocol itself.
    pub(crate) fn push_control(&mut self, data: Vec<u8>) {
        self.control += 1;
        self.share.grow(data.capacity());
        self.queued += data.len();
        self.push_chunk(Chunk::single(Data::Owned(data), Ends::Control));
    }

    /// Whether so many frames of the protocol wait that the peer cannot be reading: it gets no further answers.
    pub(crate) fn is_control_full(&self) -> bool {
        self.control >= CONTROL_FRAMES
    }

    /// Queues a frame of the protocol itself.
    pub(crate) fn push_frame(&mut self, frame: &Frame<'_>) {
        let mut data = Vec::new();
        if frame.encode(&mut data).is_ok() {
            self.push_control(data);
        }
    }

    /// The peer is known to speak `wire` now: what waited for that is encoded.
    pub(crate) fn decide(&mut self, wire: Wire) {
        self.wire = wire;
        for kept in std::mem::take(&mut self.unframed) {
            self.queued -= kept.cost();
            self.share.shrink(kept.cost());
            self.accepted -= 1;
            self.push_kept(&kept);
        }
    }

    /// What the thread that queued something is to do about it. `may_write`: whether it may write by itself.
    pub(crate) fn next_step(&mut self, may_write: bool) -> Next {
        if self.held || self.blocked || self.chunks.is_empty() {
            return Next::Nothing;
        }
        if !self.writing && self.chunks.len() == 1 && may_write && self.inline_writes < INLINE_WRITES {
            self.inline_writes += 1;
            return Next::Write;
        }
        if self.rushing && may_write && !self.writing && self.chunks.front().is_some_and(|chunk| chunk.len >= CHUNK) {
            self.rushed = true;
            return Next::Write;
        }
        if self.writing || self.woken || self.gathering {
            // Whoever writes goes on until the queue is empty, or wakes the driver; which is awake, or will be soon.
            return Next::Nothing;
        }
        self.woken = true;
        Next::Wake
    }

    /// Notes that the batch of `thread` will flush it; false if it will already.
    #[inline]
    pub(crate) fn mark_dirty(&mut self, thread: NonZeroU32) -> bool {
        self.dirty.replace(thread) != Some(thread)
    }

    /// Becomes the writer; false if nothing is to be written or somebody writes.
    pub(crate) fn begin_writing(&mut self, by_driver: bool) -> bool {
        self.dirty = None;
        self.woken = false;
        self.by_driver = by_driver;
        if self.held || self.blocked || self.writing || self.failed.is_some() || self.chunks.is_empty() {
            return false;
        }
        self.writing = true;
        true
    }

    /// The next chunk to write. `None`: the queue is empty, and the writer is no writer any more.
    pub(crate) fn next_chunk(&mut self) -> Option<Chunk> {
        debug_assert!(self.writing);
        while let Some(chunk) = self.chunks.pop_front() {
            let chunk = if matches!(chunk.data, Data::Packed(_)) { self.unpack(&chunk) } else { Some(chunk) };
            if chunk.is_some() {
                return chunk;
            }
        }
        self.writing = false;
        None
    }

    /// Takes back a chunk of which `len` bytes more were written; true if that was all, and the writer is to go on.
    pub(crate) fn written(&mut self, mut chunk: Chunk, len: usize) -> bool {
        if self.ended {
            return false;
        }
        let (_, before) = chunk.messages_until(chunk.written);
        chunk.written += len;
        self.queued -= len;
        self.sent.wire += len as u64;
        let (count, end) = chunk.messages_until(chunk.written);
        let messages = count - chunk.counted;
        if messages > 0 {
            chunk.counted = count;
            let overhead = if self.wire == Wire::Framed { HEADER_LEN * messages } else { 0 };
            self.sent.messages += messages as u64;
            self.sent.payload += (end - before - overhead) as u64;
            if !self.agreed.is_empty() {
                self.count_compressed(&chunk, count - messages..count);
            }
        }
        if self.dropping {
            self.put_by_first(&chunk);
            self.queued -= chunk.truncate();
        }
        if chunk.written < chunk.len {
            let before = chunk.size();
            pool::vacate(&mut chunk);
            self.share.shrink(before - chunk.size());
            self.chunks.push_front(chunk);
            return false;
        }
        if matches!(chunk.ends, Ends::Control) {
            self.control -= 1;
        }
        if self.by_driver && count > 0 && (count > 1 || chunk.len < CHUNK) {
            if chunk.len >= RUSH && self.inline_writes == INLINE_WRITES {
                self.rushing = true;
                self.rushed = true;
            }
            self.lone_messages = if count == 1 { self.lone_messages + 1 } else { 0 };
            if self.lone_messages == LONE_MESSAGES {
                // The loop gathers nothing: sends may as well write by themselves again.
                self.inline_writes = 0;
                self.lone_messages = 0;
            }
        }
        let size = chunk.size();
        if let Data::Owned(data) = &mut chunk.data
            && (SPARE..=2 * CHUNK).contains(&data.len())
            && self.spare.len() < SPARES
        {
            let data = std::mem::take(data);
            let mut ends = if let Ends::Many(ends) = chunk.ends { ends } else { Vec::new() };
            ends.clear();
            self.spare.push((data, ends));
        } else {
            self.share.shrink(size);
            pool::take_back(chunk);
        }
        true
    }

    /// Stops writing and leaves the rest to the driver, which is to be woken if true.
    pub(crate) fn hand_over(&mut self) -> bool {
        self.writing = false;
        !self.chunks.is_empty() && !self.gathering && !std::mem::replace(&mut self.woken, true)
    }

    /// Whether the driver is to leave what is queued to a sender that will soon have filled a chunk.
    pub(crate) fn begin_gathering(&mut self) -> bool {
        self.gathering =
            self.rushing && self.queued < CHUNK && !self.blocked && self.writable_at.is_none() && self.is_open();
        self.gathering
    }

    /// The driver has waited for long enough, and writes. A sender that filled no chunk meanwhile is not that fast.
    pub(crate) fn end_gathering(&mut self) {
        self.gathering = false;
        self.rushing = std::mem::take(&mut self.rushed);
    }

    /// Stops writing since the kernel takes no more. The driver is to be woken if it is not the one.
    pub(crate) fn block(&mut self) {
        self.writing = false;
        self.blocked = true;
    }

    /// Whether there is nothing for the driver to do. `thread`: the one that it runs on, whose batch will flush what
    /// was queued in it, and wakes the driver should something be left.
    pub(crate) fn is_idle(&self, thread: Option<NonZeroU32>) -> bool {
        let flushed = self.queued == 0 || (thread.is_some() && self.dirty == thread);
        flushed && !self.blocked && self.failed.is_none() && self.writable_at.is_none()
    }

    /// Whether the driver has to wait for the socket.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// The socket takes bytes again.
    pub(crate) fn unblock(&mut self) {
        self.blocked = false;
    }

    /// The kernel has taken all that has come back from being written.
    pub(crate) fn set_flushed(&mut self) {
        self.flushed = self.sent.messages;
    }

    /// Stops writing for good.
    pub(crate) fn fail(&mut self, error: Error) {
        self.writing = false;
        self.break_off(error);
    }

    /// Has nobody begin to write any more.
    pub(crate) fn break_off(&mut self, error: Error) {
        self.failed.get_or_insert_with(|| Box::new(error));
    }

    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failed.as_deref()
    }

    /// The peer answers: it is a dialogue, where a write at once is better than gathering.
    pub(crate) fn heard(&mut self) {
        self.inline_writes = 0;
        self.rushing = false;
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
