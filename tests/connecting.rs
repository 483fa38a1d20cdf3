//! Connecting, and the ways in which it does not come to that.

mod support;

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use network_system::config::{ClientConfig, Framing, ServerConfig};
use network_system::core::{Client, EndpointState, Server};
use network_system::error::{Code, Error};
use network_system::session::handler::Payload;
use network_system::transport::frame::{Close, Frame, PREAMBLE};
use socket2::{Domain, Socket, Type};
use support::{Event, Home, PATIENCE, Recorder, client_config, server_config};

/// Starts a client of that configuration and gives back what it failed with.
fn failure(config: ClientConfig) -> Error {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    let error = client.wait_connected(Some(PATIENCE)).unwrap_err();
    assert_eq!(events.error(), error);
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(client.state(), EndpointState::Stopped);
    assert_eq!(client.session().unwrap_err().code, Code::ConnectionClosed);
    let rest = events.rest();
    assert!(matches!(rest.last(), Some(Event::Release)));
    assert!(!rest.iter().any(|event| matches!(event, Event::Close(..))), "it was never open");
    error
}

/// A listener whose queue is full, so that connecting to it takes for ever.
fn deaf() -> (Socket, Vec<TcpStream>, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut filling = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        filling.push(stream);
    }
    (socket, filling, address.port())
}

#[test]
fn a_host_without_an_address_cannot_be_connected_to() {
    let mut config = client_config(1);
    config.host = "host.invalid".into();
    let error = failure(config);
    assert_eq!(error.code, Code::ConnectionFailed);
    assert!(error.message.contains("host.invalid"), "{error}");
}

#[test]
fn a_connection_that_is_not_made_in_time_is_given_up() {
    let (_listener, _filling, port) = deaf();
    let mut config = client_config(port);
    config.connect_timeout = Duration::from_millis(200);
    let error = failure(config);
    assert_eq!(error.code, Code::ConnectionTimeout);
    assert!(error.message.contains("200 ms"), "{error}");
}

#[test]
fn a_server_that_does_not_answer_the_hello_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.connect_timeout = Duration::from_millis(200);
    config.session.framing = Framing::Framed;
    assert_eq!(failure(config).code, Code::ConnectionTimeout);
}

#[test]
fn a_server_that_speaks_something_else_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.session.framing = Framing::Framed;
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"220 mail.example ready\r\n").unwrap();
        let _ = peer.read_to_end(&mut Vec::new());
    });
    let error = failure(config);
    assert_eq!(error.code, Code::Protocol);
    assert!(error.message.contains("does not speak the framed protocol"), "{error}");
    server.join().unwrap();
}

/// A reason with a number that only a later version knows is still a reason.
#[test]
fn a_close_with_an_unknown_code_is_a_network_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.session.framing = Framing::Framed;
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut bytes = PREAMBLE.to_vec();
        Frame::Close(Close { code: -699, received: 0, reason: "of later" }).encode(&mut bytes).unwrap();
        peer.write_all(&bytes).unwrap();
        let _ = peer.read_to_end(&mut Vec::new());
    });
    let error = failure(config);
    assert_eq!((error.code, error.message.as_ref()), (Code::Network, "of later"));
    server.join().unwrap();
}

/// Reliability row 4: a stop ends while a connection is being made.
#[test]
fn a_client_that_connects_can_be_stopped() {
    let (_listener, _filling, port) = deaf();
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, client_config(port), handler).unwrap();
    assert_eq!(client.wait_connected(Some(Duration::from_millis(50))).unwrap_err().code, Code::Timeout);
    let begun = Instant::now();
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(client.wait_connected(None).unwrap_err().code, Code::ConnectionClosed);
    events.until(|event| {
        assert!(!matches!(event, Event::Error(..) | Event::Close(..)), "a stop is no failure");
        matches!(event, Event::Release).then_some(())
    });
}

/// So the answer does not depend on who is faster: the caller, or a peer that ends the connection at once.
#[test]
fn a_client_whose_connection_has_ended_was_connected() {
    let home = Home::new();
    let (handler, _at_server) = Recorder::new();
    let server = home.server(server_config(), handler);
    let (handler, _at_client) = Recorder::new();
    let client = Client::start(&home.0, client_config(server.local_addr().port()), handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    client.wait_connected(Some(Duration::ZERO)).unwrap();
    assert!(!client.is_connected());
}

/// A handler that takes its time holds a stop up until it returns, and no longer.
#[test]
fn a_stop_waits_for_the_handler_that_runs() {
    let home = Home::new();
    let (entered, inside) = std::sync::mpsc::channel();
    let (go_on, gate) = std::sync::mpsc::channel::<()>();
    let (entered, gate) = (std::sync::Mutex::new(entered), std::sync::Mutex::new(gate));
    let (handler, _events) = Recorder::with(move |event| {
        if let Event::Message(..) = event {
            entered.lock().unwrap().send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"hello").unwrap();
    inside.recv_timeout(PATIENCE).unwrap();
    server.stop(Some(Duration::ZERO));
    assert_eq!(server.wait(Some(Duration::from_millis(20))).unwrap_err().code, Code::Timeout);
    go_on.send(()).unwrap();
    server.wait(Some(PATIENCE)).unwrap();
}

#[test]
fn names_and_both_address_families_work() {
    let home = Home::new();
    for (host, target) in [("127.0.0.1", "localhost"), ("::1", "::1"), ("[::1]", "[::1]"), ("::", "127.0.0.1")] {
        if host.contains(':') && TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            continue; // This machine has no IPv6.
        }
        let (handler, at_server) = Recorder::new();
        let server = home.server(ServerConfig { host: host.into(), ..server_config() }, handler);
        let (handler, _at_client) = Recorder::new();
        let config = ClientConfig { host: target.into(), ..client_config(server.local_addr().port()) };
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        client.session().unwrap().send(Payload::Text, b"hello").unwrap();
        assert_eq!(at_server.message().1, b"hello");
    }
}

#[test]
fn a_context_that_is_shut_down_starts_nothing() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    home.0.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    events.released();
    let (handler, _events) = Recorder::new();
    assert_eq!(Server::start(&home.0, server_config(), handler.clone()).unwrap_err().code, Code::Cancelled);
    assert_eq!(Client::start(&home.0, client_config(1), handler).unwrap_err().code, Code::Cancelled);
}

#[test]
fn settings_are_checked_before_anything_starts() {
    let home = Home::new();
    let (handler, _events) = Recorder::new();
    let refused = |config: ClientConfig| {
        let error = Client::start(&home.0, config, handler.clone()).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument);
        error.message.into_owned()
    };
    assert!(refused(ClientConfig { host: String::new(), ..client_config(1) }).contains("host"));
    assert!(refused(ClientConfig { port: 0, ..client_config(1) }).contains("port"));
    assert!(refused(ClientConfig { client_id: "x".repeat(256), ..client_config(1) }).contains("256 bytes"));
    let mut config = client_config(1);
    config.session.send_hard_limit = 1;
    assert!(refused(config).contains("send_hard_limit"));
    let error = Server::start(&home.0, ServerConfig { host: "192.0.2.1".into(), ..server_config() }, handler.clone());
    assert_eq!(error.unwrap_err().code, Code::BindFailed);
}
