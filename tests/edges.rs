//! Cases at the edges, each of which went wrong once.
//!
//! Where a test sleeps, time itself is under test; what is asserted holds however long anything takes.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use network_system::config::{Framing, SendPolicy};
use network_system::core::{Client, Server, adopt};
use network_system::error::Code;
use network_system::session::handler::Payload;
use network_system::transport::frame::{Close, Frame, PREAMBLE};
use support::framed::{hello, hello_ack};
use support::{Event, Events, Gate, Home, MIB, PATIENCE, Recorder, client_config, server_config, wait_until};

const SHORT: Duration = Duration::from_secs(2);

/// Lets the server's loop do all that there is to do: what another peer sends afterwards is handled.
fn let_turn(server: &Server, events: &Events) {
    TcpStream::connect(server.local_addr()).unwrap().write_all(b"turn").unwrap();
    events.until(|event| matches!(event, Event::Message(_, _, data) if data == b"turn").then_some(()));
}

/// A busy loop makes a framed client, whose hello is there, look silent.
#[test]
fn a_hello_that_waits_in_the_kernel_is_not_silence() {
    let home = Home::new();
    let (blocked, is_blocked) = channel();
    let (handler, events) = Recorder::with(move |event| match event {
        Event::Message(_, _, data) if data == b"block" => {
            blocked.send(()).unwrap();
            // Longer than the silence (250 ms) that makes a session raw.
            std::thread::sleep(Duration::from_millis(600));
        }
        // What many servers do.
        Event::Open(session) => session.send(Payload::Text, b"welcome").unwrap(),
        _ => {}
    });
    let server = home.server(server_config(), handler);
    let mut busy = TcpStream::connect(server.local_addr()).unwrap();
    busy.write_all(b"x").unwrap();
    events.message();
    let mut framed = TcpStream::connect(server.local_addr()).unwrap();
    events.until(|event| matches!(event, Event::Accept(_)).then_some(()));
    busy.write_all(b"block").unwrap();
    is_blocked.recv_timeout(PATIENCE).unwrap();
    framed.write_all(&hello("late")).unwrap();
    let session = events.opened();
    assert_eq!((session.framing(), session.client_id()), (Framing::Framed, "late"));
}

/// A stop without time to drain, while a session is being closed already (its peer has half-closed).
#[test]
fn a_stop_hurries_a_close_that_the_peer_began() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_queue = 32 * MIB;
    let (handler, events) = Recorder::owing(32 * MIB);
    let server = home.server(config, handler);
    let peer = TcpStream::connect(server.local_addr()).unwrap();
    let session = events.opened();
    peer.shutdown(Shutdown::Write).unwrap();
    wait_until("closing", || session.state() == network_system::session::State::Disconnecting);
    let begun = Instant::now();
    server.stop(Some(Duration::ZERO));
    server.wait(Some(PATIENCE)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "stop(0) took {:?}", begun.elapsed());
}

/// A stop with a short drain, while messages wait for an undecided peer.
#[test]
fn a_stop_does_not_wait_for_an_undecided_peer() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| {
        if let Event::Accept(session) = event {
            session.send(Payload::Text, b"early").unwrap();
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"NSYS").unwrap();
    let session = events.until(|event| if let Event::Accept(session) = event { Some(session) } else { None });
    wait_until("read", || session.stats().wire_bytes_received == 4);
    let begun = Instant::now();
    server.stop(Some(Duration::from_millis(50)));
    server.wait(Some(PATIENCE)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "stop(50 ms) took {:?}", begun.elapsed());
    let reason = events.until(|event| if let Event::End(_, report) = event { Some(report) } else { None });
    assert_eq!((reason.reason, reason.text.as_str()), (None, "stopped"));
}

/// Of two later stops the shorter counts.
#[test]
fn a_later_stop_only_shortens() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_queue = 32 * MIB;
    let gate = Arc::new(Gate::default());
    let inner = gate.clone();
    let (handler, events) = Recorder::with(move |event| {
        if let Event::Open(session) = event {
            session.send(Payload::Stream, &vec![7; 32 * MIB]).unwrap();
            inner.pass();
        }
    });
    let server = home.server(config, handler);
    let _peer = TcpStream::connect(server.local_addr()).unwrap();
    gate.reached();
    let session = server.sessions().remove(0);
    session.close(None, "bye");
    server.stop(Some(Duration::ZERO));
    server.stop(None); // What netsys_server_destroy does.
    let begun = Instant::now();
    gate.open();
    server.wait(Some(PATIENCE)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
    drop(events);
}

/// Empty text messages on a raw session lose the wake-up of what follows.
#[test]
fn an_empty_message_on_a_raw_session_holds_up_nothing() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.set_read_timeout(Some(SHORT)).unwrap();
    let session = events.opened();
    for _ in 0..20 {
        session.send(Payload::Text, b"").unwrap();
    }
    let_turn(&server, &events);
    session.send(Payload::Text, b"real").unwrap();
    let mut got = [0; 4];
    peer.read_exact(&mut got).unwrap();
}

/// A broadcast of an empty text to a raw session holds up nothing that follows.
#[test]
fn an_empty_broadcast_to_a_raw_session_holds_up_nothing() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.set_read_timeout(Some(SHORT)).unwrap();
    events.opened();
    assert_eq!(server.broadcast(Payload::Stream, b"").map(|_| ()).unwrap_err().code, Code::InvalidArgument);
    let mut got = [0; 4];
    server.broadcast(Payload::Text, b"real").unwrap();
    peer.read_exact(&mut got).unwrap();
}

/// What was queued for a session that ended is not queued any more.
#[test]
fn the_queue_of_an_ended_session_is_not_counted() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_queue = 32 * MIB;
    let (handler, events) = Recorder::owing(32 * MIB);
    let server = home.server(config, handler);
    let _peer = TcpStream::connect(server.local_addr()).unwrap();
    let session = events.opened();
    session.abort();
    events.closed();
    assert_eq!(server.stats().connections_current, 0);
    assert_eq!(server.stats().queued_bytes, 0);
}

/// `last_activity_ns`: when something was sent or received last.
#[test]
fn sending_is_activity() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let session = events.opened();
    session.send(Payload::Stream, b"x").unwrap();
    peer.read_exact(&mut [0]).unwrap();
    assert_ne!(session.stats().last_activity_ns, 0);
}

/// A raw peer that answers with what may be the beginning of a preamble.
#[test]
fn a_raw_peer_may_answer_n() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| {
        if let Event::Open(session) = event {
            session.send(Payload::Stream, b"proceed? y/N").unwrap();
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let session = events.opened();
    peer.read_exact(&mut [0; 12]).unwrap();
    peer.write_all(b"N").unwrap();
    assert_eq!(events.message(), (Payload::Stream, b"N".to_vec()));
    assert_eq!(session.framing(), Framing::Raw);
}

/// A raw peer whose whole request looks like the beginning of a preamble.
#[test]
fn a_short_raw_request_that_looks_like_a_preamble_is_not_lost() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"NSY").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut message = None;
    let report = events.until(|event| match event {
        Event::Message(_, _, data) => {
            message = Some(data);
            None
        }
        Event::End(_, report) => Some(report),
        _ => None,
    });
    assert!(message.is_some() || report.discarded == 1, "{report:?}");
}

/// Once the preamble has come, the session is not taken for raw by a send.
#[test]
fn a_send_after_a_late_preamble_keeps_the_session_framed() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.set_read_timeout(Some(SHORT)).unwrap();
    let session = events.opened();
    let greeting = hello("late");
    peer.write_all(&greeting[..8]).unwrap();
    wait_until("read", || session.stats().wire_bytes_received == 8);
    let_turn(&server, &events);
    session.send(Payload::Text, b"12345678").unwrap();
    peer.write_all(&greeting[8..]).unwrap();
    let mut first = [0; 8];
    peer.read_exact(&mut first).unwrap();
    assert_eq!(first, PREAMBLE, "{:?}", String::from_utf8_lossy(&first));
}

/// An adopted session is paused until it is told to go on.
#[test]
fn an_adopted_session_waits() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    peer.write_all(&hello("adopted")).unwrap();
    let (handler, events) = Recorder::with(|event| {
        if let Event::Open(session) = event {
            session.send(Payload::Text, b"welcome").unwrap();
        }
    });
    let session = adopt(&home.0, listener.accept().unwrap().0, server_config(), handler).unwrap();
    std::thread::sleep(Duration::from_millis(600)); // more than the silence (250 ms) that makes a session raw
    let early = events.rest();
    session.set_paused(false);
    assert!(!early.iter().any(|event| matches!(event, Event::Open(_))), "{early:?}");
}

/// With framing framed its hello has a deadline although nobody reads it.
#[test]
fn an_adopted_session_waits_longer_than_the_handshake_may_take() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    peer.write_all(&hello("adopted")).unwrap();
    let (handler, events) = Recorder::new();
    let mut config = server_config();
    let limit = Duration::from_millis(300);
    (config.session.framing, config.session.handshake_timeout) = (Framing::Framed, limit);
    let session = adopt(&home.0, listener.accept().unwrap().0, config, handler).unwrap();
    std::thread::sleep(2 * limit); // longer than the time that would end it
    let early = events.rest();
    session.set_paused(false);
    assert!(!early.iter().any(|event| matches!(event, Event::End(..))), "{early:?}");
}

/// What was read and not handled is counted, also if the session was paused.
#[test]
fn what_a_pause_kept_is_counted_as_discarded() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| {
        if let Event::Message(session, ..) = event {
            session.set_paused(true);
        }
    });
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    let mut bytes = hello("p");
    for _ in 0..10 {
        Frame::Text(b"m").encode(&mut bytes).unwrap();
    }
    peer.write_all(&bytes).unwrap();
    events.message();
    server.sessions().remove(0).abort();
    assert_eq!(events.closed().discarded, 9);
}

/// Joining a context does not wait for peers that were left behind.
#[test]
fn a_context_ends_although_a_peer_keeps_sending() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    events.opened();
    let talker = std::thread::spawn(move || {
        while peer.write_all(&[1; 100]).is_ok() {
            std::thread::sleep(Duration::from_millis(5)); // its pace, of no matter
        }
    });
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    let begun = Instant::now();
    home.0.stop(Some(Duration::ZERO));
    home.0.join().unwrap();
    let took = begun.elapsed();
    talker.join().unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// A client that is refused with an orderly close before its hello was answered is told an error.
#[test]
fn a_client_that_never_opened_is_told_why() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (handler, events) = Recorder::new();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.session.framing = Framing::Framed;
    let _client = Client::start(&home.0, config, handler).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut out = PREAMBLE.to_vec();
    Frame::Close(Close { code: 0, received: 0, reason: "going down" }).encode(&mut out).unwrap();
    server.write_all(&out).unwrap();
    let mut error = false;
    events.until(|event| match event {
        Event::Error(..) => {
            error = true;
            None
        }
        Event::Stopped => Some(()),
        _ => None,
    });
    assert!(error);
}

/// Durations that mean for ever are no fault.
#[test]
fn a_client_with_an_endless_connect_timeout_starts_and_stops() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (handler, _events) = Recorder::new();
    let mut config = client_config(listener.local_addr().unwrap().port());
    config.connect_timeout = Duration::MAX;
    let client = Client::start(&home.0, config, handler).unwrap();
    client.stop(None);
    client.wait(Some(SHORT)).unwrap();
}

/// A server does not send what its client said it does not take.
#[test]
fn an_early_message_over_the_peers_limit_does_not_end_the_session() {
    let home = Home::new();
    let (handler, _events) = Recorder::with(|event| match event {
        Event::Accept(session) => session.send(Payload::Text, &[7; 5000]).unwrap(),
        Event::Open(session) => session.send(Payload::Text, b"fits").unwrap(),
        _ => {}
    });
    let server = home.server(server_config(), handler);
    let (mine, events) = Recorder::new();
    let mut config = client_config(server.local_addr().port());
    config.session.framing = Framing::Framed;
    config.session.max_message = 1000;
    let _client = Client::start(&home.0, config, mine).unwrap();
    events.until(|event| match event {
        Event::Message(_, _, data) => {
            assert_eq!(data, b"fits");
            Some(())
        }
        Event::Close(_, report) => panic!("{report:?}"),
        _ => None,
    });
}

/// A server in the mode framed opens no session for a peer that says nothing.
#[test]
fn a_framed_server_does_not_open_a_silent_peer() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Framed;
    config.session.handshake_timeout = Duration::from_millis(300);
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let _peer = TcpStream::connect(server.local_addr()).unwrap();
    let reason = events.until(|event| match event {
        Event::Open(session) => Some(Err(session.send(Payload::Text, b"raw bytes"))),
        Event::End(_, report) => Some(Ok(report.reason)),
        _ => None,
    });
    assert_eq!(reason, Ok(Some(Code::Timeout)));
}

/// Bytes that wait in the kernel since a handler held up the loop are no silence.
#[test]
fn a_slow_handler_does_not_make_talking_peers_silent() {
    let home = Home::new();
    let mut config = server_config();
    config.session.idle_timeout = Some(Duration::from_millis(400));
    let (handler, events) = Recorder::with(|event| {
        if let Event::Message(_, _, data) = event
            && data.contains(&b'B')
        {
            std::thread::sleep(Duration::from_millis(900)); // longer than the idle timeout
        }
    });
    let server = home.server(config, handler);
    let mut busy = TcpStream::connect(server.local_addr()).unwrap();
    let mut other = TcpStream::connect(server.local_addr()).unwrap();
    busy.write_all(b"x").unwrap();
    other.write_all(b"x").unwrap();
    events.message();
    events.message();
    busy.write_all(b"B").unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1300) {
        let _ = other.write_all(b"y");
        let _ = busy.write_all(b"y");
        std::thread::sleep(Duration::from_millis(20)); // their pace, of no matter
    }
    let ends: Vec<_> = events.rest().into_iter().filter(|e| matches!(e, Event::Close(..))).collect();
    assert!(ends.is_empty(), "{ends:?}");
}

/// A handler may send a file in one go, since what the kernel takes meanwhile makes room.
#[test]
fn a_handler_sends_a_file_to_a_peer_that_reads() {
    const TOTAL: usize = 48 * MIB;
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_policy = SendPolicy::Wait;
    config.session.send_hard_limit = 8 * MIB;
    config.session.kernel_send = Some(64 * 1024);
    // How much the peer has read, and when it is to begin.
    let (progress, read) = channel();
    let (go, begin) = channel();
    let ends = Mutex::new((read, go));
    let (handler, events) = Recorder::with(move |event| {
        if let Event::Open(session) = event {
            let (read, go) = &*ends.lock().unwrap();
            let piece = vec![7; 16 * 1024];
            let mut seen = 0;
            for _ in 0..TOTAL / piece.len() {
                if session.send(Payload::Stream, &piece).is_err() {
                    break;
                }
                // As if it were read from a disk that is no faster than the peer, which finds the socket full.
                if session.stats().queued_bytes > 4 * MIB as u64 {
                    let _ = go.send(());
                    while seen < session.stats().wire_bytes_sent {
                        seen = read.recv_timeout(PATIENCE).unwrap_or(u64::MAX);
                    }
                }
            }
            session.close(None, "that was all");
        }
    });
    let server = home.server(config, handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    socket2::SockRef::from(&peer).set_recv_buffer_size(64 * 1024).unwrap();
    begin.recv_timeout(PATIENCE).unwrap();
    let mut buffer = vec![0; MIB];
    let mut total = 0;
    while let Ok(len) = peer.read(&mut buffer)
        && len > 0
    {
        total += len;
        let _ = progress.send(total as u64);
    }
    let report = events.closed();
    assert_eq!((total, report.undelivered), (TOTAL, 0), "{report:?}");
}

/// Reliability row 34: a flood of malformed peers reaches the error handler a few times only.
#[test]
fn many_malformed_peers_do_not_flood_the_error_handler() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut bad = PREAMBLE.to_vec();
    bad.extend_from_slice(&[0; 8]);
    for _ in 0..200 {
        let mut peer = TcpStream::connect(server.local_addr()).unwrap();
        peer.write_all(&bad).unwrap();
        peer.shutdown(Shutdown::Write).ok();
        let mut out = Vec::new();
        let _ = peer.read_to_end(&mut out);
    }
    let errors = events.rest().into_iter().filter(|e| matches!(e, Event::Error(..))).count();
    assert!(errors <= 20, "{errors}");
}

/// A peer that ended the connection without a close: an error is told before the end, as for a reset.
#[test]
fn an_end_without_a_close_is_told_as_an_error() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(&hello("x")).unwrap();
    events.opened();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut error = false;
    let report = events.until(|event| match event {
        Event::Error(..) => {
            error = true;
            None
        }
        Event::Close(_, report) => Some(report),
        _ => None,
    });
    assert!(error, "{report:?}");
}

/// Connections that come while a server stops are not counted as refused for its limit.
#[test]
fn no_connection_is_rejected_for_the_limit_when_there_is_none() {
    let home = Home::new();
    let gate = Arc::new(Gate::default());
    let inner = gate.clone();
    let (handler, _events) = Recorder::with(move |event| {
        if let Event::Message(..) = event {
            inner.pass();
        }
    });
    let server = home.server(server_config(), handler);
    let mut first = TcpStream::connect(server.local_addr()).unwrap();
    first.write_all(b"x").unwrap();
    gate.reached();
    // The kernel has them, and the loop has not.
    let _more: Vec<_> = (0..20).map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect();
    server.stop(Some(Duration::ZERO));
    gate.open();
    server.wait(Some(PATIENCE)).unwrap();
    assert_eq!(server.stats().connections_rejected, 0);
}

/// A client that has begun to speak frames waits for the rest of its server's preamble, however slowly it comes.
#[test]
fn a_preamble_in_pieces_does_not_make_a_framed_client_raw() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, client_config(listener.local_addr().unwrap().port()), handler).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let session = client.session().unwrap();
    session.send(Payload::Text, b"decides for frames").unwrap();
    let mut answer = hello_ack("slow");
    Frame::Text(b"whole").encode(&mut answer).unwrap();
    server.write_all(&answer[..3]).unwrap();
    wait_until("read", || session.stats().wire_bytes_received == 3);
    std::thread::sleep(Duration::from_millis(400)); // longer than the silence (250 ms) that makes a session raw
    server.write_all(&answer[3..]).unwrap();
    assert_eq!(events.message(), (Payload::Text, b"whole".to_vec()));
}
