//! What becomes of private keys: reliability row 55. A program of its own, since it looks at all memory that is given
//! back, and at every line of the log.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use network_system::config::{ClientCertificate, ClientTls, Framing, NetworkConfig, Pem, ServerTls};
use network_system::core::{Client, Server};
use network_system::session::handler::Payload;
use rcgen::{CertificateParams, KeyPair};
use support::tls::{Ca, Folder, Identity, asking, client_params, encrypted_server, server_params, showing};
use support::{Home, PATIENCE, Recorder, server_config};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use zeroize::Zeroizing;

/// So long are the pieces of keys that are looked for.
const PIECE: usize = 24;

/// Each byte of a piece is kept changed by this, so that the list of them is no find.
const MASK: u8 = 0x5a;

/// Looks for pieces of keys in what is given back.
struct Looking;

static ON: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static LOOKED_AT: AtomicUsize = AtomicUsize::new(0);
static PIECES: OnceLock<Vec<[u8; PIECE]>> = OnceLock::new();

/// Compares byte by byte, so that no piece comes to lie on the stack, from where it could get into a block that is made
/// later.
fn has_piece(bytes: &[u8]) -> bool {
    let pieces = PIECES.get().map_or(&[][..], Vec::as_slice);
    let is_at = |piece: &[u8; PIECE], at: usize| {
        bytes[at..].iter().zip(piece).take_while(|(byte, masked)| **byte ^ MASK == **masked).count() == PIECE
    };
    // Few places begin as a piece does.
    let mut begins = [false; 256];
    pieces.iter().for_each(|piece| begins[usize::from(piece[0] ^ MASK)] = true);
    let places = 0..bytes.len().saturating_sub(PIECE - 1);
    places.filter(|at| begins[usize::from(bytes[*at])]).any(|at| pieces.iter().any(|piece| is_at(piece, at)))
}

// SAFETY: hands everything to the system's allocator, after a look at it.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // What was never written would be a find of an earlier life.
        // SAFETY: the caller's contract.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if ON.load(Ordering::SeqCst) {
            // SAFETY: the block is still the caller's, and was zeroed when it was made.
            let bytes = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            LOOKED_AT.fetch_add(1, Ordering::SeqCst);
            FOUND.fetch_add(usize::from(has_piece(bytes)), Ordering::SeqCst);
        }
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    // A block that grows is one that is given back, and another one: the default does just that.
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// Pieces of a key as PEM, and of the bytes that that stands for.
fn pieces_of(key: &str) -> Vec<[u8; PIECE]> {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    let masked = |bytes: &[u8]| {
        let mut piece = [0; PIECE];
        piece.iter_mut().zip(bytes).for_each(|(masked, byte)| *masked = byte ^ MASK);
        piece
    };
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let der = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    // In the DER of a P-256 key the secret number is in the bytes 36 to 67. Digit 64 of base64, which begins a line,
    // stands for byte 48. In that of an RSA key of 2048 bits in PKCS #1, the secret numbers begin at byte 277.
    let (der, body) = (der.secret_der(), body.as_bytes());
    let (bytes, digits) = if der.len() < 200 { (&[36, 44][..], 64) } else { (&[300, 560][..], 8 * 64) };
    bytes.iter().map(|at| masked(&der[*at..])).chain([masked(&body[digits..])]).collect()
}

/// Keeps the log.
struct Log;

static LINES: Mutex<String> = Mutex::new(String::new());

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut lines = LINES.lock().unwrap();
        event.record(&mut Line(&mut lines));
        lines.push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A server and a client with keys from files and from memory, a reload, and everything that can be wrong with them;
/// gives back all texts that came of it.
fn use_keys(folder: &Folder) -> String {
    let mut texts = String::new();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let home = Home::new();
    let (handler, at_server) = Recorder::new();
    let tls = ServerTls {
        enabled: true,
        certificate: Pem::file(path("server.pem")),
        key: Pem::file(path("server.key")),
        client_ca: Pem::file(path("ca.pem")),
        client_certificate: ClientCertificate::Required,
        ..ServerTls::default()
    };
    let mut config = server_config();
    config.tls = tls.clone();
    config.session.framing = Framing::Framed;
    let server = Server::start(&home.0, config, handler).unwrap();
    let mut config = support::client_config(server.local_addr().port());
    config.session.framing = Framing::Framed;
    config.tls = ClientTls {
        enabled: true,
        ca: Pem::file(path("ca.pem")),
        certificate: Pem::file(path("client.pem")),
        key: Pem::memory(read("client.key")),
        ..ClientTls::default()
    };
    let _ = write!(texts, "{config:?} {config:#?}");
    let all = NetworkConfig { client: config.clone(), ..NetworkConfig::default() };
    let _ = write!(texts, "{all:?} {:?}", all.to_string(network_system::config::Format::Toml));
    let (handler, _events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.send(Payload::Text, b"hello").unwrap();
    let session = at_server.opened();
    at_server.message();
    let _ = write!(texts, "{server:?} {client:?} {session:?} {:?}", session.tls());
    server.reload_tls(Some(ServerTls { key: Pem::memory(read("server.key")), ..tls.clone() })).unwrap();
    server.reload_tls(Some(tls.clone())).unwrap();
    // A key in the place of something else, of another certificate, and damaged.
    let damaged = |label: &str| {
        let key = Zeroizing::new(read("server.key"));
        let body = key.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"-")).flatten();
        let mut pem = Vec::with_capacity(4000);
        pem.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
        pem.extend(body);
        pem.extend_from_slice(format!("\n-----END {label}-----\n").as_bytes());
        pem
    };
    let another = if Zeroizing::new(read("server.key")).starts_with(b"-----BEGIN RSA") {
        "PRIVATE KEY"
    } else {
        "RSA PRIVATE KEY"
    };
    for wrong in [
        ServerTls { certificate: Pem::memory(read("server.key")), ..tls.clone() },
        ServerTls { certificate: Pem::file(path("server.key")), ..tls.clone() },
        ServerTls { client_ca: Pem::file(path("server.key")), ..tls.clone() },
        ServerTls { key: Pem::file(path("client.key")), ..tls.clone() },
        ServerTls { key: Pem::memory(read("client.key")), ..tls.clone() },
        ServerTls { key: Pem::memory(damaged("ENCRYPTED PRIVATE KEY")), ..tls.clone() },
        ServerTls { key: Pem::memory(damaged(another)), ..tls },
    ] {
        let _ = write!(texts, "{wrong:?} {:?}", server.reload_tls(Some(wrong.clone())).unwrap_err());
    }
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    texts
}

/// What openssl makes of that.
fn openssl(arguments: &[&str], input: &str) -> String {
    let mut openssl = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// A certificate for an RSA key, which is given as PKCS #1.
fn with_rsa(ca: &Ca, params: &CertificateParams) -> Identity {
    let key = openssl(&["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let certificate = ca.sign_for(params, &KeyPair::from_pem(&key).unwrap());
    Identity { certificate, key: openssl(&["rsa", "-traditional"], &key) }
}

#[test]
fn keys_are_in_no_memory_that_is_given_back_and_in_no_text() {
    tracing::subscriber::set_global_default(Log).unwrap();
    let folders = [Folder::new("tls-secrets"), Folder::new("tls-secrets-rsa")];
    let mut pieces = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let ca = Ca::new();
        let (server, client) = match number {
            0 => (ca.server(), ca.client("alice")),
            _ => (with_rsa(&ca, &server_params()), with_rsa(&ca, &client_params("alice"))),
        };
        assert!(server.key.contains(["BEGIN PRIVATE KEY", "BEGIN RSA PRIVATE KEY"][number]));
        folder.write("ca.pem", &ca.pem());
        for (name, identity) in [("server", &server), ("client", &client)] {
            folder.write(&format!("{name}.pem"), &identity.certificate);
            folder.write(&format!("{name}.key"), &identity.key);
            pieces.extend(pieces_of(&identity.key));
        }
        // The other ways to begin work, too.
        let home = Home::new();
        let (handler, _events) = Recorder::new();
        let config = asking(encrypted_server(&server, Framing::Auto), &ca, ClientCertificate::Required);
        let running = home.server(config, handler);
        let config = showing(ca.client_config(running.local_addr().port(), Framing::Framed), &client);
        let (handler, _events) = Recorder::new();
        Client::start(&home.0, config, handler).unwrap().wait_connected(Some(PATIENCE)).unwrap();
    }
    PIECES.set(pieces).unwrap();

    // The instrument finds what is there.
    for folder in &folders {
        ON.store(true, Ordering::SeqCst);
        drop(std::fs::read(folder.path().join("server.key")).unwrap());
        assert_eq!(FOUND.swap(0, Ordering::SeqCst), 1);
        ON.store(false, Ordering::SeqCst);
    }

    // Twice: what is made once only would hide the rest.
    for folder in folders.iter().chain(&folders) {
        ON.store(true, Ordering::SeqCst);
        let texts = use_keys(folder);
        ON.store(false, Ordering::SeqCst);
        assert!(LOOKED_AT.load(Ordering::SeqCst) > 1000);
        assert!(texts.contains("Memory(") && texts.contains("cannot be used") | texts.contains("is not the key of"));
        assert!(!has_piece(texts.as_bytes()) && !texts.contains("BEGIN PRIVATE KEY"));
        assert!(!texts.contains("BEGIN RSA PRIVATE KEY"));
    }
    let log = LINES.lock().unwrap();
    assert!(log.contains("has reloaded its certificates"), "{log}");
    assert!(!has_piece(log.as_bytes()) && !log.contains("BEGIN PRIVATE KEY"));
    assert_eq!(FOUND.load(Ordering::SeqCst), 0, "blocks with pieces of a key were given back");
}
