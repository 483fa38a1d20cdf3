//! The issuers that the system trusts. A program of its own, since it says by its environment where these are.

mod support;

use std::env;
use std::sync::Arc;

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
        Client::start(&home.0, config(server.local_addr().port()), handler)
    };
    // What a client has is gone once it has ended.
    let end = |client: Arc<Client>| {
        client.stop(None);
        client.wait(Some(PATIENCE)).unwrap();
        let left = Arc::downgrade(&client);
        drop(client);
        support::wait_until("the client is gone", || left.strong_count() == 0);
    };
    let outcome = |file: &str| {
        let client = start(file)?;
        let outcome = client.wait_connected(Some(PATIENCE));
        end(client);
        outcome
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
    second.wait_connected(Some(PATIENCE)).unwrap();
    end(first);
    let third = start(folder.path().join("none.pem").to_str().unwrap()).unwrap();
    third.wait_connected(Some(PATIENCE)).unwrap();
    end(second);
    end(third);
    let error = start(folder.path().join("none.pem").to_str().unwrap()).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
}
