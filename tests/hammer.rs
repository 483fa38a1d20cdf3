//! Reliability row 10: random things happen to thousands of sessions at once, and every beginning has one end.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use network_system::session::Session;
use network_system::session::handler::{CloseReport, Handler, Message, Payload};
use socket2::SockRef;
use support::random::Random;
use support::{Home, PATIENCE, server_config};

const THREADS: u64 = 4;
const SESSIONS: u64 = 10_000;

#[derive(Default)]
struct Counter {
    accepted: AtomicU64,
    opened: AtomicU64,
    closed: AtomicU64,
    ended: AtomicU64,
    detached: AtomicU64,
    wrong: AtomicU64,
}

const CLOSED: &str = "closed";

impl Counter {
    /// Nothing comes after the close.
    fn check(&self, session: &Session) {
        if session.data(CLOSED).is_some() {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Handler for Counter {
    fn on_accept(&self, _session: &Arc<Session>) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }
    fn on_open(&self, session: &Arc<Session>) {
        self.check(session);
        self.opened.fetch_add(1, Ordering::Relaxed);
    }
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        self.check(session);
        match message.data.first() {
            Some(b'c') => session.close(None, "asked to"),
            Some(b'a') => session.abort(),
            Some(b'p') => panic!("asked to"),
            _ => drop(session.send(Payload::Stream, message.data)),
        }
    }
    fn on_close(&self, session: &Arc<Session>, _report: &CloseReport) {
        self.check(session);
        session.set_data(CLOSED, "yes").unwrap();
        self.closed.fetch_add(1, Ordering::Relaxed);
    }
    fn on_end(&self, _session: &Arc<Session>, _report: &CloseReport) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
    fn on_detach(&self, _session: &Arc<Session>) {
        self.detached.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn every_beginning_has_exactly_one_end() {
    let home = Home::new();
    let counter = Arc::new(Counter::default());
    let mut config = server_config();
    config.max_connections = 300;
    let server = home.server(config, counter.clone());
    let address = server.local_addr();
    // The panics are part of the test.
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut random = Random(thread);
                for _ in 0..SESSIONS / THREADS {
                    let Ok(mut peer) = TcpStream::connect(address) else { continue };
                    for _ in 0..random.below(4) {
                        let word: &[u8] = match random.below(8) {
                            0 => b"close",
                            1 => b"abort",
                            2 => b"NSYS\r\n\x1A\n",
                            3 => b"NSYS\r\n\x1A\nrubbish",
                            4 => b"panic",
                            _ => b"echo",
                        };
                        let _ = peer.write_all(word);
                        if random.below(4) == 0 {
                            peer.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
                            let _ = peer.read(&mut [0; 64]);
                        }
                    }
                    match random.below(6) {
                        0 => drop(SockRef::from(&peer).set_linger(Some(Duration::ZERO))),
                        1 => drop(peer.shutdown(Shutdown::Write)),
                        2 => server.sessions().first().into_iter().for_each(|session| session.close(None, "kicked")),
                        3 => server.sessions().last().into_iter().for_each(|session| session.abort()),
                        _ => {}
                    }
                }
            });
        }
    });
    server.stop(Some(Duration::from_secs(1)));
    server.wait(Some(PATIENCE)).unwrap();
    let _ = std::panic::take_hook();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let stats = server.stats();
    assert_eq!(count(&counter.accepted), stats.connections_total);
    assert!(stats.connections_total + stats.connections_rejected >= SESSIONS * 9 / 10, "{stats:?}");
    assert_eq!(count(&counter.accepted), count(&counter.ended));
    assert_eq!(count(&counter.accepted), count(&counter.detached));
    assert_eq!(count(&counter.opened), count(&counter.closed));
    assert!(count(&counter.opened) > 0);
    assert_eq!(count(&counter.wrong), 0, "told something after the close");
    assert_eq!(server.connection_count(), 0);
}
