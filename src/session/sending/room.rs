//! A full outgoing queue, and what the session's policy makes of it.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::{Sending, Writer};
use crate::config::SendPolicy;
use crate::error::{Code, Error, Result};
use crate::runtime::on_library_thread;
use crate::session::Session;

/// How often a send that waits looks for room in the budget.
const LOOK: Duration = Duration::from_millis(20);

/// The queue, with room for the message; `None`: the message was dropped.
type Room<'a> = Option<MutexGuard<'a, Sending>>;

impl Session {
    /// Changes what a full queue means for this session, at once: sends that wait for room go by it too.
    pub fn set_send_policy(&self, policy: SendPolicy) {
        self.lock_sending().policy = policy;
        self.room.notify_all();
    }

    /// What the policy says about a send that meets a full queue.
    #[cold]
    pub(super) fn make_room<'a>(
        self: &'a Arc<Self>,
        sending: MutexGuard<'a, Sending>,
        cost: usize,
        deadline: &mut Option<Instant>,
    ) -> Result<Room<'a>> {
        let limit = self.registry.config.send_queue;
        if sending.policy == SendPolicy::WouldBlock {
            return Err(self.would_block(sending, cost));
        }
        if sending.policy == SendPolicy::Wait && !on_library_thread() {
            return self.wait_for_room(sending, cost, deadline);
        }
        // First what the kernel takes.
        let sending = self.write_some(sending)?;
        if sending.queue.fits(cost, limit) { Ok(Some(sending)) } else { self.make_room_without_waiting(sending, cost) }
    }

    /// The same for who waits for nothing: a library thread, or a broadcast.
    #[cold]
    pub(super) fn make_room_without_waiting<'a>(
        self: &'a Arc<Self>,
        mut sending: MutexGuard<'a, Sending>,
        cost: usize,
    ) -> Result<Room<'a>> {
        let config = &self.registry.config;
        match sending.policy {
            SendPolicy::WouldBlock => return Err(self.would_block(sending, cost)),
            SendPolicy::Wait => {
                sending.queue.want_room(cost, config.send_queue);
                if !sending.queue.fits_in_bytes(cost, config.send_hard_limit) {
                    drop(sending);
                    return Err(self.overrun(format!(
                        "{} and the outgoing queue is at its hard limit of {} bytes",
                        if self.is_backlog { "the client is not connected" } else { "the peer does not read" },
                        config.send_hard_limit
                    )));
                }
            }
            SendPolicy::DropNewest => {
                sending.queue.drop_newest();
                return Ok(None);
            }
            SendPolicy::DropOldest => {
                if !sending.queue.drop_oldest(cost, config.send_queue) {
                    sending.queue.drop_newest();
                    return Ok(None);
                }
            }
            // Not its peer's fault.
            SendPolicy::Disconnect if sending.queue.is_empty() => {}
            SendPolicy::Disconnect => {
                let text = format!("{}, and the policy is to disconnect", full(&sending, config.send_queue));
                drop(sending);
                return Err(self.overrun(text));
            }
        }
        Ok(Some(sending))
    }

    /// Writes what the kernel takes at once. A loop that runs a handler has not looked for long whether it does.
    fn write_some<'a>(self: &'a Arc<Self>, sending: MutexGuard<'a, Sending>) -> Result<MutexGuard<'a, Sending>> {
        drop(sending);
        self.write_queue(if on_library_thread() { Writer::Overfull } else { Writer::Caller });
        let sending = self.lock_sending();
        sending.queue.check_open()?;
        Ok(sending)
    }

    /// Waits for room, on a thread of the user's.
    fn wait_for_room<'a>(
        self: &'a Arc<Self>,
        mut sending: MutexGuard<'a, Sending>,
        cost: usize,
        deadline: &mut Option<Instant>,
    ) -> Result<Room<'a>> {
        let config = &self.registry.config;
        let by = *deadline.get_or_insert_with(|| Instant::now() + config.send_timeout);
        loop {
            let left = by.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let error = self.waited_in_vain();
                // Under the lock: a session that ends meanwhile tells of it when it has closed the queue.
                self.report(error.clone());
                return Err(error);
            }
            sending.waiting += 1;
            // Room in the queue is told of, room in the budget is not.
            let left = if sending.queue.is_out_of_memory() { left.min(LOOK) } else { left };
            sending = self.wait_for_change(sending, left);
            sending.waiting -= 1;
            sending.queue.check_open()?;
            if sending.queue.fits(cost, config.send_queue) {
                return Ok(Some(sending));
            }
            if sending.policy != SendPolicy::Wait {
                return self.make_room(sending, cost, deadline);
            }
        }
    }

    fn would_block(&self, mut sending: MutexGuard<'_, Sending>, cost: usize) -> Error {
        let limit = self.registry.config.send_queue;
        sending.queue.want_room(cost, limit);
        let text = format!("{}: try again at the writable event", full(&sending, limit));
        let out_of_memory = sending.queue.is_out_of_memory();
        drop(sending);
        if out_of_memory {
            self.await_budget();
        }
        Error::new(Code::WouldBlock, text)
    }

    /// Ends the session since its peer takes nothing. A backlog, whose client connects again, only refuses.
    fn overrun(&self, text: String) -> Error {
        let error = Error::new(Code::SendFailed, text);
        if !self.is_backlog {
            self.fail(error.clone());
        }
        error
    }

    fn waited_in_vain(&self) -> Error {
        let why = if self.is_backlog { "the client is not connected" } else { "the peer reads too little" };
        let ms = self.registry.config.send_timeout.as_millis();
        Error::new(Code::SendFailed, format!("there was no room for the message for {ms} ms: {why}"))
    }
}

fn full(sending: &Sending, limit: usize) -> String {
    let queue = &sending.queue;
    if queue.is_out_of_memory() {
        return "the buffers of all sessions are at the limit of their context".into();
    }
    format!("the outgoing queue holds {} messages and {} of {limit} bytes", queue.queued_messages(), queue.queued())
}
