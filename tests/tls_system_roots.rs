//! The issuers that the system trusts. A program of its own, since it says by its environment where these are.

mod support;

use std::env;

use network_system::config::{ClientConfig, Framing, Pem};
use network_system::core::Client;
use network_system::error::Code;
use support::tls::{Ca, Folder};
use support::{Home, PATIENCE, Recorder};

#[test]
fn a_client_that_names_no_issuer_trusts_those_of_the_system() {
    let (ca, home) = (Ca::new(), Home::new());
    let folder = Folder::new("tls-system");
    let (handler, _events) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Auto), handler);
    let config = |port| {
        let mut config: ClientConfig = ca.client_config(port, Framing::Framed);
        config.tls.ca = Pem::None;
        config
    };
    let start = |file: &str| {
        // SAFETY: no other thread of this program looks at its environment.
        unsafe { env::set_var("SSL_CERT_FILE", file) };
        let (handler, _events) = Recorder::new();
        // In a context of its own: what a client has, and each of its connections, is gone once that has ended.
        let home = Home::new();
        Client::start(&home.0, config(server.local_addr().port()), handler).map(|client| (client, home))
    };
    let outcome = |file: &str| {
        let (client, _home) = start(file)?;
        client.wait_connected(Some(PATIENCE))
    };
    // SAFETY: as above.
    unsafe { env::remove_var("SSL_CERT_DIR") };
    outcome(&folder.write("ours.pem", &ca.pem())).unwrap();
    let error = outcome(&folder.write("others.pem", &Ca::new().pem())).unwrap_err();
    assert_eq!(error.code, Code::CertificateUntrusted);
    let error = outcome(&folder.write("none.pem", "")).unwrap_err();
    assert!(error.code == Code::NotFound && error.message.contains("set ca_file"), "{error}");

    // They are read once for all clients that live at a time.
    let first = start(&folder.write("ours.pem", &ca.pem())).unwrap();
    let second = start(folder.path().join("none.pem").to_str().unwrap()).unwrap();
    second.0.wait_connected(Some(PATIENCE)).unwrap();
    drop(first);
    let third = start(folder.path().join("none.pem").to_str().unwrap()).unwrap();
    third.0.wait_connected(Some(PATIENCE)).unwrap();
    drop((second, third));
    let error = start(folder.path().join("none.pem").to_str().unwrap()).err().unwrap();
    assert_eq!(error.code, Code::NotFound);
}
