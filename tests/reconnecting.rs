//! Clients that connect again. Reliability row 7.

mod support;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use network_system::config::{ClientConfig, Framing, Reconnect, SendPolicy, ServerConfig};
use network_system::core::{Client, EndpointState, Server};
use network_system::error::Code;
use network_system::session::handler::Payload;
use network_system::transport::frame::{Close, Frame, PREAMBLE};
use socket2::{Domain, Socket, Type};
use support::framed::hello_ack;
use support::reconnecting::{Account, Port, number_of, quickly, reconnecting};
use support::{Event, Events, Home, PATIENCE, Recorder, client_config, reset, server_config};

const HOUR: Duration = Duration::from_secs(3600);

fn is_refusal(event: Event) -> Option<()> {
    matches!(event, Event::Error(None, error) if error.code == Code::ConnectionRefused).then_some(())
}

#[test]
fn what_waits_for_a_server_arrives_in_order_and_before_what_on_open_sends() {
    for framing in [Framing::Framed, Framing::Raw, Framing::Auto] {
        let home = Home::new();
        let port = Port::new();
        let (handler, events) = Recorder::with(|event| {
            if let Event::Open(session) = event {
                session.send(Payload::Binary, b"9").unwrap();
            }
        });
        let client = Client::start(&home.0, reconnecting(port.number(), framing), handler).unwrap();
        for number in 0..9 {
            client.send_vectored(Payload::Binary, &[b"", format!("{number}").as_bytes()]).unwrap();
        }
        events.until(is_refusal);
        assert_eq!((client.state(), client.is_connected()), (EndpointState::Running, false));
        assert!(client.stats().queued_bytes >= 9);
        assert_eq!(client.session().unwrap_err().code, Code::ConnectionClosed);
        assert_eq!(client.wait_connected(Some(Duration::ZERO)).unwrap_err().code, Code::Timeout);

        let (handler, received) = Recorder::new();
        let _server = home.server(port.server_config(), handler);
        client.wait_connected(Some(PATIENCE)).unwrap();
        assert!(client.is_connected());
        let mut all = Vec::new();
        while all.len() < 10 {
            all.extend(received.message().1);
        }
        assert_eq!(all, b"0123456789", "{framing:?}");
        let spoken = if framing == Framing::Raw { Framing::Raw } else { Framing::Framed };
        assert_eq!(client.session().unwrap().framing(), spoken);
        client.stop(None);
        let report = events.closed();
        assert_eq!((report.accepted, report.undelivered, report.requeued), (10, 0, 0));
        client.wait(Some(PATIENCE)).unwrap();
        let stats = client.stats();
        assert_eq!((stats.messages_sent, stats.messages_unsent, stats.reconnects), (10, 0, 0));
        assert!(stats.connections_failed > 0);
        assert_eq!(client.send(Payload::Text, b"late").unwrap_err().code, Code::ConnectionClosed);
    }
}

/// Two threads send numbered messages all the time, while the server goes and comes on the same port.
fn survives_a_server_that_comes_and_goes(framing: Framing, rounds: usize) {
    const SENDERS: usize = 2;
    let home = Home::new();
    let port = Port::new();
    let (account, handler, events) = Account::kept();
    let mut config = reconnecting(port.number(), framing);
    config.session.send_policy = SendPolicy::Wait;
    config.session.send_timeout = PATIENCE;
    config.session.send_queue = 16 * 1024;
    let client = Client::start(&home.0, config, handler).unwrap();
    let enough = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (client, enough) = (client.clone(), enough.clone());
            thread::spawn(move || {
                let mut number = 0u64;
                while !enough.load(Ordering::Relaxed) {
                    let mut message = number.to_le_bytes().to_vec();
                    message.resize(100, sender as u8);
                    client.send(Payload::Binary, &message).unwrap();
                    number += 1;
                }
                number
            })
        })
        .collect();

    let received: Arc<Mutex<[Vec<u64>; SENDERS]>> = Arc::default();
    for round in 0..rounds {
        let (handler, served) = Recorder::with({
            let received = received.clone();
            move |event| {
                if let Event::Message(_, _, data) = event {
                    received.lock().unwrap()[usize::from(data[8])].push(number_of(data));
                }
            }
        });
        let server = home.server(port.server_config(), handler);
        served.message();
        match round % 4 {
            0 => server.sessions().iter().for_each(|session| session.abort()),
            1 => server.sessions().iter().for_each(|session| session.close(None, "for now")),
            2 => client.session().unwrap().abort(),
            _ => {}
        }
        server.stop((round % 2 == 0).then_some(Duration::ZERO));
        server.wait(Some(PATIENCE)).unwrap();
    }
    let (handler, _served) = Recorder::with({
        let received = received.clone();
        move |event| {
            if let Event::Message(_, _, data) = event {
                received.lock().unwrap()[usize::from(data[8])].push(number_of(data));
            }
        }
    });
    let server = home.server(port.server_config(), handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    enough.store(true, Ordering::Relaxed);
    let sent: Vec<u64> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
    client.stop(Some(PATIENCE));
    client.wait(Some(PATIENCE)).unwrap();
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();

    let received = received.lock().unwrap();
    let account = account.lock().unwrap();
    for numbers in received.iter() {
        assert!(numbers.is_sorted_by(|a, b| a < b), "in order, and none twice");
    }
    let sent: u64 = sent.iter().sum();
    let arrived = received.iter().map(|numbers| numbers.len() as u64).sum::<u64>();
    assert_eq!(account.messages(), sent, "{account:?}");
    assert!(sent - arrived <= account.undelivered, "{arrived} of {sent} arrived: {account:?}");
    assert_eq!(client.stats().messages_unsent, 0);
    assert_eq!(client.stats().reconnects + 1, account.connections);
    assert!(account.connections > rounds as u64);
    assert!(
        !events.rest().iter().any(|event| matches!(event, Event::Error(None, error) if error.code == Code::SendFailed))
    );
}

#[test]
fn a_hundred_servers_one_after_the_other_get_every_message_once_and_in_order() {
    survives_a_server_that_comes_and_goes(Framing::Framed, 100);
}

/// The kernel's buffers, so that what does not fit into them is in the client's queue.
const SMALL: usize = 16 * 1024;

fn listen_with_little_room(port: &Port) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_recv_buffer_size(SMALL).unwrap();
    socket.bind(&port.0.local_addr().unwrap()).unwrap();
    socket.listen(8).unwrap();
    socket.into()
}

/// Accepts a client, answers its hello if it says one, and reads nothing more. Nobody listens then.
fn accept_once(listener: TcpListener, framing: Framing) -> TcpStream {
    let (mut peer, _) = listener.accept().unwrap();
    if framing == Framing::Framed {
        peer.write_all(&hello_ack("deaf")).unwrap();
    }
    peer
}

/// Sends messages of 10,000 bytes that begin with their numbers until there is no room; gives back the next number.
fn fill(client: &Client, first: u64) -> u64 {
    let mut message = vec![7; 10_000];
    for number in first.. {
        message[..8].copy_from_slice(&number.to_le_bytes());
        if let Err(error) = client.send(Payload::Binary, &message) {
            assert_eq!(error.code, Code::WouldBlock);
            return number;
        }
    }
    unreachable!("there is always room");
}

/// However often connections are lost, and whenever the user sends: what waits stays within the bound.
#[test]
fn the_backlog_and_what_is_taken_back_share_one_bound() {
    const BOUND: usize = 1024 * 1024;
    let (home, port) = (Home::new(), Port::new());
    let mut config = reconnecting(port.number(), Framing::Framed);
    config.session.send_queue = BOUND;
    config.session.kernel_send = Some(SMALL);
    let slot: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let (outcome, told) = std::sync::mpsc::channel();
    let (handler, _events) = Recorder::with({
        let slot = slot.clone();
        move |event| {
            if let Event::Close(_, report) = event {
                let client = slot.lock().unwrap().clone().unwrap();
                outcome.send((report.requeued, fill(&client, 0))).unwrap();
            }
        }
    });
    let listener = listen_with_little_room(&port);
    let client = Client::start(&home.0, config, handler).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    let mut listener = Some(listener);
    for _ in 0..5 {
        let again = || listen_with_little_room(&port);
        let peer = accept_once(listener.take().unwrap_or_else(again), Framing::Framed);
        client.wait_connected(Some(PATIENCE)).unwrap();
        fill(&client, 0);
        reset(peer);
        let (requeued, sent_in_handler) = told.recv_timeout(PATIENCE).unwrap();
        assert!(requeued > 0);
        assert!((requeued + sent_in_handler) as usize * 10_008 <= BOUND, "{requeued} and {sent_in_handler}");
    }
    // A handler holds the client, and with it itself.
    slot.lock().unwrap().take();
}

/// What a peer that does not read leaves in the queue goes to the next connection, and nothing goes there twice.
#[test]
fn what_was_not_begun_goes_first_to_the_next_connection() {
    for framing in [Framing::Framed, Framing::Raw] {
        let home = Home::new();
        let port = Port::new();
        let listener = listen_with_little_room(&port);
        let mut config = reconnecting(port.number(), framing);
        config.session.send_queue = 4 * 1024 * 1024;
        config.session.kernel_send = Some(SMALL);
        let (handler, events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        // The client is not to find this server again.
        let peer = accept_once(listener, framing);
        client.wait_connected(Some(PATIENCE)).unwrap();
        let sent = fill(&client, 0);
        reset(peer);
        let report = events.closed();
        assert_eq!(report.accepted, sent);
        assert!(report.requeued >= 300, "some 400 were in the queue: {report:?}");
        assert!(report.undelivered + report.requeued <= sent);

        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (handler, served) = Recorder::with({
            let bytes = bytes.clone();
            move |event| {
                if let Event::Message(_, _, data) = event {
                    bytes.lock().unwrap().extend_from_slice(data);
                }
            }
        });
        let mut second = port.server_config();
        second.session.framing = framing;
        let server = home.server(second, handler);
        // The send that found no room before the loss is told when there is some after it.
        events.until(|event| matches!(event, Event::Writable(_)).then_some(()));
        client.stop(None);
        let report_of_next = events.closed();
        assert_eq!((report_of_next.accepted, report_of_next.undelivered), (report.requeued, 0));
        client.wait(Some(PATIENCE)).unwrap();
        // It has read all that the client wrote.
        served.closed();
        server.stop(None);
        let bytes = bytes.lock().unwrap();
        let numbers: Vec<u64> = bytes.chunks(10_000).map(number_of).collect();
        assert!(numbers.iter().copied().eq(sent - report.requeued..sent), "{framing:?}: the last ones, in order");
        assert!(bytes.len() as u64 == report.requeued * 10_000);
    }
}

#[test]
fn a_full_backlog_refuses_under_would_block_and_tells_of_room() {
    let home = Home::new();
    let port = Port::new();
    let mut config = reconnecting(port.number(), Framing::Framed);
    config.session.send_queue = 10_000;
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    let mut accepted = 0;
    let error = loop {
        match client.send(Payload::Text, &[b'x'; 92]) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code, accepted), (Code::WouldBlock, 100));
    assert_eq!(client.stats().queued_bytes, 10_000);
    let (handler, received) = Recorder::new();
    let _server = home.server(port.server_config(), handler);
    events.until(|event| matches!(event, Event::Writable(_)).then_some(()));
    (0..100).for_each(|_| assert_eq!(received.message().1.len(), 92));
}

#[test]
fn a_full_backlog_holds_senders_under_wait_until_their_time_is_over() {
    let home = Home::new();
    let port = Port::new();
    let mut config = reconnecting(port.number(), Framing::Framed);
    config.session.send_queue = 1000;
    config.session.send_policy = SendPolicy::Wait;
    config.session.send_timeout = Duration::from_millis(20);
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config.clone(), handler).unwrap();
    client.send(Payload::Text, &[b'x'; 992]).unwrap();
    let error = client.send(Payload::Text, b"more").unwrap_err();
    assert_eq!(error.code, Code::SendFailed);
    assert!(error.message.contains("not connected"), "{error}");
    // The handler is told as well.
    events.until(|event| matches!(event, Event::Error(None, told) if told == error).then_some(()));
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();

    config.session.send_timeout = PATIENCE;
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.send(Payload::Text, &[b'x'; 992]).unwrap();
    let waiting = thread::spawn({
        let client = client.clone();
        move || client.send(Payload::Text, b"more")
    });
    events.until(is_refusal);
    let (handler, received) = Recorder::new();
    let _server = home.server(port.server_config(), handler);
    waiting.join().unwrap().unwrap();
    assert_eq!(received.message().1.len(), 992);
    assert_eq!(received.message().1, b"more");
}

/// A handler must not wait: it goes beyond the bound, up to the hard limit.
#[test]
fn a_full_backlog_takes_a_handlers_messages_up_to_the_hard_limit() {
    let home = Home::new();
    let port = Port::new();
    let mut config = reconnecting(port.number(), Framing::Framed);
    config.session.send_queue = 1000;
    config.session.send_hard_limit = 5000;
    config.session.send_policy = SendPolicy::Wait;
    let slot: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let (outcome, told) = std::sync::mpsc::channel();
    let (handler, events) = Recorder::with({
        let slot = slot.clone();
        move |event| {
            let Event::Error(None, error) = event else { return };
            if let (Code::ConnectionRefused, Some(client)) = (error.code, slot.lock().unwrap().take()) {
                let results: Vec<_> = (0..6).map(|_| client.send(Payload::Text, &[b'x'; 992])).collect();
                outcome.send(results).unwrap();
            }
        }
    });
    let client = Client::start(&home.0, config, handler).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    let mut results = told.recv_timeout(PATIENCE).unwrap();
    let error = results.pop().unwrap().unwrap_err();
    assert_eq!(error.code, Code::SendFailed);
    assert!(error.message.contains("5000 bytes"), "{error}");
    assert!(results.iter().all(Result::is_ok));
    // It goes on.
    let (handler, received) = Recorder::new();
    let _server = home.server(port.server_config(), handler);
    (0..5).for_each(|_| assert_eq!(received.message().1.len(), 992));
    assert_eq!(client.state(), EndpointState::Running);
    drop(events);
}

/// A listener that accepts nothing: it answers no SYN beyond its queue.
fn deaf(port: &Port) -> Vec<TcpStream> {
    port.0.listen(0).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
    std::iter::from_fn(|| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()).collect()
}

/// Stops a client that has one message, and checks that this is told in every way.
fn stop_with_one_message_left(client: &Client, events: &Events) {
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(client.wait_connected(None).unwrap_err().code, Code::ConnectionClosed);
    assert_eq!(client.send(Payload::Text, b"late").unwrap_err().code, Code::ConnectionClosed);
    let rest = events.rest();
    let told: Vec<_> = rest
        .iter()
        .filter_map(|event| match event {
            Event::Error(None, error) if error.code == Code::SendFailed => Some(error.message.as_ref()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["messages that were accepted and not sent before the client ended: 1 (5 bytes)"]);
    assert!(matches!(rest[rest.len() - 2..], [Event::Stopped, Event::Release]));
    assert!(!rest.iter().any(|event| matches!(event, Event::Close(..))));
    assert_eq!((client.stats().messages_unsent, client.stats().queued_bytes), (1, 0));
}

#[test]
fn a_stop_ends_every_state_at_once_and_tells_what_is_left() {
    let long = Reconnect { first_delay: HOUR, max_delay: HOUR, ..quickly() };
    // Waiting.
    let (home, port) = (Home::new(), Port::new());
    let config = ClientConfig { reconnect: long, ..reconnecting(port.number(), Framing::Framed) };
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config.clone(), handler).unwrap();
    events.until(is_refusal);
    client.send(Payload::Text, b"hello").unwrap();
    stop_with_one_message_left(&client, &events);
    // Resolving, or what follows where that is quick.
    let (handler, events) = Recorder::new();
    let resolving = ClientConfig { host: "host.invalid".into(), ..config.clone() };
    let client = Client::start(&home.0, resolving, handler).unwrap();
    client.send(Payload::Text, b"hello").unwrap();
    stop_with_one_message_left(&client, &events);
    // Connecting.
    let filling = deaf(&port);
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.send(Payload::Text, b"hello").unwrap();
    assert_eq!(client.wait_connected(Some(Duration::from_millis(50))).unwrap_err().code, Code::Timeout);
    stop_with_one_message_left(&client, &events);
    drop(filling);
    // Saying hello.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = reconnecting(listener.local_addr().unwrap().port(), Framing::Framed);
    config.session.drain = Duration::from_millis(50);
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.send(Payload::Text, b"hello").unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.read_exact(&mut [0; PREAMBLE.len()]).unwrap();
    stop_with_one_message_left(&client, &events);
    // Only the hello had been written, and a close after it.
    let mut rest = Vec::new();
    let _ = peer.read_to_end(&mut rest);
    assert!(!rest.windows(5).any(|window| window == b"hello"));
}

#[test]
fn it_gives_up_after_so_many_attempts_in_a_row() {
    let (home, port) = (Home::new(), Port::new());
    let policy = Reconnect { max_attempts: NonZeroU32::new(3), ..quickly() };
    let config = ClientConfig { reconnect: policy, ..reconnecting(port.number(), Framing::Framed) };
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config.clone(), handler).unwrap();
    let error = client.wait_connected(Some(PATIENCE)).unwrap_err();
    assert_eq!(error.code, Code::ConnectionRefused);
    assert!(error.message.contains("attempt 3 of 3"), "{error}");
    client.wait(Some(PATIENCE)).unwrap();
    let rest = events.rest();
    assert_eq!(rest.iter().filter(|event| matches!(event, Event::Error(..))).count(), 3);
    assert!(matches!(rest[rest.len() - 2..], [Event::Stopped, Event::Release]));
    assert_eq!((client.stats().connections_failed, client.stats().errors), (3, 3));

    // A connection that was open lets the count begin anew.
    let (handler, events) = Recorder::new();
    let (served, _) = Recorder::new();
    let server = home.server(port.server_config(), served);
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(events.closed().text, "stopped");
    assert_eq!(client.stats().connections_failed, 3);
}

/// Answers each connection with the same bytes and closes it.
fn answer_on(port: &Port, bytes: Vec<u8>) -> impl FnOnce() + use<> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
    let listener = TcpListener::bind(address).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let server = thread::spawn({
        let over = over.clone();
        move || {
            while let Ok((mut peer, _)) = listener.accept() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let _ = peer.write_all(&bytes);
                let _ = peer.shutdown(Shutdown::Write);
                let _ = peer.read_to_end(&mut Vec::new());
            }
        }
    });
    move || {
        over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(address));
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_speaks_another_protocol_ends_it() {
    let mut refusal = PREAMBLE.to_vec();
    let close = Close { code: Code::Protocol as i32, received: 0, reason: "version 9 is not spoken here" };
    Frame::Close(close).encode(&mut refusal).unwrap();
    for (answer, text) in
        [(b"220 mail.example ready\r\n".to_vec(), "does not speak the framed protocol"), (refusal, "version 9")]
    {
        for framing in [Framing::Framed, Framing::Auto] {
            let (home, port) = (Home::new(), Port::new());
            let (handler, events) = Recorder::new();
            let client = Client::start(&home.0, reconnecting(port.number(), framing), handler).unwrap();
            client.send(Payload::Text, b"hello").unwrap();
            events.until(is_refusal);
            let end = answer_on(&port, answer.clone());
            client.wait(Some(PATIENCE)).unwrap();
            let error = client.wait_connected(None).unwrap_err();
            assert_eq!(error.code, Code::Protocol);
            assert!(error.message.contains(text), "{error}");
            assert_eq!((client.stats().messages_unsent, client.stats().connections_total), (1, 1));
            events.released();
            end();
        }
    }
}

#[test]
fn a_busy_server_is_tried_again() {
    let (home, port) = (Home::new(), Port::new());
    let (handler, _served) = Recorder::new();
    let server = home.server(ServerConfig { max_connections: 1, ..port.server_config() }, handler);
    let (handler, _) = Recorder::new();
    let other = home.client(&server, Framing::Framed, handler);
    other.wait_connected(Some(PATIENCE)).unwrap();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, reconnecting(port.number(), Framing::Framed), handler).unwrap();
    client.send(Payload::Text, b"hello").unwrap();
    events.until(|event| matches!(event, Event::Error(None, error) if error.code == Code::ServerBusy).then_some(()));
    other.stop(None);
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.stop(None);
    assert_eq!((events.closed().undelivered, client.stats().messages_unsent), (0, 0));
}

/// What was decided on the first connection holds for the next, although nothing is sent there.
#[test]
fn an_auto_client_keeps_to_what_it_once_spoke() {
    for (payload, framing) in [(Payload::Text, Framing::Framed), (Payload::Stream, Framing::Raw)] {
        let (home, port) = (Home::new(), Port::new());
        let (handler, events) = Recorder::new();
        let client = Client::start(&home.0, reconnecting(port.number(), Framing::Auto), handler).unwrap();
        for round in 0..3 {
            let (handler, received) = Recorder::new();
            let server = home.server(port.server_config(), handler);
            let session = events.opened();
            if round == 0 {
                assert_eq!(session.framing(), Framing::Auto);
                client.send(payload, b"first").unwrap();
            } else {
                assert_eq!(session.framing(), framing);
                client.send(Payload::Text, b"again").unwrap();
            }
            assert_eq!(received.message().1.len(), 5);
            server.stop(None);
            server.wait(Some(PATIENCE)).unwrap();
            events.closed();
        }
    }
}

/// The byte stream knows no limit of messages, connected or not.
#[test]
fn a_raw_client_keeps_pieces_of_any_size() {
    let (home, port) = (Home::new(), Port::new());
    let mut config = reconnecting(port.number(), Framing::Raw);
    config.session.max_message = 10;
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config.clone(), handler).unwrap();
    client.send(Payload::Stream, &[b'x'; 11]).unwrap();
    let (handler, received) = Recorder::new();
    let _server = home.server(port.server_config(), handler);
    events.opened();
    client.send(Payload::Stream, &[b'y'; 11]).unwrap();
    let mut all = Vec::new();
    while all.len() < 22 {
        all.extend(received.message().1);
    }
    assert_eq!(all, [[b'x'; 11], [b'y'; 11]].concat());
    config.session.framing = Framing::Framed;
    let (handler, _events) = Recorder::new();
    let framed = Client::start(&home.0, config, handler).unwrap();
    assert_eq!(framed.send(Payload::Text, &[b'x'; 11]).unwrap_err().code, Code::MessageTooLarge);
}

/// What the next server does not take is counted, as it would be refused if that had been known.
#[test]
fn what_is_too_large_for_the_server_is_counted_as_undelivered() {
    let (home, port) = (Home::new(), Port::new());
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, reconnecting(port.number(), Framing::Framed), handler).unwrap();
    client.send(Payload::Text, &[b'x'; 11]).unwrap();
    client.send(Payload::Text, b"fits").unwrap();
    let mut config = port.server_config();
    config.session.max_message = 10;
    let (handler, received) = Recorder::new();
    let _server = home.server(config, handler);
    assert_eq!(received.message().1, b"fits");
    client.stop(None);
    let report = events.closed();
    assert_eq!((report.accepted, report.undelivered, report.exact), (2, 1, true));
}

#[test]
fn a_session_that_this_side_ends_is_followed_by_another() {
    let (home, port) = (Home::new(), Port::new());
    let (handler, _served) = Recorder::new();
    let _server = home.server(port.server_config(), handler);
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, reconnecting(port.number(), Framing::Framed), handler).unwrap();
    events.opened().close(Some(Code::Protocol), "enough");
    assert_eq!(events.closed().text, "enough");
    events.opened().abort();
    assert_eq!(events.closed().reason, Some(Code::Cancelled));
    events.opened();
    assert_eq!((client.stats().reconnects, client.stats().connections_failed), (2, 0));
    client.reset_stats();
    assert_eq!(client.stats().reconnects, 0);
}

#[test]
fn a_client_that_does_not_reconnect_sends_on_its_only_connection() {
    let home = Home::new();
    let (handler, received) = Recorder::new();
    let server = Server::start(&home.0, server_config(), handler).unwrap();
    let (handler, events) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    assert!(client.is_connected());
    client.send(Payload::Text, b"hello").unwrap();
    assert_eq!(received.message().1, b"hello");
    server.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    assert_eq!(events.closed().requeued, 0);
    assert_eq!(client.send(Payload::Text, b"late").unwrap_err().code, Code::ConnectionClosed);
}

#[test]
fn waits_that_make_no_sense_are_refused() {
    let home = Home::new();
    for (first_delay, max_delay) in [(Duration::ZERO, HOUR), (HOUR, Duration::from_secs(1))] {
        let policy = Reconnect { first_delay, max_delay, ..quickly() };
        let config = ClientConfig { reconnect: policy, ..client_config(1) };
        let (handler, _) = Recorder::new();
        let error = Client::start(&home.0, config, handler).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.contains("first_delay"), "{error}");
    }
}
