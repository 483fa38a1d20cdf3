//! What the tests of TLS share: certificates that are made for the test, and peers that are not the library's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use network_system::config::{ClientCertificate, ClientConfig, ClientTls, Framing, Pem, ServerConfig, ServerTls};
use network_system::error::Error;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConnection, RootCertStore, ServerConnection, StreamOwned, SupportedProtocolVersion};

use super::{Event, Events, PATIENCE, client_config, server_config};

/// An issuer of certificates.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Identity {
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

/// What a certificate of a server on this host is like.
pub fn server_params() -> CertificateParams {
    let mut params = CertificateParams::new(["127.0.0.1".into(), "localhost".into()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "the server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serial_number = Some(SerialNumber::from_slice(&[7]));
    params
}

/// What a client's certificate is like.
pub fn client_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![SanType::URI(format!("spiffe://test/{name}").try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from_slice(&[8]));
    params
}

impl Ca {
    pub fn new() -> Ca {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        // No two have the same name.
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name.push(DnType::CommonName, format!("issuer {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ca { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity { certificate: self.sign_for(params, &key), key: key.serialize_pem() }
    }

    /// A certificate for that key.
    pub fn sign_for(&self, params: &CertificateParams, key: &KeyPair) -> String {
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    /// A certificate of a server on this host.
    pub fn server(&self) -> Identity {
        self.sign(&server_params())
    }

    pub fn client(&self, name: &str) -> Identity {
        self.sign(&client_params(name))
    }

    /// A list that revokes the certificates with these serial numbers, and is good until the year `until`.
    pub fn crl(&self, serials: &[u8], until: i32) -> String {
        let revoked = |serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[*serial]),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// A server with a certificate of this issuer.
    pub fn server_config(&self, framing: Framing) -> ServerConfig {
        encrypted_server(&self.server(), framing)
    }

    /// A client that trusts this issuer.
    pub fn client_config(&self, port: u16, framing: Framing) -> ClientConfig {
        let mut config = client_config(port);
        config.tls = ClientTls { enabled: true, ca: Pem::memory(self.pem()), ..ClientTls::default() };
        config.session.framing = framing;
        config
    }
}

pub fn encrypted_server(identity: &Identity, framing: Framing) -> ServerConfig {
    let mut config = server_config();
    config.tls = server_tls(identity);
    config.session.framing = framing;
    config
}

pub fn server_tls(identity: &Identity) -> ServerTls {
    ServerTls {
        enabled: true,
        certificate: Pem::memory(identity.certificate.as_str()),
        key: Pem::memory(identity.key.as_str()),
        ..ServerTls::default()
    }
}

/// A server that asks its clients for certificates of `ca`.
pub fn asking(config: ServerConfig, ca: &Ca, how: ClientCertificate) -> ServerConfig {
    let tls = ServerTls { client_ca: Pem::memory(ca.pem()), client_certificate: how, ..config.tls };
    ServerConfig { tls, ..config }
}

/// A client with a certificate.
pub fn showing(config: ClientConfig, identity: &Identity) -> ClientConfig {
    let certificate = Pem::memory(identity.certificate.as_str());
    let tls = ClientTls { certificate, key: Pem::memory(identity.key.as_str()), ..config.tls };
    ClientConfig { tls, ..config }
}

pub type Foreign = StreamOwned<ClientConnection, TcpStream>;

/// A client of TLS that is not the library's, but for the cryptography. Its handshake is made when it first writes or
/// reads.
pub fn foreign(address: SocketAddr, ca: &Ca, versions: &[&'static SupportedProtocolVersion]) -> Foreign {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(foreign_config(ca, versions), name).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(connection, socket)
}

/// What such a client needs.
pub fn foreign_config(ca: &Ca, versions: &[&'static SupportedProtocolVersion]) -> Arc<rustls::ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

pub type ForeignServer = StreamOwned<ServerConnection, TcpStream>;

/// A server's side of a connection, not the library's either.
pub fn foreign_server(
    socket: TcpStream,
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> ForeignServer {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.der()], PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap())
        .unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket)
}

/// Reads `len` bytes.
pub fn read_exactly(stream: &mut impl Read, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Nothing was told of a session; gives back the errors.
pub fn only_errors(events: &Events) -> Vec<Error> {
    let pick = |event| match event {
        Event::Error(None, error) => Some(error),
        Event::Detach(_) => None,
        other => panic!("nobody is to be told of a peer that is refused: {other:?}"),
    };
    events.rest().into_iter().filter_map(pick).collect()
}

/// Sends bytes in plain text and gives back all that comes until the end.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut peer = TcpStream::connect(address).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = peer.read_to_end(&mut answer);
    answer
}

/// A folder that is gone when the test is over.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("netsys-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and gives back its name.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// More than what happens at once takes, and less than any deadline that is not set.
pub const PROMPTLY: Duration = Duration::from_secs(2);
