//! Compressed messages that arrive.

use std::cell::Cell;

use super::Driver;
use crate::error::Result;
use crate::session::handler::Payload;
use crate::transport::compression::{Compressed, Decompressor};
use crate::transport::frame::{HEADER_LEN, Kind};

thread_local! {
    /// One for all sessions of a loop: a message is unpacked and handled before the next one is looked at.
    static DECOMPRESSOR: Cell<Option<Box<Decompressor>>> = const { Cell::new(None) };
}

impl Driver {
    /// Hands over what the message unpacks to. That it may come compressed was agreed.
    #[inline(never)]
    pub(super) fn on_compressed_message(&mut self, message: &Compressed<'_>) -> Result<()> {
        let limit = self.session.registry.max_message();
        let mut decompressor = DECOMPRESSOR.take().unwrap_or_default();
        let outcome = decompressor.decompress(message, limit).map(|data| {
            let received = &self.session.received;
            received.compressed_messages.add(1);
            received.compressed_payload.add(data.len() as u64);
            received.compressed_wire.add((HEADER_LEN + message.payload_len()) as u64);
            let payload = if message.kind == Kind::Text { Payload::Text } else { Payload::Binary };
            self.on_framed_message(payload, data);
        });
        decompressor.trim();
        DECOMPRESSOR.set(Some(decompressor));
        outcome
    }
}
