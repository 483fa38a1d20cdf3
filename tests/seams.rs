//! Where two capabilities meet: dispatch and time-outs, dispatch and pauses, policies and reconnecting, loops and
//! limits.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use network_system::config::{ContextConfig, Framing, SendPolicy, ServerConfig};
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::runtime::{Context, ContextHooks, Dispatch};
use network_system::session::handler::{CloseReport, Payload};
use network_system::transport::frame::Frame;
use support::framed::hello;
use support::reconnecting::{Account, Port, number_of, reconnecting};
use support::{Event, Events, Home, Mode, PATIENCE, Recorder, reset, server_config, wait_until};

fn dispatched(dispatch: Dispatch) -> ServerConfig {
    let mut config = server_config();
    (config.session.dispatch, config.session.heartbeat) = (dispatch, None);
    config
}

/// A recorder that says when an event comes for which `waits` holds, and goes on when it is told to.
fn gated(waits: fn(&Event) -> bool) -> (Arc<Recorder>, Events, Receiver<()>, Sender<()>) {
    let (begun, at_gate) = channel();
    let (go_on, gate) = channel();
    let ends = Mutex::new((begun, gate));
    let (handler, events) = Recorder::with(move |event| {
        if waits(event) {
            let ends = ends.lock().unwrap();
            let _ = ends.0.send(());
            let _ = ends.1.recv_timeout(PATIENCE);
        }
    });
    (handler, events, at_gate, go_on)
}

/// A server like that, and a client that is connected to it.
fn connected(home: &Home, config: ServerConfig, handler: Arc<Recorder>) -> (Arc<Server>, Arc<Client>) {
    let server = home.server(config, handler);
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    client.wait_connected(Some(PATIENCE)).unwrap();
    (server, client)
}

/// Lets a limit of the library pass.
fn let_pass(limit: Duration) {
    std::thread::sleep(limit);
}

fn stop(server: &Server) {
    server.stop(Some(Duration::ZERO));
    server.wait(Some(PATIENCE)).unwrap();
}

/// What has been read already waits too.
#[test]
fn no_message_is_handled_while_a_dispatched_session_is_paused() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| {
        if let Event::Message(session, ..) = event {
            session.set_paused(true);
        }
    });
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    wait_until("the client is connected", || {
        home.0.poll(Some(Duration::ZERO)).unwrap();
        client.is_connected()
    });
    let session = events.opened();
    let texts = [b"first", b"other", b"third"];
    texts.iter().for_each(|text| client.send(Payload::Text, *text).unwrap());
    wait_until("all has been read", || session.stats().messages_received == 3);
    let mut messages = Vec::new();
    let mut poll = || {
        while home.0.poll(Some(Duration::ZERO)).unwrap() > 0 {}
        messages.extend(events.rest().into_iter().filter_map(|event| match event {
            Event::Message(_, _, data) => Some(data),
            _ => None,
        }));
        messages.len()
    };
    for handled in 1..=2 {
        wait_until("it goes on", || poll() == handled);
        (0..10).for_each(|_| assert_eq!(poll(), handled, "paused again"));
        if handled == 1 {
            session.set_paused(false);
        }
    }
    assert_eq!(messages, [b"first", b"other"]);
    // What is kept for a paused session does not hold up its end.
    stop(&server);
    assert_eq!(events.closed().discarded, 1);
}

/// A peer sends two messages and falls silent, or closes, for longer than it may while the first is handled. Both are
/// handled; gives back the end of the session.
fn silence_behind_a_slow_handler(peer_closes: bool) -> CloseReport {
    let limit = Duration::from_millis(300);
    let home = Home::new();
    let (handler, events, at_gate, go_on) = gated(|event| matches!(event, Event::Message(..)));
    let mut config = dispatched(Dispatch::Pool);
    config.session.idle_timeout = Some(limit);
    let (server, client) = connected(&home, config, handler);
    let texts = [b"one", b"two"];
    texts.iter().for_each(|text| client.send(Payload::Text, *text).unwrap());
    if peer_closes {
        client.stop(None);
    }
    at_gate.recv_timeout(PATIENCE).unwrap();
    let_pass(3 * limit);
    drop(go_on);
    texts.iter().for_each(|text| assert_eq!(events.message().1, *text));
    let report = events.closed();
    stop(&server);
    report
}

/// The close of a peer stays what it was, however slowly what came before is handled.
#[test]
fn a_slow_handler_makes_no_silence_of_a_peer_that_has_closed() {
    let report = silence_behind_a_slow_handler(true);
    assert!(report.by_peer && report.reason.is_none() && report.discarded == 0, "{report:?}");
}

#[test]
fn a_session_that_expires_has_handled_what_came() {
    let report = silence_behind_a_slow_handler(false);
    assert_eq!((report.reason, report.discarded), (Some(Code::SessionExpired), 0), "{report:?}");
}

/// While the handlers are so far behind that nothing is read, no time runs for the frame that the peer has begun.
#[test]
fn the_time_of_a_frame_stands_still_while_nothing_is_read() {
    let home = Home::new();
    let (handler, events, at_gate, go_on) = gated(|event| matches!(event, Event::Message(..)));
    let mut config = dispatched(Dispatch::Pool);
    config.session.receive_queue = 1;
    config.session.frame_timeout = Some(Duration::from_millis(300));
    let server = home.server(config, handler);
    let mut bytes = hello("peer");
    Frame::Text(b"first").encode(&mut bytes).unwrap();
    let begun = bytes.len() + 9;
    // Together with its header it has a second more than the limit.
    Frame::Text(&[b'x'; 232]).encode(&mut bytes).unwrap();
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(&bytes[..begun]).unwrap();
    at_gate.recv_timeout(PATIENCE).unwrap();
    let_pass(Duration::from_millis(1500));
    go_on.send(()).unwrap();
    assert_eq!(events.message().1, b"first");
    let_pass(Duration::from_millis(100)); // in which it would be ended
    drop(go_on);
    peer.write_all(&bytes[begun..]).unwrap();
    let second = events.until(|event| match event {
        Event::Message(_, _, data) => Some(Ok(data)),
        Event::Close(_, report) => Some(Err(report)),
        _ => None,
    });
    assert_eq!(second.expect("the session goes on"), [b'x'; 232]);
    stop(&server);
}

/// A peer resets the connection behind its messages: an answer to the first of them, which fails, keeps none of the
/// others from being handled.
#[test]
fn an_answer_that_cannot_be_sent_discards_nothing_that_came() {
    let home = Home::new();
    let (peer_is_gone, gone) = channel();
    let gone = Mutex::new(gone);
    let (handler, events) = Recorder::with(move |event| {
        let Event::Message(session, _, data) = event else { return };
        if data == b"first" {
            gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            wait_until("an answer fails", || session.send(Payload::Text, b"answer").is_err());
            let_pass(Duration::from_millis(100)); // in which it would be ended
        }
    });
    let server = home.server(dispatched(Dispatch::Pool), handler);
    let mut bytes = hello("peer");
    let texts: [&[u8]; 3] = [b"first", b"second", b"third"];
    texts.iter().for_each(|text| Frame::Text(text).encode(&mut bytes).unwrap());
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(&bytes).unwrap();
    let session = events.opened();
    wait_until("all has been read", || session.stats().messages_received == 3);
    reset(peer);
    peer_is_gone.send(()).unwrap();
    texts.iter().for_each(|text| assert_eq!(events.message().1, *text));
    assert_eq!(events.closed().discarded, 0);
    stop(&server);
}

/// The client has not been answered yet: it cannot answer either.
#[test]
fn a_peer_whose_hello_waits_for_on_open_is_not_silent() {
    let heartbeat = Duration::from_millis(100);
    let home = Home::new();
    let (handler, events, at_gate, go_on) = gated(|event| matches!(event, Event::Open(..)));
    let mut config = dispatched(Dispatch::Pool);
    config.session.heartbeat = Some(heartbeat);
    config.session.idle_timeout = Some(heartbeat * 5);
    let server = home.server(config, handler);
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    at_gate.recv_timeout(PATIENCE).unwrap();
    let_pass(heartbeat * 10);
    drop(go_on);
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.send(Payload::Text, b"here").unwrap();
    assert_eq!(events.message().1, b"here");
    stop(&server);
}

/// A peer is not dead that was not asked for a sign of life, since a handler held up the loop.
#[test]
fn who_was_not_pinged_need_not_have_answered() {
    let heartbeat = Duration::from_millis(150);
    let home = Home::new();
    let (handler, events, at_gate, go_on) = gated(|event| matches!(event, Event::Message(..)));
    let mut config = dispatched(Dispatch::Inline);
    config.session.heartbeat = Some(heartbeat);
    let (server, client) = connected(&home, config, handler);
    client.send(Payload::Text, b"slow").unwrap();
    at_gate.recv_timeout(PATIENCE).unwrap();
    let_pass(heartbeat * 6);
    drop(go_on);
    let session = events.until(|event| if let Event::Message(session, ..) = event { Some(session) } else { None });
    wait_until("a heartbeat is answered, or the session has ended", || {
        session.stats().round_trip_ns > 0 || server.connection_count() == 0
    });
    client.send(Payload::Text, b"alive").expect("the session goes on");
    assert_eq!(events.message().1, b"alive");
    stop(&server);
}

/// What is dropped while there is no connection is counted at once, and once.
#[test]
fn what_a_backlog_drops_is_counted() {
    for policy in [SendPolicy::DropNewest, SendPolicy::DropOldest] {
        let home = Home::new();
        let port = Port::new();
        let mut config = reconnecting(port.number(), Framing::Framed);
        (config.session.send_policy, config.session.send_queue) = (policy, 100);
        let client = Client::start(&home.0, config, Recorder::new().0).unwrap();
        (0..10).for_each(|_| client.send(Payload::Binary, &[0; 42]).unwrap());
        let stats = client.stats();
        assert_eq!((stats.messages_dropped, stats.queued_bytes), (8, 100), "{policy:?}");
        let (handler, events) = Recorder::new();
        let server = home.server(port.server_config(), handler);
        (0..2).for_each(|_| drop(events.message()));
        client.stop(None);
        client.wait(Some(PATIENCE)).unwrap();
        let stats = client.take_stats();
        assert_eq!((stats.messages_sent, stats.messages_dropped, stats.messages_unsent), (2, 8, 0), "{policy:?}");
        assert_eq!(client.stats().messages_dropped, 0, "{policy:?}");
        stop(&server);
    }
}

/// Also those that a handler elsewhere is told when the session has gone already.
#[test]
fn every_error_that_is_told_is_counted() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| {
        if matches!(event, Event::Close(..)) {
            panic!("as a test");
        }
    });
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    wait_until("the client is connected", || {
        home.0.poll(Some(Duration::ZERO)).unwrap();
        client.is_connected()
    });
    client.session().unwrap().abort();
    wait_until("the session has gone", || server.connection_count() == 0);
    stop(&server);
    let told = events.rest().iter().filter(|event| matches!(event, Event::Error(..))).count();
    assert_eq!((told, server.stats().errors), (2, 2), "the reset, and the panic");
}

/// As its documentation says.
#[test]
fn a_client_is_connected_until_its_session_closes() {
    let home = Home::new();
    let server = home.server(server_config(), Recorder::new().0);
    let (handler, events) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    assert!(client.is_connected());
    server.disconnect_all("enough");
    events.closed();
    assert!(!client.is_connected());
    client.wait(Some(PATIENCE)).unwrap();
    assert!(!client.is_connected());
    stop(&server);
}

/// Sessions are spread over loops that the context has already, if it may have no more.
#[test]
fn a_server_shares_the_loops_there_are_with_others() {
    let config = ContextConfig { max_loops: 2, ..ContextConfig::default() };
    let home = Home(Context::new(config, ContextHooks::default()));
    let first = home.server(server_config(), Recorder::new().0);
    let (names, threads) = channel();
    let names = Mutex::new(names);
    let (handler, _events) = Recorder::with(move |event| {
        if matches!(event, Event::Accept(..)) {
            names.lock().unwrap().send(std::thread::current().name().map(str::to_owned)).unwrap();
        }
    });
    let server = home.server(ServerConfig { io_threads: 2, ..server_config() }, handler);
    let _peers = [(); 2].map(|()| TcpStream::connect(server.local_addr()).unwrap());
    let names = [(); 2].map(|()| threads.recv_timeout(PATIENCE).unwrap());
    assert_ne!(names[0], names[1]);
    stop(&server);
    stop(&first);
}

/// A client with small queues sends without a pause to servers that come and go; gives back how many sends succeeded.
fn send_to_servers_that_come_and_go(
    home: &Home,
    port: &Port,
    client: &Arc<Client>,
    received: &Arc<Mutex<Vec<u64>>>,
) -> u64 {
    let enough = Arc::new(AtomicBool::new(false));
    let sender = std::thread::spawn({
        let (client, enough) = (client.clone(), enough.clone());
        move || {
            let numbers = (0..).take_while(|_| !enough.load(Ordering::Relaxed));
            let sends = numbers.map(|number: u64| client.send(Payload::Binary, &number.to_le_bytes()));
            sends.filter(Result::is_ok).count() as u64
        }
    });
    for round in 0..8 {
        let (handler, served) = Recorder::with({
            let received = received.clone();
            move |event| {
                if let Event::Message(_, _, data) = event {
                    received.lock().unwrap().push(number_of(data));
                }
            }
        });
        let server = home.server(port.server_config(), handler);
        served.message();
        match round % 4 {
            0 => server.sessions().iter().for_each(|session| session.abort()),
            1 => server.sessions().iter().for_each(|session| session.close(None, "for now")),
            2 => {
                // Before it is open it would deliver what it has and have no report.
                client.wait_connected(Some(PATIENCE)).unwrap();
                client.session().unwrap().close(None, "for now");
            }
            _ => {}
        }
        stop(&server);
    }
    enough.store(true, Ordering::Relaxed);
    sender.join().unwrap()
}

/// However handlers are dispatched, and whatever a full queue means, no message comes twice or late, and each one that
/// was accepted is in one of the counts.
#[test]
fn a_client_that_connects_again_accounts_for_every_message() {
    for name in Mode::NAMES {
        for policy in [SendPolicy::WouldBlock, SendPolicy::DropNewest, SendPolicy::DropOldest] {
            let home = Home::new();
            let mode = Mode::new(name, &home.0);
            let port = Port::new();
            let account = Arc::new(Mutex::new((Account::default(), 0)));
            let (handler, _events) = Recorder::with({
                let account = account.clone();
                move |event| {
                    if let Event::Close(_, report) = event {
                        let mut account = account.lock().unwrap();
                        account.0.add(report);
                        account.1 += report.dropped;
                    }
                }
            });
            let mut config = reconnecting(port.number(), Framing::Framed);
            config.session.dispatch = mode.dispatch.clone();
            (config.session.send_policy, config.session.send_queue) = (policy, 4096);
            config.session.send_queue_messages = NonZeroU32::new(100);
            let client = Client::start(&home.0, config, handler).unwrap();
            let received = Arc::default();
            let accepted = send_to_servers_that_come_and_go(&home, &port, &client, &received);
            client.stop(Some(Duration::ZERO));
            client.wait(Some(PATIENCE)).unwrap();

            let stats = client.stats();
            let account = account.lock().unwrap();
            let (sessions, dropped_in_sessions) = (&account.0, account.1);
            let in_no_session = stats.messages_dropped - dropped_in_sessions + stats.messages_unsent;
            let what = format!("{name}, {policy:?}: {sessions:?}, {dropped_in_sessions} of them dropped, {stats:?}");
            assert_eq!(accepted, sessions.messages() + in_no_session, "{what}");
            let received = received.lock().unwrap();
            assert!(received.is_sorted_by(|one, next| one < next), "{what}");
            let count = received.len() as u64;
            assert!(count >= sessions.messages() - sessions.undelivered, "{count} received; {what}");
            assert!(count <= sessions.messages(), "{count} received; {what}");
            assert!(stats.reconnects >= 7, "{what}");
            drop(mode);
        }
    }
}
