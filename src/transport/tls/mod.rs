//! TLS 1.2 and 1.3 between a stream and its socket.
//!
//! | file | what is in it |
//! |---|---|
//! | `endpoints` | what a server or client has: certificates, verification, the sessions that can be resumed |
//! | `sharing` | what the clients of a pool share that its user starts |
//! | `material`, `pem` | certificates and keys out of files and memory |
//! | `connection` | one connection: encrypting and decrypting |
//! | `handshake` | its handshake |
//! | `verification` | whether the peer's certificate holds, when a handshake is resumed too |
//! | `socket` | the socket, as rustls reads and writes it |
//! | `failure` | what can go wrong, in codes and words |
//! | `info`, `certificate` | what was agreed on, and who the peer is |
//!
//! The protocol itself, the verification of certificates and the cryptography are those of rustls, webpki and ring.

mod certificate;
mod connection;
mod endpoints;
mod failure;
mod handshake;
mod info;
mod material;
mod pem;
mod sharing;
mod socket;
mod verification;

pub(crate) use connection::Tls;
pub(crate) use endpoints::{TlsClient, TlsServer};
pub(crate) use handshake::{is_client_hello, shake_hands};
pub use info::{PeerCertificate, TlsInfo};
pub(crate) use sharing::{SharedTls, client_tls};
