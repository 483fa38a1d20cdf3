//! Packing a message.

use std::sync::{Mutex, PoisonError};

use lz4_flex::block::CompressTable;
use zstd_safe::CCtx;

use super::{Algorithm, MAX_RATIO, PREFIX_LEN};
use crate::transport::frame::{HEADER_LEN, Header, Kind};

/// Where the compressed bytes begin in a frame.
const DATA_AT: usize = HEADER_LEN + PREFIX_LEN;

/// From this length on LZ4 needs its larger table.
const LARGE: usize = u16::MAX as usize;

/// Buffers that have grown beyond this are given back after their message, and so is what zstd works with.
const KEPT: usize = 2 * 1024 * 1024;

/// How many compressors wait for the next message. As many are in use at a time as threads send compressed.
const IDLE: usize = 8;

/// Packs messages, one at a time, into a buffer that it keeps for the next.
#[derive(Default)]
pub struct Compressor {
    /// The frame that was made last.
    frame: Vec<u8>,
    /// A message that was given in parts.
    joined: Vec<u8>,
    lz4: Option<CompressTable>,
    lz4_large: Option<CompressTable>,
    zstd: Option<CCtx<'static>>,
}

impl Compressor {
    /// The frame that carries the message, given in parts that add up to `len` bytes; `None`: it would be no shorter
    /// than the message. `level` is that of zstd.
    pub fn compress(
        &mut self,
        kind: Kind,
        algorithm: Algorithm,
        level: u8,
        parts: &[&[u8]],
        len: usize,
    ) -> Option<&[u8]> {
        let message_len = u32::try_from(len).ok()?;
        let mut joined = std::mem::take(&mut self.joined);
        let message = match parts {
            [message] => message,
            parts => {
                joined.clear();
                parts.iter().for_each(|part| joined.extend_from_slice(part));
                &joined[..]
            }
        };
        let packed = match algorithm {
            Algorithm::Lz4 => self.lz4(message),
            Algorithm::Zstd => self.zstd(message, level),
        };
        self.joined = joined;
        let payload_len = PREFIX_LEN + packed?;
        if payload_len >= len {
            return None;
        }
        let header = Header { len: payload_len as u32, kind: kind as u8, flags: algorithm as u8 };
        self.frame[..HEADER_LEN].copy_from_slice(&header.encode());
        self.frame[HEADER_LEN..DATA_AT].copy_from_slice(&message_len.to_le_bytes());
        Some(&self.frame[..HEADER_LEN + payload_len])
    }

    /// Where up to `len` compressed bytes go.
    fn room(frame: &mut Vec<u8>, len: usize) -> &mut [u8] {
        if frame.len() < DATA_AT + len {
            frame.resize(DATA_AT + len, 0);
        }
        &mut frame[DATA_AT..]
    }

    /// Packs with LZ4, and tells how many bytes it became.
    fn lz4(&mut self, message: &[u8]) -> Option<usize> {
        let table = if message.len() < LARGE { &mut self.lz4 } else { &mut self.lz4_large };
        let table = table.get_or_insert_default();
        let room = Self::room(&mut self.frame, lz4_flex::block::get_maximum_output_size(message.len()));
        let packed = lz4_flex::block::compress_into_with_table(message, room, table).ok()?;
        let least = least_payload(message.len());
        if PREFIX_LEN + packed >= least {
            return Some(packed);
        }
        // A beginning that is left as it is makes it long enough. `least` is a hundredth of the message.
        let (first, rest) = message.split_at(least);
        let packed = lz4_flex::block::compress_into_with_table(rest, room, table).ok()?;
        let packed = behind_literals(first, &room[..packed])?;
        room.get_mut(..packed.len())?.copy_from_slice(&packed);
        Some(packed.len())
    }

    /// Packs with zstd, and tells how many bytes it became.
    fn zstd(&mut self, message: &[u8], level: u8) -> Option<usize> {
        let context = self.zstd.get_or_insert_default();
        let room = Self::room(&mut self.frame, zstd_safe::compress_bound(message.len()));
        let packed = context.compress(room, message, level.into()).ok()?;
        let missing = least_payload(message.len()).saturating_sub(PREFIX_LEN + packed);
        if missing == 0 {
            return Some(packed);
        }
        // A frame that is skipped makes it long enough.
        let empty = missing.saturating_sub(SKIPPED_HEADER);
        let padding = room.get_mut(packed..packed + SKIPPED_HEADER + empty)?;
        padding.fill(0);
        padding[..4].copy_from_slice(&SKIPPED_MAGIC.to_le_bytes());
        padding[4..SKIPPED_HEADER].copy_from_slice(&(empty as u32).to_le_bytes());
        Some(packed + SKIPPED_HEADER + empty)
    }

    fn trim(&mut self) {
        if self.frame.capacity() + self.joined.capacity() > KEPT {
            self.frame = Vec::new();
            self.joined = Vec::new();
        }
        self.zstd.take_if(|context| context.sizeof() > KEPT);
    }
}

/// What a skippable frame of zstd begins with (RFC 8878, 3.1.2): this and its length.
const SKIPPED_MAGIC: u32 = 0x184D_2A50;
const SKIPPED_HEADER: usize = 8;

/// The shortest payload that may carry a message of `len` bytes.
fn least_payload(len: usize) -> usize {
    len.div_ceil(MAX_RATIO)
}

/// A block of LZ4 that unpacks to `first` and then to what `block` does.
///
/// A block is a list of sequences: a token, literals, and where to copy from how much. The token's upper four bits are
/// the number of literals; 15 means that bytes follow which are added to it, up to the first that is not 255.
fn behind_literals(first: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    let (token, mut rest) = block.split_first()?;
    let mut literals = usize::from(token >> 4);
    while literals >= 15 {
        let (more, behind) = rest.split_first()?;
        literals += usize::from(*more);
        rest = behind;
        if *more != 255 {
            break;
        }
    }
    literals += first.len();
    let mut packed = Vec::with_capacity(first.len() + block.len() + literals / 255 + 2);
    packed.push((literals.min(15) as u8) << 4 | token & 0x0F);
    if let Some(more) = literals.checked_sub(15) {
        packed.resize(packed.len() + more / 255, 255);
        packed.push((more % 255) as u8);
    }
    packed.extend_from_slice(first);
    packed.extend_from_slice(rest);
    Some(packed)
}

/// The compressors that the sessions of a context share: each costs memory, and few are in use at a time.
#[derive(Default)]
pub(crate) struct Compressors(Mutex<Vec<Compressor>>);

impl Compressors {
    /// Lends one.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Compressor) -> R) -> R {
        let mut compressor = self.idle(Vec::pop).unwrap_or_default();
        let result = work(&mut compressor);
        compressor.trim();
        self.idle(|idle| {
            if idle.len() < IDLE {
                idle.push(compressor);
            }
        });
        result
    }

    fn idle<R>(&self, work: impl FnOnce(&mut Vec<Compressor>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Compressors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressors").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
