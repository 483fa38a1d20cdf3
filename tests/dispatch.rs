//! Handlers that run elsewhere than on the loop: on the pool, on an executor, in the user's own loop; and sessions over
//! several loops.

mod support;

use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use network_system::config::{ContextConfig, Framing};
use network_system::error::Code;
use network_system::runtime::{Context, ContextHooks, Dispatch, Executor, Job};
use network_system::session::handler::Payload;
use support::{Event, Gate, Home, Mode, PATIENCE, Recorder, dispatched, server_config, wait_until};

/// Waits until the descriptor is readable; false after `millis` ms.
fn readable(descriptor: BorrowedFd<'_>, millis: i32) -> bool {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives through the call.
    unsafe { libc::poll(&raw mut poll, 1, millis) == 1 }
}

/// Issue 3: ordered per session in every mode, whatever the burst.
#[test]
fn messages_of_a_session_are_handled_one_at_a_time_and_in_order() {
    const CLIENTS: u32 = 4;
    const MESSAGES: u32 = 5_000;
    for name in Mode::NAMES {
        let home = Home::new();
        let mode = Mode::new(name, &home.0);
        let inside: Arc<Mutex<HashSet<String>>> = Arc::default();
        let (handler, events) = Recorder::with(move |event| {
            if let Event::Message(session, ..) = event {
                let id = session.id().to_owned();
                assert!(inside.lock().unwrap().insert(id.clone()), "two handlers of a session at a time");
                std::hint::black_box((0..200).sum::<u32>());
                inside.lock().unwrap().remove(&id);
            }
        });
        let server = home.server(dispatched(mode.dispatch.clone()), handler);
        let senders: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (handler, _) = Recorder::new();
                let client = home.client(&server, Framing::Framed, handler);
                std::thread::spawn(move || {
                    client.wait_connected(Some(PATIENCE)).unwrap();
                    let session = client.session().unwrap();
                    for number in 0..MESSAGES {
                        while let Err(error) = session.send(Payload::Binary, &number.to_le_bytes()) {
                            assert_eq!(error.code, Code::WouldBlock);
                            std::thread::yield_now();
                        }
                    }
                    client.stop(None);
                    client.wait(Some(PATIENCE)).unwrap();
                })
            })
            .collect();
        let mut next: HashMap<String, u32> = HashMap::new();
        let mut ended = 0;
        while ended < CLIENTS {
            match events.next() {
                Event::Message(session, _, data) => {
                    let number = next.entry(session.id().to_owned()).or_default();
                    assert_eq!(u32::from_le_bytes(data.try_into().unwrap()), *number, "{name}: out of order");
                    *number += 1;
                }
                Event::Close(session, report) => {
                    assert_eq!((report.reason, report.discarded), (None, 0), "{name}");
                    assert_eq!(next[session.id()], MESSAGES, "{name}: closed before all was handled");
                }
                Event::End(..) => ended += 1,
                _ => {}
            }
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(server.stats().messages_received, u64::from(CLIENTS * MESSAGES));
    }
}

/// Reliability row 15: with a pool, or an executor, a slow handler holds up its own session only; that session's
/// heartbeats go on.
#[test]
fn a_slow_handler_holds_up_its_session_only() {
    for name in ["pool", "executor"] {
        let context =
            Context::new(ContextConfig { pool_threads: 2, ..ContextConfig::default() }, ContextHooks::default());
        let home = Home(context);
        let mode = Mode::new(name, &home.0);
        let gate: Arc<Gate> = Arc::default();
        let entered: Arc<AtomicBool> = Arc::default();
        let (inner, inside) = (gate.clone(), entered.clone());
        let (handler, _events) = Recorder::with(move |event| {
            if let Event::Message(session, kind, data) = event {
                if data == b"slow" {
                    inside.store(true, Ordering::SeqCst);
                    inner.pass();
                }
                session.send(*kind, data).unwrap();
            }
        });
        let mut config = dispatched(mode.dispatch.clone());
        config.session.heartbeat = Some(Duration::from_millis(200));
        let server = home.server(config, handler);
        let connect = || {
            let (handler, events) = Recorder::new();
            let mut config = support::client_config(server.local_addr().port());
            config.session.framing = Framing::Framed;
            config.session.heartbeat = Some(Duration::from_millis(200));
            let client = network_system::core::Client::start(&home.0, config, handler).unwrap();
            client.wait_connected(Some(PATIENCE)).unwrap();
            (client, events)
        };
        let (slow, at_slow) = connect();
        slow.session().unwrap().send(Payload::Text, b"slow").unwrap();
        wait_until("the slow handler runs", || entered.load(Ordering::SeqCst));
        let (quick, at_quick) = connect();
        // Meanwhile heartbeats pass several times the time after which a dead session ends.
        let wire = slow.stats().wire_bytes_received;
        while slow.stats().wire_bytes_received < wire + 10 * 16 {
            quick.session().unwrap().send(Payload::Text, b"quick").unwrap();
            assert_eq!(at_quick.message().1, b"quick");
        }
        gate.open();
        assert_eq!(at_slow.message().1, b"slow", "{name}");
    }
}

/// Two sessions' handlers run at the same time where they may, and no two where they may not.
#[test]
fn handlers_of_different_sessions_overlap_on_the_pool_only() {
    for (name, overlap) in [("pool", true), ("executor", true), ("inline", false), ("manual", false)] {
        let context =
            Context::new(ContextConfig { pool_threads: 2, ..ContextConfig::default() }, ContextHooks::default());
        let home = Home(context);
        let mode = Mode::new(name, &home.0);
        let both = Arc::new(Barrier::new(2));
        let inside: Arc<AtomicUsize> = Arc::default();
        let (handler, events) = Recorder::with(move |event| {
            if matches!(event, Event::Message(..)) {
                let others = inside.fetch_add(1, Ordering::SeqCst);
                if overlap {
                    both.wait();
                } else {
                    assert_eq!(others, 0);
                }
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let server = home.server(dispatched(mode.dispatch.clone()), handler);
        let clients: Vec<_> = (0..2).map(|_| home.client(&server, Framing::Framed, Recorder::new().0)).collect();
        for client in &clients {
            client.wait_connected(Some(PATIENCE)).unwrap();
            client.session().unwrap().send(Payload::Text, b"both at once").unwrap();
        }
        clients.iter().for_each(|_| assert_eq!(events.message().1, b"both at once"));
    }
}

/// Reliability row 21: what waits for a slow handler is bounded, TCP pushes back, and all of it arrives in the end.
#[test]
fn a_slow_handler_slows_its_peer_down() {
    for name in ["pool", "executor", "manual"] {
        for framing in [Framing::Framed, Framing::Raw] {
            const MESSAGES: usize = 2_000;
            const LEN: usize = 16 * 1024;
            let home = Home::new();
            let mode = Mode::new(name, &home.0);
            let gate: Arc<Gate> = Arc::default();
            let inner = gate.clone();
            let (handler, events) = Recorder::with(move |event| {
                if matches!(event, Event::Message(..)) {
                    inner.pass();
                }
            });
            let mut config = dispatched(mode.dispatch.clone());
            config.session.framing = framing;
            config.session.receive_queue = 100_000;
            config.session.kernel_receive = Some(64 * 1024);
            let server = home.server(config, handler);
            let (handler, at_client) = Recorder::new();
            let client = home.client(&server, framing, handler);
            client.wait_connected(Some(PATIENCE)).unwrap();
            let session = client.session().unwrap();
            let mut sent = 0;
            let mut send_all = || {
                while sent < MESSAGES && session.send(Payload::Binary, &[7; LEN]).is_ok() {
                    sent += 1;
                }
                sent
            };
            // Until the peer's window, the kernel and our queue are full: no writable event comes any more. Nothing tells of
            // that; a look that comes too early only makes the check behind it an easier one.
            let mut is_full = || {
                let before = client.stats().wire_bytes_sent;
                send_all() < MESSAGES && client.stats().wire_bytes_sent == before
            };
            wait_until("nothing goes out any more", || {
                is_full() && server.stats().bytes_received >= 100_000 && is_full()
            });
            let stats = server.stats();
            // At most the queue's bound, and what one read brought.
            assert!(stats.bytes_received <= 100_000 + 256 * 1024 + LEN as u64, "{name}: {stats:?}");
            gate.open();
            while send_all() < MESSAGES {
                at_client.until(|event| matches!(event, Event::Writable(_)).then_some(()));
            }
            let mut received = 0;
            while received < MESSAGES * LEN {
                received += events.message().1.len();
            }
            assert_eq!(received, MESSAGES * LEN, "{name}");
            assert_eq!(server.stats().bytes_received, (MESSAGES * LEN) as u64);
        }
    }
}

/// What a peer sent before it closed, ended its direction or died is handled before the end is told.
#[test]
fn what_came_before_the_end_is_handled() {
    for name in Mode::NAMES {
        for end in ["close", "eof", "reset", "violation"] {
            let home = Home::new();
            let mode = Mode::new(name, &home.0);
            let gate: Arc<Gate> = Arc::default();
            let inner = gate.clone();
            if name == "inline" {
                // There reading waits for the handler.
                gate.open();
            }
            let (handler, events) = Recorder::with(move |event| {
                if matches!(event, Event::Message(..)) {
                    inner.pass();
                }
            });
            let server = home.server(dispatched(mode.dispatch.clone()), handler);
            let mut expected = 3;
            if end == "close" {
                let (handler, at_client) = Recorder::new();
                let client = home.client(&server, Framing::Framed, handler);
                client.wait_connected(Some(PATIENCE)).unwrap();
                (0..3).for_each(|_| client.session().unwrap().send(Payload::Text, b"before").unwrap());
                client.stop(Some(PATIENCE));
                gate.open();
                client.wait(Some(PATIENCE)).unwrap();
                let report = at_client.closed();
                assert_eq!((report.accepted, report.undelivered, report.exact), (3, 0, true), "{name}");
            } else {
                let mut peer = TcpStream::connect(server.local_addr()).unwrap();
                if end == "violation" {
                    let mut words = b"NSYS\r\n\x1A\n".to_vec();
                    words.extend_from_slice(&[14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
                    (0..3).for_each(|_| {
                        words.extend_from_slice(&[6, 0, 0, 0, 4, 0, 0, 0, b'b', b'e', b'f', b'o', b'r', b'e'])
                    });
                    words.extend_from_slice(&[0xFF; 8]);
                    peer.write_all(&words).unwrap();
                } else {
                    // It comes in as many pieces as the network makes of it.
                    expected = 18;
                    peer.write_all(b"beforebeforebefore").unwrap();
                }
                wait_until("received", || server.stats().bytes_received == 18);
                match end {
                    "eof" => peer.shutdown(Shutdown::Write).unwrap(),
                    "reset" => socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap(),
                    _ => {}
                }
                if end == "reset" {
                    drop(peer);
                    gate.open();
                } else {
                    gate.open();
                    peer.read_to_end(&mut Vec::new()).unwrap();
                }
            }
            let mut handled = 0;
            let report = events.until(|event| match event {
                Event::Message(_, _, data) => {
                    handled += if expected == 18 { data.len() } else { 1 };
                    None
                }
                Event::Close(_, report) => Some(report),
                _ => None,
            });
            assert_eq!((handled, report.discarded), (expected, 0), "{name}: {end}: {report:?}");
        }
    }
}

/// What waits when this side closes is dropped and counted, here as at the peer: none is lost without a trace.
#[test]
fn what_waits_when_we_close_is_counted() {
    for name in ["pool", "executor", "manual"] {
        let home = Home::new();
        let mode = Mode::new(name, &home.0);
        let gate: Arc<Gate> = Arc::default();
        let inner = gate.clone();
        let (handler, events) = Recorder::with(move |event| {
            if let Event::Message(session, ..) = event {
                session.close(None, "enough");
                inner.pass();
            }
        });
        let server = home.server(dispatched(mode.dispatch.clone()), handler);
        let (handler, at_client) = Recorder::new();
        let client = home.client(&server, Framing::Framed, handler);
        client.wait_connected(Some(PATIENCE)).unwrap();
        let session = client.session().unwrap();
        let accepted = (0..50).filter(|_| session.send(Payload::Text, b"one of many").is_ok()).count() as u64;
        let theirs = at_client.closed();
        gate.open();
        let ours = events.closed();
        assert_eq!((theirs.accepted, theirs.undelivered, theirs.exact), (accepted, accepted - 1, true), "{name}");
        assert!(ours.discarded < accepted, "{name}: {ours:?}");
        assert_eq!(ours.text, "enough");
    }
}

/// The server's connect handler has run before the client knows that it is connected, wherever it runs.
#[test]
fn a_client_is_connected_after_the_servers_handler_has_run() {
    for name in Mode::NAMES {
        let home = Home::new();
        let mode = Mode::new(name, &home.0);
        let gate: Arc<Gate> = Arc::default();
        let opened: Arc<AtomicBool> = Arc::default();
        let (inner, done) = (gate.clone(), opened.clone());
        let (handler, _events) = Recorder::with(move |event| {
            if let Event::Open(session) = event {
                assert_eq!(session.client_id(), "client");
                inner.pass();
                session.send(Payload::Text, b"welcome").unwrap();
                done.store(true, Ordering::SeqCst);
            }
        });
        let server = home.server(dispatched(mode.dispatch.clone()), handler);
        let (handler, at_client) = Recorder::new();
        let client = home.client(&server, Framing::Framed, handler);
        assert_eq!(client.wait_connected(Some(Duration::from_millis(30))).unwrap_err().code, Code::Timeout);
        gate.open();
        client.wait_connected(Some(PATIENCE)).unwrap();
        assert!(opened.load(Ordering::SeqCst), "{name}");
        assert_eq!(at_client.message().1, b"welcome");
    }
}

/// An executor that refuses, panics, or runs jobs at once loses nothing.
#[test]
fn an_executor_that_takes_nothing_loses_nothing() {
    struct Refuses;
    impl Executor for Refuses {
        fn execute(&self, job: Job) {
            drop(job);
        }
    }
    struct Panics;
    impl Executor for Panics {
        fn execute(&self, _job: Job) {
            panic!("as a test");
        }
    }
    struct AtOnce;
    impl Executor for AtOnce {
        fn execute(&self, job: Job) {
            job.run();
        }
    }
    /// Holds three jobs and then stops, with what it holds.
    #[derive(Default)]
    struct Stops(Mutex<Vec<Job>>, AtomicUsize);
    impl Executor for Stops {
        fn execute(&self, job: Job) {
            let mut held = vec![job];
            if self.1.fetch_add(1, Ordering::SeqCst) < 2 {
                self.0.lock().unwrap().append(&mut held);
            } else {
                held.append(&mut self.0.lock().unwrap());
            }
            drop(held);
        }
    }
    let executors: [(&str, Arc<dyn Executor>); 4] = [
        ("refuses", Arc::new(Refuses)),
        ("panics", Arc::new(Panics)),
        ("at once", Arc::new(AtOnce)),
        ("stops", Arc::new(Stops::default())),
    ];
    for (name, executor) in executors {
        let home = Home::new();
        let (handler, events) = Recorder::echoing();
        let server = home.server(dispatched(Dispatch::Executor(executor)), handler);
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let (handler, at_client) = Recorder::new();
                (home.client(&server, Framing::Raw, handler), at_client)
            })
            .collect();
        for (client, _) in &clients {
            client.wait_connected(Some(PATIENCE)).unwrap();
            client.session().unwrap().send(Payload::Stream, b"echo").unwrap();
        }
        clients.iter().for_each(|(_, at_client)| assert_eq!(at_client.message().1, b"echo", "{name}"));
        server.stop(None);
        server.wait(Some(PATIENCE)).unwrap();
        events.released();
    }
}

/// Nothing runs under manual dispatch until somebody polls, and then on that thread; the descriptor says when.
#[test]
fn manual_handlers_run_where_the_user_polls() {
    let home = Home::new();
    let threads: Arc<Mutex<HashSet<ThreadId>>> = Arc::default();
    let (seen, context) = (threads.clone(), home.0.clone());
    let (handler, events) = Recorder::with(move |event| {
        seen.lock().unwrap().insert(std::thread::current().id());
        assert_eq!(context.poll(Some(Duration::ZERO)).unwrap_err().code, Code::WouldDeadlock);
        if let Event::Message(session, kind, data) = event {
            session.send(*kind, data).unwrap();
        }
    });
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let descriptor = home.0.poll_descriptor().unwrap();
    assert!(!readable(descriptor, 0));
    assert_eq!(home.0.poll(Some(Duration::ZERO)).unwrap(), 0);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"echo").unwrap();
    assert!(readable(descriptor, 10_000));
    assert_eq!(server.wait(Some(Duration::ZERO)).unwrap_err().code, Code::Timeout);
    assert!(events.rest().is_empty(), "a handler ran although nobody polled");
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let (sender, answer) = channel();
    let reader = std::thread::spawn(move || {
        let mut echo = [0; 4];
        peer.read_exact(&mut echo).unwrap();
        sender.send(echo).unwrap();
        peer
    });
    let echo = loop {
        if let Ok(echo) = answer.try_recv() {
            break echo;
        }
        if readable(descriptor, 1) {
            assert!(home.0.poll(Some(Duration::ZERO)).unwrap() > 0);
            assert!(!readable(descriptor, 0) || home.0.poll(Some(Duration::ZERO)).unwrap() > 0);
        }
    };
    assert_eq!(&echo, b"echo");
    drop(reader.join().unwrap());
    // What waits runs the handlers that it waits for.
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    events.released();
    assert_eq!(threads.lock().unwrap().iter().copied().collect::<Vec<_>>(), [std::thread::current().id()]);
    assert!(!readable(descriptor, 0));
}

/// A context with manual handlers that nobody polls ends nevertheless: the call that waits runs them.
#[test]
fn a_context_whose_handlers_nobody_polls_can_be_shut_down() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let mut config = support::client_config(server.local_addr().port());
    config.session.framing = Framing::Raw;
    config.session.dispatch = Dispatch::Manual;
    let (handler, at_client) = Recorder::new();
    let client = network_system::core::Client::start(&home.0, config, handler).unwrap();
    // Its connection is made by the thread that waits for it.
    client.wait_connected(Some(PATIENCE)).unwrap();
    drop(home);
    events.released();
    at_client.released();
}

/// A second thread that waits leaves the handlers to the one that polls.
#[test]
fn one_thread_at_a_time_runs_manual_handlers() {
    let home = Home::new();
    let inside: Arc<AtomicUsize> = Arc::default();
    let counter = inside.clone();
    let (handler, _events) = Recorder::with(move |_| {
        assert_eq!(counter.fetch_add(1, Ordering::SeqCst), 0, "two manual handlers at a time");
        std::thread::yield_now();
        counter.fetch_sub(1, Ordering::SeqCst);
    });
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let stop: Arc<AtomicBool> = Arc::default();
    let pollers: Vec<_> = (0..3)
        .map(|_| {
            let (context, stop) = (home.0.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    context.poll(Some(Duration::from_millis(5))).unwrap();
                }
            })
        })
        .collect();
    for _ in 0..100 {
        let client = home.client(&server, Framing::Framed, Recorder::new().0);
        client.wait_connected(Some(PATIENCE)).unwrap();
        client.session().unwrap().send(Payload::Text, b"x").unwrap();
        client.stop(None);
        client.wait(Some(PATIENCE)).unwrap();
    }
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    stop.store(true, Ordering::SeqCst);
    pollers.into_iter().for_each(|poller| poller.join().unwrap());
}

/// The pool's threads are there as long as somebody uses them.
#[test]
fn the_pool_ends_with_its_last_user() {
    let threads = |prefix: &str| {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.starts_with(prefix)).count()
    };
    let config = ContextConfig { pool_threads: 3, thread_name_prefix: "ends".into(), ..ContextConfig::default() };
    let home = Home(Context::new(config, ContextHooks::default()));
    assert_eq!(threads("ends-pool"), 0);
    let first = home.server(dispatched(Dispatch::Pool), Recorder::new().0);
    let second = home.server(dispatched(Dispatch::Pool), Recorder::new().0);
    wait_until("three threads", || threads("ends-pool") == 3);
    first.stop(None);
    first.wait(Some(PATIENCE)).unwrap();
    assert_eq!(threads("ends-pool"), 3);
    let kept = {
        let client = home.client(&second, Framing::Raw, Recorder::new().0);
        client.wait_connected(Some(PATIENCE)).unwrap();
        wait_until("accepted", || second.connection_count() == 1);
        second.sessions()
    };
    second.stop(None);
    second.wait(Some(PATIENCE)).unwrap();
    wait_until("no thread, although a session is kept", || threads("ends-pool") == 0);
    drop(kept);
}

/// With io_threads a server's sessions live on several loops, each of them on one.
#[test]
fn io_threads_spread_the_sessions() {
    let home = Home::new();
    let threads: Arc<Mutex<HashMap<String, HashSet<ThreadId>>>> = Arc::default();
    let seen = threads.clone();
    let (handler, events) = Recorder::with(move |event| {
        if let Event::Message(session, kind, data) = event {
            let thread = std::thread::current().id();
            seen.lock().unwrap().entry(session.id().to_owned()).or_default().insert(thread);
            session.send(*kind, data).unwrap();
        }
    });
    let mut config = server_config();
    config.io_threads = 3;
    let server = home.server(config, handler);
    let clients: Vec<_> = (0..6)
        .map(|_| {
            let (handler, at_client) = Recorder::new();
            (home.client(&server, Framing::Framed, handler), at_client)
        })
        .collect();
    for _ in 0..20 {
        for (client, at_client) in &clients {
            client.wait_connected(Some(PATIENCE)).unwrap();
            client.session().unwrap().send(Payload::Text, b"echo").unwrap();
            assert_eq!(at_client.message().1, b"echo");
        }
    }
    let all = threads.lock().unwrap().clone();
    assert_eq!(all.len(), 6);
    assert!(all.values().all(|threads| threads.len() == 1), "a session moved: {all:?}");
    assert_eq!(all.values().flatten().collect::<HashSet<_>>().len(), 3, "{all:?}");
    assert_eq!(server.broadcast(Payload::Text, b"all").unwrap().queued, 6);
    clients.iter().for_each(|(_, at_client)| assert_eq!(at_client.message().1, b"all"));
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    events.released();
}
