//! Buffers that a loop lends to the queues of its sessions while they gather messages.
//!
//! A queue gathers what a batch sends and is empty again when the batch has been written: with buffers of their own, a
//! thousand sessions that are sent something would allocate and free a thousand of them each time. An idle session
//! still holds none.

use std::cell::RefCell;

use super::chunk::{Chunk, Data, Ends};
use crate::runtime::batch;

/// How large a buffer is. Those that outgrow it are not taken back.
const SIZE: usize = 4096;
/// How many buffers a loop keeps: 4 MiB.
const MOST: usize = 1024;

/// What no queue has at present.
struct Pool {
    /// Bytes, all of them initialised, and room for the ends of messages.
    buffers: Vec<(Vec<u8>, Vec<u32>)>,
    /// How few there were since the last trim: so many were not needed.
    fewest: usize,
}

thread_local! {
    /// `None`: the thread is no loop, or its sessions have not gathered anything yet.
    static POOL: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

/// A buffer for a chunk that begins with a message of `len` bytes, for a send in a batch, which is on a loop.
pub(super) fn take(len: usize) -> Option<(Vec<u8>, Vec<u32>)> {
    if len > SIZE || !batch::is_active() {
        return None;
    }
    Some(POOL.with_borrow_mut(|pool| {
        let pool = pool.get_or_insert(Pool { buffers: Vec::new(), fewest: 0 });
        let buffer = pool.buffers.pop();
        pool.fewest = pool.fewest.min(pool.buffers.len());
        buffer.unwrap_or_else(|| (vec![0; SIZE], Vec::with_capacity(64)))
    }))
}

/// Moves a chunk that has to wait to memory of its own, no larger than it needs.
pub(super) fn vacate(chunk: &mut Chunk) {
    if let Chunk { data: Data::Owned(data), ends: Ends::Many(ends), len, .. } = chunk
        && data.len() == SIZE
        && *len < SIZE
    {
        let own = (data[..*len].to_vec(), ends.clone());
        let (data, ends) = (std::mem::replace(data, own.0), std::mem::replace(ends, own.1));
        give(data, ends);
    }
}

/// Takes back the buffer of a chunk that has been written.
pub(super) fn take_back(chunk: Chunk) {
    if let Chunk { data: Data::Owned(data), ends: Ends::Many(ends), .. } = chunk
        && data.len() == SIZE
    {
        give(data, ends);
    }
}

/// Puts a buffer into the pool, if this is a loop and the pool has room.
fn give(data: Vec<u8>, mut ends: Vec<u32>) {
    // A program's thread may send while it ends, when it has no pool any more.
    let _ = POOL.try_with(|pool| {
        if let Some(pool) = &mut *pool.borrow_mut()
            && pool.buffers.len() < MOST
        {
            ends.clear();
            pool.buffers.push((data, ends));
        }
    });
}

/// Frees what was not needed since the last time, on a loop; `all`: also the rest, since no session is left.
pub(crate) fn trim(all: bool) {
    let _ = POOL.try_with(|lent| {
        let lent = &mut *lent.borrow_mut();
        if let Some(pool) = lent {
            pool.buffers.drain(..pool.fewest);
            pool.fewest = pool.buffers.len();
            if all || pool.buffers.is_empty() {
                *lent = None;
            }
        }
    });
}

#[cfg(test)]
pub(super) fn kept() -> usize {
    POOL.with_borrow(|pool| pool.as_ref().map_or(0, |pool| pool.buffers.len()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Writes what a loop has queued when its thread ends.
    struct AtTheEnd(Sender<()>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            give(vec![0; SIZE], Vec::new());
            trim(true);
            self.0.send(()).expect("the test waits");
        }
    }

    thread_local! {
        static END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }

    #[test]
    fn a_thread_that_ends_may_still_write() {
        let (ended, end) = channel();
        std::thread::spawn(move || {
            // The first to be used is the last to go: there is no pool any more then.
            END.set(Some(AtTheEnd(ended)));
            give(vec![0; SIZE], Vec::new());
        });
        end.recv().expect("no panic");
    }
}
