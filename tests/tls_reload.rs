//! Certificates that are changed while a server serves: reliability row 52.

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use network_system::config::{ClientCertificate, Framing, Pem, ServerConfig, ServerTls};
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::session::handler::Payload;
use support::tls::{Ca, Folder, Identity, asking, encrypted_server, server_params, server_tls};
use support::{Home, PATIENCE, Recorder, server_config};

/// A server's certificate with a number in its name.
fn numbered(ca: &Ca, number: usize) -> Identity {
    let mut params = server_params();
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("number {number}"));
    ca.sign(&params)
}

/// The name in the certificate that a new client is shown.
fn shown(home: &Home, ca: &Ca, server: &Server) -> String {
    let (handler, _events) = Recorder::new();
    let config = ca.client_config(server.local_addr().port(), Framing::Framed);
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let session = client.session().unwrap();
    let name = session.tls().unwrap().peer.as_ref().unwrap().common_name().unwrap();
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    name
}

/// Sessions are spoken on while certificates are changed `rounds` times.
fn reloads(rounds: usize) {
    const SESSIONS: usize = 4;
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(encrypted_server(&numbered(&ca, 0), Framing::Auto), handler);
    let (talking, answers) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let talkers: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let (handler, events) = Recorder::new();
            let config = ca.client_config(server.local_addr().port(), Framing::Framed);
            let client = Client::start(&home.0, config, handler).unwrap();
            client.wait_connected(Some(PATIENCE)).unwrap();
            let (talking, answers) = (Arc::clone(&talking), Arc::clone(&answers));
            std::thread::spawn(move || {
                while talking.load(Ordering::SeqCst) {
                    client.send(Payload::Binary, &[1; 2000]).unwrap();
                    assert_eq!(events.message().1, [1; 2000]);
                    answers.fetch_add(1, Ordering::SeqCst);
                }
                assert!(client.is_connected(), "no session was lost");
            })
        })
        .collect();
    let identities: Vec<_> = (0..10).map(|number| numbered(&ca, number)).collect();
    for round in 1..=rounds {
        let number = round % identities.len();
        let before = answers.load(Ordering::SeqCst);
        server.reload_tls(Some(server_tls(&identities[number]))).unwrap();
        if round % 10 == 0 || round < 5 {
            assert_eq!(shown(&home, &ca, &server), format!("number {number}"));
        }
        support::wait_until("they go on", || answers.load(Ordering::SeqCst) > before);
    }
    talking.store(false, Ordering::SeqCst);
    talkers.into_iter().for_each(|talker| talker.join().unwrap());
    assert_eq!((server.stats().connections_failed, server.stats().errors), (0, 0));
    drop(at_server);
}

#[test]
fn sessions_go_on_while_certificates_change() {
    reloads(50);
}

#[test]
#[ignore = "row 52 in full: 1,000 reloads"]
fn sessions_go_on_while_certificates_change_a_thousand_times() {
    reloads(1000);
}

#[test]
fn files_are_read_again() {
    let (ca, home) = (Ca::new(), Home::new());
    let folder = Folder::new("tls-reload");
    let write = |identity: &Identity| {
        folder.write("server.pem", &identity.certificate);
        folder.write("server.key", &identity.key);
    };
    write(&numbered(&ca, 1));
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let tls = ServerTls {
        enabled: true,
        certificate: Pem::file(path("server.pem")),
        key: Pem::file(path("server.key")),
        ..ServerTls::default()
    };
    let mut config = server_config();
    config.tls = tls;
    let (handler, _events) = Recorder::new();
    let server = home.server(config, handler);
    assert_eq!(shown(&home, &ca, &server), "number 1");
    write(&numbered(&ca, 2));
    assert_eq!(shown(&home, &ca, &server), "number 1", "nobody has asked for it yet");
    server.reload_tls(None).unwrap();
    assert_eq!(shown(&home, &ca, &server), "number 2");

    // What cannot be used changes nothing.
    folder.write("server.key", &numbered(&ca, 3).key);
    let error = server.reload_tls(None).unwrap_err();
    assert!(error.code == Code::InvalidArgument && error.message.contains("is not the key of"), "{error}");
    std::fs::remove_file(folder.path().join("server.pem")).unwrap();
    let error = server.reload_tls(None).unwrap_err();
    assert!(error.code == Code::NotFound && error.message.contains("server.pem"), "{error}");
    let error = server.reload_tls(Some(ServerTls::default())).unwrap_err();
    assert!(error.code == Code::InvalidArgument && error.message.contains("cannot go on without"), "{error}");
    assert_eq!(shown(&home, &ca, &server), "number 2");
    write(&numbered(&ca, 4));
    server.reload_tls(None).unwrap();
    assert_eq!(shown(&home, &ca, &server), "number 4");
}

/// Of two reloads at once, the one that was asked for later holds, however long the other one reads.
#[test]
fn a_reload_that_takes_long_undoes_no_later_one() {
    let (ca, home) = (Ca::new(), Home::new());
    let folder = Folder::new("tls-slow-reload");
    let old = numbered(&ca, 1);
    let path = folder.write("server.pem", &old.certificate);
    let key = Pem::file(folder.write("server.key", &old.key));
    let tls = ServerTls { certificate: Pem::file(path.clone()), key, ..server_tls(&old) };
    let (handler, _events) = Recorder::new();
    let server = home.server(ServerConfig { tls, ..server_config() }, handler);
    // A file that is being read for as long as nothing is written to it.
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let slow = {
        let server = Arc::clone(&server);
        std::thread::spawn(move || server.reload_tls(None))
    };
    let mut pipe = None;
    support::wait_until("the file is being read", || {
        // Fails while nobody reads.
        pipe = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&path).ok();
        pipe.is_some()
    });
    let later = {
        let (server, tls) = (Arc::clone(&server), server_tls(&numbered(&ca, 2)));
        std::thread::spawn(move || server.reload_tls(Some(tls)))
    };
    // It is to wait for the other one. Did it not, it would be done by now, and undone by what comes.
    let deadline = Instant::now() + Duration::from_millis(300);
    while !later.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2)); // between two looks, of no matter
    }
    pipe.unwrap().write_all(old.certificate.as_bytes()).unwrap();
    slow.join().unwrap().unwrap();
    later.join().unwrap().unwrap();
    assert_eq!(shown(&home, &ca, &server), "number 2");
}

/// Whom the server believes changes too, and nobody gets past that by what was agreed on before.
#[test]
fn the_issuers_of_clients_change_with_a_reload() {
    for (changed, code) in [("the issuer", Code::CertificateUntrusted), ("a list", Code::CertificateRevoked)] {
        let (old, new, home) = (Ca::new(), Ca::new(), Home::new());
        let identity = numbered(&old, 1);
        let (handler, at_server) = Recorder::new();
        let config = asking(encrypted_server(&identity, Framing::Framed), &old, ClientCertificate::Required);
        let server = home.server(config, handler);
        let mut config = old.client_config(server.local_addr().port(), Framing::Framed);
        config.reconnect = support::reconnecting::quickly();
        let config = support::tls::showing(config, &old.client("alice"));
        let (handler, events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        for round in 0..2 {
            let session = at_server.opened();
            client.send(Payload::Text, b"here").unwrap();
            at_server.message();
            assert_eq!(session.tls().unwrap().resumed, round > 0);
            assert_eq!(session.tls().unwrap().peer.as_ref().unwrap().common_name().as_deref(), Some("alice"));
            if round > 0 {
                let mut tls = ServerTls { client_certificate: ClientCertificate::Required, ..server_tls(&identity) };
                if changed == "a list" {
                    tls.client_ca = Pem::memory(old.pem());
                    tls.crl = Pem::memory(old.crl(&[8], 2090));
                } else {
                    tls.client_ca = Pem::memory(new.pem());
                }
                server.reload_tls(Some(tls)).unwrap();
            }
            session.close(None, "again");
        }
        assert_eq!(at_server.error().code, code, "though it could have resumed");
        assert_eq!(events.error().code, Code::CertificateRefused);
    }
}

#[test]
fn a_server_without_tls_has_nothing_to_reload() {
    let home = Home::new();
    let (handler, _events) = Recorder::new();
    let server = home.server(server_config(), handler);
    assert_eq!(server.reload_tls(None).unwrap_err().code, Code::Unsupported);
}
