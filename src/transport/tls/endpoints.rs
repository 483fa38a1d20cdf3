//! What a server or client needs for each connection: made when it starts, of what its configuration says.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring::Ticketer;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;

use super::connection::{Gate, Side, Tls};
use super::material::{PROVIDER, Source, identity, system_roots};
use crate::config::{ClientCertificate, ClientTls, ServerTls, TlsVersion};
use crate::error::{Code, Error, Result};
use crate::transport::{Stream, inside_brackets};

/// How many sessions a client remembers for when it connects again. It has one server.
const REMEMBERED: usize = 8;

/// Encrypts the connections of a server.
pub(crate) struct TlsServer {
    gate: Gate,
    current: Mutex<Current>,
}

struct Current {
    settings: ServerTls,
    config: Arc<ServerConfig>,
}

impl TlsServer {
    /// `None`: it does not encrypt. `gate`: what bounds the work of handshakes in its context.
    pub(crate) fn new(settings: &ServerTls, gate: &Gate) -> Result<Option<TlsServer>> {
        if !settings.enabled {
            return Ok(None);
        }
        let current = Mutex::new(Current { settings: settings.clone(), config: server_config(settings)? });
        Ok(Some(TlsServer { gate: Arc::clone(gate), current }))
    }

    /// Takes new settings for the connections to come; `None`: those that it has, with what the files say now. Settings
    /// that cannot be used change nothing.
    pub(crate) fn reload(&self, settings: Option<ServerTls>) -> Result<()> {
        let settings = match settings {
            None => self.lock().settings.clone(),
            Some(settings) if !settings.enabled => {
                return Err(Error::invalid(
                    "tls is not enabled in the new settings: a server that encrypts cannot go on without; set enabled \
                     to true",
                ));
            }
            Some(settings) => settings,
        };
        settings.check()?;
        let config = server_config(&settings)?;
        *self.lock() = Current { settings, config };
        Ok(())
    }

    /// A stream that will be encrypted once its handshake is done.
    pub(crate) fn accept(&self, stream: TcpStream) -> Result<Stream> {
        let (config, asks) = {
            let current = self.lock();
            (Arc::clone(&current.config), current.settings.client_certificate != ClientCertificate::None)
        };
        let connection = ServerConnection::new(config).map_err(|error| internal(&error))?;
        Ok(Stream::encrypted(stream, Tls::new(connection.into(), Side::Server, asks, &self.gate)))
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("settings", &self.lock().settings).finish_non_exhaustive()
    }
}

/// Encrypts the connections of a client. Copies share the sessions that can be resumed.
#[derive(Clone)]
pub(crate) struct TlsClient {
    gate: Gate,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    verifies: bool,
}

impl TlsClient {
    /// `None`: it does not encrypt. `host`: what it connects to.
    pub(crate) fn new(settings: &ClientTls, host: &str, gate: &Gate) -> Result<Option<TlsClient>> {
        if !settings.enabled {
            return Ok(None);
        }
        let name = server_name(settings, host)?;
        let verifies = !settings.dangerously_disable_verification;
        Ok(Some(TlsClient { gate: Arc::clone(gate), config: client_config(settings)?, name, verifies }))
    }

    /// Whether its handshakes go through this gate.
    pub(super) fn is_behind(&self, gate: &Gate) -> bool {
        Arc::ptr_eq(&self.gate, gate)
    }

    /// Has it known that a client starts whose server may be anybody.
    pub(crate) fn warn_if_blind(&self, host: &str) {
        if !self.verifies {
            tracing::warn!(
                "the client for {host:?} does not verify the server's certificate (dangerously_disable_verification): \
                 whoever is in between can read and change everything"
            );
        }
    }

    /// A stream that will be encrypted once its handshake is done.
    pub(crate) fn connect(&self, stream: TcpStream) -> Result<Stream> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let connection = connection.map_err(|error| internal(&error))?;
        Ok(Stream::encrypted(stream, Tls::new(connection.into(), Side::Client, self.verifies, &self.gate)))
    }
}

fn internal(error: &rustls::Error) -> Error {
    Error::new(Code::Internal, format!("TLS cannot begin: {error}"))
}

/// The name that the certificate has to be for.
fn server_name(settings: &ClientTls, host: &str) -> Result<ServerName<'static>> {
    let name = if settings.server_name.is_empty() { host } else { &settings.server_name };
    let bare = inside_brackets(name).unwrap_or(name);
    // No certificate knows the zone of a link-local address.
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    ServerName::try_from(bare).map(|name| name.to_owned()).map_err(|_| {
        Error::invalid(format!(
            "{name:?} cannot be the name in a certificate, which is a DNS name or an IP address: set server_name to the \
             one that the server's certificate is for"
        ))
    })
}

/// The versions from the least one on.
fn versions(least: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    let spoken = |version: &&&SupportedProtocolVersion| {
        least == TlsVersion::V1_2 || version.version == rustls::ProtocolVersion::TLSv1_3
    };
    ALL_VERSIONS.iter().filter(spoken).copied().collect()
}

fn protocols(alpn: &[String]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn server_config(settings: &ServerTls) -> Result<Arc<ServerConfig>> {
    let identity = identity(&settings.certificate, &settings.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&versions(settings.min_version))
        .map_err(|error| internal(&error))?;
    let builder = if settings.client_certificate == ClientCertificate::None {
        builder.with_no_client_auth()
    } else {
        let ca = Source { setting: "client_ca", pem: &settings.client_ca };
        let crl = Source { setting: "crl", pem: &settings.crl };
        let mut verifier = WebPkiClientVerifier::builder_with_provider(ca.roots()?, Arc::clone(&PROVIDER))
            .with_crls(crl.revocation_lists()?)
            .enforce_revocation_expiration();
        if settings.client_certificate == ClientCertificate::Optional {
            verifier = verifier.allow_unauthenticated();
        }
        builder.with_client_cert_verifier(verifier.build().map_err(|error| crl.unusable(&error))?)
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    config.alpn_protocols = protocols(&settings.alpn);
    // The clients keep what is needed to resume, sealed with a key that this makes and changes.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if settings.session_resumption {
        config.ticketer = Ticketer::new().map_err(|error| internal(&error))?;
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn client_config(settings: &ClientTls) -> Result<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&versions(settings.min_version))
        .map_err(|error| internal(&error))?;
    let builder = if settings.dangerously_disable_verification {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody))
    } else {
        let crl = Source { setting: "crl", pem: &settings.crl };
        let roots = match settings.ca.is_some() {
            true => Source { setting: "ca", pem: &settings.ca }.roots()?,
            false => system_roots()?,
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&PROVIDER))
            .with_crls(crl.revocation_lists()?)
            .enforce_revocation_expiration()
            .build();
        builder.with_webpki_verifier(verifier.map_err(|error| crl.unusable(&error))?)
    };
    let mut config = if settings.certificate.is_some() {
        let identity = identity(&settings.certificate, &settings.key)?;
        builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = protocols(&settings.alpn);
    config.enable_sni = settings.sni;
    config.resumption = match settings.session_resumption {
        true => Resumption::in_memory_sessions(REMEMBERED),
        false => Resumption::disabled(),
    };
    Ok(Arc::new(config))
}

/// Takes any certificate. That its key is the peer's is still checked.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
