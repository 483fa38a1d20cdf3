//! Whole servers and clients at whom a peer sends anything, in any pieces: whoever comes next is served, and no session is
//! left. Reliability row 38.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use network_system::config::{ClientCertificate, ClientConfig, Compression, Framing, ServerConfig};
use network_system::core::{Client, Server};
use network_system::runtime::Context;
use network_system::session::Session;
use network_system::session::handler::{Handler, Message, Payload};
use network_system::transport::compression::Algorithms;
use network_system::transport::frame::{Close, Frame, PREAMBLE};
use network_system::transport::hello::Hello;
use rustls::ClientConnection;

use super::pieces;
use crate::support::tls::{Ca, asking, foreign_config, showing};
use crate::support::{Event, Home, PATIENCE, Recorder, client_config, server_config, wait_until};

/// After so many peers, a good one has to be served.
const BATCH: usize = 64;

const FRAMINGS: [Framing; 3] = [Framing::Auto, Framing::Framed, Framing::Raw];

/// One for all: its threads are not to be waited for.
static CONTEXT: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let home = std::mem::ManuallyDrop::new(Home::new());
    Arc::clone(&home.0)
});

static CA: LazyLock<Ca> = LazyLock::new(Ca::new);

/// Sends back what comes, as far as there is room.
struct Echo;

impl Handler for Echo {
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        let _ = session.send(message.kind, message.data);
    }
}

/// Servers of each framing, with clients that they serve.
struct Servers {
    servers: Vec<(Arc<Server>, ClientConfig)>,
    peers: AtomicUsize,
}

impl Servers {
    fn start(config: impl Fn(Framing) -> (ServerConfig, ClientConfig)) -> Servers {
        let start = |framing| {
            let (mut server, client) = config(framing);
            if framing != Framing::Raw {
                server.session.compression = Compression::Zstd;
            }
            let server = Server::start(&CONTEXT, server, Arc::new(Echo)).unwrap();
            let port = server.local_addr().port();
            (server, ClientConfig { port, ..client })
        };
        Servers { servers: FRAMINGS.map(start).into(), peers: AtomicUsize::new(0) }
    }

    /// The pieces, which server, and what it is sent.
    fn visit(&self, data: &[u8]) {
        let [size, which, stream @ ..] = data else { return };
        let (server, client) = &self.servers[usize::from(*which) % self.servers.len()];
        speak(TcpStream::connect(server.local_addr()).unwrap(), *size, stream);
        if self.peers.fetch_add(1, Ordering::Relaxed).is_multiple_of(BATCH) {
            wait_until("no session is left", || server.connection_count() == 0);
            serve(client.clone());
            wait_until("nor that of a good client", || server.connection_count() == 0);
        }
    }
}

/// Sends all, and reads what is answered until the other side has ended too.
fn speak(mut peer: TcpStream, size: u8, stream: &[u8]) {
    peer.set_nodelay(true).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    // That it is not listened to any more is an answer too.
    let _ = pieces(size, stream).try_for_each(|piece| peer.write_all(piece));
    let _ = peer.shutdown(Shutdown::Write);
    let mut answer = [0; 4096];
    loop {
        match peer.read(&mut answer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the peer is kept for ever"),
            Err(_) => break,
        }
    }
}

/// A good client has its message answered.
fn serve(config: ClientConfig) {
    let kind = if config.session.framing == Framing::Raw { Payload::Stream } else { Payload::Text };
    let (handler, events) = Recorder::new();
    let client = Client::start(&CONTEXT, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.send(kind, b"still there?").unwrap();
    assert_eq!(events.message(), (kind, b"still there?".to_vec()));
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
}

/// How a good client speaks to a server of that framing.
fn spoken(framing: Framing) -> Framing {
    if framing == Framing::Auto { Framing::Framed } else { framing }
}

pub fn plain_servers(data: &[u8]) {
    static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
        Servers::start(|framing| {
            let (mut server, mut client) = (server_config(), client_config(1));
            (server.session.framing, client.session.framing) = (framing, spoken(framing));
            (server, client)
        })
    });
    SERVERS.visit(data);
}

pub fn tls_servers(data: &[u8]) {
    static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
        Servers::start(|framing| {
            let (server, client) = (CA.server_config(framing), CA.client_config(1, spoken(framing)));
            if framing == Framing::Framed {
                let server = asking(server, &CA, ClientCertificate::Required);
                return (server, showing(client, &CA.client("good")));
            }
            (server, client)
        })
    });
    SERVERS.visit(data);
}

/// A client that meets a server which says that. Its end comes in time.
fn meet(data: &[u8], config: impl FnOnce(u16, Framing) -> ClientConfig) {
    static LISTENER: LazyLock<TcpListener> = LazyLock::new(|| TcpListener::bind("127.0.0.1:0").unwrap());
    let [size, which, stream @ ..] = data else { return };
    let SocketAddr::V4(address) = LISTENER.local_addr().unwrap() else { unreachable!("it is bound to 127.0.0.1") };
    let framing = FRAMINGS[usize::from(*which) % FRAMINGS.len()];
    let mut config = config(address.port(), framing);
    if framing != Framing::Raw {
        config.session.compression = Compression::Lz4;
    }
    let (handler, events) = Recorder::new();
    let client = Client::start(&CONTEXT, config, handler).unwrap();
    speak(LISTENER.accept().unwrap().0, *size, stream);
    client.wait(Some(PATIENCE)).unwrap();
    let told = events.rest();
    let count = |wanted: fn(&Event) -> bool| told.iter().filter(|event| wanted(event)).count();
    let opened = count(|event| matches!(event, Event::Open(_)));
    assert_eq!(opened, count(|event| matches!(event, Event::Close(..))), "{told:?}");
    assert_eq!(count(|event| matches!(event, Event::Stopped)), 1, "{told:?}");
}

pub fn plain_clients(data: &[u8]) {
    meet(data, |port, framing| {
        let mut config = client_config(port);
        config.session.framing = framing;
        config
    });
}

pub fn tls_clients(data: &[u8]) {
    meet(data, |port, framing| CA.client_config(port, framing));
}

fn framed(frames: &[Frame<'_>]) -> Vec<u8> {
    let mut stream = PREAMBLE.to_vec();
    frames.iter().for_each(|frame| frame.encode(&mut stream).unwrap());
    stream
}

/// What `stream` may be sent by: at once to each framing, and in pieces.
fn ways(streams: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let way = |stream: &Vec<u8>| {
        [[0, 0], [0, 1], [0, 2], [1, 0], [7, 1]].map(|[size, which]| [&[size, which], &stream[..]].concat())
    };
    streams.iter().flat_map(way).collect()
}

pub fn seeds_of_clients() -> Vec<Vec<u8>> {
    let hello = Frame::Hello(Hello::new("peer", 1000).offering(Algorithms::ALL));
    let close = Frame::Close(Close { code: 0, received: 1, reason: "done" });
    ways(&[
        framed(&[hello, Frame::Text(b"hello"), Frame::Ping(4), close]),
        framed(&[hello, Frame::Pong(9), Frame::Receipt { received: 5 }, Frame::Binary(&[1; 600])]),
        framed(&[Frame::Text(b"no hello")]),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        client_hello(),
    ])
}

pub fn seeds_of_servers() -> Vec<Vec<u8>> {
    let hello = Frame::HelloAck(Hello::new("peer", 1000).offering(Algorithms::ALL));
    let close = Frame::Close(Close { code: -8, received: 0, reason: "full" });
    ways(&[
        framed(&[hello, Frame::Text(b"hello"), Frame::Ping(4), close]),
        framed(&[hello, Frame::CloseAck { received: 5 }]),
        framed(&[close]),
        b"220 mail.example ESMTP\r\n".to_vec(),
    ])
}

/// What a client of TLS says first.
fn client_hello() -> Vec<u8> {
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(foreign_config(&CA, rustls::ALL_VERSIONS), name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    hello
}

pub fn seeds_of_tls_clients() -> Vec<Vec<u8>> {
    ways(&[
        client_hello(),
        PREAMBLE.to_vec(),
        b"\x16\x03\x01\x00\x04\x63\x00\x00\x00".to_vec(),
        b"\x15\x03\x03\x00\x02\x02\x28".to_vec(),
    ])
}

pub fn seeds_of_tls_servers() -> Vec<Vec<u8>> {
    // Of TLS 1.3, its hello, what is encrypted behind it, and an alert.
    let mut hello = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03".to_vec();
    hello.extend([7; 32]);
    hello.extend([32].iter().chain(&[8; 32]));
    hello.extend(b"\x13\x02\x00\x00\x2e\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x24\x00\x1d\x00\x20");
    hello.extend([9; 32]);
    let more = [&hello[..], b"\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x20", &[5; 32]].concat();
    ways(&[hello, more, b"\x15\x03\x03\x00\x02\x02\x30".to_vec(), b"220 mail.example ESMTP\r\n".to_vec()])
}
