//! What TLS came to on a session, and who the peer is.

use std::ffi::c_char;

use super::args::{self, Extensible, Out};
use super::guard;
use super::status::netsys_status;
use super::types::*;
use crate::config::{TlsVersion, Word};
use crate::error::{Code, Error, Result};
use crate::session::Session;
use crate::transport::tls::{PeerCertificate, TlsInfo};

/// Text about TLS: its version, "TLSv1.3".
pub const NETSYS_TLS_TEXT_VERSION: u32 = 1;
/// Text about TLS: the cipher suite, "TLS13_AES_256_GCM_SHA384".
pub const NETSYS_TLS_TEXT_CIPHER_SUITE: u32 = 2;
/// Text about TLS: the application protocol that was agreed on (ALPN); empty: none.
pub const NETSYS_TLS_TEXT_ALPN: u32 = 3;
/// Text about TLS, of a server's session: the name that the client asked for (SNI); empty: none.
pub const NETSYS_TLS_TEXT_SERVER_NAME: u32 = 4;
/// Text about TLS: the common name in the subject of the peer's certificate; empty: none.
pub const NETSYS_TLS_TEXT_PEER_COMMON_NAME: u32 = 5;
/// Text about TLS: the first alternative name in the peer's certificate that is no address, with its kind, as in
/// "DNS:host.example", "URI:spiffe://a/b" or "email:a@b.example"; empty: none.
pub const NETSYS_TLS_TEXT_PEER_ALTERNATIVE_NAME: u32 = 6;
/// Text about TLS: the SHA-256 of the peer's certificate, 64 hexadecimal digits; empty: it showed none.
pub const NETSYS_TLS_TEXT_PEER_FINGERPRINT: u32 = 7;

/// What TLS came to on a connection.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_tls_info {
    /// sizeof(netsys_tls_info); set it before the call.
    pub struct_size: u32,
    /// NETSYS_TLS_1_2 or _1_3.
    pub version: u32,
    /// The number that IANA gave the cipher suite.
    pub cipher_suite: u32,
    /// 1 if most of the handshake was left out, since the two had met before, else 0.
    pub resumed: u32,
    /// 1 if the peer showed a certificate, else 0.
    pub has_peer_certificate: u32,
    /// 1 if that certificate was verified, else 0.
    pub peer_verified: u32,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_tls_info {}

fn info(session: &Session) -> Result<&TlsInfo> {
    session.tls().ok_or_else(|| Error::new(Code::NotFound, "the session is not encrypted"))
}

/// What TLS came to on a session. It is known in every callback of the session, and for as long as there is its handle.
///
/// @param session  the session
/// @param out      filled in; set its struct_size to sizeof(netsys_tls_info) first
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (the session is not encrypted)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_tls_info(session: netsys_session, out: *mut netsys_tls_info) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { Out::new(out, "out") }?;
        let info = info(session)?;
        let value = netsys_tls_info {
            struct_size: size_of::<netsys_tls_info>() as u32,
            version: info.version.number(),
            cipher_suite: info.cipher_suite.into(),
            resumed: info.resumed.into(),
            has_peer_certificate: info.peer.is_some().into(),
            peer_verified: info.peer_verified.into(),
        };
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", value) }
    })
}

fn text(info: &TlsInfo, what: u32) -> Result<String> {
    let of_peer = |text: fn(&PeerCertificate) -> Option<String>| info.peer.as_ref().and_then(text).unwrap_or_default();
    Ok(match what {
        NETSYS_TLS_TEXT_VERSION => match info.version {
            TlsVersion::V1_2 => "TLSv1.2".into(),
            TlsVersion::V1_3 => "TLSv1.3".into(),
        },
        NETSYS_TLS_TEXT_CIPHER_SUITE => info.cipher_suite_name.into(),
        NETSYS_TLS_TEXT_ALPN => String::from_utf8_lossy(&info.alpn).into_owned(),
        NETSYS_TLS_TEXT_SERVER_NAME => info.server_name.to_string(),
        NETSYS_TLS_TEXT_PEER_COMMON_NAME => of_peer(PeerCertificate::common_name),
        NETSYS_TLS_TEXT_PEER_ALTERNATIVE_NAME => of_peer(|peer| peer.alternative_names().into_iter().next()),
        NETSYS_TLS_TEXT_PEER_FINGERPRINT => of_peer(|peer| Some(peer.fingerprint())),
        other => {
            return Err(Error::invalid(format!(
                "what is {other}: use one of NETSYS_TLS_TEXT_*, {NETSYS_TLS_TEXT_VERSION} to \
                 {NETSYS_TLS_TEXT_PEER_FINGERPRINT}"
            )));
        }
    })
}

/// What TLS came to on a session, and who the peer is, in words. A name of the peer is to be believed only if
/// peer_verified of netsys_tls_info is 1.
///
/// @param session  the session
/// @param what     NETSYS_TLS_TEXT_*
/// @param buf      the text, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_NOT_FOUND (the session is not encrypted)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_tls_text(
    session: netsys_session,
    what: u32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        args::check_buffer(buf, cap)?;
        let text = text(info(session)?, what)?;
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&text, buf, cap, needed) }
    })
}

/// The certificate that the peer of a session showed, as DER.
///
/// @param session  the session
/// @param buf      gets the bytes; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   how many bytes there are; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_NOT_FOUND (the session is not encrypted,
///         or the peer showed no certificate)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_peer_certificate(
    session: netsys_session,
    buf: *mut u8,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        args::check_buffer(buf, cap)?;
        let peer = info(session)?.peer.as_ref();
        let der = peer.ok_or_else(|| Error::new(Code::NotFound, "the peer showed no certificate"))?.der();
        // SAFETY: the caller gives NULL or a place for the length.
        if let Some(needed) = unsafe { Out::optional(needed) } {
            needed.store(der.len());
        }
        if cap < der.len() {
            return Err(Error::new(Code::BufferTooSmall, "the certificate has more bytes: needed says how many"));
        }
        // SAFETY: the caller's buffer has room for `cap` bytes, and is no part of the library's certificate.
        unsafe { der.as_ptr().copy_to_nonoverlapping(buf, der.len()) };
        Ok(())
    })
}
