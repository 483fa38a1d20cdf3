//! Frames: the unit of the framed protocol, an 8-byte header and a payload. `docs/protocol.md` is the specification.
//!
//! Nothing here does I/O. [`Decoder`] turns bytes, however they were cut by the network, into frames; a frame that
//! lies whole in the input is handed out in place, so that the usual case copies and allocates nothing.

mod decoder;

pub use decoder::Decoder;

use crate::error::{Code, Error, Result};
use crate::transport::compression::{Algorithm, Algorithms, Compressed};
use crate::transport::hello::{self, Hello};

/// What either side sends before its first frame. The line ends and the control character make it unlike any text
/// protocol, and make it fail where something on the way translates line ends.
pub const PREAMBLE: [u8; 8] = *b"NSYS\r\n\x1A\n";

/// The length of a frame's header.
pub const HEADER_LEN: usize = 8;

/// The longest payload of a control frame, that is of a known kind other than TEXT and BINARY.
pub const MAX_CONTROL_LEN: u32 = 2048;

/// The longest reason in a CLOSE, in bytes.
pub const MAX_REASON_LEN: usize = 1024;

/// What a frame is. Kind 0 is invalid for ever; kinds that are not listed are skipped.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's first frame.
    Hello = 1,
    /// The server's answer to it.
    HelloAck = 2,
    /// A message that should be UTF-8; receivers do not check it.
    Text = 3,
    /// A message.
    Binary = 4,
    /// Asks for a PONG with the same token.
    Ping = 5,
    /// The answer to a PING.
    Pong = 6,
    /// The sender sends no further message.
    Close = 7,
    /// The answer to a CLOSE.
    CloseAck = 8,
    /// How many messages the sender's handler has got so far.
    Receipt = 9,
}

impl Kind {
    /// The kind with this number, if this version knows it.
    #[inline]
    pub fn from_number(number: u8) -> Option<Kind> {
        Some(match number {
            1 => Kind::Hello,
            2 => Kind::HelloAck,
            3 => Kind::Text,
            4 => Kind::Binary,
            5 => Kind::Ping,
            6 => Kind::Pong,
            7 => Kind::Close,
            8 => Kind::CloseAck,
            9 => Kind::Receipt,
            _ => return None,
        })
    }

    /// Whether a frame of this kind carries a message of the application.
    #[inline]
    pub fn is_message(self) -> bool {
        matches!(self, Kind::Text | Kind::Binary)
    }
}

/// The first eight bytes of a frame. The kind stays a number, since it may be one that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the payload.
    pub len: u32,
    /// The kind, see [`Kind::from_number`].
    pub kind: u8,
    /// Of a message: 0, or how it is compressed, see [`Algorithm::from_flags`].
    pub flags: u8,
}

impl Header {
    /// The header of a frame whose payload is what it is.
    #[inline]
    pub fn plain(kind: u8, len: u32) -> Header {
        Header { len, kind, flags: 0 }
    }

    /// The bytes of the header.
    #[inline]
    pub fn encode(self) -> [u8; HEADER_LEN] {
        (u64::from(self.len) | u64::from(self.kind) << 32 | u64::from(self.flags) << 40).to_le_bytes()
    }

    /// Reads a header and refuses what no peer of this version sends: kind 0, reserved bits, and on a known kind flags
    /// that it does not have.
    #[inline]
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Header> {
        let word = u64::from_le_bytes(*bytes);
        let header = Header { len: word as u32, kind: (word >> 32) as u8, flags: (word >> 40) as u8 };
        if word >> 40 != 0 || header.kind == 0 { header.with_marks((word >> 48) as u16) } else { Ok(header) }
    }

    /// The kind and length of a message that is not compressed; `None`: the header is another one, or a bad one.
    #[inline]
    fn message(bytes: &[u8; HEADER_LEN]) -> Option<(Kind, u32)> {
        const TEXT: u32 = Kind::Text as u32;
        const BINARY: u32 = Kind::Binary as u32;
        let word = u64::from_le_bytes(*bytes);
        let kind = match (word >> 32) as u32 {
            TEXT => Kind::Text,
            BINARY => Kind::Binary,
            _ => return None,
        };
        Some((kind, word as u32))
    }

    #[inline(never)]
    fn with_marks(self, reserved: u16) -> Result<Header> {
        let Header { len, kind, flags } = self;
        let known = Kind::from_number(kind);
        let fault = if reserved != 0 {
            format!("reserved bits {reserved:#06x} are set")
        } else if kind == 0 {
            "kind 0 is invalid".to_owned()
        } else if known.is_none() {
            return Ok(Header::plain(kind, len));
        } else if known.is_some_and(Kind::is_message) && Algorithm::from_flags(flags).is_some() {
            return Ok(self);
        } else {
            format!("flags {flags:#04x} are not defined")
        };
        Err(self.refusal(&fault))
    }

    fn refusal(self, fault: &str) -> Error {
        let Header { len, kind, .. } = self;
        Error::new(Code::Protocol, format!("bad frame header (kind {kind}, length {len}): {fault}"))
    }

    /// Whether it is that of a message of this kind that is not compressed.
    #[inline]
    pub fn is_plain(self, kind: Kind) -> bool {
        self.kind == kind as u8 && self.flags == 0
    }

    /// Whether a receiver that takes messages of up to `limit` bytes, and compressed ones of the algorithms that were
    /// `agreed`, takes this frame.
    #[inline]
    pub fn check(self, limit: u32, agreed: Algorithms) -> Result<()> {
        let plain = self.is_plain(Kind::Text) || self.is_plain(Kind::Binary);
        if plain && self.len <= limit { Ok(()) } else { self.check_other(limit, agreed) }
    }

    #[inline(never)]
    fn check_other(self, limit: u32, agreed: Algorithms) -> Result<()> {
        let Header { len, kind, flags } = self;
        if let Some(algorithm) = Algorithm::from_flags(flags)
            && !agreed.contains(algorithm)
        {
            return Err(self.refusal(&format!("flags {flags:#04x}: {algorithm:?} was not agreed in the hello")));
        }
        let control = Kind::from_number(kind).is_some_and(|kind| !kind.is_message());
        if control && len > MAX_CONTROL_LEN {
            let text = format!("control frame of kind {kind} with {len} bytes: at most {MAX_CONTROL_LEN} are allowed");
            return Err(Error::new(Code::Protocol, text));
        }
        if !control && len > limit {
            let text = format!("message of {len} bytes: the limit is {limit} bytes");
            return Err(Error::new(Code::MessageTooLarge, text));
        }
        Ok(())
    }
}

/// The payload of CLOSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// 0 for an orderly close, else the number of a [`Code`] or one of a later version.
    pub code: i32,
    /// How many of the other side's messages the sender's handler got; it gets no further one.
    pub received: u64,
    /// Why, in words, at most [`MAX_REASON_LEN`] bytes.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    const FIXED_LEN: usize = 14;

    fn decode(payload: &'a [u8]) -> Result<Close<'a>> {
        let Some((fixed, rest)) = payload.split_first_chunk() else {
            return Err(hello::too_short("CLOSE", payload.len(), Self::FIXED_LEN));
        };
        let &[c0, c1, c2, c3, r0, r1, r2, r3, r4, r5, r6, r7, l0, l1] = fixed;
        Ok(Close {
            code: i32::from_le_bytes([c0, c1, c2, c3]),
            received: u64::from_le_bytes([r0, r1, r2, r3, r4, r5, r6, r7]),
            reason: hello::text_field("reason", rest, u16::from_le_bytes([l0, l1]), MAX_REASON_LEN)?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code.to_le_bytes());
        out.extend_from_slice(&self.received.to_le_bytes());
        hello::encode_text(self.reason, MAX_REASON_LEN, out);
    }
}

/// A frame with its payload understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The client's first frame.
    Hello(Hello<'a>),
    /// The server's answer to it.
    HelloAck(Hello<'a>),
    /// A message that should be UTF-8, not checked.
    Text(&'a [u8]),
    /// A message.
    Binary(&'a [u8]),
    /// A message of either kind, compressed.
    Compressed(Compressed<'a>),
    /// Asks for a PONG with this token.
    Ping(u64),
    /// Answers the PING with this token.
    Pong(u64),
    /// The sender sends no further message.
    Close(Close<'a>),
    /// Answers a CLOSE.
    CloseAck {
        /// How many of the other side's messages the sender's handler got; it gets no further one.
        received: u64,
    },
    /// Progress, unasked.
    Receipt {
        /// How many of the other side's messages the sender's handler has got so far.
        received: u64,
    },
    /// A frame of a kind that this version does not know and that is to be skipped.
    Unknown {
        /// The kind.
        kind: u8,
        /// The payload.
        payload: &'a [u8],
    },
}

impl<'a> Frame<'a> {
    /// Reads the payload that came with `header`. Bytes beyond the fields of a control frame are ignored: a later
    /// minor version put them there.
    pub fn decode(header: Header, payload: &'a [u8]) -> Result<Frame<'a>> {
        let Some(kind) = Kind::from_number(header.kind) else {
            return Ok(Frame::Unknown { kind: header.kind, payload });
        };
        if let Some(message) = Compressed::decode(header, payload)? {
            return Ok(Frame::Compressed(message));
        }
        Ok(match kind {
            Kind::Hello => Frame::Hello(Hello::decode(payload)?),
            Kind::HelloAck => Frame::HelloAck(Hello::decode(payload)?),
            Kind::Text => Frame::Text(payload),
            Kind::Binary => Frame::Binary(payload),
            Kind::Ping => Frame::Ping(number("PING", payload)?),
            Kind::Pong => Frame::Pong(number("PONG", payload)?),
            Kind::Close => Frame::Close(Close::decode(payload)?),
            Kind::CloseAck => Frame::CloseAck { received: number("CLOSE_ACK", payload)? },
            Kind::Receipt => Frame::Receipt { received: number("RECEIPT", payload)? },
        })
    }

    /// Appends header and payload to `out`. Only a message can fail, by being too long for a frame; then nothing is
    /// appended. A reason that is too long is cut.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let kind = match self {
            Frame::Hello(_) => Kind::Hello as u8,
            Frame::HelloAck(_) => Kind::HelloAck as u8,
            Frame::Text(_) => Kind::Text as u8,
            Frame::Binary(_) => Kind::Binary as u8,
            Frame::Compressed(message) => message.kind as u8,
            Frame::Ping(_) => Kind::Ping as u8,
            Frame::Pong(_) => Kind::Pong as u8,
            Frame::Close(_) => Kind::Close as u8,
            Frame::CloseAck { .. } => Kind::CloseAck as u8,
            Frame::Receipt { .. } => Kind::Receipt as u8,
            Frame::Unknown { kind, .. } => *kind,
        };
        let flags = if let Frame::Compressed(message) = self { message.algorithm as u8 } else { 0 };
        let len = match self {
            Frame::Hello(hello) | Frame::HelloAck(hello) => hello.encoded_len(),
            Frame::Text(payload) | Frame::Binary(payload) | Frame::Unknown { payload, .. } => payload.len(),
            Frame::Compressed(message) => message.payload_len(),
            Frame::Close(close) => Close::FIXED_LEN + hello::text_prefix(close.reason, MAX_REASON_LEN).len(),
            Frame::Ping(_) | Frame::Pong(_) | Frame::CloseAck { .. } | Frame::Receipt { .. } => size_of::<u64>(),
        };
        let Ok(len) = u32::try_from(len) else {
            let text = format!("message of {len} bytes: a frame holds at most {} bytes", u32::MAX);
            return Err(Error::new(Code::MessageTooLarge, text));
        };
        out.extend_from_slice(&Header { len, kind, flags }.encode());
        match self {
            Frame::Hello(hello) | Frame::HelloAck(hello) => hello.encode(out),
            Frame::Text(payload) | Frame::Binary(payload) | Frame::Unknown { payload, .. } => {
                out.extend_from_slice(payload);
            }
            Frame::Compressed(message) => message.encode(out),
            Frame::Close(close) => close.encode(out),
            Frame::Ping(number)
            | Frame::Pong(number)
            | Frame::CloseAck { received: number }
            | Frame::Receipt { received: number } => out.extend_from_slice(&number.to_le_bytes()),
        }
        Ok(())
    }
}

/// The number that is all that most control frames carry.
fn number(what: &str, payload: &[u8]) -> Result<u64> {
    match payload.first_chunk() {
        Some(bytes) => Ok(u64::from_le_bytes(*bytes)),
        None => Err(hello::too_short(what, payload.len(), size_of::<u64>())),
    }
}

/// What a peer is told that is refused before it has said hello: the preamble, and a close with the reason.
pub(crate) fn refusal(reason: &Error) -> Vec<u8> {
    let mut answer = PREAMBLE.to_vec();
    let close = Frame::Close(Close { code: reason.code as i32, received: 0, reason: &reason.message });
    close.encode(&mut answer).expect("a close is short");
    answer
}

/// What the first bytes of a connection say about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detect {
    /// They may still become the preamble.
    NeedMore,
    /// They begin with the preamble.
    Framed,
    /// The peer speaks something else.
    Raw,
}

/// Tells a framed peer from a raw one by all the bytes that it has sent so far.
pub fn classify(first_bytes: &[u8]) -> Detect {
    if first_bytes.starts_with(&PREAMBLE) {
        Detect::Framed
    } else if PREAMBLE.starts_with(first_bytes) {
        Detect::NeedMore
    } else {
        Detect::Raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn encoded(frame: Frame<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        frame.encode(&mut out).unwrap();
        out
    }

    pub(super) fn samples() -> Vec<Frame<'static>> {
        vec![
            Frame::Hello(Hello::new("client", 1 << 20)),
            Frame::HelloAck(Hello { minor: 3, capabilities: 5, max_message_bytes: 0, id: "" }),
            Frame::Text("größe".as_bytes()),
            Frame::Text(b"\xFF not UTF-8"),
            Frame::Binary(b""),
            Frame::Compressed(Compressed {
                kind: Kind::Text,
                algorithm: Algorithm::Zstd,
                message_len: 300,
                data: b"packed",
            }),
            Frame::Ping(u64::MAX),
            Frame::Pong(0x0102_0304_0506_0708),
            Frame::Close(Close { code: Code::Protocol as i32, received: 1 << 40, reason: "größe" }),
            Frame::Close(Close { code: 0, received: 0, reason: "" }),
            Frame::CloseAck { received: 3 },
            Frame::Receipt { received: 65_536 },
            Frame::Unknown { kind: 200, payload: b"later" },
        ]
    }

    #[test]
    fn every_frame_survives_the_round_trip() {
        for frame in samples() {
            let bytes = encoded(frame);
            let (head, payload) = bytes.split_first_chunk().unwrap();
            let header = Header::decode(head).unwrap();
            assert_eq!(header.len as usize, payload.len());
            assert_eq!(Frame::decode(header, payload), Ok(frame));
        }
    }

    #[test]
    fn a_header_is_little_endian() {
        assert_eq!(Header::plain(Kind::Binary as u8, 0x0403_0201).encode(), [1, 2, 3, 4, 4, 0, 0, 0]);
        assert_eq!(Header::decode(&[1, 2, 3, 4, 4, 0, 0, 0]), Ok(Header::plain(4, 0x0403_0201)));
    }

    #[test]
    fn a_header_with_a_mark_that_nobody_defined_is_refused() {
        let refusal = |bytes: [u8; 8]| {
            let error = Header::decode(&bytes).unwrap_err();
            assert_eq!(error.code, Code::Protocol);
            error.to_string()
        };
        assert!(refusal([0, 0, 0, 0, 3, 4, 0, 0]).contains("flags 0x04"));
        assert!(refusal([0, 0, 0, 0, 5, 1, 0, 0]).contains("flags 0x01"));
        assert!(refusal([0, 0, 0, 0, 3, 0, 1, 0]).contains("reserved bits 0x0001"));
        assert!(refusal([0, 0, 0, 0, 99, 0, 0, 0x80]).contains("reserved bits 0x8000"));
        assert!(refusal([0; 8]).contains("kind 0"));
        assert_eq!(Header::decode(&[2, 0, 0, 0, 99, 7, 0, 0]), Ok(Header::plain(99, 2)));
    }

    #[test]
    fn lengths_are_limited_by_kind() {
        let check = |kind, len| Header::plain(kind, len).check(4000, Algorithms::NONE).map_err(|error| error.code);
        for kind in [Kind::Text as u8, Kind::Binary as u8, 77] {
            assert_eq!(check(kind, 4000), Ok(()));
            assert_eq!(check(kind, 4001), Err(Code::MessageTooLarge));
        }
        for kind in [Kind::Hello, Kind::HelloAck, Kind::Ping, Kind::Close, Kind::Receipt] {
            assert_eq!(check(kind as u8, MAX_CONTROL_LEN), Ok(()));
            assert_eq!(check(kind as u8, MAX_CONTROL_LEN + 1), Err(Code::Protocol));
        }
        let error = Header::plain(3, 4001).check(4000, Algorithms::NONE).unwrap_err();
        assert!(error.message.contains("4001") && error.message.contains("4000"), "{error}");
    }

    #[test]
    fn a_compressed_message_is_taken_only_where_that_was_agreed() {
        for (algorithm, other) in [(Algorithm::Lz4, Algorithm::Zstd), (Algorithm::Zstd, Algorithm::Lz4)] {
            let header = Header { len: 10, kind: Kind::Text as u8, flags: algorithm as u8 };
            assert_eq!(Header::decode(&header.encode()), Ok(header));
            assert_eq!(header.check(10, algorithm.into()), Ok(()));
            assert_eq!(header.check(10, Algorithms::ALL), Ok(()));
            assert_eq!(header.check(9, Algorithms::ALL).unwrap_err().code, Code::MessageTooLarge);
            for agreed in [Algorithms::NONE, other.into()] {
                let error = header.check(10, agreed).unwrap_err();
                assert!(error.code == Code::Protocol && error.message.contains("not agreed"), "{error}");
            }
        }
    }

    #[test]
    fn every_truncated_control_frame_is_refused_and_a_longer_one_is_not() {
        for frame in samples() {
            let mut bytes = encoded(frame);
            let header = Header::decode(bytes.first_chunk().unwrap()).unwrap();
            if Kind::from_number(header.kind).is_none_or(Kind::is_message) {
                continue;
            }
            for end in HEADER_LEN..bytes.len() {
                let error = Frame::decode(header, &bytes[HEADER_LEN..end]).unwrap_err();
                assert_eq!(error.code, Code::Protocol);
            }
            bytes.extend_from_slice(b"of a later version");
            assert_eq!(Frame::decode(header, &bytes[HEADER_LEN..]), Ok(frame));
        }
    }

    #[test]
    fn a_long_reason_is_cut_and_one_on_the_wire_is_refused() {
        let reason = "é".repeat(MAX_REASON_LEN);
        let mut bytes = encoded(Frame::Close(Close { code: 0, received: 0, reason: &reason }));
        let header = Header::decode(bytes.first_chunk().unwrap()).unwrap();
        let Ok(Frame::Close(close)) = Frame::decode(header, &bytes[HEADER_LEN..]) else { panic!("not a CLOSE") };
        assert_eq!(close.reason, "é".repeat(MAX_REASON_LEN / 2));
        bytes[20..22].copy_from_slice(&(MAX_REASON_LEN as u16 + 1).to_le_bytes());
        bytes.push(b'x');
        assert_eq!(Frame::decode(header, &bytes[HEADER_LEN..]).unwrap_err().code, Code::Protocol);
    }

    #[test]
    fn the_first_bytes_tell_framed_from_raw() {
        for len in 0..PREAMBLE.len() {
            assert_eq!(classify(&PREAMBLE[..len]), Detect::NeedMore);
            let mut other = PREAMBLE[..=len].to_vec();
            other[len] ^= 1;
            assert_eq!(classify(&other), Detect::Raw);
        }
        assert_eq!(classify(&PREAMBLE), Detect::Framed);
        assert_eq!(classify(&[&PREAMBLE[..], b"x"].concat()), Detect::Framed);
        assert_eq!(classify(b"GET / HTTP/1.1\r\n"), Detect::Raw);
    }
}
