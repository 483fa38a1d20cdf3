//! A chunk of the outgoing queue: messages that are written with one write.

use bytes::Bytes;

use crate::transport::frame::HEADER_LEN;

/// A chunk that has reached this takes no further message, and a message of this size or more is a chunk of its own.
pub(super) const CHUNK: usize = 256 * 1024;

/// Where the messages in a chunk end, as offsets.
#[derive(Debug)]
pub(super) enum Ends {
    /// The chunk is part of the protocol and carries no message.
    Control,
    /// The chunk is one message.
    One,
    /// Each message's end.
    Many(Vec<u32>),
}

impl Ends {
    /// The list, begun if a second message is to follow a first one that is no large one and ends at `len`.
    pub(super) fn gathering(&mut self, len: usize) -> Option<&mut Vec<u32>> {
        if matches!(self, Ends::One) && len < CHUNK {
            let mut ends = Vec::with_capacity(16);
            ends.push(len as u32);
            *self = Ends::Many(ends);
        }
        if let Ends::Many(ends) = self { Some(ends) } else { None }
    }
}

#[derive(Debug)]
pub(super) enum Data {
    /// The chunk's own, with room for more messages behind those that it has.
    Owned(Vec<u8>),
    /// One message's frame, compressed in a way that the peer does not take: it is unpacked when it is written.
    Packed(Vec<u8>),
    /// A broadcast's frame, the same for all sessions.
    Shared(Bytes),
}

/// Bytes that are written with one write, if the kernel takes them.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) data: Data,
    /// Where the messages end.
    pub(super) len: usize,
    pub(super) written: usize,
    pub(super) ends: Ends,
    /// Messages that were written whole.
    pub(super) counted: usize,
}

impl Chunk {
    /// One message, or one frame of the protocol itself.
    pub(super) fn single(data: Data, ends: Ends) -> Chunk {
        let mut chunk = Chunk { data, len: 0, written: 0, ends, counted: 0 };
        chunk.len = chunk.bytes().len();
        chunk
    }

    /// How much memory it takes. What a broadcast's sessions share is nobody's.
    pub(super) fn size(&self) -> usize {
        match &self.data {
            Data::Owned(bytes) | Data::Packed(bytes) => bytes.capacity(),
            Data::Shared(_) => 0,
        }
    }

    /// What is still to be written.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes()[self.written..self.len]
    }

    /// How many messages end at or before `offset`, and where the last of them does.
    pub(super) fn messages_until(&self, offset: usize) -> (usize, usize) {
        match &self.ends {
            Ends::Control => (0, 0),
            Ends::One if offset >= self.len => (1, self.len),
            Ends::One => (0, 0),
            // Most chunks are written at once, so nothing is to be searched for.
            Ends::Many(ends) if offset == self.len => (ends.len(), self.len),
            Ends::Many(ends) => {
                let count = ends.partition_point(|&end| end as usize <= offset);
                (count, if count == 0 { 0 } else { ends[count - 1] as usize })
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Owned(bytes) | Data::Packed(bytes) => bytes,
            Data::Shared(bytes) => bytes,
        }
    }

    /// The bytes of the message with this number, counted from 0, with its header.
    pub(super) fn message(&self, number: usize) -> &[u8] {
        match &self.ends {
            Ends::Control => &[],
            Ends::One => &self.bytes()[..self.len],
            Ends::Many(ends) => {
                let start = number.checked_sub(1).map_or(0, |before| ends[before]);
                &self.bytes()[start as usize..ends[number] as usize]
            }
        }
    }

    /// Calls `each` with the bytes of every message of which nothing was written.
    pub(super) fn for_each_not_begun(&self, mut each: impl FnMut(&[u8])) {
        let bytes = self.bytes();
        match &self.ends {
            Ends::Control => {}
            Ends::One if self.written > 0 => {}
            Ends::One => each(&bytes[..self.len]),
            Ends::Many(ends) => {
                let mut start = 0;
                for end in ends.iter().map(|&end| end as usize) {
                    if start >= self.written {
                        each(&bytes[start..end]);
                    }
                    start = end;
                }
            }
        }
    }

    /// Takes back the messages of which nothing was written; returns how many bytes that were.
    pub(super) fn truncate(&mut self) -> usize {
        let keep = match &mut self.ends {
            Ends::Control => self.len,
            Ends::One => {
                if self.written == 0 {
                    0
                } else {
                    self.len
                }
            }
            Ends::Many(ends) => {
                let begun = ends.partition_point(|&end| (end as usize) < self.written);
                let keep = if self.written == 0 { 0 } else { (begun + 1).min(ends.len()) };
                ends.truncate(keep);
                ends.last().map_or(0, |&end| end as usize)
            }
        };
        let removed = self.len - keep;
        self.len = keep;
        removed
    }
}

/// What became of the first message of a chunk that has not been begun.
#[derive(Debug)]
pub(super) enum First {
    /// There is none.
    Absent,
    /// It was dropped, and had so many bytes.
    Dropped(usize),
    /// It follows one that is being written, which now is in a chunk of its own, to be put before this one.
    Behind(Chunk),
}

impl Chunk {
    /// Drops the first message of which nothing was written.
    pub(super) fn drop_first(&mut self) -> First {
        let ends = match &self.ends {
            Ends::Control => return First::Absent,
            Ends::One if self.written > 0 => return First::Absent,
            Ends::One => {
                self.written = self.len;
                return First::Dropped(self.len);
            }
            Ends::Many(ends) => ends,
        };
        let whole = ends.partition_point(|&end| end as usize <= self.written);
        let start = if whole == 0 { 0 } else { ends[whole - 1] as usize };
        let Some(&end) = ends.get(whole) else { return First::Absent };
        let end = end as usize;
        let begun = self.written > start;
        if begun && end == self.len {
            return First::Absent;
        }
        // What was skipped looks like what was written and counted.
        let before = std::mem::replace(&mut self.written, end);
        self.counted = whole + 1;
        if !begun {
            return First::Dropped(end - start);
        }
        let data = Data::Owned(self.bytes()[start..end].to_vec());
        First::Behind(Chunk { data, len: end - start, written: before - start, ends: Ends::One, counted: 0 })
    }
}

/// Fills the room that a message takes in a chunk.
#[inline(always)]
pub(super) fn fill(mut room: &mut [u8], header: Option<[u8; HEADER_LEN]>, parts: &[&[u8]]) {
    if let Some(header) = header {
        let (first, rest) = room.split_at_mut(HEADER_LEN);
        first.copy_from_slice(&header);
        room = rest;
    }
    for part in parts {
        let (first, rest) = room.split_at_mut(part.len());
        first.copy_from_slice(part);
        room = rest;
    }
}
