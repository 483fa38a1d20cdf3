//! Writing what is queued: on whose turn, how much of it, and what becomes of the rest.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Sending;
use crate::error::{Code, Error};
use crate::runtime::batch;
use crate::session::Session;
use crate::session::outbound::Next;
use crate::sys;
use crate::transport::Stream;

/// A queue that has grown past this is written although the batch has not ended, so that a handler that sends much
/// does not meet a full queue that only its own loop could empty.
const CORK_LIMIT: usize = 256 * 1024;

/// How many chunks a loop writes for one session before others have their turn.
const CHUNKS_PER_TURN: usize = 16;

/// How long the end of a session waits for another thread's write, which does not block.
const LONGEST_WRITE: Duration = Duration::from_secs(1);

/// Who writes: that decides what happens with the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Writer {
    /// The session's driver, which waits for the socket.
    Driver,
    /// A batch, on a loop.
    Batch,
    /// A handler that meets a full queue. It asks the kernel, since its loop, which would be told, waits for it.
    Overfull,
    /// A thread of the user's, which writes once and leaves the rest to the driver.
    Caller,
}

impl Session {
    /// Sees to it that what was queued is written.
    #[inline(always)]
    pub(in crate::session) fn transmit(self: &Arc<Self>, mut sending: MutexGuard<'_, Sending>) {
        let Some(thread) = batch::current() else {
            let next = sending.queue.next_step(!batch::leaves_writes());
            if next != Next::Write {
                // Somebody is at it already, or will be soon.
                sending.queue.grant(None, self.registry.config.send_queue);
            }
            drop(sending);
            match next {
                Next::Nothing => {}
                Next::Write => self.write_queue(Writer::Caller),
                Next::Wake => self.kick(),
            }
            return;
        };
        let newly = sending.queue.mark_dirty(thread);
        let large = sending.queue.queued() > CORK_LIMIT;
        if !large {
            sending.queue.grant(Some(thread), CORK_LIMIT.min(self.registry.config.send_queue));
        }
        drop(sending);
        if newly {
            batch::flush_at_end(Arc::clone(self) as Arc<dyn batch::Flush>);
        }
        if large {
            self.write_queue(Writer::Batch);
        }
    }

    /// Writes what is queued, as far as the kernel takes it and unless somebody does so already.
    pub(in crate::session) fn write_queue(&self, writer: Writer) {
        let mut sending = self.lock_sending();
        let Some(stream) = sending.stream.clone() else { return };
        if writer == Writer::Overfull {
            sending.queue.unblock();
        }
        if writer == Writer::Driver && stream.owes() {
            sending = self.flush_stream(sending, &stream);
        }
        if !sending.queue.begin_writing(writer == Writer::Driver) {
            return;
        }
        let mut turns = if writer == Writer::Caller { 1 } else { CHUNKS_PER_TURN };
        let mut wake = false;
        while let Some(chunk) = sending.queue.next_chunk() {
            drop(sending);
            let outcome = if writer == Writer::Overfull {
                stream.write_now(chunk.rest())
            } else {
                stream.try_write(chunk.rest())
            };
            sending = self.lock_sending();
            if matches!(outcome, Ok(1..)) {
                // Nothing is taken before all has gone out that was owed.
                sending.queue.set_flushed();
            }
            let all = sending.queue.written(chunk, *outcome.as_ref().unwrap_or(&0));
            match outcome {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
                    sending.queue.fail(Error::from_io(Code::SendFailed, "cannot send", &error));
                    wake = true;
                    break;
                }
                _ if !all => {
                    sending.queue.block();
                    wake = writer != Writer::Driver;
                    break;
                }
                _ => {}
            }
            turns -= 1;
            if turns == 0 {
                wake = sending.queue.hand_over();
                break;
            }
        }
        if stream.owes() {
            sending.queue.block();
            wake |= writer != Writer::Driver;
        } else {
            sending.queue.set_flushed();
        }
        sending.queue.sent.last_ns = sys::monotonic_ns();
        let open = sending.queue.is_open();
        // A driver that closes waits for the queue to be empty.
        wake |= sending.queue.is_writable_due() || (!open && writer != Writer::Driver);
        let room = sending.waiting > 0 && (!open || sending.queue.is_half_empty(self.registry.config.send_queue));
        drop(sending);
        if room {
            self.room.notify_all();
        }
        if wake {
            self.kick();
        }
    }

    /// Gives the kernel what an encrypted stream owes it.
    #[cold]
    fn flush_stream<'a>(&'a self, sending: MutexGuard<'a, Sending>, stream: &Stream) -> MutexGuard<'a, Sending> {
        drop(sending);
        let outcome = stream.flush();
        let mut sending = self.lock_sending();
        if let Err(error) = outcome {
            sending.queue.break_off(Error::from_io(Code::SendFailed, "cannot send", &error));
        } else if !stream.owes() {
            sending.queue.set_flushed();
        }
        sending
    }

    /// Waits until nobody writes, so that all of which nothing was written is in the queue, which takes nothing more.
    pub(in crate::session) fn await_writer<'a>(&self, mut sending: MutexGuard<'a, Sending>) -> MutexGuard<'a, Sending> {
        debug_assert!(!sending.queue.is_open());
        let deadline = Instant::now() + LONGEST_WRITE;
        sending.waiting += 1;
        while sending.queue.is_writing() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            sending = self.wait_for_change(sending, left);
        }
        sending.waiting -= 1;
        sending
    }

    /// Waits until there is room in the queue, or never will be, or for so long.
    pub(super) fn wait_for_change<'a>(
        &self,
        sending: MutexGuard<'a, Sending>,
        most: Duration,
    ) -> MutexGuard<'a, Sending> {
        let (mut sending, _) = self.room.wait_timeout(sending, most).unwrap_or_else(PoisonError::into_inner);
        sending.queue.revoke();
        sending
    }
}

impl batch::Flush for Session {
    fn flush(&self) {
        self.write_queue(Writer::Batch);
    }
}
