//! Whom TLS refuses, with which code, and who is told: rows 49 to 51 and 53 of the reliability goals.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use network_system::config::{ClientCertificate, ClientConfig, ClientTls, Framing, Pem, ServerConfig, ServerTls};
use network_system::core::{Client, Server};
use network_system::error::{Code, Error};
use network_system::session::handler::Payload;
use network_system::transport::frame::{Decoder, Frame, PREAMBLE};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use support::framed::hello;
use support::tls::{
    Ca, Identity, PROMPTLY, asking, client_params, encrypted_server, exchange, foreign, only_errors, server_params,
    showing,
};
use support::{Event, Home, PATIENCE, Recorder, client_config, server_config};

/// Connects, and gives back what that fails with.
fn fails(home: &Home, config: ClientConfig) -> Error {
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    let error = client.wait_connected(Some(PATIENCE)).unwrap_err();
    client.wait(Some(PATIENCE)).unwrap();
    let told: Vec<_> = events.rest();
    assert!(!told.iter().any(|event| matches!(event, Event::Open(_) | Event::Close(..))), "{told:?}");
    assert!(matches!(&told[..], [.., Event::Error(None, told), Event::Stopped, Event::Release] if *told == error));
    error
}

/// Row 50: every certificate that a client must not take, each with a code of its own; and the server is told.
#[test]
fn a_client_refuses_what_is_not_the_servers_certificate() {
    let (ca, home) = (Ca::new(), Home::new());
    let changed = |change: fn(&mut CertificateParams)| {
        let mut params = server_params();
        change(&mut params);
        params
    };
    let self_signed = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    };
    let elsewhere = changed(|params| params.subject_alt_names.truncate(0));
    let cases = [
        ("wrong host", ca.sign(&elsewhere), Code::CertificateWrongName, "is not for \"127.0.0.1\" but for []"),
        (
            "expired",
            ca.sign(&changed(|params| {
                params.not_before = date_time_ymd(2019, 1, 1);
                params.not_after = date_time_ymd(2020, 1, 1);
            })),
            Code::CertificateExpired,
            "not valid any more",
        ),
        (
            "not valid yet",
            ca.sign(&changed(|params| params.not_before = date_time_ymd(2090, 1, 1))),
            Code::CertificateExpired,
            "not valid yet",
        ),
        ("self-signed", self_signed(server_params()), Code::CertificateUntrusted, "set ca_file"),
        (
            "self-signed, as openssl makes them",
            self_signed(changed(|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained))),
            Code::CertificateInvalid,
            "the server's certificate is not acceptable",
        ),
        (
            "another issuer",
            Ca::new().server(),
            Code::CertificateUntrusted,
            "comes from no issuer that this side trusts",
        ),
        (
            "a client's",
            ca.sign(&changed(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])),
            Code::CertificateWrongUsage,
            "is not for the use as a server's",
        ),
    ];
    for (name, identity, code, text) in cases {
        let (handler, at_server) = Recorder::new();
        let server = home.server(encrypted_server(&identity, Framing::Auto), handler);
        let port = server.local_addr().port();
        let error = fails(&home, ca.client_config(port, Framing::Framed));
        assert!(error.code == code && error.message.contains(text), "{name}: {:?} {error}", error.code);
        assert_eq!(at_server.error().code, Code::CertificateRefused, "{name}");
        assert_eq!(server.stats().connections_failed, 1);
        assert!(only_errors(&at_server).is_empty());

        // Who says so loudly takes all of them.
        let mut config = client_config(port);
        config.tls = ClientTls { enabled: true, dangerously_disable_verification: true, ..ClientTls::default() };
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        assert!(!client.session().unwrap().tls().unwrap().peer_verified);
    }
}

#[test]
fn a_client_refuses_what_is_revoked() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, _events) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Auto), handler);
    for (crl, outcome) in [
        (ca.crl(&[7], 2090), Some("is revoked")),
        (ca.crl(&[6], 2090), None),
        (ca.crl(&[6], 2021), Some("the revocation list is out of date")),
        (Ca::new().crl(&[], 2090), Some("of which there is no revocation list")),
    ] {
        let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
        config.tls.crl = Pem::memory(crl);
        match outcome {
            Some(text) => {
                let error = fails(&home, config);
                assert!(error.code == Code::CertificateRevoked && error.message.contains(text), "{error}");
            }
            None => {
                let (handler, _events) = Recorder::new();
                let client = Client::start(&home.0, config, handler).unwrap();
                client.wait_connected(Some(PATIENCE)).unwrap();
            }
        }
    }
}

/// A reconnecting client goes on: the certificate may be mended. One whose server does not speak TLS ends.
#[test]
fn a_reconnecting_client_waits_for_a_better_certificate() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, _events) = Recorder::new();
    let server = home.server(encrypted_server(&Ca::new().server(), Framing::Auto), handler);
    let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
    config.reconnect = support::reconnecting::quickly();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    assert_eq!(events.error().code, Code::CertificateUntrusted);
    assert_eq!(events.error().code, Code::CertificateUntrusted);
    client.send(Payload::Text, b"kept").unwrap();
    server.reload_tls(Some(ca.server_config(Framing::Auto).tls)).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();

    let (handler, _events) = Recorder::new();
    let plain = home.server(server_config(), handler);
    let mut config = ca.client_config(plain.local_addr().port(), Framing::Framed);
    config.reconnect = support::reconnecting::quickly();
    let (handler, _events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(client.wait_connected(Some(PATIENCE)).unwrap_err().code, Code::TlsMismatch);
}

/// Row 51: a client that cannot show the right certificate is refused before anybody is told of it.
#[test]
fn a_server_refuses_clients_by_their_certificates() {
    let (ca, home) = (Ca::new(), Home::new());
    let mut expired = client_params("late");
    expired.not_before = date_time_ymd(2019, 1, 1);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut wrong_use = client_params("a server");
    wrong_use.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let revoked = ca.client("gone");
    let untrusted = Ca::new().client("stranger");
    let cases = [
        ("none", None, Code::CertificateRequired),
        ("untrusted", Some(untrusted), Code::CertificateUntrusted),
        ("expired", Some(ca.sign(&expired)), Code::CertificateExpired),
        ("a server's", Some(ca.sign(&wrong_use)), Code::CertificateWrongUsage),
        ("revoked", Some(revoked), Code::CertificateRevoked),
    ];
    for how in [ClientCertificate::Required, ClientCertificate::Optional] {
        for (name, identity, code) in &cases {
            let (handler, at_server) = Recorder::new();
            let mut config = asking(ca.server_config(Framing::Framed), &ca, how);
            if *name == "revoked" {
                config.tls.crl = Pem::memory(ca.crl(&[8], 2090));
            }
            let server = home.server(config, handler);
            let config = ca.client_config(server.local_addr().port(), Framing::Framed);
            let config = match identity {
                Some(identity) => showing(config, identity),
                None => config,
            };
            if how == ClientCertificate::Optional && identity.is_none() {
                let (handler, _events) = Recorder::new();
                let client = Client::start(&home.0, config, handler).unwrap();
                client.wait_connected(Some(PATIENCE)).unwrap();
                let session = at_server.opened();
                let info = session.tls().unwrap();
                assert!(info.peer.is_none() && !info.peer_verified);
                continue;
            }
            let error = fails(&home, config);
            assert_eq!(error.code, Code::CertificateRefused, "{name}: {error}");
            let told = at_server.error();
            assert!(told.code == *code && told.message.contains("no TLS with 127.0.0.1:"), "{name}: {told}");
            assert!(only_errors(&at_server).is_empty());
        }
    }
}

#[test]
fn a_clients_identity_is_known_from_its_certificate() {
    let (ca, home) = (Ca::new(), Home::new());
    let identity = ca.client("alice");
    let (handler, at_server) = Recorder::new();
    let config = asking(ca.server_config(Framing::Auto), &ca, ClientCertificate::Required);
    let server = home.server(config, handler);
    let config = showing(ca.client_config(server.local_addr().port(), Framing::Framed), &identity);
    let (handler, _events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    // It is known from the first that is told of the session, and to the last.
    let session = at_server.until(|event| if let Event::Accept(session) = event { Some(session) } else { None });
    client.stop(None);
    at_server.closed();
    let info = session.tls().unwrap();
    let peer = info.peer.as_ref().unwrap();
    assert!(info.peer_verified);
    assert_eq!(peer.common_name().as_deref(), Some("alice"));
    assert_eq!(peer.alternative_names(), ["URI:spiffe://test/alice"]);
    assert_eq!(peer.der(), &*identity.der());
    let digest = peer.fingerprint();
    assert!(digest.len() == 64 && digest.bytes().all(|c| c.is_ascii_hexdigit()), "{digest}");
}

/// Row 49: what does not speak TLS is told at once, in its own language where it has one.
#[test]
fn a_plain_peer_on_a_port_of_tls_is_refused_at_once() {
    let (ca, home) = (Ca::new(), Home::new());
    for framing in [Framing::Auto, Framing::Framed, Framing::Raw] {
        let (handler, at_server) = Recorder::new();
        let server = home.server(ca.server_config(framing), handler);
        let begun = Instant::now();
        assert_eq!(exchange(server.local_addr(), b"GET / HTTP/1.1\r\n\r\n"), b"");
        let answer = exchange(server.local_addr(), &hello("plain"));
        let mut input = answer.strip_prefix(&PREAMBLE).expect("an answer in the framed protocol");
        let mut decoder = Decoder::new(2048);
        let (header, payload) = decoder.next(&mut input).unwrap().unwrap();
        let Frame::Close(close) = Frame::decode(header, payload).unwrap() else { panic!("{header:?}") };
        assert!(close.code == Code::TlsMismatch as i32 && close.reason.contains("speaks TLS"), "{}", close.reason);
        assert!(begun.elapsed() < PROMPTLY, "far from any deadline");
        for _ in 0..2 {
            assert_eq!(at_server.error().code, Code::TlsMismatch);
        }

        // The library's own client says what it is about.
        let mut config = client_config(server.local_addr().port());
        config.session.framing = Framing::Framed;
        let error = fails(&home, config);
        assert!(error.code == Code::TlsMismatch && error.message.contains("switch TLS on in the client"), "{error}");
        assert_eq!(at_server.error().code, Code::TlsMismatch);
        assert!(only_errors(&at_server).is_empty());
    }
}

#[test]
fn a_tls_client_on_a_plain_port_is_refused_at_once() {
    let (ca, home) = (Ca::new(), Home::new());
    for framing in [Framing::Auto, Framing::Framed] {
        let (handler, at_server) = Recorder::new();
        let mut config = server_config();
        config.session.framing = framing;
        let server = home.server(config, handler);
        let begun = Instant::now();
        for speaks in [Framing::Framed, Framing::Raw, Framing::Auto] {
            let error = fails(&home, ca.client_config(server.local_addr().port(), speaks));
            assert!(
                error.code == Code::TlsMismatch && error.message.contains("switch TLS on in the server"),
                "{error}"
            );
            let told = at_server.error();
            assert!(told.code == Code::TlsMismatch && told.message.contains("this port does not"), "{told}");
        }
        let mut peer = foreign(server.local_addr(), &ca, &[&TLS12, &TLS13]);
        assert!(peer.write_all(b"x").is_err());
        assert!(begun.elapsed() < PROMPTLY, "far from any deadline");
    }
    // A raw server takes it for what a peer has to say.
    let (handler, at_server) = Recorder::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let server = home.server(config, handler);
    let mut config = ca.client_config(server.local_addr().port(), Framing::Raw);
    config.connect_timeout = PROMPTLY; // Connecting is a part of it.
    let error = fails(&home, config);
    assert!(error.code == Code::ConnectionTimeout && error.message.contains("handshake of TLS"), "{error}");
    assert_eq!(at_server.message().1[..2], [22, 3]);
}

/// A server that is none of TLS, and not the library's either.
#[test]
fn a_client_tells_what_a_foreign_server_says() {
    let (ca, home) = (Ca::new(), Home::new());
    for (says, code) in [
        (&b"220 mail.example ESMTP\r\n"[..], Code::TlsMismatch),
        (b"\x15\x03\x03\x00\x02\x02\x28", Code::TlsFailed), // handshake_failure
        (b"\x15\x03\x03\x00\x02\x02\x46", Code::TlsFailed), // protocol_version
        (b"\x15\x03\x03\x00\x02\x02\x30", Code::CertificateRefused), // unknown_ca
        (b"\x16\x03\x03\x00\x04\x63\x00\x00\x00", Code::TlsFailed), // an unknown message
        (b"", Code::ConnectionClosed),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut hello = [0; 64];
            peer.read_exact(&mut hello).unwrap();
            peer.write_all(says).unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = peer.read_to_end(&mut Vec::new());
        });
        let error = fails(&home, ca.client_config(port, Framing::Framed));
        assert_eq!(error.code, code, "{says:?}: {error}");
        server.join().unwrap();
    }
}

/// Behind TLS the port is as full as without: who comes too late is ended at once.
#[test]
fn a_full_server_ends_what_is_too_much() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let config = ServerConfig { max_connections: 1, ..ca.server_config(Framing::Auto) };
    let server = home.server(config, handler);
    let (handler, _events) = Recorder::new();
    let config = ca.client_config(server.local_addr().port(), Framing::Framed);
    let client = Client::start(&home.0, config.clone(), handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let error = fails(&home, config);
    assert!(error.code == Code::ConnectionClosed && error.message.contains("no room"), "{error}");
    assert_eq!(at_server.error().code, Code::ServerBusy);
    assert_eq!(server.stats().connections_rejected, 1);
}

/// What cannot work is said when the server or client is started, and nothing is started.
#[test]
fn unusable_material_is_refused_at_the_start() {
    let (ca, home) = (Ca::new(), Home::new());
    let (good, other) = (ca.server(), ca.server());
    let tls = |certificate: &str, key: &str| ServerTls {
        certificate: Pem::memory(certificate),
        key: Pem::memory(key),
        ..support::tls::server_tls(&good)
    };
    let missing = ServerTls { key: Pem::file("no/such.key"), ..support::tls::server_tls(&good) };
    for (tls, code, text) in [
        (tls(&good.certificate, &other.key), Code::InvalidArgument, "is not the key of the first certificate"),
        (tls(&good.key, &good.key), Code::InvalidArgument, "the certificate in memory has nothing in PEM"),
        (tls(&good.certificate, &good.certificate), Code::InvalidArgument, "the key in memory has no private key"),
        (
            tls(&good.certificate, "-----BEGIN PRIVATE KEY-----\nZm9v\n-----END PRIVATE KEY-----"),
            Code::InvalidArgument,
            "malformed",
        ),
        (missing, Code::NotFound, "key_file \"no/such.key\" cannot be read"),
        (ServerTls { key: Pem::None, ..tls(&good.certificate, "") }, Code::InvalidArgument, "set key_file"),
        (ServerTls { enabled: true, ..ServerTls::default() }, Code::InvalidArgument, "set certificate_file"),
    ] {
        let (handler, events) = Recorder::new();
        let error = Server::start(&home.0, ServerConfig { tls, ..server_config() }, handler).unwrap_err();
        assert!(error.code == code && error.message.contains(text), "{error}");
        assert!(events.rest().is_empty());
    }
    let on = ClientTls { enabled: true, ca: Pem::memory(ca.pem()), ..ClientTls::default() };
    for (host, tls, text) in [
        ("127.0.0.1", ClientTls { ca: Pem::memory("nothing"), ..on.clone() }, "the ca in memory has nothing in PEM"),
        ("127.0.0.1", ClientTls { crl: Pem::memory("nothing"), ..on.clone() }, "the crl in memory has nothing"),
        ("two words", on.clone(), "cannot be the name in a certificate"),
        ("127.0.0.1", ClientTls { enabled: false, ..on }, "is not enabled"),
    ] {
        let (handler, _events) = Recorder::new();
        let config = ClientConfig { tls, host: host.into(), ..client_config(1) };
        let error = Client::start(&home.0, config, handler).unwrap_err();
        assert!(error.code == Code::InvalidArgument && error.message.contains(text), "{error}");
    }
}

/// A socket that is adopted stays plain, and is not where that was not meant.
#[test]
fn an_adopted_socket_is_not_encrypted() {
    let (ca, home) = (Ca::new(), Home::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (handler, events) = Recorder::new();
    let config = ca.server_config(Framing::Raw);
    let error = network_system::core::adopt(&home.0, socket, config, handler).unwrap_err();
    assert!(error.code == Code::InvalidArgument && error.message.contains("leave tls out"), "{error}");
    assert!(events.rest().is_empty());
}
