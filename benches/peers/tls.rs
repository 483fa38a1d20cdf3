//! The yardstick of TLS, and the client of every server in its table: rustls over plain sockets, and nothing else.
//!
//! ```text
//! tls_peer certificate FOLDER                    writes certificate.pem and key.pem for 127.0.0.1
//! tls_peer server FOLDER                         prints its port; takes what comes; ends with its standard input
//! tls_peer full FOLDER PORT COUNT                COUNT connections one after the other, each with a full handshake
//! tls_peer resumed FOLDER PORT COUNT             the same, resumed
//! tls_peer stream FOLDER PORT COUNT SIZE         COUNT messages of SIZE bytes on one connection
//! tls_peer idle FOLDER PORT COUNT SIZE           for each line on standard input, opens COUNT connections that send
//!                                                SIZE bytes each and then nothing
//! ```
//!
//! Each prints one line of JSON when it is done; `idle` prints how many connections are open instead.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection};
use tokio::net::{TcpListener, TcpStream as AsyncStream};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";
/// What is encrypted before it is given to the socket.
const BATCH: usize = 64 * 1024;

fn write_certificate(folder: &Path) -> Outcome<()> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(folder.join(CERTIFICATE), made.cert.pem())?;
    std::fs::write(folder.join(KEY), made.signing_key.serialize_pem())?;
    Ok(())
}

// --- the server ----------------------------------------------------------------------------------------------------

fn server_config(folder: &Path) -> Outcome<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join(CERTIFICATE))?;
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY))?;
    let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

/// A socket that says `WouldBlock` rather than wait.
struct Ready<'a>(&'a AsyncStream);

impl Read for Ready<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Ready<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.try_write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn flush(tls: &mut ServerConnection, socket: &AsyncStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(&mut Ready(socket)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => socket.writable().await?,
            other => drop(other?),
        }
    }
    Ok(())
}

/// Takes what has been decrypted and counts it; true when the peer has sent its last.
fn take(tls: &mut ServerConnection, taken: &AtomicU64) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match tls.reader().read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(len) => drop(taken.fetch_add(len as u64, Ordering::Relaxed)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

async fn session(socket: AsyncStream, config: Arc<ServerConfig>, taken: Arc<AtomicU64>) -> Outcome<()> {
    socket.set_nodelay(true)?;
    let mut tls = ServerConnection::new(config)?;
    loop {
        flush(&mut tls, &socket).await?;
        socket.readable().await?;
        match tls.read_tls(&mut Ready(&socket)) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        tls.process_new_packets()?;
        if take(&mut tls, &taken)? {
            tls.send_close_notify();
            return Ok(flush(&mut tls, &socket).await?);
        }
    }
}

async fn accept(listener: TcpListener, config: Arc<ServerConfig>, taken: Arc<AtomicU64>) -> Outcome<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        let work = session(socket, config.clone(), taken.clone());
        tokio::spawn(async move {
            if let Err(error) = work.await {
                eprintln!("tls_peer: server: {error}");
            }
        });
    }
}

/// One loop, one thread, as the library's is.
fn serve(folder: &Path) -> Outcome<()> {
    let config = Arc::new(server_config(folder)?);
    let taken = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (end, ended) = tokio::sync::oneshot::channel();
    let wait = std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = end.send(());
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        tokio::spawn(accept(listener, config, taken.clone()));
        ended.await?;
        Outcome::Ok(())
    })?;
    wait.join().map_err(|_| "the thread that waits for the end panicked")?;
    println!("{{\"bytes\":{}}}", taken.load(Ordering::Relaxed));
    Ok(())
}

// --- the client ----------------------------------------------------------------------------------------------------

struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

struct Link {
    tls: ClientConnection,
    socket: TcpStream,
}

impl Client {
    fn new(folder: &Path, port: u16, resumption: Resumption) -> Outcome<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join(CERTIFICATE))?)?;
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = resumption;
        Ok(Self { address: ([127, 0, 0, 1], port).into(), config: Arc::new(config) })
    }

    fn connect(&self) -> Outcome<Link> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        let name = ServerName::from(self.address.ip());
        let mut tls = ClientConnection::new(self.config.clone(), name)?;
        while tls.is_handshaking() || tls.wants_write() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Link { tls, socket })
    }
}

impl Link {
    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// False: the server has closed the connection.
    fn receive(&mut self) -> Outcome<bool> {
        let len = self.tls.read_tls(&mut self.socket)?;
        self.tls.process_new_packets()?;
        Ok(len > 0)
    }

    /// Says that nothing more comes, and waits until the server has closed: then it has had everything.
    fn finish(mut self) -> Outcome<()> {
        self.tls.send_close_notify();
        self.flush()?;
        self.socket.shutdown(Shutdown::Write)?;
        while self.receive()? {}
        Ok(())
    }

    fn suite(&self) -> String {
        self.tls.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite()))
    }
}

fn handshakes(client: &Client, count: u64) -> Outcome<()> {
    let first = client.connect()?;
    let suite = first.suite();
    first.finish()?;
    let mut resumed = 0;
    let start = Instant::now();
    for _ in 0..count {
        let link = client.connect()?;
        resumed += u64::from(link.tls.handshake_kind() == Some(HandshakeKind::Resumed));
        link.finish()?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"seconds\":{seconds},\"handshakes\":{count},\"resumed\":{resumed},\"suite\":\"{suite}\"}}");
    Ok(())
}

fn stream(client: &Client, count: u64, size: usize) -> Outcome<()> {
    let mut link = client.connect()?;
    link.tls.set_buffer_limit(None);
    let suite = link.suite();
    let message = vec![b'a'; size];
    let start = Instant::now();
    let mut pending = 0;
    for _ in 0..count {
        link.tls.writer().write_all(&message)?; // each message begins a record
        pending += size;
        if pending >= BATCH {
            link.flush()?;
            pending = 0;
        }
    }
    link.finish()?;
    let (seconds, bytes) = (start.elapsed().as_secs_f64(), count * size as u64);
    println!("{{\"seconds\":{seconds},\"bytes\":{bytes},\"suite\":\"{suite}\"}}");
    Ok(())
}

fn idle(client: &Client, count: u64, size: usize) -> Outcome<()> {
    let message = vec![b'a'; size];
    let mut open = Vec::new();
    for line in io::stdin().lines() {
        line?;
        for _ in 0..count {
            let mut link = client.connect()?;
            link.tls.writer().write_all(&message)?;
            link.flush()?;
            // The ticket: the server has done its part too.
            if !link.receive()? {
                return Err("the server closed an idle connection".into());
            }
            open.push(link);
        }
        println!("{}", open.len());
    }
    open.into_iter().try_for_each(Link::finish)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let client = |folder: &str, port: &str, resumption| Client::new(Path::new(folder), port.parse()?, resumption);
    match words[..] {
        ["certificate", folder] => write_certificate(Path::new(folder)),
        ["server", folder] => serve(Path::new(folder)),
        ["full", folder, port, count] => handshakes(&client(folder, port, Resumption::disabled())?, count.parse()?),
        ["resumed", folder, port, count] => {
            handshakes(&client(folder, port, Resumption::in_memory_sessions(8))?, count.parse()?)
        }
        ["stream", folder, port, count, size] => {
            stream(&client(folder, port, Resumption::disabled())?, count.parse()?, size.parse()?)
        }
        ["idle", folder, port, count, size] => {
            idle(&client(folder, port, Resumption::disabled())?, count.parse()?, size.parse()?)
        }
        _ => Err("arguments: see the head of benches/peers/tls.rs".into()),
    }
}
