//! Whether there is room in the queue, and telling when there is again.

use super::Outbound;

impl Outbound {
    /// How many messages are in the queue, those included that are being written.
    pub(crate) fn queued_messages(&self) -> u64 {
        self.accepted - self.sent.messages - self.dropped
    }

    /// Whether a message of that cost fits; an empty queue takes any while the context's budget has room.
    #[inline]
    pub(crate) fn fits(&self, cost: usize, limit: usize) -> bool {
        !self.share.is_full() && self.fits_in_bytes(cost, limit) && self.fits_in_number(self.max_messages)
    }

    #[inline]
    pub(super) fn fits_in_number(&self, most: u64) -> bool {
        self.queued_messages() + self.promised.messages < most
    }

    /// The same, with no regard to the number of messages and to the budget.
    #[inline]
    pub(crate) fn fits_in_bytes(&self, cost: usize, limit: usize) -> bool {
        let queued = self.queued + self.promised.bytes;
        queued == 0 || queued.saturating_add(cost) <= limit
    }

    /// Whether nobody is to queue anything, since the context's budget is used up.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.share.is_full()
    }

    /// Whether somebody is to be told of room, and the budget has none.
    pub(crate) fn is_starved(&self) -> bool {
        self.writable_at.is_some() && self.share.is_full()
    }

    /// Whether no more than half of the bounds is used.
    pub(crate) fn is_half_empty(&self, limit: usize) -> bool {
        self.queued <= limit / 2 && self.queued_messages() <= self.max_messages / 2
    }

    /// Have the user told when there is room for a message that did not fit.
    pub(crate) fn want_room(&mut self, cost: usize, limit: usize) {
        self.writable_at = Some((limit / 2).min(limit.saturating_sub(cost)));
    }

    /// Whether the user is to be told now; true once.
    pub(crate) fn take_writable(&mut self) -> bool {
        let due = self.is_writable_due();
        if due {
            self.writable_at = None;
        }
        due
    }

    pub(crate) fn is_writable_due(&self) -> bool {
        let due = |level| self.queued <= level && self.queued_messages() <= self.max_messages / 2;
        self.writable_at.is_some_and(due) && !self.share.is_full()
    }
}
