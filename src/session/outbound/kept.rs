//! Messages that are kept without a header, until it is known how the peer takes them, and compressed ones in the queue.

use std::ops::Range;

use super::chunk::{Data, Ends};
use super::{Chunk, HEADER_LEN, Outbound, Wire};
use crate::session::handler::Payload;
use crate::transport::compression::{Compressed, Decompressor};
use crate::transport::frame::{Header, Kind};

/// A message that waits for another connection, or for the peer to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub payload: Payload,
    /// How it is compressed; 0: not at all.
    flags: u8,
    /// The message, or the payload that carries it compressed.
    pub data: Vec<u8>,
}

impl Kept {
    pub(super) fn plain(payload: Payload, data: Vec<u8>) -> Kept {
        Kept { payload, flags: 0, data }
    }

    /// A message that was to go out as these bytes.
    pub(super) fn of_wire(wire: Wire, bytes: &[u8]) -> Kept {
        match bytes.split_first_chunk() {
            Some((header, data)) if wire != Wire::Raw => {
                let header = Header::decode(header).unwrap_or(Header::plain(Kind::Binary as u8, 0));
                let payload = if header.kind == Kind::Text as u8 { Payload::Text } else { Payload::Binary };
                Kept { payload, flags: header.flags, data: data.to_vec() }
            }
            _ => Kept::plain(Payload::Stream, bytes.to_vec()),
        }
    }

    /// What it takes in the queue.
    pub(super) fn cost(&self) -> usize {
        HEADER_LEN + self.data.len()
    }

    fn header(&self) -> Header {
        Header { len: self.data.len() as u32, kind: self.payload.frame_kind() as u8, flags: self.flags }
    }

    fn compressed(&self) -> Option<Compressed<'_>> {
        Compressed::decode(self.header(), &self.data).ok().flatten()
    }

    /// How long the message is.
    pub(super) fn message_len(&self) -> usize {
        self.compressed().map_or(self.data.len(), |message| message.message_len as usize)
    }
}

impl Outbound {
    /// Queues what was kept, in a form that the peer takes: another connection's may have agreed to more.
    pub(super) fn push_kept(&mut self, kept: &Kept) {
        let Some(message) = kept.compressed() else {
            self.push(kept.payload, &[&kept.data], kept.data.len());
            return;
        };
        let frame = [&kept.header().encode()[..], &kept.data].concat();
        if self.agreed.contains(message.algorithm) {
            self.push_encoded(&frame);
            return;
        }
        // It was a framed connection's, and the next one speaks the same way. Unpacked all at once, many messages might
        // take any amount of memory.
        debug_assert_eq!(self.wire, Wire::Framed);
        self.accepted += 1;
        self.queued += frame.len();
        self.share.grow(frame.capacity());
        self.push_chunk(Chunk::single(Data::Packed(frame), Ends::One));
    }

    /// Unpacks a message that is to be written; `None`: it is dropped since that cannot be done.
    pub(super) fn unpack(&mut self, packed: &Chunk) -> Option<Chunk> {
        self.queued -= packed.len;
        self.share.shrink(packed.size());
        let kept = Kept::of_wire(Wire::Framed, packed.message(0));
        let mut decompressor = Decompressor::default();
        let unpacked = kept.compressed().and_then(|message| decompressor.decompress(&message, u32::MAX).ok());
        let Some(data) = unpacked else {
            // Which cannot be: it was compressed here. Not logged, since this is under the session's lock.
            self.dropped += 1;
            return None;
        };
        let header = Header::plain(kept.payload.frame_kind() as u8, data.len() as u32);
        let chunk = Chunk::single(Data::Owned([&header.encode()[..], data].concat()), Ends::One);
        self.queued += chunk.len;
        self.share.grow(chunk.size());
        Some(chunk)
    }

    /// Counts those of a chunk's messages that were compressed, and what they have more than they took.
    pub(super) fn count_compressed(&mut self, chunk: &Chunk, messages: Range<usize>) {
        for message in messages {
            let frame = chunk.message(message);
            if let Some((header, payload)) = frame.split_first_chunk()
                && let Ok(header) = Header::decode(header)
                && let Ok(Some(message)) = Compressed::decode(header, payload)
            {
                let len = u64::from(message.message_len);
                self.sent.payload += len - payload.len() as u64;
                self.sent.compressed.messages += 1;
                self.sent.compressed.payload += len;
                self.sent.compressed.wire += frame.len() as u64;
            }
        }
    }
}
