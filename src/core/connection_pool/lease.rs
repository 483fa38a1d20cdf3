//! The use of a pooled connection.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::slots::{Granted, received};
use super::{ConnectionPool, Opened};
use crate::core::Client;

/// A connection of a pool, for the use of one. Dropping the lease returns it.
pub struct Lease {
    pool: Arc<ConnectionPool>,
    slot: u64,
    opened: Opened,
    discard: AtomicBool,
}

impl Lease {
    pub(super) fn new(pool: Arc<ConnectionPool>, granted: Granted) -> Lease {
        Lease { pool, slot: granted.slot, opened: granted.opened, discard: AtomicBool::new(false) }
    }

    /// The client whose connection this is. Its session is where messages are sent.
    pub fn client(&self) -> &Arc<Client> {
        &self.opened.client
    }

    /// Whether it is still connected. If not, returning it makes room for another.
    pub fn is_connected(&self) -> bool {
        received(self.client()).is_some()
    }

    /// Returns the connection as one that nobody must get any more, for example because an answer is outstanding. It is
    /// closed: what was sent is delivered.
    pub fn discard(self) {
        self.mark_for_discard();
    }

    /// Has the connection discarded when it is returned.
    pub(crate) fn mark_for_discard(&self) {
        self.discard.store(true, Ordering::Relaxed);
    }

    /// What the connector calls the connection.
    pub(crate) fn tag(&self) -> u64 {
        self.opened.tag
    }
}

impl Deref for Lease {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.give_back(self.slot, self.discard.load(Ordering::Relaxed));
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("client", &self.opened.client).finish_non_exhaustive()
    }
}
