//! Unpacking a message.

use zstd_safe::DCtx;

use super::{Algorithm, Compressed};
use crate::error::{Code, Error, Result};

/// A buffer that has grown beyond this is given back after its message.
const KEPT: usize = 1024 * 1024;

/// Unpacks messages, one at a time, into a buffer that it keeps for the next.
#[derive(Default)]
pub struct Decompressor {
    buffer: Vec<u8>,
    zstd: Option<DCtx<'static>>,
}

impl Decompressor {
    /// The message, for a receiver that takes up to `limit` bytes. Whatever the peer sends, no more memory is taken
    /// than `limit`, nor than [`MAX_RATIO`](super::MAX_RATIO) times what came.
    pub fn decompress(&mut self, message: &Compressed<'_>, limit: u32) -> Result<&[u8]> {
        message.check(limit)?;
        let len = message.message_len as usize;
        if self.buffer.len() < len {
            // New, not grown: pages of it that nothing is unpacked into cost nothing.
            self.buffer = vec![0; len];
        }
        let room = &mut self.buffer[..len];
        let outcome = match message.algorithm {
            Algorithm::Lz4 => lz4_flex::block::decompress_into(message.data, room).map_err(|error| error.to_string()),
            Algorithm::Zstd => {
                let context = self.zstd.get_or_insert_default();
                context.decompress(room, message.data).map_err(|code| zstd_safe::get_error_name(code).to_owned())
            }
        };
        let fault = match outcome {
            Ok(got) if got == len => return Ok(&self.buffer[..len]),
            Ok(got) => format!("there are {got}"),
            Err(error) => error,
        };
        let name = message.algorithm.name();
        Err(Error::new(Code::Protocol, format!("message of {len} bytes, compressed with {name}: {fault}")))
    }

    /// The memory that the buffer has.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Gives back memory that only a large message needs.
    pub fn trim(&mut self) {
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
    }
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decompressor").field("buffer", &self.buffer.len()).finish_non_exhaustive()
    }
}
