use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, ExtendedKeyUsagePurpose,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::net::{TcpListener, TcpStream};

use super::super::endpoints::{TlsClient, TlsServer, client_verifier, server_verifier};
use super::super::material::PROVIDER;
use super::*;
use crate::config::{ClientCertificate, ClientTls, Pem, ServerTls};

const HOUR: u64 = 3600;

#[test]
fn a_client_hello_is_told_from_other_things() {
    assert!(is_client_hello(&[22, 3, 1, 2, 0, 1, 0, 1]));
    assert!(is_client_hello(&[22, 3, 3, 0, 200, 1]));
    for other in
        [&b""[..], &[22], &[22, 3, 1, 2, 0], &[22, 3, 1, 2, 0, 2], &[22, 2, 1, 2, 0, 1], b"NSYS\r\n", b"GET / "]
    {
        assert!(!is_client_hello(other), "{other:?}");
    }
}

/// A peer that speaks the framed protocol is told in it that the port speaks TLS, however its bytes come.
#[test]
fn a_framed_peer_is_told_byte_by_byte() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (certificate, key) = Ca::new().issue(ExtendedKeyUsagePurpose::ServerAuth);
        let settings = ServerTls { enabled: true, certificate, key, ..ServerTls::default() };
        let server = TlsServer::new(&settings).unwrap().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let here = server.accept(listener.accept().await.unwrap().0).unwrap();
        let mut handshake = pin!(shake_hands(&here));
        for (at, byte) in PREAMBLE.iter().enumerate() {
            assert_eq!(peer.try_write(&[*byte]).unwrap(), 1);
            let outcome = poll_fn(|cx| match handshake.as_mut().poll(cx) {
                // It has read the byte, and waits.
                Poll::Pending if at + 1 < PREAMBLE.len() && !here.has_input() => Poll::Ready(None),
                other => other.map(Some),
            });
            match outcome.await {
                None => {}
                Some(outcome) => {
                    assert_eq!(at + 1, PREAMBLE.len(), "{outcome:?}");
                    assert_eq!(outcome.unwrap_err().code, Code::TlsMismatch);
                }
            }
        }
        let mut answer = [0; PREAMBLE.len()];
        peer.readable().await.unwrap();
        assert_eq!((peer.try_read(&mut answer).unwrap(), answer), (PREAMBLE.len(), PREAMBLE));
    });
}

/// A clock that can be put forward, by seconds.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let ahead = Duration::from_secs(self.0.load(Ordering::SeqCst));
        Some(UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH).ok()? + ahead))
    }
}

/// An issuer, and what it has issued.
struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Ca {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ca(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Pem {
        Pem::memory(self.0.pem())
    }

    /// A certificate for the next hour, and its key.
    fn issue(&self, usage: ExtendedKeyUsagePurpose) -> (Pem, Pem) {
        let mut params = CertificateParams::new(["localhost".into()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.serial_number = Some(SerialNumber::from_slice(&[8]));
        params.not_after = date_time_ymd(1970, 1, 1) + SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        params.not_after += Duration::from_secs(HOUR);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (Pem::memory(certificate.pem()), Pem::memory(key.serialize_pem()))
    }

    /// A list that revokes all that it has issued.
    fn revoke(&self) -> Pem {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[8]),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Pem::memory(params.signed_by(&self.0).unwrap().pem().unwrap())
    }
}

/// Has a server speak that version only, by that clock.
fn limit(server: &TlsServer, version: &'static SupportedProtocolVersion, clock: Arc<Clock>) {
    let mut current = server.lock();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(current.verifier.clone().unwrap())
        .with_cert_resolver(Arc::clone(&current.config.cert_resolver));
    config.ticketer = Arc::clone(&current.config.ticketer);
    config.session_storage = Arc::clone(&current.config.session_storage);
    config.time_provider = clock;
    current.config = Arc::new(config);
}

/// What each side's handshake came to. Where both succeeded, the client has also read what it needs to resume.
async fn meet(server: &TlsServer, client: &TlsClient) -> (Result<TlsInfo>, Result<TlsInfo>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let there = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let there = client.connect(there).unwrap();
    let here = server.accept(listener.accept().await.unwrap().0).unwrap();
    let at_client = tokio::spawn(async move {
        let info = shake_hands(&there).await;
        if info.is_err() {
            there.shutdown_write();
            return info;
        }
        // With TLS 1.3, the server looks at the client's certificate only now.
        let mut buffer = [0; 16];
        let read = poll_fn(|cx| there.poll_read(cx, &mut buffer)).await;
        read.map_err(|error| Error::from_io(Code::TlsFailed, "", &error)).and(info)
    });
    let at_server = shake_hands(&here).await;
    match &at_server {
        Ok(_) => assert_eq!(here.write_now(b"x").unwrap(), 1),
        Err(_) => here.shutdown_write(),
    }
    (at_server, at_client.await.unwrap())
}

/// Who was let in with a certificate is not let in for ever by what was agreed on then.
#[test]
fn a_certificate_that_does_not_hold_any_more_does_not_resume() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Then {
        Nothing,
        ClientRunsOut,
        ClientIsRevoked,
        ServerRunsOut,
        ServerIsRevoked,
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (version, then) in
        [Then::Nothing, Then::ClientRunsOut, Then::ClientIsRevoked, Then::ServerRunsOut, Then::ServerIsRevoked]
            .into_iter()
            .flat_map(|then| [(&TLS12, then), (&TLS13, then)])
    {
        let (of_clients, of_servers) = (Ca::new(), Ca::new());
        let (certificate, key) = of_servers.issue(ExtendedKeyUsagePurpose::ServerAuth);
        let settings = ServerTls {
            enabled: true,
            certificate,
            key,
            client_certificate: ClientCertificate::Required,
            client_ca: of_clients.pem(),
            ..ServerTls::default()
        };
        let (at_server, at_client) = (Arc::new(Clock::default()), Arc::new(Clock::default()));
        let server = TlsServer::new(&settings).unwrap().unwrap();
        limit(&server, version, at_server.clone());
        let (certificate, key) = of_clients.issue(ExtendedKeyUsagePurpose::ClientAuth);
        let mine = ClientTls { enabled: true, certificate, key, ca: of_servers.pem(), ..ClientTls::default() };
        let mut client = TlsClient::new(&mine, "localhost").unwrap().unwrap();
        Arc::make_mut(&mut client.config).time_provider = at_client.clone();
        for resumed in [false, true] {
            let (here, there) = runtime.block_on(meet(&server, &client));
            let (here, there) = (here.unwrap(), there.unwrap());
            assert!(here.resumed == resumed && there.resumed == resumed, "{version:?} {here:?} {there:?}");
            assert!(here.peer_verified && there.peer_verified);
        }

        match then {
            Then::Nothing => {}
            Then::ClientRunsOut => at_server.0.store(2 * HOUR, Ordering::SeqCst),
            Then::ServerRunsOut => at_client.0.store(2 * HOUR, Ordering::SeqCst),
            Then::ClientIsRevoked => {
                server.lock().verifier = client_verifier(&ServerTls { crl: of_clients.revoke(), ..settings }).unwrap();
            }
            Then::ServerIsRevoked => {
                client.verifier = server_verifier(&ClientTls { crl: of_servers.revoke(), ..mine }).unwrap();
            }
        }
        let (here, there) = runtime.block_on(meet(&server, &client));
        let codes = [here, there].map(|outcome| outcome.map(|info| info.resumed).map_err(|error| error.code));
        let expected = match then {
            Then::Nothing => [Ok(true), Ok(true)],
            Then::ClientRunsOut => [Err(Code::CertificateExpired), Err(Code::CertificateRefused)],
            Then::ClientIsRevoked => [Err(Code::CertificateRevoked), Err(Code::CertificateRefused)],
            Then::ServerRunsOut => [Err(Code::ConnectionClosed), Err(Code::CertificateExpired)],
            Then::ServerIsRevoked => [Err(Code::ConnectionClosed), Err(Code::CertificateRevoked)],
        };
        assert_eq!(codes, expected, "{version:?} {then:?}");
    }
}
