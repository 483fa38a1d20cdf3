use std::sync::Arc;

use super::chunk::{Data, Ends};
use super::writing::{INLINE_WRITES, RUSH};
use super::*;
use crate::runtime::{Budget, batch};
use crate::session::handler::Payload;
use crate::transport::frame::{self, Frame};

const THREAD: Option<NonZeroU32> = NonZeroU32::new(7);

fn share() -> Share {
    Share::new(Budget::new(usize::MAX), 1)
}

fn queue(wire: Wire) -> Outbound {
    let mut queue = Outbound::new(8192, None, share());
    queue.decide(wire);
    queue
}

fn push(queue: &mut Outbound, data: &[u8]) {
    queue.push(Payload::Binary, &[data], data.len());
}

fn framed(messages: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        Frame::Binary(message).encode(&mut bytes).expect("short enough");
    }
    bytes
}

/// Writes up to `room` bytes, as a kernel with room for so many would.
fn write(queue: &mut Outbound, mut room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if queue.begin_writing(false) {
        while let Some(chunk) = queue.next_chunk() {
            let taken = chunk.rest().len().min(room);
            room -= taken;
            out.extend_from_slice(&chunk.rest()[..taken]);
            if !queue.written(chunk, taken) {
                queue.hand_over();
                break;
            }
        }
    }
    out
}

#[test]
fn a_lone_message_takes_the_memory_that_it_needs() {
    let mut queue = queue(Wire::Framed);
    push(&mut queue, b"alone");
    let Some(Chunk { data: Data::Owned(data), ends: Ends::One, .. }) = queue.chunks.front() else {
        panic!("not a chunk of one message: {queue:?}");
    };
    assert_eq!(data.capacity(), HEADER_LEN + 5);
    assert_eq!(write(&mut queue, usize::MAX), framed(&[b"alone"]));
    assert_eq!(queue.sent, Sent { messages: 1, payload: 5, wire: 13, ..Sent::default() });
    assert!(queue.is_empty() && queue.chunks.is_empty() && queue.spare.is_empty());
}

#[test]
fn messages_are_gathered_and_counted_when_whole() {
    let mut queue = queue(Wire::Framed);
    let messages: Vec<Vec<u8>> = (0..3000_usize).map(|n| vec![n as u8; n % 300]).collect();
    messages.iter().for_each(|message| push(&mut queue, message));
    let parts: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let expected = framed(&parts);
    assert_eq!(queue.queued(), expected.len());
    assert!(queue.chunks.len() <= expected.len() / CHUNK + 1);
    let mut out = Vec::new();
    while !queue.is_empty() {
        out.extend(write(&mut queue, 1009));
        assert_eq!(queue.queued(), expected.len() - out.len());
        let mut end = 0;
        let whole = messages.iter().take_while(|message| {
            end += HEADER_LEN + message.len();
            end <= out.len()
        });
        assert_eq!(queue.sent.messages, whole.count() as u64);
    }
    assert!(out == expected);
    assert_eq!(queue.sent.payload, (expected.len() - 3000 * HEADER_LEN) as u64);
}

/// Sends as a session does: the short way if that is granted.
fn send(queue: &mut Outbound, thread: Option<NonZeroU32>, limit: usize, message: &[u8]) -> bool {
    let granted = queue.push_granted(thread, Payload::Binary, &[message], message.len());
    if !granted {
        push(queue, message);
        queue.grant(thread, limit);
    }
    granted
}

#[test]
fn what_is_granted_is_queued_like_everything_else() {
    let messages: Vec<Vec<u8>> = (0..5000_usize).map(|n| vec![n as u8; 1 + n % 300]).collect();
    for (wire, header) in [(Wire::Framed, HEADER_LEN), (Wire::Raw, 0)] {
        let (mut slow, mut fast) = (queue(wire), queue(wire));
        let mut granted = 0;
        for message in &messages {
            push(&mut slow, message);
            granted += usize::from(send(&mut fast, THREAD, usize::MAX, message));
            assert_eq!((fast.queued(), fast.queued_messages()), (slow.queued(), slow.queued_messages()));
        }
        assert!(granted > 4900, "{granted}");
        let out = write(&mut fast, usize::MAX);
        assert_eq!(out.len(), messages.iter().map(|message| header + message.len()).sum());
        assert!(out == write(&mut slow, usize::MAX));
        assert_eq!(fast.sent, slow.sent);
    }
}

#[test]
fn a_grant_ends_with_its_thread_its_bounds_and_whatever_else_happens_to_the_queue() {
    let begun = |limit| {
        let mut queue = queue(Wire::Framed);
        for message in [b"1", b"2"] {
            assert!(!send(&mut queue, THREAD, limit, message));
        }
        queue
    };
    let granted = |queue: &mut Outbound, thread, message: &[u8]| {
        queue.push_granted(thread, Payload::Binary, &[message], message.len())
    };
    let mut queue = begun(usize::MAX);
    assert!(!granted(&mut queue, None, b"of another thread"));
    assert!(!granted(&mut queue, THREAD, &vec![0; CHUNK]));
    assert!(granted(&mut queue, THREAD, b"of this one"));
    queue.revoke();
    assert!(!granted(&mut queue, THREAD, b"after something else"));
    let mut queue = begun(3 * (HEADER_LEN + 1));
    assert!(granted(&mut queue, THREAD, b"3"));
    assert!(!granted(&mut queue, THREAD, b"4"), "no more bytes");
    let mut queue = begun(usize::MAX);
    queue.max_messages = 3;
    queue.grant(THREAD, usize::MAX);
    assert!(granted(&mut queue, THREAD, b"3"));
    assert!(!granted(&mut queue, THREAD, b""), "no more messages");
    let mut queue = begun(usize::MAX);
    queue.share = Share::new(Budget::new(1), 1);
    queue.share.grow(1);
    queue.revoke();
    queue.grant(THREAD, usize::MAX);
    assert!(!granted(&mut queue, THREAD, b"3"), "no more memory");
}

#[test]
fn a_batch_gathers_in_the_loops_buffers() {
    let budget = Budget::new(usize::MAX);
    let mut queue = Outbound::new(8192, None, Share::new(Arc::clone(&budget), 1));
    queue.decide(Wire::Framed);
    let buffer = |queue: &Outbound| match &queue.chunks[0] {
        Chunk { data: Data::Owned(data), .. } => (data.as_ptr(), data.capacity()),
        other => panic!("{other:?}"),
    };
    batch::run(|| push(&mut queue, b"first"));
    let (lent, size) = buffer(&queue);
    assert_eq!(budget.used(), size);
    batch::run(|| push(&mut queue, b"second"));
    assert_eq!(buffer(&queue), (lent, size));
    assert_eq!(write(&mut queue, usize::MAX), framed(&[b"first", b"second"]));
    assert_eq!(budget.used(), 0);
    batch::run(|| push(&mut queue, b"again"));
    assert_eq!(buffer(&queue), (lent, size), "it was taken back");
    // What has to wait takes no more than it needs.
    let mut out = write(&mut queue, 3);
    assert_eq!(buffer(&queue).1, HEADER_LEN + 5);
    assert_eq!(budget.used(), HEADER_LEN + 5);
    batch::run(|| push(&mut queue, b"more"));
    out.extend(write(&mut queue, usize::MAX));
    assert_eq!(out, framed(&[b"again", b"more"]));
    // Another thread has none, and the loop frees those that it did not need.
    push(&mut queue, b"from elsewhere");
    assert_eq!(buffer(&queue).1, HEADER_LEN + 14);
    assert_eq!(pool::kept(), 1);
    trim_pool(false);
    assert_eq!(pool::kept(), 1, "it was needed since the last time");
    trim_pool(false);
    assert_eq!(pool::kept(), 0);
}

#[test]
fn a_large_message_is_gathered_with_no_other() {
    let mut queue = queue(Wire::Raw);
    let large = vec![1; CHUNK];
    for message in [&b"a"[..], &large, b"b", b"c", &large] {
        push(&mut queue, message);
    }
    let lengths: Vec<usize> = queue.chunks.iter().map(|chunk| chunk.rest().len()).collect();
    assert_eq!(lengths, [1, CHUNK, 2, CHUNK]);
    assert_eq!(write(&mut queue, usize::MAX), [b"a", &large[..], b"bc", &large].concat());
    assert_eq!(queue.sent.messages, 5);
}

#[test]
fn a_message_follows_one_of_which_a_part_is_written() {
    let mut queue = queue(Wire::Framed);
    push(&mut queue, b"first");
    let mut out = write(&mut queue, 9);
    push(&mut queue, b"second");
    assert_eq!(queue.chunks.len(), 1);
    out.extend(write(&mut queue, 5));
    assert_eq!(queue.sent, Sent { messages: 1, payload: 5, wire: 14, ..Sent::default() });
    out.extend(write(&mut queue, usize::MAX));
    assert_eq!(out, framed(&[b"first", b"second"]));
    assert_eq!(queue.sent, Sent { messages: 2, payload: 11, wire: 27, ..Sent::default() });
}

#[test]
fn what_was_not_begun_is_dropped_and_leaves_no_trace() {
    let mut queue = queue(Wire::Framed);
    for message in [&b"one"[..], b"two", b"three"] {
        push(&mut queue, message);
    }
    let mut out = write(&mut queue, 12);
    queue.drop_unsent();
    assert_eq!(queue.queued(), 10);
    push(&mut queue, b"four");
    out.extend(write(&mut queue, usize::MAX));
    assert_eq!(out, framed(&[b"one", b"two", b"four"]));
    assert_eq!((queue.sent.messages, queue.queued()), (3, 0));
}

#[test]
fn the_oldest_that_was_not_begun_is_dropped() {
    let mut queue = queue(Wire::Framed);
    for message in [&b"one"[..], b"two", b"three", b"four"] {
        push(&mut queue, message);
    }
    let mut out = write(&mut queue, 12);
    // "two" is being written, and a frame of the protocol is none of the messages.
    queue.push_frame(&Frame::Ping(7));
    let limit = queue.queued();
    queue.drop_oldest(13, limit);
    assert_eq!((queue.dropped, queue.queued(), queue.queued_messages()), (1, limit - 13, 2));
    queue.drop_oldest(usize::MAX, limit);
    assert_eq!((queue.dropped, queue.queued_messages()), (2, 1));
    push(&mut queue, b"five");
    out.extend(write(&mut queue, usize::MAX));
    let mut expected = framed(&[b"one", b"two"]);
    Frame::Ping(7).encode(&mut expected).expect("short enough");
    expected.extend(framed(&[b"five"]));
    assert_eq!(out, expected);
    assert_eq!((queue.sent.messages, queue.sent.payload), (3, 10));
    assert_eq!((queue.accepted, queue.queued(), queue.queued_messages()), (5, 0, 0));
}

#[test]
fn messages_that_wait_for_the_framing_are_dropped_too() {
    let mut queue = Outbound::new(8192, NonZeroU32::new(2), share());
    for message in [b"a", b"b", b"c"] {
        queue.drop_oldest(queue.cost(1), usize::MAX);
        push(&mut queue, message);
    }
    queue.decide(Wire::Raw);
    assert_eq!(write(&mut queue, usize::MAX), b"bc");
    assert_eq!((queue.accepted, queue.dropped, queue.sent.messages), (3, 1, 2));
}

/// Whatever is written when, what comes out is a subsequence of what went in, and the counts add up at any time.
#[test]
fn dropping_keeps_order_and_counts() {
    let mut seed = 1_u32;
    let mut random = |bound: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % bound
    };
    for round in 0..300_u32 {
        let limit = [100, 5_000, 400_000][round as usize % 3];
        let most = if round % 2 == 0 { None } else { NonZeroU32::new(1 + random(50)) };
        let mut queue = Outbound::new(8192, most, share());
        queue.decide(Wire::Framed);
        let (mut out, mut pushed) = (Vec::new(), 0_u32);
        for _ in 0..random(400) {
            let largest = [30, 3_000, 100_000][(round as usize / 3) % 3];
            let mut message = vec![0; 4 + random(largest) as usize];
            message[..4].copy_from_slice(&pushed.to_le_bytes());
            let cost = queue.cost(message.len());
            if !queue.fits(cost, limit) {
                if random(4) == 0 {
                    queue.drop_newest();
                    pushed += 1;
                    continue;
                }
                queue.drop_oldest(cost, limit);
            }
            push(&mut queue, &message);
            pushed += 1;
            // An empty queue takes any, which may then be being written.
            assert!(queue.queued() <= limit.max(largest as usize + 12) + cost);
            if random(3) == 0 {
                let room = random(2 * largest) as usize;
                out.extend(write(&mut queue, room));
            }
        }
        out.extend(write(&mut queue, usize::MAX));
        assert_eq!((queue.queued(), queue.queued_messages(), queue.accepted), (0, 0, u64::from(pushed)));
        let mut decoder = frame::Decoder::new(u32::MAX);
        let (mut input, mut next, mut received) = (&out[..], 0, 0);
        while let Some((_, payload)) = decoder.next(&mut input).expect("whole frames") {
            let number = u32::from_le_bytes(*payload.first_chunk().expect("a number"));
            assert!(number >= next, "{number} after {next}");
            next = number + 1;
            received += 1;
        }
        assert_eq!(decoder.begun(), None);
        assert_eq!((queue.sent.messages, queue.accepted - queue.dropped), (received, received));
        assert_eq!(queue.sent.payload, out.len() as u64 - received * HEADER_LEN as u64);
    }
}

#[test]
fn buffers_of_a_fast_sender_are_used_again_until_it_rests() {
    let mut queue = queue(Wire::Raw);
    let message = [5; 1000];
    for _ in 0..2 {
        (0..100).for_each(|_| push(&mut queue, &message));
        assert!(write(&mut queue, usize::MAX) == [5; 100_000]);
        assert_eq!(queue.spare.len(), 1);
    }
    push(&mut queue, b"short");
    assert!(queue.spare.is_empty());
    assert_eq!(write(&mut queue, usize::MAX), b"short");
    assert_eq!(queue.spare.len(), 1);
    queue.trim();
    assert!(queue.spare.is_empty());
}

#[test]
fn the_driver_leaves_to_a_batch_what_the_batch_will_flush() {
    let mut queue = queue(Wire::Framed);
    assert!(queue.is_idle(THREAD));
    push(&mut queue, b"queued");
    assert!(!queue.is_idle(THREAD) && !queue.is_idle(None));
    assert!(queue.mark_dirty(THREAD.expect("not 0")));
    assert!(queue.is_idle(THREAD));
    assert!(!queue.is_idle(None) && !queue.is_idle(NonZeroU32::new(8)));
    queue.block();
    assert!(!queue.is_idle(THREAD), "it waits for the socket");
}

#[test]
fn a_sender_in_a_rush_writes_full_chunks_and_the_loop_the_rest() {
    let mut queue = queue(Wire::Raw);
    // Eight sends write by themselves, then the loop is left to gather.
    for _ in 0..INLINE_WRITES {
        push(&mut queue, b"inline");
        assert_eq!(queue.next_step(true), Next::Write);
        write(&mut queue, usize::MAX);
    }
    push(&mut queue, b"gathered");
    assert_eq!(queue.next_step(true), Next::Wake);
    // It finds much: the sender is in a rush.
    push(&mut queue, &[7; RUSH]);
    assert!(queue.begin_writing(true));
    let chunk = queue.next_chunk().expect("a chunk");
    let len = chunk.rest().len();
    assert!(queue.written(chunk, len) && queue.next_chunk().is_none());
    push(&mut queue, b"more");
    assert!(queue.begin_gathering());
    assert_eq!(queue.next_step(true), Next::Nothing, "the loop looks again soon");
    while queue.queued() < CHUNK {
        push(&mut queue, &[7; 1000]);
    }
    assert_eq!(queue.next_step(true), Next::Write, "a full chunk");
    assert!(!queue.begin_gathering(), "the queue does not wait with a full chunk");
    // The sender pauses: the second look finds no chunk that it wrote.
    queue.end_gathering();
    assert!(queue.rushing);
    queue.end_gathering();
    assert!(!queue.rushing);
    push(&mut queue, b"slow again");
    assert_eq!(queue.next_step(true), Next::Wake);
}
