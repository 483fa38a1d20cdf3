//! The short way of a message into the queue, for one that follows many.
//!
//! A send has much to ask: is the queue open, what does the peer speak, is there room for the bytes and the message, who
//! is to write. While nobody else touches the queue, the answers for the next message are those for the last one. So a
//! send that found them leaves a grant: until it is used up, messages are appended with no further question. Whoever
//! takes the queue for anything else revokes the grant, see [`Session::lock_sending`](crate::session::Session).

use std::num::NonZeroU32;

use super::chunk::{CHUNK, Chunk, Data, Ends, fill};
use super::{Outbound, Wire};
use crate::session::handler::Payload;
use crate::transport::frame;

/// What may be appended with no further question.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grant {
    /// The thread whose batch will flush the queue; `None`: sends from outside of batches, which somebody writes.
    thread: Option<NonZeroU32>,
    /// How many bytes, headers included,
    bytes: usize,
    /// and messages.
    messages: u64,
}

impl Outbound {
    /// Lets messages of `thread`'s batch, or from outside of batches, follow the last one, as long as no more than
    /// `limit` bytes are in the queue. To be called when nothing is to be done about the last one.
    #[inline]
    pub(crate) fn grant(&mut self, thread: Option<NonZeroU32>, limit: usize) {
        if let Some(Chunk { data: Data::Owned(data), len, ends: Ends::Many(_), .. }) = self.chunks.back()
            && matches!(self.wire, Wire::Framed | Wire::Raw)
            && !self.share.is_full()
        {
            let room = data.len().min(CHUNK).saturating_sub(*len);
            let bytes = room.min(limit.saturating_sub(self.queued + self.promised.bytes));
            let messages = self.max_messages.saturating_sub(self.queued_messages() + self.promised.messages);
            self.grant = Grant { thread, bytes, messages };
        }
    }

    /// Ends the grant.
    #[inline]
    pub(crate) fn revoke(&mut self) {
        self.grant.bytes = 0;
    }

    /// Appends a message, of which there is at least one byte, if that is granted.
    #[inline(always)]
    pub(crate) fn push_granted(
        &mut self,
        thread: Option<NonZeroU32>,
        payload: Payload,
        parts: &[&[u8]],
        len: usize,
    ) -> bool {
        let header = match self.wire {
            Wire::Framed => Some(frame::Header::plain(payload.frame_kind() as u8, len as u32).encode()),
            _ => None,
        };
        let total = len + header.map_or(0, |header| header.len());
        if total >= CHUNK || total > self.grant.bytes || self.grant.messages == 0 || self.grant.thread != thread {
            return false;
        }
        let Some(Chunk { data: Data::Owned(data), len: end, ends: Ends::Many(ends), .. }) = self.chunks.back_mut()
        else {
            return false;
        };
        let Some(room) = data.get_mut(*end..*end + total) else { return false };
        fill(room, header, parts);
        *end += total;
        ends.push(*end as u32);
        self.accepted += 1;
        self.queued += total;
        self.grant.bytes -= total;
        self.grant.messages -= 1;
        true
    }
}
