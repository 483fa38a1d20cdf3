//! Taking messages out of the queue of a connection that is lost, and into that of the next one.

use std::collections::VecDeque;

use super::{Chunk, HEADER_LEN, Outbound, Wire};
use crate::session::handler::Payload;
use crate::transport::frame::{Header, Kind};

/// Messages of a queue of which nothing was written, in the order in which they were accepted.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pub messages: VecDeque<(Payload, Vec<u8>)>,
    /// When the user is to be told of room: as the queue had it.
    writable_at: Option<usize>,
}

impl Unsent {
    /// How many payload bytes the messages have.
    pub(crate) fn bytes(&self) -> usize {
        self.messages.iter().map(|(_, data)| data.len()).sum()
    }
}

impl Outbound {
    /// Keeps what would be dropped, for [`Outbound::take_unsent`].
    pub(crate) fn keep_unsent(&mut self) {
        self.unsent.get_or_insert_default();
    }

    /// Takes no message any more, and gives back those of which nothing was written; none unless
    /// [`Outbound::keep_unsent`] was called. Nobody may be writing.
    pub(crate) fn take_unsent(&mut self) -> Unsent {
        if self.unsent.is_none() {
            return Unsent::default();
        }
        self.drop_unsent();
        let messages = self.unsent.take().unwrap_or_default();
        Unsent { messages, writable_at: self.writable_at.take() }
    }

    /// Puts messages of an earlier connection before those that are kept here until the peer is known. What was
    /// promised is given with that.
    pub(crate) fn prepend(&mut self, unsent: Unsent) {
        debug_assert!(matches!(self.wire, Wire::Unknown | Wire::Greeted));
        self.promised = 0;
        self.writable_at = self.writable_at.or(unsent.writable_at);
        for (payload, data) in unsent.messages.into_iter().rev() {
            self.accepted += 1;
            self.queued += HEADER_LEN + data.len();
            self.unframed.push_front((payload, data));
        }
    }

    /// Keeps room for the messages of an earlier connection, which has so many bytes queued.
    pub(crate) fn promise(&mut self, bytes: usize) {
        self.promised = bytes;
    }

    /// What the first message is that is kept until it is known how the peer speaks.
    pub(crate) fn first_kept(&self) -> Option<Payload> {
        self.unframed.front().map(|&(payload, _)| payload)
    }

    /// The peer will not be known any more: what was kept for it will not be written.
    pub(crate) fn give_up_kept(&mut self) {
        if self.wire == Wire::Greeted {
            self.drop_unframed();
            self.wire = Wire::Framed;
        }
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.writing
    }

    /// Drops, or puts by, the messages that wait for the framing to be known.
    pub(super) fn drop_unframed(&mut self) {
        for message in std::mem::take(&mut self.unframed) {
            self.queued -= HEADER_LEN + message.1.len();
            if let Some(unsent) = &mut self.unsent {
                unsent.push_back(message);
            }
        }
    }

    /// Puts by what is about to be dropped from the chunks.
    pub(super) fn put_by_chunks(&mut self) {
        let Some(mut unsent) = self.unsent.take() else { return };
        self.chunks.iter().for_each(|chunk| self.messages_of(chunk, |message| unsent.push_back(message)));
        self.unsent = Some(unsent);
    }

    /// The same for a chunk that was being written: it comes before all others.
    pub(super) fn put_by_first(&mut self, chunk: &Chunk) {
        let Some(mut unsent) = self.unsent.take() else { return };
        let mut first = VecDeque::new();
        self.messages_of(chunk, |message| first.push_back(message));
        first.append(&mut unsent);
        self.unsent = Some(first);
    }

    /// The messages of a chunk of which nothing was written, without their headers.
    fn messages_of(&self, chunk: &Chunk, mut each: impl FnMut((Payload, Vec<u8>))) {
        chunk.for_each_not_begun(|bytes| {
            each(match bytes.split_first_chunk() {
                Some((header, data)) if self.wire != Wire::Raw => (payload_of(header), data.to_vec()),
                _ => (Payload::Stream, bytes.to_vec()),
            });
        });
    }
}

/// What a message of the framed protocol is, by its header.
fn payload_of(header: &[u8; HEADER_LEN]) -> Payload {
    match Header::decode(header) {
        Ok(header) if header.kind == Kind::Text as u8 => Payload::Text,
        _ => Payload::Binary,
    }
}
