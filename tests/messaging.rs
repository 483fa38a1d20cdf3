//! Servers and clients exchange messages, framed and raw.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use network_system::config::{Framing, SendPolicy};
use network_system::core::Client;
use network_system::session::State;
use network_system::session::handler::Payload;
use support::{Event, Home, Recorder, client_config, server_config};

#[test]
fn framed_peers_exchange_whole_messages() {
    let home = Home::new();
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    let (handler, at_client) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(support::PATIENCE)).unwrap();
    let session = client.session().unwrap();
    for size in [0, 1, 100, 70_000, 300_000, 1024 * 1024] {
        let data: Vec<u8> = (0..size).map(|i| i as u8).collect();
        session.send(Payload::Binary, &data).unwrap();
        assert_eq!(at_client.message(), (Payload::Binary, data));
    }
    session.send_vectored(Payload::Text, &[b"in ", b"parts"]).unwrap();
    assert_eq!(at_client.message(), (Payload::Text, b"in parts".to_vec()));

    let opened = at_server.opened();
    assert_eq!(opened.client_id(), "client");
    assert_eq!(opened.server_id(), "server");
    assert_eq!((session.client_id(), session.server_id()), ("client", "server"));
    assert_eq!(opened.framing(), Framing::Framed);
    assert_eq!(opened.state(), State::Connected);
    assert_eq!(opened.remote_addr(), session.local_addr());
    assert_eq!(server.find(opened.id()).unwrap().id(), opened.id());

    client.stop(None);
    client.wait(Some(support::PATIENCE)).unwrap();
    let report = at_client.closed();
    assert_eq!((report.reason, report.text.as_str(), report.by_peer), (None, "stopped", false));
    assert_eq!((report.accepted, report.undelivered, report.exact), (7, 0, true));
    let report = at_server.closed();
    assert_eq!((report.reason, report.by_peer), (None, true));
    assert_eq!((report.accepted, report.undelivered, report.exact), (7, 0, true));
    server.stop(None);
    server.wait(Some(support::PATIENCE)).unwrap();
    at_server.released();
    at_client.released();
    assert_eq!(server.stats().messages_received, 7);
    assert_eq!(server.stats().messages_sent, 7);
}

#[test]
fn a_raw_peer_is_served_on_the_same_port() {
    let home = Home::new();
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"NSYX hello").unwrap();
    let mut answer = [0; 10];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"NSYX hello");
    let session = at_server.opened();
    assert_eq!((session.framing(), session.client_id()), (Framing::Raw, ""));
    drop(peer);
    let report = at_server.closed();
    assert_eq!((report.reason, report.by_peer), (None, true));
}

#[test]
fn a_peer_that_waits_for_the_server_to_speak_is_raw() {
    let home = Home::new();
    let (handler, at_server) = Recorder::with(|event| {
        if let Event::Accept(session) = event {
            session.send(Payload::Stream, b"welcome").unwrap();
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let mut greeting = [0; 7];
    peer.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"welcome");
    assert_eq!(at_server.opened().framing(), Framing::Raw);
}

#[test]
fn a_greeting_and_a_close_at_accept_reach_a_raw_peer() {
    let home = Home::new();
    let (handler, at_server) = Recorder::with(|event| {
        if let Event::Accept(session) = event {
            session.send(Payload::Stream, b"no service today").unwrap();
            session.close(None, "bye");
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"no service today");
    let report = at_server.until(|event| match event {
        Event::End(_, report) => Some(report),
        Event::Open(_) | Event::Close(..) => panic!("the session was never open"),
        _ => None,
    });
    assert_eq!((report.accepted, report.undelivered), (1, 0));
}

#[test]
fn what_an_undecided_client_sends_first_decides() {
    let home = Home::new();
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    for (payload, framing) in [(Payload::Text, Framing::Framed), (Payload::Stream, Framing::Raw)] {
        let (handler, at_client) = Recorder::new();
        let client = home.client(&server, Framing::Auto, handler);
        client.wait_connected(Some(support::PATIENCE)).unwrap();
        let session = client.session().unwrap();
        assert_eq!(session.framing(), Framing::Auto);
        session.send(payload, b"first").unwrap();
        assert_eq!(session.framing(), framing);
        assert_eq!(at_client.message(), (payload, b"first".to_vec()));
        assert_eq!(at_server.opened().framing(), framing);
        client.stop(None);
        client.wait(Some(support::PATIENCE)).unwrap();
    }
}

#[test]
fn a_framed_client_that_speaks_late_is_still_understood() {
    let home = Home::new();
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    let (handler, at_client) = Recorder::new();
    let client = home.client(&server, Framing::Auto, handler);
    // The server takes it for a silent raw peer.
    let session = at_server.opened();
    assert_eq!(session.framing(), Framing::Auto);
    client.session().unwrap().send(Payload::Text, b"late").unwrap();
    assert_eq!(at_client.message(), (Payload::Text, b"late".to_vec()));
    assert_eq!((session.framing(), session.client_id()), (Framing::Framed, "client"));
}

#[test]
fn a_refused_connection_is_told() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, client_config(port), handler).unwrap();
    let error = client.wait_connected(Some(support::PATIENCE)).unwrap_err();
    assert_eq!(error.code, network_system::error::Code::ConnectionRefused);
    assert_eq!(events.error(), error);
    client.wait(Some(support::PATIENCE)).unwrap();
    events.released();
    assert!(client.session().is_err());
}

/// A thread that sends without a pause is left to write by itself. Whenever it does pause, all that it sent arrives.
#[test]
fn a_stream_from_another_thread_arrives_whole_whenever_it_pauses() {
    for framing in [Framing::Framed, Framing::Raw] {
        let home = Home::new();
        let (told, counts) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new((told, 0_u64));
        let (handler, _at_server) = Recorder::with(move |event| {
            if let Event::Message(_, _, data) = event {
                let (told, total) = &mut *told.lock().unwrap();
                *total += data.len() as u64;
                let _ = told.send(*total);
            }
        });
        let server = home.server(server_config(), handler);
        let (handler, _at_client) = Recorder::new();
        let mut config = client_config(server.local_addr().port());
        config.session.framing = framing;
        config.session.send_policy = SendPolicy::Wait;
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(support::PATIENCE)).unwrap();
        let session = client.session().unwrap();
        // So many messages fill the chunks of the queue exactly, so that nothing is left when the thread pauses.
        let exactly = 4 * (256_u64 * 1024).div_ceil(if framing == Framing::Raw { 64 } else { 72 });
        let mut total = 0;
        for burst in [1, 10, 20_000, exactly, exactly, 1, 3_000, exactly, 5].into_iter().cycle().take(36) {
            for _ in 0..burst {
                session.send(Payload::Stream, &[7; 64]).unwrap();
            }
            total += burst * 64;
            while counts.recv_timeout(support::PATIENCE).expect("the rest of the burst never came") < total {}
        }
    }
}
