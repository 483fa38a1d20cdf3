//! Many that want to agree on TLS at once: rows 15, 31 and 53 of the reliability goals.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use network_system::config::Framing;
use network_system::core::Client;
use rustls::version::TLS13;
use support::tls::{Ca, foreign, read_exactly};
use support::{Event, Home, PATIENCE, Recorder};

/// Row 15: a handler that holds up its server, which is in the middle of many handshakes, holds up those of no other.
#[test]
fn a_crowd_behind_a_slow_handler_holds_up_no_other_server() {
    const CROWD: usize = 200;
    let (ca, home) = (Ca::new(), Home::new());
    let (go_on, may_go_on) = channel::<()>();
    let (begun, has_begun) = channel::<()>();
    let ends = Mutex::new((begun, may_go_on));
    let (handler, at_slow) = Recorder::with(move |event| {
        if let Event::Message(..) = event {
            let (begun, may_go_on) = &*ends.lock().unwrap();
            begun.send(()).unwrap();
            may_go_on.recv_timeout(3 * PATIENCE).unwrap();
        }
    });
    let slow = home.server(ca.server_config(Framing::Raw), handler);
    let mut talker = foreign(slow.local_addr(), &ca, &[&TLS13]);
    talker.conn.complete_io(&mut talker.sock).unwrap();
    at_slow.opened();
    // They come while the first message is handled, and so are at work together.
    talker.write_all(b"first").unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut peer = foreign(slow.local_addr(), &ca, &[&TLS13]);
            peer.conn.write_tls(&mut peer.sock).unwrap();
            peer.sock
        })
        .collect();
    go_on.send(()).unwrap();
    read_exactly(&mut &crowd[0], 1);
    talker.write_all(b"second").unwrap();
    has_begun.recv_timeout(PATIENCE).unwrap();

    let (handler, _at_quick) = Recorder::new();
    let quick = home.server(ca.server_config(Framing::Raw), handler);
    let (handler, _events) = Recorder::new();
    let client = Client::start(&home.0, ca.client_config(quick.local_addr().port(), Framing::Raw), handler).unwrap();
    let outcome = client.wait_connected(Some(PATIENCE));
    go_on.send(()).unwrap();
    outcome.unwrap();
}
