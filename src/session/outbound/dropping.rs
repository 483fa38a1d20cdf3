//! Giving up messages while the session goes on, since the queue is full.

use super::Outbound;
use super::chunk::First;

impl Outbound {
    /// Counts a message as accepted and dropped.
    pub(crate) fn drop_newest(&mut self) {
        self.accepted += 1;
        self.dropped += 1;
    }

    /// Drops the oldest messages of which nothing was written until a message of that cost fits, or none is left that
    /// could be dropped: then the message has to wait only for what is being written. False: it is the message itself
    /// that is to be dropped, since memory is short and what was dropped is less than what it takes.
    pub(crate) fn drop_oldest(&mut self, cost: usize, limit: usize) -> bool {
        let before = self.queued;
        while !self.fits(cost, limit) {
            if self.share.is_full() && before - self.queued >= cost {
                return true;
            }
            if !self.drop_first() {
                return !self.share.is_full();
            }
        }
        true
    }

    /// Drops the oldest message of which nothing was written; false if there is none. Frames of the protocol itself
    /// stay, and so does what is being written.
    fn drop_first(&mut self) -> bool {
        let mut at = 0;
        // Before the first message there are at most the one that is being written and frames of the protocol.
        while let Some(chunk) = self.chunks.get_mut(at) {
            match chunk.drop_first() {
                First::Absent => at += 1,
                First::Dropped(bytes) => {
                    if chunk.written == chunk.len {
                        self.share.shrink(chunk.size());
                        self.chunks.remove(at);
                    }
                    self.queued -= bytes;
                    self.dropped += 1;
                    return true;
                }
                First::Behind(begun) => {
                    self.share.grow(begun.size());
                    self.chunks.insert(at, begun);
                    at += 1;
                }
            }
        }
        if let Some(kept) = self.unframed.pop_front() {
            self.queued -= kept.cost();
            self.share.shrink(kept.cost());
            self.dropped += 1;
            return true;
        }
        false
    }
}
