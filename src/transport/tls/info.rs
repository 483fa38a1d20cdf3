//! What two sides have agreed on, and who the peer showed that it is.

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::{Connection, HandshakeKind, ProtocolVersion, SupportedCipherSuite};

use super::certificate;
use crate::config::TlsVersion;

/// What TLS came to on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// The version.
    pub version: TlsVersion,
    /// The number that IANA gave the cipher suite,
    pub cipher_suite: u16,
    /// and its name.
    pub cipher_suite_name: &'static str,
    /// The application protocol that was agreed on; empty: none.
    pub alpn: Box<[u8]>,
    /// Of a server: the name that the client asked for (SNI); empty: none.
    pub server_name: Box<str>,
    /// Most of the handshake was left out, since the two had met before.
    pub resumed: bool,
    /// The peer has a certificate that was verified.
    pub peer_verified: bool,
    /// The peer's certificate.
    pub peer: Option<PeerCertificate>,
}

/// The certificate of a peer.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    der: Box<[u8]>,
}

impl PeerCertificate {
    /// What can be told of that certificate, given as DER.
    pub fn from_der(der: &[u8]) -> PeerCertificate {
        PeerCertificate { der: der.into() }
    }

    /// The certificate, as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its SHA-256, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else { return String::new() };
        let digest = suite.common.hash_provider.hash(&self.der);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The common name of its subject, if it has one without control characters.
    pub fn common_name(&self) -> Option<String> {
        certificate::common_name(&self.der)
    }

    /// The names in it that are no addresses, in their order: "DNS:host.example", "URI:spiffe://a/b",
    /// "email:a@b.example".
    pub fn alternative_names(&self) -> Vec<String> {
        certificate::alternative_names(&self.der)
    }
}

impl std::fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PeerCertificate({})", self.fingerprint())
    }
}

impl TlsInfo {
    /// Of a connection whose handshake is done. `verifies`: a certificate that the peer shows is verified.
    pub(super) fn of(connection: &Connection, verifies: bool) -> TlsInfo {
        let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
        let server_name = match connection {
            Connection::Server(server) => server.server_name(),
            Connection::Client(_) => None,
        };
        let peer = connection.peer_certificates().and_then(<[_]>::first);
        let peer = peer.map(|certificate| PeerCertificate::from_der(certificate));
        TlsInfo {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => TlsVersion::V1_3,
                _ => TlsVersion::V1_2,
            },
            cipher_suite: suite.map_or(0, u16::from),
            cipher_suite_name: suite.and_then(|suite| suite.as_str()).unwrap_or(""),
            alpn: connection.alpn_protocol().unwrap_or_default().into(),
            server_name: server_name.unwrap_or_default().into(),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            peer_verified: verifies && peer.is_some(),
            peer,
        }
    }
}
