//! Settings of TLS on their way to C.

use super::args;
use super::tls_config::*;
use super::types::*;
use crate::config::{ClientCertificate, ClientTls, Pem, ServerTls, alpn_text};

/// A configuration of TLS as C has it, with views of the one that it was made of, and the texts that that has not.
pub(super) struct Lent {
    c: netsys_tls_config,
    alpn: String,
}

// SAFETY: what it points to is never changed, and whoever has it keeps the configuration with it.
unsafe impl Send for Lent {}
// SAFETY: as above.
unsafe impl Sync for Lent {}

impl Lent {
    fn new(alpn: &[String], resumes: bool) -> Lent {
        // SAFETY: all zero is a value of this struct.
        let mut c: netsys_tls_config = unsafe { std::mem::zeroed() };
        c.struct_size = size_of::<netsys_tls_config>() as u32;
        c.flags = if resumes { 0 } else { NETSYS_TLS_NO_SESSION_RESUMPTION };
        let mut lent = Lent { c, alpn: alpn_text(alpn) };
        // The text stays where it is when the struct moves.
        lent.c.alpn = args::view(&lent.alpn);
        lent
    }

    /// `None`: without TLS.
    pub(super) fn of_server(tls: &ServerTls) -> Option<Lent> {
        let ServerTls {
            enabled,
            certificate,
            key,
            client_ca,
            crl,
            client_certificate,
            min_version,
            alpn,
            session_resumption,
        } = tls;
        enabled.then(|| {
            let mut lent = Lent::new(alpn, *session_resumption);
            (lent.c.certificate_file, lent.c.certificate) = views(certificate);
            (lent.c.key_file, lent.c.key) = views(key);
            (lent.c.ca_file, lent.c.ca) = views(client_ca);
            (lent.c.crl_file, lent.c.crl) = views(crl);
            lent.c.client_certificate = match client_certificate {
                ClientCertificate::None => NETSYS_CLIENT_CERTIFICATE_NONE,
                ClientCertificate::Optional => NETSYS_CLIENT_CERTIFICATE_OPTIONAL,
                ClientCertificate::Required => NETSYS_CLIENT_CERTIFICATE_REQUIRED,
            };
            lent.c.min_version = version_number(*min_version);
            lent
        })
    }

    /// The same of a client.
    pub(super) fn of_client(tls: &ClientTls) -> Option<Lent> {
        let ClientTls {
            enabled,
            ca,
            certificate,
            key,
            crl,
            server_name,
            sni,
            min_version,
            alpn,
            session_resumption,
            dangerously_disable_verification: blind,
        } = tls;
        enabled.then(|| {
            let mut lent = Lent::new(alpn, *session_resumption);
            (lent.c.certificate_file, lent.c.certificate) = views(certificate);
            (lent.c.key_file, lent.c.key) = views(key);
            (lent.c.ca_file, lent.c.ca) = views(ca);
            (lent.c.crl_file, lent.c.crl) = views(crl);
            lent.c.server_name = args::view(server_name);
            lent.c.flags |= if *sni { 0 } else { NETSYS_TLS_NO_SNI };
            lent.c.min_version = version_number(*min_version);
            if *blind {
                lent.c.dangerously_disable_verification = NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION;
            }
            lent
        })
    }

    /// What C is given: good for as long as this stays where it is.
    pub(super) fn pointer(lent: &Option<Lent>) -> *const netsys_tls_config {
        lent.as_ref().map_or(std::ptr::null(), |lent| &raw const lent.c)
    }
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
