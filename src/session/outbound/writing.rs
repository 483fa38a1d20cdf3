//! Writing the queue: who does it, when, and what a write leaves.

use std::num::NonZeroU32;

use super::chunk::{CHUNK, Data, Ends};
use super::{Chunk, Outbound, Wire, pool};
use crate::error::Error;
use crate::transport::frame::HEADER_LEN;

/// How many buffers are kept while messages flow, if they are as large as this.
const SPARES: usize = 4;
const SPARE: usize = 64 * 1024;
/// How many sends in a row write by themselves before the loop is left to gather them.
pub(super) const INLINE_WRITES: u8 = 8;
/// Where the loop finds this much to write at once, the sender is so fast that it is left to write full chunks itself.
pub(super) const RUSH: usize = 16 * 1024;
/// How many messages in a row the loop writes one at a time before sends write by themselves again.
const LONE_MESSAGES: u8 = 4;

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

impl Outbound {
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
}
