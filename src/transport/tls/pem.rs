//! PEM (RFC 7468): what a text has of a kind, without a copy of a key in memory that is given back.
//!
//! The parser of rustls-pki-types leaves the text of all that it passes in buffers that it does not clear, and a file
//! with a certificate often has its key, too.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

/// What is wrong with a text: the end of a sentence that begins with where it is.
type Fault = &'static str;

const ENCRYPTED: Fault = "has a private key that is encrypted, which cannot be asked for its password: give the key \
                          without encryption (openssl pkey -in FILE -out FILE), in a file that only its user may read";

/// All that the text has with that label, as DER. None of it may be a secret.
pub(super) fn objects(text: &[u8], label: &str) -> Result<Vec<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    for section in (Sections { rest: text }) {
        let (name, body) = section?;
        if name == label.as_bytes() {
            found.push(std::mem::take(&mut *decode(body)?));
        }
    }
    Ok(found)
}

/// The first private key in the text.
pub(super) fn private_key(text: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, Fault> {
    for section in (Sections { rest: text }) {
        let (label, body) = section?;
        // Moved, not copied.
        let der = |body| decode(body).map(|mut der| std::mem::take(&mut *der));
        let key = match label {
            b"PRIVATE KEY" => PrivatePkcs8KeyDer::from(der(body)?).into(),
            b"RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der(body)?).into(),
            b"EC PRIVATE KEY" => PrivateSec1KeyDer::from(der(body)?).into(),
            b"ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED),
            _ => continue,
        };
        return Ok(Zeroizing::new(key));
    }
    Err("has no private key in PEM (-----BEGIN PRIVATE KEY-----)")
}

/// The parts of PEM in a text: the label of each, and what is in it.
struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, begun) = split(self.rest, b"-----BEGIN ")?;
        let section = split(begun, b"-----").and_then(|(label, rest)| {
            let (body, rest) = split(rest, b"-----END ")?;
            Some((label, body, rest))
        });
        self.rest = section.map_or(&[], |(_, _, rest)| rest);
        Some(section.map(|(label, body, _)| (label, body)).ok_or("is cut off in the middle of PEM"))
    }
}

/// What is before the first place of `mark`, and what is behind it.
fn split<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The bytes that base64 stands for.
fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if body.contains(&b':') {
        // Headers (RFC 1421), which only encrypted keys have.
        return Err(ENCRYPTED);
    }
    // Never grown, so that nothing is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(body.len()));
    let (mut group, mut digits, mut wrong) = (0u32, 0, 0);
    for &c in body.iter().filter(|c| !c.is_ascii_whitespace() && **c != b'=') {
        let value = digit(c);
        wrong |= value;
        group = group << 6 | (value & 63) as u32;
        digits += 1;
        if digits % 4 == 0 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..]);
            group = 0;
        }
    }
    match digits % 4 {
        2 => bytes.push((group >> 4) as u8),
        3 => bytes.extend_from_slice(&(group >> 2).to_be_bytes()[2..]),
        1 => wrong = -1,
        _ => {}
    }
    if wrong < 0 || digits == 0 {
        return Err("has something in PEM that is not in base64");
    }
    Ok(bytes)
}

/// The value of a digit of base64, or -1. Which it is decides nothing but the result, so that it cannot be told from
/// the time that it takes.
fn digit(c: u8) -> i16 {
    let c = i16::from(c);
    let between = |first: u8, last: u8| ((i16::from(first) - 1 - c) & (c - 1 - i16::from(last))) >> 8;
    let range = |first: u8, last: u8, value: i16| between(first, last) & (c - i16::from(first) + value + 1);
    range(b'A', b'Z', 0) + range(b'a', b'z', 26) + range(b'0', b'9', 52) + range(b'+', b'+', 62) + range(b'/', b'/', 63)
        - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_base64() {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for c in 0..=255 {
            let expected = digits.iter().position(|known| *known == c).map_or(-1, |at| at as i16);
            assert_eq!(digit(c), expected, "{c}");
        }
    }

    #[test]
    fn bytes_of_every_length() {
        for (text, bytes) in [
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\r\nYg==\n", "foob"),
            ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Ok(&bytes.as_bytes().to_vec()), "{text}");
        }
        for text in ["", "Z", "Zm9vY", "Zm9*", "Zm9v-"] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_key_among_other_things() {
        let other = "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n";
        for (label, kind) in [("PRIVATE KEY", "Pkcs8"), ("RSA PRIVATE KEY", "Pkcs1"), ("EC PRIVATE KEY", "Sec1")] {
            let text = format!("a comment\n{other}-----BEGIN {label}-----\nZm9v\n-----END {label}-----\n{other}");
            let key = private_key(text.as_bytes()).expect(label);
            assert_eq!(key.secret_der(), b"foo");
            let found = match *key {
                PrivateKeyDer::Pkcs1(_) => "Pkcs1",
                PrivateKeyDer::Sec1(_) => "Sec1",
                _ => "Pkcs8",
            };
            assert_eq!(found, kind);
        }
    }

    #[test]
    fn everything_with_a_label() {
        let section = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let text = section("A", "Zm9v") + "between\n" + &section("PRIVATE KEY", "*") + &section("A", "Zm8=");
        assert_eq!(objects(text.as_bytes(), "A"), Ok(vec![b"foo".to_vec(), b"fo".to_vec()]));
        assert_eq!(objects(text.as_bytes(), "B"), Ok(Vec::new()));
        assert!(objects(&text.as_bytes()[..text.len() - 20], "A").is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_in_words() {
        let refused = |text: &str, why: &str| {
            let error = private_key(text.as_bytes()).expect_err(text);
            assert!(error.contains(why), "{error}");
        };
        refused("", "has no private key");
        refused("-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n", "has no private key");
        refused("-----BEGIN PRIVATE KEY-----\nZm9v\n", "is cut off");
        refused("-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----\n", "not in base64");
        refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\nZm9v\n-----END ENCRYPTED PRIVATE KEY-----\n", "is encrypted");
        refused(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END RSA PRIVATE KEY-----\n",
            "is encrypted",
        );
    }
}
