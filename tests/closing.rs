//! The end of sessions: what was accepted arrives, the report is true, and a stop always ends.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use network_system::config::{Framing, SendPolicy};
use network_system::core::{Client, EndpointState};
use network_system::error::Code;
use network_system::session::handler::Payload;
use socket2::SockRef;
use support::{Event, Home, MIB, PATIENCE, Recorder, client_config, reset, server_config};

/// Reads what comes until the end and returns how much that was.
fn read_all(mut peer: TcpStream) -> usize {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        match peer.read(&mut buffer) {
            Ok(0) => return total,
            Ok(len) => total += len,
            Err(error) => panic!("the peer was reset after {total} bytes: {error}"),
        }
    }
}

/// Reliability row 3: peers that send all the while still get every byte that was queued before the stop.
#[test]
fn a_stop_delivers_what_was_queued_although_peers_send() {
    const PEERS: usize = 200;
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_policy = SendPolicy::Wait;
    let (handler, events) = Recorder::owing(MIB);
    let server = home.server(config, handler);
    let address = server.local_addr();
    let peers: Vec<_> = (0..PEERS)
        .map(|_| {
            std::thread::spawn(move || {
                let peer = TcpStream::connect(address).unwrap();
                let mut talk = peer.try_clone().unwrap();
                let talker = std::thread::spawn(move || while talk.write_all(&[1; 4096]).is_ok() {});
                let total = read_all(peer.try_clone().unwrap());
                peer.shutdown(Shutdown::Both).ok();
                talker.join().unwrap();
                total
            })
        })
        .collect();
    for _ in 0..PEERS {
        events.opened();
    }
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    for peer in peers {
        assert_eq!(peer.join().unwrap(), MIB);
    }
    let reports: Vec<_> = events
        .rest()
        .into_iter()
        .filter_map(|event| if let Event::Close(_, report) = event { Some(report) } else { None })
        .collect();
    assert_eq!(reports.len(), PEERS);
    assert!(reports.iter().all(|report| (report.accepted, report.undelivered) == (1, 0)), "{reports:?}");
}

/// Reliability row 8: a peer that has ended its direction still gets all that it is owed.
#[test]
fn a_half_closed_peer_gets_the_rest() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::with(|event| {
        if let Event::Message(session, _, data) = event
            && data.ends_with(b"?")
        {
            session.send(Payload::Stream, &vec![7; MIB]).unwrap();
        }
    });
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"all?").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(peer), MIB);
    let report = events.closed();
    assert_eq!((report.reason, report.by_peer, report.undelivered), (None, true, 0));
}

/// Reliability row 4: peers that never read do not keep a stop from ending in its time.
#[test]
fn a_stop_ends_in_time_although_peers_do_not_read() {
    let home = Home::new();
    // Less than the budget of a context, which would refuse the rest.
    for drain in [Duration::ZERO, Duration::from_millis(300)] {
        let mut config = server_config();
        config.session.framing = Framing::Raw;
        config.session.send_queue = 16 * MIB;
        let (handler, events) = Recorder::owing(16 * MIB);
        let server = home.server(config, handler);
        let peers: Vec<_> = (0..12).map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect();
        for _ in 0..peers.len() {
            events.opened();
        }
        let begun = Instant::now();
        server.stop(Some(drain));
        server.wait(Some(PATIENCE)).unwrap();
        let took = begun.elapsed();
        assert!(took >= drain, "stopped after {took:?} with data still owed");
        assert_eq!(server.state(), EndpointState::Stopped);
        let unsent = events
            .rest()
            .into_iter()
            .filter(|event| matches!(event, Event::Close(_, report) if report.undelivered == 1))
            .count();
        assert_eq!(unsent, peers.len());
    }
}

/// A second stop that is less patient shortens the first.
#[test]
fn a_second_stop_may_hurry_the_first() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_queue = 16 * MIB;
    let (handler, events) = Recorder::owing(16 * MIB);
    let server = home.server(config, handler);
    let peer = TcpStream::connect(server.local_addr()).unwrap();
    events.opened();
    server.stop(Some(Duration::from_secs(3600)));
    assert_eq!(server.wait(Some(Duration::from_millis(50))).unwrap_err().code, Code::Timeout);
    server.stop(Some(Duration::ZERO));
    server.wait(Some(PATIENCE)).unwrap();
    drop(peer);
}

/// Reliability row 2: whatever way a session ends, accepted = handled by the peer + reported as undelivered; after a
/// reset the report may only count too much, never too little.
#[test]
fn the_report_of_an_end_is_true() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Way {
        ServerCloses,
        ClientCloses,
        ServerStops,
        ClientAborts,
        ServerAborts,
    }
    for round in 0..10 {
        for way in [Way::ServerCloses, Way::ClientCloses, Way::ServerStops, Way::ClientAborts, Way::ServerAborts] {
            let home = Home::new();
            let handled = Arc::new(AtomicU64::new(0));
            let count = handled.clone();
            let limit = 100 * (round + 1);
            let (handler, at_server) = Recorder::with(move |event| {
                if let Event::Message(session, ..) = event {
                    let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                    if number == limit {
                        match way {
                            Way::ServerCloses => session.close(None, "enough"),
                            Way::ServerAborts => session.abort(),
                            _ => {}
                        }
                    }
                }
            });
            let server = home.server(server_config(), handler);
            let (handler, at_client) = Recorder::new();
            let mut config = client_config(server.local_addr().port());
            config.session.framing = Framing::Framed;
            config.session.send_policy = SendPolicy::Wait;
            let client = Client::start(&home.0, config, handler).unwrap();
            client.wait_connected(Some(PATIENCE)).unwrap();
            let session = client.session().unwrap();
            let mut accepted = 0;
            while accepted < 5 * limit && session.send(Payload::Binary, &[0; 300]).is_ok() {
                accepted += 1;
                if accepted == 3 * limit {
                    match way {
                        Way::ClientCloses => session.close(None, "done"),
                        Way::ServerStops => server.stop(None),
                        Way::ClientAborts => session.abort(),
                        _ => {}
                    }
                }
            }
            let report = at_client.closed();
            at_server.closed();
            let handled = handled.load(Ordering::SeqCst);
            assert_eq!(report.accepted, accepted, "{way:?}");
            if matches!(way, Way::ClientAborts | Way::ServerAborts) {
                assert!(handled + report.undelivered >= accepted, "{way:?}: {handled} handled, {report:?}");
            } else {
                assert!(report.exact, "{way:?}: {report:?}");
                assert_eq!(handled + report.undelivered, accepted, "{way:?}: {report:?}");
            }
            if way == Way::ClientCloses {
                assert_eq!(report.undelivered, 0, "a graceful close delivers all");
            }
        }
    }
}

/// A message that the peer sent before it closed is handled although our own writes already fail.
#[test]
fn the_last_words_of_a_peer_are_heard() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    peer.write_all(b"last words").unwrap();
    drop(peer);
    assert_eq!(events.message().1, b"last words");
    let report = events.closed();
    assert_eq!((report.by_peer, report.text.as_str()), (true, "closed by the peer"));
    client.wait(Some(PATIENCE)).unwrap();
}

/// An abort resets: the peer sees that, and the handler gets its end.
#[test]
fn an_abort_resets_the_connection() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"hello").unwrap();
    let session = events.opened();
    session.abort();
    let report = events.closed();
    assert_eq!(report.reason, Some(Code::Cancelled));
    assert_eq!(session.send(Payload::Stream, b"x").unwrap_err().code, Code::ConnectionClosed);
    let error = peer.read_exact(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// A reset by the peer is an error, told before the end.
#[test]
fn a_reset_by_the_peer_is_told_as_an_error_and_then_as_the_end() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"hello").unwrap();
    events.opened();
    events.message();
    reset(peer);
    let error = events.error();
    assert_eq!((error.code, error.os_code), (Code::ReceiveFailed, libc::ECONNRESET));
    assert_eq!(events.closed().reason, Some(Code::ReceiveFailed));
}

/// Whatever was told of a session's beginning is told of its end, in order, and nothing after that.
#[test]
fn every_beginning_has_one_end() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let peers: Vec<_> = (0..200)
        .map(|number| {
            let mut peer = TcpStream::connect(server.local_addr()).unwrap();
            match number % 4 {
                0 => {}
                1 => peer.write_all(b"hello").unwrap(),
                2 => peer.write_all(b"NSYS\r\n\x1a\nnonsense that is no frame").unwrap(),
                _ => SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap(),
            }
            (number % 8 < 4).then_some(peer)
        })
        .collect();
    while server.stats().connections_total < 200 {
        events.next();
    }
    server.stop(Some(Duration::from_millis(200)));
    server.wait(Some(PATIENCE)).unwrap();
    drop(peers);
    let stats = server.stats();
    assert_eq!((stats.connections_total, stats.connections_current), (200, 0));
}
