//! Encrypted connections that break: what counts as sent, and what is sent again.

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use network_system::config::{Framing, SendPolicy};
use network_system::core::Client;
use network_system::session::handler::Payload;
use network_system::transport::frame::Frame;
use rustls::version::{TLS12, TLS13};
use support::framed::{Peer, hello_ack};
use support::reconnecting::{number_of, quickly};
use support::tls::{Ca, ForeignServer, Identity, foreign, foreign_server, read_exactly};
use support::{Event, Home, PATIENCE, Recorder, reset};

/// A framed server that is not the library's, past the hello.
fn accept(listener: &TcpListener, identity: &Identity) -> Peer<ForeignServer> {
    let (socket, _) = listener.accept().unwrap();
    let mut peer = Peer::over(foreign_server(socket, identity, &[&TLS13]));
    peer.preamble();
    peer.next(|frame| matches!(frame, Frame::Hello(_)).then_some(()));
    peer.write(&hello_ack("peer"));
    peer
}

fn message(peer: &mut Peer<ForeignServer>) -> u64 {
    peer.next(|frame| if let Frame::Binary(data) = frame { Some(number_of(data)) } else { None })
}

/// What was begun on a connection that broke is not sent again on the next, though most of it was not even encrypted.
#[test]
fn a_client_that_reconnects_sends_no_message_twice() {
    const MESSAGES: u64 = 1000;
    let (ca, home) = (Ca::new(), Home::new());
    let identity = ca.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (gone, is_gone) = channel();
    let is_gone = Mutex::new(is_gone);
    // In a handler, so that all of them are one piece for the kernel.
    let (handler, events) = Recorder::with(move |event| {
        if let Event::Message(session, ..) = event {
            is_gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            // That the peer has gone is found out by writing.
            session.set_paused(true);
            for number in 0..MESSAGES {
                session.send(Payload::Binary, &number.to_le_bytes().repeat(25)).unwrap();
            }
        }
    });
    let mut config = ca.client_config(listener.local_addr().unwrap().port(), Framing::Framed);
    config.reconnect = quickly();
    let client = Client::start(&home.0, config, handler).unwrap();
    let mut peer = accept(&listener, &identity);
    let mut go = Vec::new();
    Frame::Text(b"go").encode(&mut go).unwrap();
    peer.write(&go);
    // It has read all that came, so this is no reset yet: that answers the first that comes now.
    drop(peer);
    gone.send(()).unwrap();
    let report = events.closed();

    let mut peer = accept(&listener, &identity);
    let first = message(&mut peer);
    assert!(first > 0, "the first records were written to the connection that broke");
    for number in first + 1..MESSAGES {
        assert_eq!(message(&mut peer), number);
    }
    assert_eq!((report.accepted, report.requeued), (MESSAGES, MESSAGES - first), "{report:?}");
    assert_eq!(report.undelivered, first, "{report:?}");
    client.stop(Some(Duration::ZERO));
}

/// What the kernel has taken is handed over, though it never had taken everything.
#[test]
fn a_reset_does_not_undo_what_was_handed_over() {
    const PIECE: usize = 16 * 1024;
    const READS: usize = 64;
    const READ: usize = 64 * 1024;
    /// What is written at a time, in pieces.
    const CHUNK: u64 = 2 + (256 * 1024 / PIECE) as u64;
    let (ca, home) = (Ca::new(), Home::new());
    for version in [&TLS12, &TLS13] {
        let (handler, at_server) = Recorder::new();
        let mut config = ca.server_config(Framing::Raw);
        config.session.send_policy = SendPolicy::Wait;
        config.session.send_queue = 256 * 1024;
        config.session.kernel_send = Some(64 * 1024);
        let server = home.server(config, handler);
        let mut peer = foreign(server.local_addr(), &ca, &[version]);
        peer.write_all(b"go").unwrap();
        let session = at_server.opened();
        let sender = {
            let session = session.clone();
            std::thread::spawn(move || while session.send(Payload::Stream, &[7; PIECE]).is_ok() {})
        };
        // It sends faster than this reads.
        let wait_until_full = || support::wait_until("it is full", || session.stats().queued_bytes > 128 * 1024);
        for _ in 0..READS {
            wait_until_full();
            read_exactly(&mut peer, READ);
        }
        wait_until_full();
        reset(peer.sock);
        let report = at_server.closed();
        sender.join().unwrap();
        let (read, handed_over) = ((READS * READ / PIECE) as u64, report.accepted - report.undelivered);
        assert!(handed_over + CHUNK >= read, "{handed_over} of at least {read}: {report:?}");
        assert!(report.undelivered > 0, "{report:?}");
    }
}
