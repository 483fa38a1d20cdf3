//! Compressed messages: which algorithms there are, how peers agree on them, and how a message is packed and unpacked.
//!
//! Every message is compressed by itself, so that nothing has to be kept for a session. `docs/protocol.md` says what
//! such a message looks like on the wire.

mod compressor;
mod decompressor;

pub use compressor::Compressor;
pub(crate) use compressor::Compressors;
pub use decompressor::Decompressor;

use crate::error::{Code, Error, Result};
use crate::transport::frame::{Header, Kind};
use crate::transport::hello;

/// No message is larger than so many times the payload that carries it: what a peer can make the other side unpack is
/// bounded by what it sends.
pub const MAX_RATIO: usize = 100;

/// What comes before the compressed bytes: the length of the message.
const PREFIX_LEN: usize = size_of::<u32>();

/// A way of compressing a message. The number is that in the flags of its frame.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// A block of LZ4, without the frame that files have.
    Lz4 = 1,
    /// Frames of Zstandard (RFC 8878).
    Zstd = 2,
}

impl Algorithm {
    /// The algorithm with this number.
    pub fn from_flags(flags: u8) -> Option<Algorithm> {
        Some(match flags {
            1 => Algorithm::Lz4,
            2 => Algorithm::Zstd,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Lz4 => "LZ4",
            Algorithm::Zstd => "zstd",
        }
    }

    /// The bit of the capabilities in a hello by which a peer offers to receive it.
    const fn capability(self) -> u32 {
        1 << (self as u32 - 1)
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Algorithms(u32);

impl Algorithms {
    /// None of them.
    pub const NONE: Algorithms = Algorithms(0);
    /// All of them.
    pub const ALL: Algorithms = Algorithms(Algorithm::Lz4.capability() | Algorithm::Zstd.capability());

    /// What a hello with these capabilities offers.
    pub fn from_capabilities(capabilities: u32) -> Algorithms {
        Algorithms(capabilities & Self::ALL.0)
    }

    /// The capabilities that offer these.
    pub fn capabilities(self) -> u32 {
        self.0
    }

    /// Those that are in both.
    pub fn and(self, other: Algorithms) -> Algorithms {
        Algorithms(self.0 & other.0)
    }

    /// Whether it is one of them.
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.capability() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }
}

impl From<Algorithm> for Algorithms {
    fn from(algorithm: Algorithm) -> Algorithms {
        Algorithms(algorithm.capability())
    }
}

/// A message as it came, compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressed<'a> {
    /// [`Kind::Text`] or [`Kind::Binary`].
    pub kind: Kind,
    /// How it is compressed.
    pub algorithm: Algorithm,
    /// How long the message is, by its sender's word.
    pub message_len: u32,
    /// The compressed bytes.
    pub data: &'a [u8],
}

impl<'a> Compressed<'a> {
    /// Reads the payload that came with `header`. `None`: the frame carries no compressed message.
    pub fn decode(header: Header, payload: &'a [u8]) -> Result<Option<Compressed<'a>>> {
        let (Some(algorithm), Some(kind)) = (Algorithm::from_flags(header.flags), Kind::from_number(header.kind))
        else {
            return Ok(None);
        };
        let Some((len, data)) = payload.split_first_chunk() else {
            return Err(hello::too_short("compressed message", payload.len(), PREFIX_LEN));
        };
        Ok(Some(Compressed { kind, algorithm, message_len: u32::from_le_bytes(*len), data }))
    }

    /// How long the payload is that carries it.
    pub fn payload_len(&self) -> usize {
        PREFIX_LEN + self.data.len()
    }

    /// Appends the payload to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.message_len.to_le_bytes());
        out.extend_from_slice(self.data);
    }

    /// Checks what its sender says before anything is unpacked, for a receiver of messages of up to `limit` bytes.
    fn check(&self, limit: u32) -> Result<()> {
        let (len, payload) = (self.message_len as usize, self.payload_len());
        let name = self.algorithm.name();
        if self.message_len > limit {
            let text = format!("message of {len} bytes, compressed with {name}: the limit is {limit} bytes");
            return Err(Error::new(Code::MessageTooLarge, text));
        }
        if len > MAX_RATIO * payload {
            let text = format!(
                "message of {len} bytes in {payload}, compressed with {name}: at most {MAX_RATIO} times the payload \
                 is allowed"
            );
            return Err(Error::new(Code::Protocol, text));
        }
        if len <= payload {
            let text = format!("message of {len} bytes in {payload}, compressed with {name}: it has to be shorter so");
            return Err(Error::new(Code::Protocol, text));
        }
        Ok(())
    }
}
