//! Taking messages out of the queue of a connection that is lost, and into that of the next one.

use std::collections::VecDeque;

use super::kept::Kept;
use super::{Chunk, Outbound, Wire};
use crate::session::handler::Payload;

/// Messages of a queue of which nothing was written, in the order in which they were accepted.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pub messages: VecDeque<Kept>,
    /// The user is to be told of room, which is to be as the queue had it.
    writable_at: Option<usize>,
}

/// Room for messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub bytes: usize,
    pub messages: u64,
}

impl Unsent {
    /// How many bytes the messages have.
    pub(crate) fn bytes(&self) -> usize {
        self.messages.iter().map(Kept::message_len).sum()
    }

    /// The room that they take in a queue that keeps them.
    pub(crate) fn room(&self) -> Room {
        Room { bytes: self.messages.iter().map(Kept::cost).sum(), messages: self.messages.len() as u64 }
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
        self.put_by_writable();
        self.unsent.take().map(|unsent| *unsent).unwrap_or_default()
    }

    /// The user will not be told here any more that there is room, but may be on another connection.
    pub(super) fn put_by_writable(&mut self) {
        if let Some(unsent) = &mut self.unsent {
            unsent.writable_at = unsent.writable_at.or(self.writable_at.take());
        }
    }

    /// Puts messages of an earlier connection before those that are kept here until the peer is known. What was
    /// promised is given with that.
    pub(crate) fn prepend(&mut self, unsent: Unsent) {
        debug_assert!(matches!(self.wire, Wire::Unknown | Wire::Greeted));
        self.promised = Room::default();
        self.writable_at = self.writable_at.or(unsent.writable_at);
        for kept in unsent.messages.into_iter().rev() {
            self.accepted += 1;
            self.queued += kept.cost();
            self.share.grow(kept.cost());
            self.unframed.push_front(kept);
        }
    }

    /// Keeps room for the messages of an earlier connection.
    pub(crate) fn promise(&mut self, room: Room) {
        self.promised = room;
    }

    /// The room for all that another connection may have to take over from here.
    pub(crate) fn owed(&self) -> Room {
        let queued = if self.ended { 0 } else { self.queued_messages() };
        // What was put by already is among the messages, but no longer among the bytes.
        let put_by = self.unsent.as_ref().map_or(0, |unsent| unsent.room().bytes);
        Room { bytes: self.queued + put_by + self.promised.bytes, messages: queued + self.promised.messages }
    }

    /// What the first message is that is kept until it is known how the peer speaks.
    pub(crate) fn first_kept(&self) -> Option<Payload> {
        self.unframed.front().map(|kept| kept.payload)
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
            self.queued -= message.cost();
            self.share.shrink(message.cost());
            if let Some(unsent) = &mut self.unsent {
                unsent.messages.push_back(message);
            }
        }
    }

    /// Puts by what is about to be dropped from the chunks.
    pub(super) fn put_by_chunks(&mut self) {
        let Some(mut unsent) = self.unsent.take() else { return };
        self.chunks.iter().for_each(|chunk| self.messages_of(chunk, |message| unsent.messages.push_back(message)));
        self.unsent = Some(unsent);
    }

    /// The same for a chunk that was being written: it comes before all others.
    pub(super) fn put_by_first(&mut self, chunk: &Chunk) {
        let Some(mut unsent) = self.unsent.take() else { return };
        let mut first = VecDeque::new();
        self.messages_of(chunk, |message| first.push_back(message));
        first.append(&mut unsent.messages);
        unsent.messages = first;
        self.unsent = Some(unsent);
    }

    /// The messages of a chunk of which nothing was written, without their headers.
    fn messages_of(&self, chunk: &Chunk, mut each: impl FnMut(Kept)) {
        chunk.for_each_not_begun(|bytes| each(Kept::of_wire(self.wire, bytes)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::{Budget, Share};
    use crate::transport::compression::{Algorithm, Algorithms, Compressor};
    use crate::transport::frame::HEADER_LEN;

    impl PartialEq<(Payload, Vec<u8>)> for Kept {
        fn eq(&self, (payload, data): &(Payload, Vec<u8>)) -> bool {
            *self == Kept::plain(*payload, data.clone())
        }
    }

    fn keeping(wire: Wire) -> Outbound {
        let mut queue = Outbound::new(8192, None, Share::new(Budget::new(usize::MAX), 1));
        queue.keep_unsent();
        queue.decide(wire);
        queue
    }

    /// Messages of all kinds and of sizes that make chunks of every form.
    fn messages() -> Vec<(Payload, Vec<u8>)> {
        let kinds = [Payload::Text, Payload::Binary];
        let sizes = [1, 10, 0, 3000, 70_000, 5, 300_000, 2, 2];
        sizes.iter().enumerate().map(|(n, &size)| (kinds[n % 2], vec![n as u8; size])).collect()
    }

    fn push_all(queue: &mut Outbound, messages: &[(Payload, Vec<u8>)]) {
        messages.iter().for_each(|(payload, data)| queue.push(*payload, &[data], data.len()));
    }

    /// Where each message ends on the wire.
    fn ends(messages: &[(Payload, Vec<u8>)], header: usize) -> Vec<usize> {
        messages
            .iter()
            .scan(0, |end, (_, data)| {
                *end += header + data.len();
                Some(*end)
            })
            .collect()
    }

    /// Writes `room` bytes; in the middle of the last write, `meanwhile` happens.
    fn write(queue: &mut Outbound, mut room: usize, meanwhile: impl FnOnce(&mut Outbound)) {
        assert!(queue.begin_writing(false));
        while let Some(chunk) = queue.next_chunk() {
            let taken = chunk.rest().len().min(room);
            room -= taken;
            if room == 0 {
                meanwhile(queue);
                queue.written(chunk, taken);
                queue.hand_over();
                return;
            }
            assert!(queue.written(chunk, taken));
        }
    }

    #[test]
    fn what_was_not_begun_is_given_back_wherever_the_writing_stops() {
        let messages = messages();
        for (wire, header) in [(Wire::Framed, HEADER_LEN), (Wire::Raw, 0)] {
            let ends = ends(&messages, header);
            let total = *ends.last().expect("there are some");
            let around = ends.iter().flat_map(|end| [end - 1, *end, end + 1, end + 500]);
            for room in around.filter(|&room| room > 0 && room < total) {
                for drops_meanwhile in [false, true] {
                    let mut queue = keeping(wire);
                    push_all(&mut queue, &messages);
                    write(&mut queue, room, |queue| {
                        if drops_meanwhile {
                            queue.drop_unsent();
                        }
                    });
                    let unsent = queue.take_unsent();
                    // The first that begins at or after the end of what was written; an empty one begins nowhere.
                    let first = messages.iter().enumerate().position(|(n, (_, data))| {
                        ends[n] - data.len() - header >= room && (header > 0 || !data.is_empty())
                    });
                    let expected: Vec<_> = messages[first.unwrap_or(messages.len())..]
                        .iter()
                        .filter(|(_, data)| header > 0 || !data.is_empty())
                        .map(|(payload, data)| (if header > 0 { *payload } else { Payload::Stream }, data.clone()))
                        .collect();
                    assert!(unsent.messages.iter().eq(&expected), "{wire:?}, {room} written: {unsent:?}");
                    let whole = ends.iter().filter(|&&end| end <= room).count() as u64;
                    let begun = u64::from(!ends.contains(&room));
                    let empty_later = u64::from(header == 0 && room < ends[2]);
                    assert_eq!(
                        queue.accepted,
                        whole + begun + empty_later + expected.len() as u64,
                        "{wire:?}, {room} written"
                    );
                }
            }
        }
    }

    #[test]
    fn a_queue_that_keeps_nothing_gives_nothing_back() {
        let mut queue = Outbound::new(8192, None, Share::new(Budget::new(usize::MAX), 1));
        queue.decide(Wire::Framed);
        push_all(&mut queue, &messages());
        assert!(queue.take_unsent().messages.is_empty());
        assert!(!queue.is_empty());
    }

    #[test]
    fn what_is_given_on_comes_first_and_takes_the_room_that_was_promised() {
        let mut lost = keeping(Wire::Framed);
        push_all(&mut lost, &messages());
        lost.want_room(100, 1000);
        let mut next = keeping(Wire::Unknown);
        next.promise(lost.owed());
        assert!(!next.fits_in_number(9) && next.fits_in_number(10));
        assert!(!next.fits(1, lost.queued()) && next.fits(1, lost.queued() + 1));
        next.push(Payload::Text, &[b"later"], 5);
        let bytes = lost.queued();
        next.prepend(lost.take_unsent());
        assert_eq!(next.first_kept(), Some(Payload::Text));
        assert_eq!((next.accepted, next.queued()), (10, bytes + HEADER_LEN + 5));
        assert!(next.fits(1, bytes + HEADER_LEN + 6), "the promise is kept only once");
        assert!(!next.is_writable_due());
        let unsent = next.take_unsent();
        let later = (Payload::Text, b"later".to_vec());
        assert!(unsent.messages.iter().eq(messages().iter().chain([&later])));
        assert_eq!(unsent.bytes(), bytes + 5 - 9 * HEADER_LEN);
        assert!(unsent.writable_at.is_some(), "the user still waits for room");
    }

    #[test]
    fn what_was_kept_for_an_answer_that_does_not_come_is_given_back() {
        let mut queue = keeping(Wire::Greeted);
        queue.push_control(b"hello".to_vec());
        push_all(&mut queue, &messages());
        assert_eq!(queue.chunks.len(), 1, "only the hello is written");
        queue.give_up_kept();
        assert_eq!((queue.wire, queue.queued()), (Wire::Framed, 5));
        queue.decide(Wire::Framed);
        assert_eq!(queue.chunks.len(), 1);
        assert!(queue.take_unsent().messages.iter().eq(&messages()));
    }

    /// Messages of which every second one is compressed, with their frames.
    fn push_compressed(queue: &mut Outbound, messages: &[(Payload, Vec<u8>)]) {
        let mut compressor = Compressor::default();
        for (n, (payload, data)) in messages.iter().enumerate() {
            let algorithm = if n % 4 == 0 { Algorithm::Lz4 } else { Algorithm::Zstd };
            let frame = compressor.compress(payload.frame_kind(), algorithm, 1, &[data], data.len());
            match frame.filter(|_| n % 2 == 0) {
                Some(frame) => queue.push_encoded(frame),
                None => queue.push(*payload, &[data], data.len()),
            }
        }
    }

    fn compressible() -> Vec<(Payload, Vec<u8>)> {
        (0..12_u8).map(|n| (Payload::Binary, vec![n; 200 + 1000 * usize::from(n)])).collect()
    }

    /// All that is written, once.
    fn written(queue: &mut Outbound) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(queue.begin_writing(false));
        while let Some(chunk) = queue.next_chunk() {
            bytes.extend_from_slice(chunk.rest());
            let len = chunk.rest().len();
            assert!(queue.written(chunk, len));
        }
        bytes
    }

    #[test]
    fn what_was_compressed_goes_on_as_the_next_connection_takes_it() {
        let messages = compressible();
        let mut lost = keeping(Wire::Framed);
        push_compressed(&mut lost, &messages);
        let queued = lost.queued();
        let promised = lost.owed();
        let unsent = lost.take_unsent();
        assert_eq!(unsent.bytes(), messages.iter().map(|(_, data)| data.len()).sum::<usize>());
        assert_eq!((unsent.room(), promised.bytes), (promised, queued));
        for agreed in [Algorithms::ALL, Algorithms::NONE, Algorithm::Lz4.into()] {
            let mut next = keeping(Wire::Unknown);
            let again = Unsent { messages: unsent.messages.clone(), writable_at: None };
            next.prepend(again);
            assert_eq!(next.queued(), queued);
            next.agreed = agreed;
            next.decide(Wire::Framed);
            assert_eq!(next.queued_messages(), 12);
            let expected = if agreed == Algorithms::ALL {
                let mut other = keeping(Wire::Framed);
                push_compressed(&mut other, &messages);
                written(&mut other)
            } else if agreed.is_empty() {
                let mut other = keeping(Wire::Framed);
                push_all(&mut other, &messages);
                written(&mut other)
            } else {
                Vec::new()
            };
            let bytes = written(&mut next);
            assert!(expected.is_empty() || bytes == expected, "{agreed:?}");
            assert_eq!((next.sent.messages, next.sent.payload as usize), (12, unsent.bytes()), "{agreed:?}");
            let compressed = if agreed == Algorithms::ALL { 6 } else { 3 * u64::from(!agreed.is_empty()) };
            assert_eq!(next.sent.compressed.messages, compressed, "{agreed:?}");
            assert_eq!(next.sent.wire as usize, bytes.len());
        }
    }

    /// A full queue of compressed messages may be a hundred times as long when it is unpacked.
    #[test]
    fn what_the_next_peer_takes_only_unpacked_is_unpacked_one_at_a_time() {
        let messages: Vec<_> = (0..100_u8).map(|n| (Payload::Text, vec![n; 50_000])).collect();
        let mut lost = keeping(Wire::Framed);
        let mut compressor = Compressor::default();
        for (payload, data) in &messages {
            let frame = compressor.compress(payload.frame_kind(), Algorithm::Zstd, 1, &[data], data.len());
            lost.push_encoded(frame.expect("it is shorter"));
        }
        let budget = Budget::new(usize::MAX);
        let mut next = Outbound::new(8192, None, Share::new(Arc::clone(&budget), 1));
        next.keep_unsent();
        let packed = lost.queued();
        next.prepend(lost.take_unsent());
        next.decide(Wire::Framed);
        assert_eq!((next.queued(), next.queued_messages()), (packed, 100));
        let most = packed + 50_000 + HEADER_LEN;
        for (n, message) in messages.iter().take(50).enumerate() {
            assert!(next.begin_writing(false));
            let chunk = next.next_chunk().expect("not empty");
            assert!(budget.used() <= most && next.queued() <= most, "{} of {most} bytes", budget.used());
            assert_eq!(chunk.rest()[HEADER_LEN..], message.1, "message {n}");
            let len = chunk.rest().len();
            assert!(next.written(chunk, len));
            next.hand_over();
        }
        assert_eq!((next.sent.messages, next.sent.payload), (50, 50 * 50_000));
        // And those that this one did not begin either are given on as they were.
        let unsent = next.take_unsent();
        assert_eq!((unsent.messages.len(), unsent.bytes()), (50, 50 * 50_000));
        assert!(next.is_empty());
    }

    /// By the length that the message has, not by what it takes.
    #[test]
    fn what_the_next_peer_does_not_take_is_dropped_compressed_or_not() {
        let messages = compressible();
        let mut lost = keeping(Wire::Framed);
        push_compressed(&mut lost, &messages);
        let mut next = keeping(Wire::Unknown);
        next.prepend(lost.take_unsent());
        next.drop_larger(5500);
        assert_eq!((next.dropped, next.queued_messages()), (6, 6));
        next.agreed = Algorithms::ALL;
        next.decide(Wire::Framed);
        written(&mut next);
        assert_eq!(next.sent.messages, 6);
    }

    /// However the writes cut the queue, each message is counted once, with its own length.
    #[test]
    fn compressed_messages_are_counted_when_they_are_whole() {
        let messages = compressible();
        for step in [1, 7, 100, 5000, usize::MAX] {
            let mut queue = keeping(Wire::Framed);
            queue.agreed = Algorithms::ALL;
            push_compressed(&mut queue, &messages);
            let total = queue.queued();
            while !queue.is_empty() {
                assert!(queue.begin_writing(false));
                let chunk = queue.next_chunk().expect("not empty");
                let len = chunk.rest().len().min(step);
                queue.written(chunk, len);
                queue.hand_over();
            }
            let payload = messages.iter().map(|(_, data)| data.len() as u64).sum::<u64>();
            assert_eq!((queue.sent.messages, queue.sent.payload), (12, payload));
            assert_eq!(queue.sent.wire, total as u64);
            let compressed = queue.sent.compressed;
            let expected: u64 = messages.iter().step_by(2).map(|(_, data)| data.len() as u64).sum();
            assert_eq!((compressed.messages, compressed.payload), (6, expected));
            let plain = messages.iter().skip(1).step_by(2).map(|(_, data)| HEADER_LEN + data.len()).sum::<usize>();
            assert_eq!(compressed.wire as usize, total - plain);
        }
    }
}
