//! Settings of TLS on their way to C.

use super::args;
use super::tls_config::*;
use super::types::*;
use crate::config::{ClientTls, Pem, ServerTls, TlsVersion, Word, alpn_text};

/// A configuration of TLS as C has it, with views of the one that it was made of, and the texts that that has not.
pub(super) struct Lent {
    c: netsys_tls_config,
    alpn: String,
}

// SAFETY: what it points to is never changed, and whoever has it keeps the configuration with it.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

/// What the settings of servers and clients have in common.
struct Common<'a> {
    enabled: bool,
    certificate: &'a Pem,
    key: &'a Pem,
    ca: &'a Pem,
    crl: &'a Pem,
    min_version: TlsVersion,
    alpn: &'a [String],
    session_resumption: bool,
}

impl Lent {
    fn new(common: Common<'_>) -> Lent {
        let Common { enabled, certificate, key, ca, crl, min_version, alpn, session_resumption } = common;
        // SAFETY: all zero is a value of this struct.
        let mut c: netsys_tls_config = unsafe { std::mem::zeroed() };
        c.struct_size = size_of::<netsys_tls_config>() as u32;
        c.flags = flag(!enabled, NETSYS_TLS_OFF) | flag(!session_resumption, NETSYS_TLS_NO_SESSION_RESUMPTION);
        (c.certificate_file, c.certificate) = views(certificate);
        (c.key_file, c.key) = views(key);
        (c.ca_file, c.ca) = views(ca);
        (c.crl_file, c.crl) = views(crl);
        c.min_version = min_version.number();
        let mut lent = Lent { c, alpn: alpn_text(alpn) };
        // The text stays where it is when the struct moves.
        lent.c.alpn = args::view(&lent.alpn);
        lent
    }

    /// `None`: nothing is said of TLS.
    pub(super) fn of_server(tls: &ServerTls) -> Option<Lent> {
        let &ServerTls {
            enabled,
            ref certificate,
            ref key,
            client_ca: ref ca,
            ref crl,
            client_certificate,
            min_version,
            ref alpn,
            session_resumption,
        } = tls;
        (*tls != ServerTls::default()).then(|| {
            let common = Common { enabled, certificate, key, ca, crl, min_version, alpn, session_resumption };
            let mut lent = Lent::new(common);
            lent.c.client_certificate = client_certificate.number();
            lent
        })
    }

    /// The same of a client.
    pub(super) fn of_client(tls: &ClientTls) -> Option<Lent> {
        let &ClientTls {
            enabled,
            ref ca,
            ref certificate,
            ref key,
            ref crl,
            ref server_name,
            sni,
            min_version,
            ref alpn,
            session_resumption,
            dangerously_disable_verification: blind,
        } = tls;
        (*tls != ClientTls::default()).then(|| {
            let common = Common { enabled, certificate, key, ca, crl, min_version, alpn, session_resumption };
            let mut lent = Lent::new(common);
            lent.c.server_name = args::view(server_name);
            lent.c.flags |= flag(!sni, NETSYS_TLS_NO_SNI);
            lent.c.dangerously_disable_verification = flag(blind, NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION);
            lent
        })
    }

    /// What C is given: good for as long as this stays where it is.
    pub(super) fn pointer(lent: &Option<Lent>) -> *const netsys_tls_config {
        lent.as_ref().map_or(std::ptr::null(), |lent| &raw const lent.c)
    }
}

fn flag(holds: bool, flag: u32) -> u32 {
    if holds { flag } else { 0 }
}

fn views(pem: &Pem) -> (netsys_str, netsys_bytes) {
    let (none, nothing) =
        (netsys_str { data: std::ptr::null(), len: 0 }, netsys_bytes { data: std::ptr::null(), len: 0 });
    match pem {
        Pem::None => (none, nothing),
        Pem::File(name) => (args::view(name), nothing),
        Pem::Memory(bytes) => (none, netsys_bytes { data: bytes.as_ptr(), len: bytes.len() }),
    }
}
