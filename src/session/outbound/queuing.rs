//! Queuing messages, gathered in chunks, and frames of the protocol itself.

use bytes::Bytes;

use super::chunk::{CHUNK, Data, Ends, fill};
use super::kept::Kept;
use super::{Chunk, Outbound, Wire, pool};
use crate::session::handler::Payload;
use crate::transport::frame::{self, Frame, HEADER_LEN};

/// The most answers and receipts that are queued for a peer.
const CONTROL_FRAMES: usize = 256;
/// A broadcast's message of this size or more is shared by its sessions; shorter ones are copied, to be gathered.
const SHARED: usize = 64 * 1024;

impl Outbound {
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
}
