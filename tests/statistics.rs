//! The counts are those of the peer, and a reset loses nothing.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use network_system::config::{Framing, SendPolicy};
use network_system::core::Client;
use network_system::error::Code;
use network_system::session::handler::Payload;
use support::framed::hello;
use support::random::Random;
use support::{Home, PATIENCE, Recorder, client_config, server_config, wait_until};

/// What one end sent: messages and bytes.
fn send_many(session: &Arc<network_system::session::Session>, seed: u64) -> (u64, u64) {
    let mut random = Random(seed);
    let mut sent = (0, 0);
    for _ in 0..2000 {
        let message = vec![1; 1 + random.length(20_000)];
        session.send(Payload::Binary, &message).unwrap();
        sent = (sent.0 + 1, sent.1 + message.len() as u64);
    }
    sent
}

/// Reliability row 36: both ends count the same, in both directions.
#[test]
fn both_ends_count_the_same() {
    for framing in [Framing::Framed, Framing::Raw] {
        let home = Home::new();
        let mut config = server_config();
        config.session.framing = framing;
        config.session.send_policy = SendPolicy::Wait;
        let (handler, at_server) = Recorder::new();
        let server = home.server(config, handler);
        let mut config = client_config(server.local_addr().port());
        config.session.framing = framing;
        config.session.send_policy = SendPolicy::Wait;
        let (handler, at_client) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        let (from_client, from_server) = std::thread::scope(|scope| {
            let (mine, theirs) = (client.session().unwrap(), at_server.opened());
            let up = scope.spawn(move || send_many(&mine, 1));
            let down = scope.spawn(move || send_many(&theirs, 2));
            (up.join().unwrap(), down.join().unwrap())
        });
        let received = |events: &support::Events, bytes: u64| {
            let (mut messages, mut got) = (0, 0);
            while got < bytes {
                got += events.message().1.len() as u64;
                messages += 1;
            }
            (messages, got)
        };
        let at_server = received(&at_server, from_client.1);
        let at_client = received(&at_client, from_server.1);
        client.stop(None);
        client.wait(Some(PATIENCE)).unwrap();
        server.stop(None);
        server.wait(Some(PATIENCE)).unwrap();
        let (server, client) = (server.stats(), client.stats());
        assert_eq!((client.messages_sent, client.bytes_sent), from_client);
        assert_eq!((server.messages_sent, server.bytes_sent), from_server);
        assert_eq!((server.messages_received, server.bytes_received), at_server);
        assert_eq!((client.messages_received, client.bytes_received), at_client);
        assert_eq!(server.bytes_received, client.bytes_sent);
        assert_eq!(client.bytes_received, server.bytes_sent);
        assert_eq!(server.wire_bytes_received, client.wire_bytes_sent);
        assert_eq!(client.wire_bytes_received, server.wire_bytes_sent);
        if framing == Framing::Framed {
            assert_eq!(server.messages_received, client.messages_sent);
            assert_eq!(client.messages_received, server.messages_sent);
        }
        assert_eq!((server.errors, client.errors, server.messages_dropped, client.queued_bytes), (0, 0, 0, 0));
    }
}

/// However often the counts are taken while messages flow, each message is counted once.
#[test]
fn a_reset_loses_nothing() {
    let home = Home::new();
    let (handler, events) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    let (handler, at_client) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    let (mine, theirs) = (client.session().unwrap(), events.opened());
    let over = AtomicBool::new(false);
    let mut random = Random(7);
    let mut sums = [[0_u64; 4]; 3];
    let mut add = |at: usize, stats: network_system::session::Stats| {
        let values = [stats.messages_sent, stats.messages_received, stats.bytes_sent, stats.bytes_received];
        sums[at].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    };
    let mut takes = 0;
    let sent = std::thread::scope(|scope| {
        let (mine, over) = (&mine, &over);
        let sender = scope.spawn(move || {
            let mut bytes = 0;
            for number in 0..20_000_u64 {
                let message = vec![0; (number % 100) as usize];
                while mine.send(Payload::Binary, &message).is_err() {
                    std::thread::yield_now();
                }
                bytes += message.len() as u64;
            }
            (0..20_000).for_each(|_| drop(at_client.message()));
            over.store(true, Ordering::Release);
            (20_000, bytes)
        });
        while !over.load(Ordering::Acquire) {
            match random.below(3) {
                0 => add(0, theirs.take_stats()),
                1 => add(1, server.take_stats()),
                _ => add(2, client.take_stats()),
            }
            assert!(theirs.stats().messages_sent <= 20_000 && server.stats().messages_received <= 20_000);
            takes += 1;
        }
        sender.join().unwrap()
    });
    // What the last write sent is counted when it has returned.
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    add(0, theirs.take_stats());
    add(1, server.take_stats());
    add(2, client.take_stats());
    assert!(takes > 0);
    for sum in sums {
        assert_eq!(sum, [sent.0, sent.0, sent.1, sent.1]);
    }
}

#[test]
fn a_connection_that_cannot_be_made_is_counted() {
    let home = Home::new();
    // A port that nobody listens on any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, client_config(free), handler).unwrap();
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(events.error().code, Code::ConnectionRefused);
    let stats = client.stats();
    assert_eq!((stats.connections_failed, stats.errors, stats.connections_total), (1, 1, 0));
    assert_eq!(client.take_stats().connections_failed, 1);
    assert_eq!(client.stats().connections_failed, 0);
}

/// A heartbeat that is answered tells how long that took; an answer that nobody asked for does not.
#[test]
fn heartbeats_measure_the_round_trip() {
    let home = Home::new();
    let (handler, _events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut config = client_config(server.local_addr().port());
    config.session.framing = Framing::Framed;
    config.session.heartbeat = Some(Duration::from_millis(40));
    let (handler, _at_client) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let begun = std::time::Instant::now();
    wait_until("a heartbeat is answered", || client.stats().round_trip_ns != 0);
    assert!(client.stats().round_trip_ns <= begun.elapsed().as_nanos() as u64);
    assert_eq!(server.stats().round_trip_ns, 0, "it has asked nothing");
}

#[test]
fn a_lie_about_the_round_trip_is_not_believed() {
    use network_system::transport::frame::Frame;
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let mut bytes = hello("by hand");
    for token in [0, 1, u64::MAX] {
        Frame::Pong(token).encode(&mut bytes).unwrap();
    }
    Frame::Text(b"done").encode(&mut bytes).unwrap();
    peer.write_all(&bytes).unwrap();
    assert_eq!(events.message().1, b"done");
    assert_eq!(server.stats().round_trip_ns, 0);
    assert!(peer.read(&mut [0; 8]).unwrap() > 0);
}
