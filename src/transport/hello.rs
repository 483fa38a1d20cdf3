//! The payload of HELLO and HELLO_ACK: which version a peer speaks, who it is and what it is willing to receive.

use crate::error::{Code, Error, Result};
use crate::transport::compression::Algorithms;

/// The version of the framed protocol. Another major version is refused; a minor version only adds what a peer that
/// does not know it can ignore.
pub const VERSION_MAJOR: u8 = 1;
/// See [`VERSION_MAJOR`].
pub const VERSION_MINOR: u8 = 1;

/// The longest id of a peer, in bytes.
pub const MAX_ID_LEN: usize = 255;

const FIXED_LEN: usize = 14;

/// What a peer says about itself before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The minor version of the protocol; the major one is [`VERSION_MAJOR`], or there would be no `Hello`.
    pub minor: u8,
    /// A bit for each optional ability of the sender, see [`Algorithms::from_capabilities`]; version 1.0 had none.
    pub capabilities: u32,
    /// The longest message that the sender is willing to receive.
    pub max_message_bytes: u32,
    /// The id of the client (HELLO) or of the server (HELLO_ACK), at most [`MAX_ID_LEN`] bytes.
    pub id: &'a str,
}

impl<'a> Hello<'a> {
    /// The hello of this version of the library, from a peer that takes no compressed messages.
    pub fn new(id: &'a str, max_message_bytes: u32) -> Hello<'a> {
        Hello { minor: VERSION_MINOR, capabilities: 0, max_message_bytes, id }
    }

    /// The same from one that takes what these algorithms have compressed.
    pub fn offering(self, algorithms: Algorithms) -> Hello<'a> {
        Hello { capabilities: algorithms.capabilities(), ..self }
    }

    /// How its sender takes compressed messages.
    pub fn offered(&self) -> Algorithms {
        Algorithms::from_capabilities(self.capabilities)
    }

    /// Reads the payload. Of another major version nothing but the version is looked at, since the rest may be laid
    /// out differently.
    pub fn decode(payload: &'a [u8]) -> Result<Hello<'a>> {
        if let [major, minor, ..] = *payload
            && major != VERSION_MAJOR
        {
            return Err(Error::new(
                Code::Protocol,
                format!(
                    "protocol version {major}.{minor} is not supported: this side speaks version \
                     {VERSION_MAJOR}.{VERSION_MINOR}"
                ),
            ));
        }
        let Some((fixed, rest)) = payload.split_first_chunk::<FIXED_LEN>() else {
            return Err(too_short("HELLO", payload.len(), FIXED_LEN));
        };
        // Bytes 2 and 3 are reserved: a later minor version may give them a meaning, so they are not looked at.
        let [_, minor, _, _, c0, c1, c2, c3, m0, m1, m2, m3, l0, l1] = *fixed;
        Ok(Hello {
            minor,
            capabilities: u32::from_le_bytes([c0, c1, c2, c3]),
            max_message_bytes: u32::from_le_bytes([m0, m1, m2, m3]),
            id: text_field("id", rest, u16::from_le_bytes([l0, l1]), MAX_ID_LEN)?,
        })
    }

    /// How many bytes [`Hello::encode`] appends.
    pub fn encoded_len(&self) -> usize {
        FIXED_LEN + text_prefix(self.id, MAX_ID_LEN).len()
    }

    /// Appends the payload to `out`. An id that is too long, which no configuration lets through, is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION_MAJOR, self.minor, 0, 0]);
        out.extend_from_slice(&self.capabilities.to_le_bytes());
        out.extend_from_slice(&self.max_message_bytes.to_le_bytes());
        encode_text(self.id, MAX_ID_LEN, out);
    }
}

/// The longest prefix of `text` that has at most `max` bytes and ends between two characters.
pub(super) fn text_prefix(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Appends a 16-bit length and the bytes of `text`, cut to `max` bytes.
pub(super) fn encode_text(text: &str, max: usize, out: &mut Vec<u8>) {
    debug_assert!(max <= usize::from(u16::MAX));
    let text = text_prefix(text, max);
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The text of `len` bytes at the start of `bytes`; what follows it is not looked at.
pub(super) fn text_field<'a>(what: &str, bytes: &'a [u8], len: u16, max: usize) -> Result<&'a str> {
    let len = usize::from(len);
    if len > max {
        return Err(Error::new(Code::Protocol, format!("{what} of {len} bytes: at most {max} are allowed")));
    }
    let Some(text) = bytes.get(..len) else {
        return Err(too_short(what, bytes.len(), len));
    };
    std::str::from_utf8(text).map_err(|error| Error::new(Code::Protocol, format!("{what} is not valid UTF-8: {error}")))
}

/// The error for a payload, or a part of one, that ends too early.
pub(super) fn too_short(what: &str, len: usize, needed: usize) -> Error {
    Error::new(Code::Protocol, format!("{what} is cut short: {len} bytes where {needed} are needed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::compression::Algorithm;

    fn encoded(hello: Hello<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        hello.encode(&mut out);
        assert_eq!(out.len(), hello.encoded_len());
        out
    }

    fn refusal(payload: &[u8]) -> String {
        let error = Hello::decode(payload).unwrap_err();
        assert_eq!(error.code, Code::Protocol);
        error.to_string()
    }

    #[test]
    fn round_trip() {
        for id in ["", "c1", "größe", "x".repeat(MAX_ID_LEN).as_str()] {
            let hello = Hello { minor: 7, capabilities: 0x8000_0001, max_message_bytes: u32::MAX, id };
            assert_eq!(Hello::decode(&encoded(hello)), Ok(hello));
        }
    }

    #[test]
    fn layout() {
        let bytes = encoded(Hello::new("ab", 0x0010_0000));
        assert_eq!(bytes, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 2, 0, b'a', b'b']);
    }

    #[test]
    fn algorithms_are_offered_by_a_bit_each() {
        for (algorithms, capabilities) in
            [(Algorithms::NONE, 0), (Algorithm::Lz4.into(), 1), (Algorithm::Zstd.into(), 2), (Algorithms::ALL, 3)]
        {
            let hello = Hello::new("ab", 5).offering(algorithms);
            assert_eq!((hello.capabilities, hello.offered()), (capabilities, algorithms));
            let later = Hello { capabilities: capabilities | 0x8000_0004, ..hello };
            assert_eq!(later.offered(), algorithms, "what is not known is not looked at");
        }
    }

    #[test]
    fn bytes_of_a_later_minor_version_are_ignored() {
        let mut bytes = encoded(Hello { minor: 9, ..Hello::new("ab", 5) });
        bytes[2] = 0xFF;
        bytes.extend_from_slice(b"more");
        assert_eq!(Hello::decode(&bytes), Ok(Hello { minor: 9, ..Hello::new("ab", 5) }));
    }

    #[test]
    fn another_major_version_is_refused_naming_both() {
        let text = refusal(&[2, 3]);
        assert!(text.contains("version 2.3") && text.contains("version 1.1"), "{text}");
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = encoded(Hello::new("abc", 5));
        for len in 0..bytes.len() {
            assert!(refusal(&bytes[..len]).contains("cut short"));
        }
    }

    #[test]
    fn a_bad_id_is_refused() {
        let mut bytes = encoded(Hello::new(&"x".repeat(MAX_ID_LEN), 5));
        bytes[12..14].copy_from_slice(&256u16.to_le_bytes());
        bytes.push(b'x');
        assert!(refusal(&bytes).contains("256 bytes"));
        bytes[12..14].copy_from_slice(&1u16.to_le_bytes());
        bytes[14] = 0xFF;
        assert!(refusal(&bytes).contains("UTF-8"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(text_prefix("aé", 2), "a");
        assert_eq!(text_prefix("aé", 3), "aé");
        assert_eq!(encoded(Hello::new(&"é".repeat(200), 5)).len(), FIXED_LEN + 254);
    }
}
