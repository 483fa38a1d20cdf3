//! Sending messages compressed, to a peer that has agreed.

use std::sync::Arc;
use std::time::Instant;

use super::Outgoing;
use crate::error::Result;
use crate::session::Session;
use crate::transport::compression::{Algorithm, Algorithms};
use crate::transport::frame::HEADER_LEN;

impl Session {
    /// Sends a message compressed; `None`: its peer has not agreed, or that does not make it shorter.
    #[inline(never)]
    pub(super) fn send_compressed(
        self: &Arc<Self>,
        message: Outgoing<'_>,
        deadline: &mut Option<Instant>,
    ) -> Option<Result<()>> {
        let algorithm = self.compress_by()?;
        match self.is_worth_compressing(message, deadline) {
            Ok(true) => {}
            Ok(false) => return Some(Ok(())),
            Err(error) => return Some(Err(error)),
        }
        // Not under the lock, for which others wait. A thread's messages keep their order: each is queued before its
        // send returns.
        let sent = self.registry.compress(algorithm, message, |frame| {
            let frame = frame?;
            let mut sending = self.lock_sending();
            if sending.queue.is_open() && sending.queue.fits(frame.len(), self.registry.config.send_queue) {
                sending.queue.push_encoded(frame);
                self.transmit(sending);
                return Some(None);
            }
            // It may have to wait, and not with what compresses in its hands.
            Some(Some(frame.to_vec()))
        })?;
        Some(match sent {
            Some(frame) => self.enqueue_encoded(message, &frame, deadline),
            None => {
                self.log_sent(message.payload, message.len);
                Ok(())
            }
        })
    }

    /// Refuses, before it is compressed, what would be refused then, and waits until there is any room; false: the
    /// policy dropped it.
    fn is_worth_compressing(self: &Arc<Self>, message: Outgoing<'_>, deadline: &mut Option<Instant>) -> Result<bool> {
        let sending = self.lock_sending();
        sending.queue.check_open()?;
        self.check_len(message.len)?;
        let least = HEADER_LEN + 1;
        if sending.queue.fits(least, self.registry.config.send_queue) {
            return Ok(true);
        }
        Ok(self.make_room(sending, least, deadline)?.is_some())
    }

    fn enqueue_encoded(
        self: &Arc<Self>,
        message: Outgoing<'_>,
        frame: &[u8],
        deadline: &mut Option<Instant>,
    ) -> Result<()> {
        let sending = self.lock_sending();
        sending.queue.check_open()?;
        self.enqueue(sending, message, frame.len(), deadline, |queue| queue.push_encoded(frame))
    }

    /// How messages are compressed for the peer. Once that is known it speaks the framed protocol.
    pub(super) fn compress_by(&self) -> Option<Algorithm> {
        self.compress_by.get().copied()
    }

    /// The peer has agreed to these algorithms: sends may use the one that is preferred.
    pub(in crate::session) fn agree(&self, agreed: Algorithms) {
        let preferred = [Algorithm::Lz4, Algorithm::Zstd].into_iter().find(|algorithm| agreed.contains(*algorithm));
        if let Some(algorithm) = preferred {
            self.compress_by.get_or_init(|| algorithm);
        }
    }
}
