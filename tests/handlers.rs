//! What handlers may do, and what becomes of those that panic.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use network_system::config::Framing;
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::session::Session;
use network_system::session::handler::Payload;
use support::{Event, Events, Home, Mode, PATIENCE, Recorder, server_config};

/// The places a handler is called from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Accept,
    Open,
    Message,
    Writable,
    State,
    Close,
    End,
    Error,
}

const SLOTS: [Slot; 8] =
    [Slot::Accept, Slot::Open, Slot::Message, Slot::Writable, Slot::State, Slot::Close, Slot::End, Slot::Error];

impl Slot {
    fn of(event: &Event) -> Option<(Slot, Option<&Arc<Session>>)> {
        Some(match event {
            Event::Accept(session) => (Slot::Accept, Some(session)),
            Event::Open(session) => (Slot::Open, Some(session)),
            Event::Message(session, ..) => (Slot::Message, Some(session)),
            Event::Writable(session) => (Slot::Writable, Some(session)),
            Event::State(..) => (Slot::State, None),
            Event::Close(session, _) => (Slot::Close, Some(session)),
            Event::End(session, _) => (Slot::End, Some(session)),
            Event::Error(session, _) => (Slot::Error, session.as_ref()),
            Event::Detach(_) | Event::Stopped | Event::Release => return None,
        })
    }
}

type Action = fn(&Server, Option<&Arc<Session>>);

const ACTIONS: [(&str, Action); 8] = [
    ("stop", |server, _| server.stop(None)),
    ("stop at once", |server, _| server.stop(Some(Duration::ZERO))),
    ("wait", |server, _| assert_eq!(server.wait(None).unwrap_err().code, Code::WouldDeadlock)),
    ("disconnect all", |server, _| server.disconnect_all("all")),
    ("close", |server, session| match session {
        Some(session) => session.close(None, "closed in a handler"),
        None => server.sessions().iter().for_each(|session| session.close(None, "closed in a handler")),
    }),
    ("abort", |server, session| match session {
        Some(session) => session.abort(),
        None => server.sessions().iter().for_each(|session| session.abort()),
    }),
    ("send and broadcast", |server, session| {
        if let Some(session) = session {
            let _ = session.send(Payload::Text, b"from a handler");
        }
        server.broadcast(Payload::Text, b"to all").unwrap();
    }),
    ("groups and data", |server, session| {
        if let Some(session) = session {
            session.join_group("group").unwrap();
            session.set_data("key", "value").unwrap();
            server.broadcast_group("group", Payload::Text, b"to the group").unwrap();
            session.leave_group("group");
        }
        server.set_limits(Some(10), Some(1 << 20));
    }),
];

/// Brings a server into a state in which every slot was called: a session that opens, gets a message, meets a full
/// queue that is drained, breaks the protocol and ends.
fn provoke(server: &Server, at_server: &Events) {
    use std::io::{Read, Write};
    let mut peer = std::net::TcpStream::connect(server.local_addr()).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut hello = b"NSYS\r\n\x1A\n".to_vec();
    hello.extend_from_slice(&[14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
    // Any of these may fail, since the server may have closed already.
    let _ = peer.write_all(&hello);
    let _ = peer.write_all(&[2, 0, 0, 0, 4, 0, 0, 0, b'h', b'i']);
    let mut fill = None;
    while fill.is_none() && server.state() == network_system::core::EndpointState::Running {
        match at_server.next() {
            Event::Message(session, ..) => fill = Some(session),
            Event::End(..) => break,
            _ => {}
        }
    }
    if let Some(session) = fill {
        while session.send(Payload::Binary, &[0; 60_000]).is_ok() {}
    }
    let mut reader = peer.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while reader.read(&mut buffer).is_ok_and(|len| len > 0) {}
    });
    let running = server.connection_count() > 0;
    if running {
        at_server.until(|event| matches!(event, Event::Writable(_) | Event::End(..)).then_some(()));
    }
    let _ = peer.write_all(&[0; 8]);
    let _ = peer.shutdown(std::net::Shutdown::Write);
    reading.join().unwrap();
}

/// Reliability row 11: everything is allowed in every handler, nothing deadlocks, and a stop still ends.
#[test]
fn everything_is_allowed_in_every_handler() {
    for name in Mode::NAMES {
        everything_is_allowed(name);
    }
}

fn everything_is_allowed(mode: &'static str) {
    for slot in SLOTS {
        for (name, action) in ACTIONS {
            let home = Home::new();
            let mode = Mode::new(mode, &home.0);
            let server: Arc<OnceLock<Arc<Server>>> = Arc::default();
            let acted = Arc::new(AtomicBool::new(false));
            let (itself, once) = (server.clone(), acted.clone());
            let (handler, events) = Recorder::with(move |event| {
                if let Some((called, session)) = Slot::of(event)
                    && called == slot
                    && let Some(server) = itself.get()
                    && !once.swap(true, Ordering::SeqCst)
                {
                    action(server, session);
                }
            });
            let mut config = server_config();
            config.session.dispatch = mode.dispatch.clone();
            config.session.send_queue = 100_000;
            // The peer confirms no close.
            config.session.drain = Duration::from_millis(50);
            let started = home.server(config, handler);
            server.set(started.clone()).unwrap();
            provoke(&started, &events);
            started.stop(None);
            started.wait(Some(PATIENCE)).unwrap_or_else(|error| panic!("{}: {name} in {slot:?}: {error}", mode.name));
            events.released();
            assert!(acted.load(Ordering::SeqCst), "{}: {name}: {slot:?} was not called", mode.name);
            assert!(events.rest().is_empty(), "something was told after the release");
        }
    }
}

/// Reliability row 14: a handler that panics closes its session and goes to the error handler; others go on.
#[test]
fn a_panic_in_a_handler_ends_its_session_only() {
    for name in Mode::NAMES {
        a_panic_ends_its_session_only(name);
    }
}

fn a_panic_ends_its_session_only(mode: &'static str) {
    for slot in [Slot::Accept, Slot::Open, Slot::Message, Slot::Close, Slot::End] {
        let home = Home::new();
        let mode = Mode::new(mode, &home.0);
        let (handler, events) = Recorder::with(move |event| {
            if Slot::of(event).is_some_and(|(called, session)| {
                called == slot && session.is_some_and(|session| session.client_id() != "good")
            }) {
                panic!("as a test, in {slot:?}");
            }
        });
        let mut config = server_config();
        config.session.dispatch = mode.dispatch.clone();
        let server = home.server(config, handler);
        let (handler, at_bad) = Recorder::new();
        let bad = home.client(&server, Framing::Framed, handler);
        if bad.wait_connected(Some(PATIENCE)).is_ok() {
            let _ = bad.session().map(|session| session.send(Payload::Text, b"hello"));
        }
        if matches!(slot, Slot::Close | Slot::End) {
            bad.stop(None);
        }
        let error = events.error();
        assert_eq!(error.code, Code::HandlerFailed);
        assert!(error.message.contains("as a test"), "{error}");
        bad.wait(Some(PATIENCE)).unwrap();
        at_bad.released();
        // At accept nobody is known to be good.
        if slot != Slot::Accept {
            let mut config = support::client_config(server.local_addr().port());
            config.client_id = "good".into();
            config.session.framing = Framing::Framed;
            let (handler, _at_good) = Recorder::new();
            let good = Client::start(&home.0, config, handler).unwrap();
            good.wait_connected(Some(PATIENCE)).unwrap();
            good.session().unwrap().send(Payload::Text, b"still here").unwrap();
            assert_eq!(events.message().1, b"still here");
        }
    }
}

/// A panic in an error handler is only logged.
#[test]
fn a_panic_in_an_error_handler_goes_nowhere() {
    let home = Home::new();
    let (handler, events) = Recorder::with(|event| match event {
        Event::Open(_) | Event::Error(..) => panic!("as a test"),
        _ => {}
    });
    let server = home.server(server_config(), handler);
    let (handler, _at_client) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait(Some(PATIENCE)).unwrap();
    let report = events.closed();
    assert_eq!((report.reason, report.text.as_str()), (Some(Code::HandlerFailed), "as a test"));
    assert_eq!(server.stats().errors, 1);
}

/// Reliability row 9: nothing is told after a stop that was waited for, at whatever moment it comes.
#[test]
fn nothing_is_told_after_a_stop() {
    for name in Mode::NAMES {
        nothing_is_told_after(name);
    }
}

fn nothing_is_told_after(mode: &'static str) {
    let home = Home::new();
    let mode = Mode::new(mode, &home.0);
    for round in 0..150 {
        let released = Arc::new(AtomicBool::new(false));
        let alive = released.clone();
        let (handler, events) = Recorder::with(move |event| {
            assert!(!alive.load(Ordering::SeqCst), "told after the end: {event:?}");
            if let Event::Message(session, kind, data) = event {
                let _ = session.send(*kind, data);
            }
        });
        let mut config = server_config();
        config.session.dispatch = mode.dispatch.clone();
        let server = home.server(config, handler);
        let (handler, at_client) = Recorder::with(|event| match event {
            Event::Open(session) => session.send(Payload::Text, b"ping").unwrap(),
            Event::Message(session, kind, data) => drop(session.send(*kind, data)),
            _ => {}
        });
        let client = home.client(&server, Framing::Framed, handler);
        match round % 3 {
            0 => {}
            1 => drop(client.wait_connected(Some(PATIENCE))),
            _ => drop(at_client.message()),
        }
        server.stop(if round % 2 == 0 { None } else { Some(Duration::ZERO) });
        server.wait(Some(PATIENCE)).unwrap();
        released.store(true, Ordering::SeqCst);
        let told = events.rest();
        assert!(matches!(told.last(), Some(Event::Release)));
        let count = |wanted: fn(&Event) -> bool| told.iter().filter(|event| wanted(event)).count();
        assert_eq!(count(|event| matches!(event, Event::Open(_))), count(|event| matches!(event, Event::Close(..))));
        assert_eq!(count(|event| matches!(event, Event::Accept(_))), count(|event| matches!(event, Event::End(..))));
        client.stop(Some(Duration::ZERO));
        client.wait(Some(PATIENCE)).unwrap();
    }
}
