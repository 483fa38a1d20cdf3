//! What a server or client needs for each connection: made when it starts, of what its configuration says.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring::Ticketer;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;

use super::connection::{Side, Tls};
use super::material::{PROVIDER, Source, identity, system_roots};
use super::verification::Verification;
use crate::config::{ClientCertificate, ClientTls, ServerTls, TlsVersion};
use crate::error::{Code, Error, Result};
use crate::transport::{Stream, inside_brackets};

/// How many sessions a client remembers for when it connects again. It has one server.
const REMEMBERED: usize = 8;

/// Encrypts the connections of a server.
pub(crate) struct TlsServer {
    /// Held while new settings are read: what is stored last is what was asked for last.
    reloading: Mutex<()>,
    current: Mutex<Current>,
}

pub(super) struct Current {
    settings: ServerTls,
    pub config: Arc<ServerConfig>,
    /// What verifies the clients' certificates, if they are asked for.
    pub verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl Current {
    fn new(settings: ServerTls) -> Result<Current> {
        let verifier = client_verifier(&settings)?;
        Ok(Current { config: server_config(&settings, verifier.clone())?, settings, verifier })
    }
}

impl TlsServer {
    /// `None`: it does not encrypt.
    pub(crate) fn new(settings: &ServerTls) -> Result<Option<TlsServer>> {
        if !settings.enabled {
            return Ok(None);
        }
        Ok(Some(TlsServer { reloading: Mutex::default(), current: Mutex::new(Current::new(settings.clone())?) }))
    }

    /// Takes new settings for the connections to come; `None`: those that it has, with what the files say now. Settings
    /// that cannot be used change nothing.
    pub(crate) fn reload(&self, settings: Option<ServerTls>) -> Result<()> {
        let _reloading = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
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
        let current = Current::new(settings)?;
        *self.lock() = current;
        Ok(())
    }

    /// A stream that will be encrypted once its handshake is done.
    pub(crate) fn accept(&self, stream: TcpStream) -> Result<Stream> {
        let (config, verifier) = {
            let current = self.lock();
            (Arc::clone(&current.config), current.verifier.clone())
        };
        let clock = Arc::clone(&config.time_provider);
        let verification = verifier.map_or(Verification::Off, |verifier| Verification::OfClient(verifier, clock));
        let connection = ServerConnection::new(config).map_err(|error| internal(&error))?;
        Ok(Stream::encrypted(stream, Tls::new(connection.into(), Side::Server, verification)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Current> {
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
    pub(super) config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// `None`: it takes anybody for its server.
    pub(super) verifier: Option<Arc<dyn ServerCertVerifier>>,
}

impl TlsClient {
    /// `None`: it does not encrypt. `host`: what it connects to.
    pub(crate) fn new(settings: &ClientTls, host: &str) -> Result<Option<TlsClient>> {
        if !settings.enabled {
            return Ok(None);
        }
        let name = server_name(settings, host)?;
        let verifier = server_verifier(settings)?;
        Ok(Some(TlsClient { config: client_config(settings, verifier.clone())?, name, verifier }))
    }

    /// Has it known that a client starts whose server may be anybody.
    pub(crate) fn warn_if_blind(&self, host: &str) {
        if self.verifier.is_none() {
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
        let verification = self.verifier.as_ref().map_or(Verification::Off, |verifier| {
            Verification::OfServer(Arc::clone(verifier), Arc::clone(&self.config.time_provider), self.name.clone())
        });
        Ok(Stream::encrypted(stream, Tls::new(connection.into(), Side::Client, verification)))
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

/// What verifies the certificates of clients, if a server asks for them.
pub(super) fn client_verifier(settings: &ServerTls) -> Result<Option<Arc<dyn ClientCertVerifier>>> {
    if settings.client_certificate == ClientCertificate::None {
        return Ok(None);
    }
    let ca = Source { setting: "client_ca", pem: &settings.client_ca };
    let crl = Source { setting: "crl", pem: &settings.crl };
    let mut verifier = WebPkiClientVerifier::builder_with_provider(ca.roots()?, Arc::clone(&PROVIDER))
        .with_crls(crl.revocation_lists()?)
        .enforce_revocation_expiration();
    if settings.client_certificate == ClientCertificate::Optional {
        verifier = verifier.allow_unauthenticated();
    }
    verifier.build().map(Some).map_err(|error| crl.unusable(&error))
}

fn server_config(settings: &ServerTls, verifier: Option<Arc<dyn ClientCertVerifier>>) -> Result<Arc<ServerConfig>> {
    let identity = identity(&settings.certificate, &settings.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&versions(settings.min_version))
        .map_err(|error| internal(&error))?;
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
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

/// What verifies the certificate of a client's server.
pub(super) fn server_verifier(settings: &ClientTls) -> Result<Option<Arc<dyn ServerCertVerifier>>> {
    if settings.dangerously_disable_verification {
        return Ok(None);
    }
    let crl = Source { setting: "crl", pem: &settings.crl };
    let roots = match settings.ca.is_some() {
        true => Source { setting: "ca", pem: &settings.ca }.roots()?,
        false => system_roots()?,
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&PROVIDER))
        .with_crls(crl.revocation_lists()?)
        .enforce_revocation_expiration()
        .build();
    Ok(Some(verifier.map_err(|error| crl.unusable(&error))?))
}

fn client_config(settings: &ClientTls, verifier: Option<Arc<dyn ServerCertVerifier>>) -> Result<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&versions(settings.min_version))
        .map_err(|error| internal(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.unwrap_or_else(|| Arc::new(Anybody)));
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
