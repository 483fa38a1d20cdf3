//! A private key out of PEM, so that no copy of it stays in memory that is given back.
//!
//! The certificates' parser (rustls-pki-types) leaves the text of what it reads in buffers that it does not clear.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

/// The first private key in the text. The error is the end of a sentence that begins with where the text is.
pub(super) fn parse(pem: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, &'static str> {
    let mut rest = pem;
    while let Some((label, body, behind)) = section(rest)? {
        rest = behind;
        let key = match label {
            b"PRIVATE KEY" => PrivatePkcs8KeyDer::from(decode(body)?).into(),
            b"RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(decode(body)?).into(),
            b"EC PRIVATE KEY" => PrivateSec1KeyDer::from(decode(body)?).into(),
            b"ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED),
            _ => continue,
        };
        return Ok(Zeroizing::new(key));
    }
    Err("has no private key in PEM (-----BEGIN PRIVATE KEY-----)")
}

const ENCRYPTED: &str = "has a private key that is encrypted, which cannot be asked for its password: give the key \
                         without encryption (openssl pkey -in FILE -out FILE), in a file that only its user may read";

/// A part of PEM: its label, what is in it, and what follows.
type Section<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The first section.
fn section(text: &[u8]) -> Result<Option<Section<'_>>, &'static str> {
    const CUT: &str = "is cut off in the middle of PEM";
    let Some((_, rest)) = split(text, b"-----BEGIN ") else { return Ok(None) };
    let (label, rest) = split(rest, b"-----").ok_or(CUT)?;
    let (body, rest) = split(rest, b"-----END ").ok_or(CUT)?;
    Ok(Some((label, body, rest)))
}

/// What is before the first place of `mark`, and what is behind it.
fn split<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The bytes that base64 stands for.
fn decode(body: &[u8]) -> Result<Vec<u8>, &'static str> {
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
        return Err("has a private key that is not in base64");
    }
    Ok(std::mem::take(&mut *bytes))
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
            assert_eq!(decode(text.as_bytes()), Ok(bytes.as_bytes().to_vec()), "{text}");
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
            let key = parse(text.as_bytes()).expect(label);
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
    fn what_is_no_key_is_refused_in_words() {
        let refused = |text: &str, why: &str| {
            let error = parse(text.as_bytes()).expect_err(text);
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
