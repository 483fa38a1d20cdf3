//! How connections are encrypted, as C says it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::args::{self, Extensible, reserved};
use super::guard;
use super::status::netsys_status;
use super::types::*;
use crate::config::{ClientTls, Pem, ServerTls, TlsVersion, split_alpn};
use crate::error::{Error, Result};

/// Version of TLS: 1.2.
pub const NETSYS_TLS_1_2: u32 = 12;
/// Version of TLS: 1.3.
pub const NETSYS_TLS_1_3: u32 = 13;

/// Clients are not asked for a certificate.
pub const NETSYS_CLIENT_CERTIFICATE_NONE: u32 = 0;
/// Clients may show a certificate; one that does not hold is refused.
pub const NETSYS_CLIENT_CERTIFICATE_OPTIONAL: u32 = 1;
/// Clients must show a certificate.
pub const NETSYS_CLIENT_CERTIFICATE_REQUIRED: u32 = 2;

/// Flag of TLS: make the whole handshake each time.
pub const NETSYS_TLS_NO_SESSION_RESUMPTION: u32 = 1;
/// Flag of TLS, of clients: do not tell the server the name that is connected to before it shows a certificate.
pub const NETSYS_TLS_NO_SNI: u32 = 2;
/// Flag of TLS: it is switched off. NULL in the place of the whole struct says so too; but with this, settings that are
/// given beside it are an error, and no connection in plain text that nobody expects. Of server_tls and client_tls of a
/// bridge, NETSYS_BRIDGE_ENCRYPT alone decides.
pub const NETSYS_TLS_OFF: u32 = 4;

/// The one value of dangerously_disable_verification that means it.
pub const NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION: u32 = 0x4E6F_4944;

/// How the connections of a server or client are encrypted: TLS 1.2 and 1.3 with forward secrecy and authenticated
/// ciphers. What is PEM is in a file, which is read when the server or client starts, or in memory, which is copied,
/// and zeroed in the end; not in both.
///
/// A server needs its certificate and the key. A client needs nothing: then it trusts the issuers that the system does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_tls_config {
    /// sizeof(netsys_tls_config).
    pub struct_size: u32,
    /// The least version that is spoken: NETSYS_TLS_1_2 or _1_3; 0: 1.2.
    pub min_version: u32,
    /// Servers: NETSYS_CLIENT_CERTIFICATE_*.
    pub client_certificate: u32,
    /// NETSYS_TLS_NO_* and NETSYS_TLS_OFF together.
    pub flags: u32,
    /// Clients: NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION takes any certificate for the server's. Whoever is in
    /// between can then read and change everything, and a warning is logged with each start. 0: the certificate has to
    /// be for the host that is connected to, valid, and of an issuer that is trusted.
    pub dangerously_disable_verification: u32,
    /// 0.
    pub reserved: u32,
    /// The own certificate, and behind it those of the issuers up to the root: the file.
    pub certificate_file: netsys_str,
    /// The same in memory.
    pub certificate: netsys_bytes,
    /// The certificate's private key, not encrypted: the file.
    pub key_file: netsys_str,
    /// The same in memory.
    pub key: netsys_bytes,
    /// The issuers that the peer's certificate has to come from: the file. Clients: none: those that the system trusts.
    /// Servers: needed if clients are asked for a certificate; errors and configuration files call it client_ca_file.
    pub ca_file: netsys_str,
    /// The same in memory.
    pub ca: netsys_bytes,
    /// Lists of the peers' certificates that are revoked: the file; none: none is. With a list, a certificate is
    /// refused of whose issuer there is no list that is up to date.
    pub crl_file: netsys_str,
    /// The same in memory.
    pub crl: netsys_bytes,
    /// Clients: the name that the server's certificate has to be for; empty: the host that is connected to.
    pub server_name: netsys_str,
    /// The application protocols (ALPN), the preferred one first, with commas between them, at most 1023 bytes; may be
    /// empty.
    pub alpn: netsys_str,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers and views may all be zero.
unsafe impl Extensible for netsys_tls_config {}

/// # Safety
/// The views are valid.
unsafe fn pem(name: &str, file: netsys_str, memory: netsys_bytes) -> Result<Pem> {
    // SAFETY: by the contract of this function.
    let (file, memory) = unsafe { (args::text(file, name)?, args::bytes(memory.data.cast(), memory.len, name)?) };
    match (file.is_empty(), memory.is_empty()) {
        (true, true) => Ok(Pem::None),
        (false, true) => Ok(Pem::file(file)),
        (true, false) => Ok(Pem::Memory(Arc::new(Zeroizing::new(memory.to_vec())))),
        (false, false) => Err(Error::invalid(format!("tls: both {name} and {name}_file are set: set one of them"))),
    }
}

/// What the settings of servers and clients have in common.
struct Common {
    enabled: bool,
    certificate: Pem,
    key: Pem,
    ca: Pem,
    crl: Pem,
    min_version: TlsVersion,
    alpn: Vec<String>,
    session_resumption: bool,
}

/// Reads the struct, and of it what servers and clients have in common. `flags`: those that it may have.
///
/// # Safety
/// `config` points to a struct as long as its own struct_size says, with views that are valid.
unsafe fn read(config: *const netsys_tls_config, flags: u32) -> Result<(netsys_tls_config, Common)> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "tls") }?;
    reserved(c.reserved, "tls: reserved")?;
    if c.flags & !flags != 0 {
        return Err(Error::invalid(format!(
            "tls: flags is {:#x}: use NETSYS_TLS_NO_SESSION_RESUMPTION (1), NETSYS_TLS_OFF (4) and, for clients, \
             NETSYS_TLS_NO_SNI (2) only",
            c.flags
        )));
    }
    // SAFETY: by the contract of this function.
    let common = unsafe {
        Common {
            enabled: c.flags & NETSYS_TLS_OFF == 0,
            certificate: pem("certificate", c.certificate_file, c.certificate)?,
            key: pem("key", c.key_file, c.key)?,
            ca: pem("ca", c.ca_file, c.ca)?,
            crl: pem("crl", c.crl_file, c.crl)?,
            min_version: args::word(c.min_version, "tls: min_version", "NETSYS_TLS")?,
            alpn: split_alpn(args::text(c.alpn, "alpn")?),
            session_resumption: c.flags & NETSYS_TLS_NO_SESSION_RESUMPTION == 0,
        }
    };
    Ok((c, common))
}

/// # Safety
/// `config` is NULL, which means without TLS, or points to a struct as long as its own struct_size says, with views
/// that are valid.
pub(super) unsafe fn server(config: *const netsys_tls_config) -> Result<ServerTls> {
    if config.is_null() {
        return Ok(ServerTls::default());
    }
    // SAFETY: by the contract of this function.
    let (c, common) = unsafe { read(config, NETSYS_TLS_NO_SESSION_RESUMPTION | NETSYS_TLS_OFF) }?;
    if c.server_name.len != 0 || c.dangerously_disable_verification != 0 {
        return Err(Error::invalid(
            "tls: server_name and dangerously_disable_verification are for clients: leave them 0 for a server",
        ));
    }
    let Common { enabled, certificate, key, ca, crl, min_version, alpn, session_resumption } = common;
    Ok(ServerTls {
        enabled,
        certificate,
        key,
        client_ca: ca,
        crl,
        client_certificate: args::word(c.client_certificate, "tls: client_certificate", "NETSYS_CLIENT_CERTIFICATE")?,
        min_version,
        alpn,
        session_resumption,
    })
}

/// # Safety
/// As for `server`.
pub(super) unsafe fn client(config: *const netsys_tls_config) -> Result<ClientTls> {
    if config.is_null() {
        return Ok(ClientTls::default());
    }
    // SAFETY: by the contract of this function.
    let (c, common) = unsafe { read(config, NETSYS_TLS_NO_SESSION_RESUMPTION | NETSYS_TLS_NO_SNI | NETSYS_TLS_OFF) }?;
    if c.client_certificate != 0 {
        return Err(Error::invalid("tls: client_certificate is for servers: leave it 0 for a client"));
    }
    let blind = c.dangerously_disable_verification;
    if blind != 0 && blind != NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION {
        return Err(Error::invalid(format!(
            "tls: dangerously_disable_verification is {blind:#x}: leave it 0, or write out \
             NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION"
        )));
    }
    let Common { enabled, certificate, key, ca, crl, min_version, alpn, session_resumption } = common;
    Ok(ClientTls {
        enabled,
        ca,
        certificate,
        key,
        crl,
        // SAFETY: by the contract of this function.
        server_name: unsafe { args::text(c.server_name, "server_name") }?.to_owned(),
        sni: c.flags & NETSYS_TLS_NO_SNI == 0,
        min_version,
        alpn,
        session_resumption,
        dangerously_disable_verification: blind != 0,
    })
}

/// Makes a configuration of TLS that means all defaults; a server's certificate and key are still to be set. Giving it
/// to a server or client switches TLS on.
///
/// @param config  filled in
/// @param size    sizeof(netsys_tls_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_tls_config_init(config: *mut netsys_tls_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClientCertificate;
    use crate::error::Code;
    use crate::ffi::args::view;
    use crate::ffi::lent_tls::Lent;

    fn config() -> netsys_tls_config {
        // SAFETY: all zero is a value of this struct.
        netsys_tls_config { struct_size: size_of::<netsys_tls_config>() as u32, ..unsafe { std::mem::zeroed() } }
    }

    fn memory(text: &'static str) -> netsys_bytes {
        netsys_bytes { data: text.as_ptr(), len: text.len() }
    }

    #[test]
    fn no_configuration_is_no_tls() {
        // SAFETY: NULL is allowed.
        let (server, client) = unsafe { (server(std::ptr::null()), client(std::ptr::null())) };
        assert_eq!((server, client), (Ok(ServerTls::default()), Ok(ClientTls::default())));
        let off = netsys_tls_config { flags: NETSYS_TLS_OFF, ..config() };
        // SAFETY: a whole struct.
        let (server, client) = unsafe { (self::server(&raw const off), self::client(&raw const off)) };
        assert_eq!((server, client), (Ok(ServerTls::default()), Ok(ClientTls::default())));
        assert!(Lent::pointer(&Lent::of_server(&ServerTls::default())).is_null());
        assert!(Lent::pointer(&Lent::of_client(&ClientTls::default())).is_null());
    }

    #[test]
    fn settings_that_are_switched_off_stay_so() {
        let c = netsys_tls_config { flags: NETSYS_TLS_OFF, alpn: view("x"), ..config() };
        // SAFETY: a whole struct with views of static text.
        let (server, client) = unsafe { (self::server(&raw const c), self::client(&raw const c)) };
        let (server, client) = (server.expect("readable"), client.expect("readable"));
        assert!(!server.enabled && server.check().is_err() && !client.enabled && client.check().is_err());
        let lent = (Lent::of_server(&server), Lent::of_client(&client));
        // SAFETY: what they point to is alive.
        let again = unsafe { (self::server(Lent::pointer(&lent.0)), self::client(Lent::pointer(&lent.1))) };
        assert_eq!(again, (Ok(server), Ok(client)));
    }

    #[test]
    fn every_field_arrives_and_comes_back() {
        let c = netsys_tls_config {
            min_version: NETSYS_TLS_1_3,
            client_certificate: NETSYS_CLIENT_CERTIFICATE_REQUIRED,
            flags: NETSYS_TLS_NO_SESSION_RESUMPTION,
            certificate_file: view("a"),
            key: memory("b"),
            ca_file: view("c"),
            crl: memory("d"),
            alpn: view("x, y"),
            ..config()
        };
        // SAFETY: a whole struct with views of static text.
        let read = unsafe { server(&raw const c) }.expect("valid");
        let expected = ServerTls {
            enabled: true,
            certificate: Pem::file("a"),
            key: Pem::memory("b"),
            client_ca: Pem::file("c"),
            crl: Pem::memory("d"),
            client_certificate: ClientCertificate::Required,
            min_version: TlsVersion::V1_3,
            alpn: vec!["x".into(), "y".into()],
            session_resumption: false,
        };
        assert_eq!(read, expected);
        let lent = Lent::of_server(&read);
        // SAFETY: what it points to is alive.
        assert_eq!(unsafe { server(Lent::pointer(&lent)) }, Ok(expected));

        let c = netsys_tls_config {
            client_certificate: 0,
            flags: NETSYS_TLS_NO_SESSION_RESUMPTION | NETSYS_TLS_NO_SNI,
            dangerously_disable_verification: NETSYS_TLS_DANGEROUSLY_DISABLE_VERIFICATION,
            server_name: view("z"),
            ..c
        };
        // SAFETY: a whole struct with views of static text.
        let read = unsafe { client(&raw const c) }.expect("valid");
        let expected = ClientTls {
            enabled: true,
            ca: Pem::file("c"),
            certificate: Pem::file("a"),
            key: Pem::memory("b"),
            crl: Pem::memory("d"),
            server_name: "z".into(),
            sni: false,
            min_version: TlsVersion::V1_3,
            alpn: vec!["x".into(), "y".into()],
            session_resumption: false,
            dangerously_disable_verification: true,
        };
        assert_eq!(read, expected);
        let lent = Lent::of_client(&read);
        // SAFETY: what it points to is alive.
        assert_eq!(unsafe { client(Lent::pointer(&lent)) }, Ok(expected));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let as_server = |c: netsys_tls_config, text: &str| {
            // SAFETY: a whole struct with views of static text.
            let error = unsafe { server(&raw const c) }.expect_err(text);
            assert!(error.code == Code::InvalidArgument && error.message.contains(text), "{error}");
        };
        let as_client = |c: netsys_tls_config, text: &str| {
            // SAFETY: as above.
            let error = unsafe { client(&raw const c) }.expect_err(text);
            assert!(error.code == Code::InvalidArgument && error.message.contains(text), "{error}");
        };
        as_server(netsys_tls_config { min_version: 11, ..config() }, "min_version is 11");
        as_server(netsys_tls_config { client_certificate: 3, ..config() }, "client_certificate is 3");
        as_server(netsys_tls_config { flags: NETSYS_TLS_NO_SNI, ..config() }, "flags is 0x2");
        as_server(netsys_tls_config { reserved: 1, ..config() }, "reserved is 1");
        as_server(netsys_tls_config { server_name: view("x"), ..config() }, "are for clients");
        as_server(netsys_tls_config { key_file: view("x"), key: memory("y"), ..config() }, "both key and key_file");
        as_client(netsys_tls_config { client_certificate: 1, ..config() }, "is for servers");
        as_client(netsys_tls_config { flags: 8, ..config() }, "flags is 0x8");
        as_client(netsys_tls_config { dangerously_disable_verification: 1, ..config() }, "is 0x1");
    }
}
