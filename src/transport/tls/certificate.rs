//! The names in a certificate that was verified: as much of X.509 (RFC 5280) as it takes to find them.
//!
//! rustls gives certificates as bytes, and its verifier shows no subject and no e-mail addresses. A parser of all of
//! X.509 would bring some fifteen crates for these two fields.

/// The object identifiers of a common name (2.5.4.3) and of alternative names (2.5.29.17), as DER has them.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

// Tags.
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]` and `[3]` of a certificate: its version, and its extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// Elements of DER, one after the other. Ends where there is none any more, or what comes is none.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut len = usize::from(first);
        if first & 0x80 != 0 {
            let (digits, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if !(1..=4).contains(&digits.len()) {
                return None;
            }
            len = digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(len)?;
        self.0 = behind;
        Some((tag, content))
    }
}

impl<'a> Elements<'a> {
    /// The content of the next one, which has to have that tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

/// What comes in a certificate from its subject on, the subject first.
fn from_subject(certificate: &[u8]) -> Option<Elements<'_>> {
    let whole = Elements(certificate).expect(SEQUENCE)?;
    let mut fields = Elements(Elements(whole).expect(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.next();
    }
    // The serial number, the algorithm of the signature, the issuer, and from when to when.
    (0..4).try_for_each(|_| fields.next().map(drop))?;
    Some(fields)
}

/// The first common name of the subject.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let subject = from_subject(certificate)?.expect(SEQUENCE)?;
    let sets = Elements(subject).filter(|(tag, _)| *tag == SET);
    let mut attributes = sets.flat_map(|(_, set)| Elements(set)).filter(|(tag, _)| *tag == SEQUENCE);
    attributes.find_map(|(_, attribute)| {
        let mut parts = Elements(attribute);
        if parts.expect(OBJECT_IDENTIFIER)? != COMMON_NAME {
            return None;
        }
        let (tag, value) = parts.next()?;
        matches!(tag, UTF8_STRING | PRINTABLE_STRING | IA5_STRING).then(|| name(value)).flatten()
    })
}

/// The alternative names that are DNS names, URIs or e-mail addresses.
pub(super) fn alternative_names(certificate: &[u8]) -> Vec<String> {
    let Some(names) = extension(certificate, ALTERNATIVE_NAME) else { return Vec::new() };
    let names = Elements(names).expect(SEQUENCE).unwrap_or_default();
    let text = |(tag, value)| {
        let kind = match tag {
            0x81 => "email:",
            0x82 => "DNS:",
            0x86 => "URI:",
            _ => return None,
        };
        name(value).map(|name| kind.to_owned() + &name)
    };
    Elements(names).filter_map(text).collect()
}

/// What the extension with that identifier holds.
fn extension<'a>(certificate: &'a [u8], identifier: &[u8]) -> Option<&'a [u8]> {
    let (_, list) = from_subject(certificate)?.find(|(tag, _)| *tag == EXTENSIONS)?;
    let list = Elements(list).expect(SEQUENCE)?;
    Elements(list)
        .find_map(|(_, extension)| {
            let mut parts = Elements(extension);
            // Between the two it may say that it is critical.
            (parts.expect(OBJECT_IDENTIFIER)? == identifier).then(|| parts.find(|(tag, _)| *tag == OCTET_STRING))?
        })
        .map(|(_, value)| value)
}

/// A name as text. One with a control character is none: behind a NUL, say, half of it would not be seen.
fn name(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};

    use super::*;

    fn certificate(common_names: &[&str], names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "not the name");
        for name in common_names {
            params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String((*name).into()));
        }
        params.subject_alt_names = names;
        params.self_signed(&KeyPair::generate().expect("random")).expect("a certificate").der().to_vec()
    }

    #[test]
    fn names_are_found() {
        let names = vec![
            SanType::IpAddress([127, 0, 0, 1].into()),
            SanType::DnsName("host.example".try_into().expect("ASCII")),
            SanType::URI("spiffe://a/b".try_into().expect("ASCII")),
            SanType::Rfc822Name("a@b.example".try_into().expect("ASCII")),
        ];
        let whole = certificate(&["J\u{fc}rgen"], names);
        assert_eq!(common_name(&whole), Some("J\u{fc}rgen".into()));
        assert_eq!(alternative_names(&whole), ["DNS:host.example", "URI:spiffe://a/b", "email:a@b.example"]);

        let none = certificate(&[], Vec::new());
        assert_eq!((common_name(&none), alternative_names(&none)), (None, Vec::new()));
    }

    #[test]
    fn a_name_with_a_control_character_is_none() {
        for hostile in ["admin\0.evil", "a\nb", "\u{7f}"] {
            assert_eq!(common_name(&certificate(&[hostile], Vec::new())), None, "{hostile:?}");
        }
    }

    /// Whatever is cut off or changed: an answer, and no panic.
    #[test]
    fn anything_else_is_survived() {
        let names = vec![SanType::DnsName("host.example".try_into().expect("ASCII"))];
        let whole = certificate(&["name"], names);
        for len in 0..whole.len() {
            common_name(&whole[..len]);
            alternative_names(&whole[..len]);
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                common_name(&changed);
                alternative_names(&changed);
            }
        }
        assert_eq!(common_name(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(common_name(&[0x30, 0x80]), None);
    }
}
