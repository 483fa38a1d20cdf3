//! The log of a context: single messages, on whatever thread they are sent, and what bad peers make of it.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use network_system::config::{ContextConfig, Framing, SendPolicy, SessionConfig};
use network_system::core::Client;
use network_system::log::{Filter, Log, Record, Sink};
use network_system::runtime::{Clock, Context, ContextHooks, ManualClock};
use network_system::session::handler::Payload;
use support::{Event, Home, Mode, PATIENCE, Recorder, client_config, server_config, wait_until};
use tracing::Level;

/// Keeps lines as "LEVEL target: text".
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Sink for Lines {
    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}: {}", record.level, record.target, record.text));
    }
}

impl Lines {
    fn with(&self, part: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.contains(part)).cloned().collect()
    }
}

/// A context with a log.
fn home(filter: Filter, clock: Clock) -> (Home, Log, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    let log = Log::new(filter, vec![lines.clone()], clock);
    let hooks = ContextHooks { dispatch: Some(log.dispatch()), ..ContextHooks::default() };
    (Home(Context::new(ContextConfig::default(), hooks)), log, lines)
}

const SECRET: &[u8] = b"correct horse battery staple";

/// The messages of an echo between a client's thread and a server's handler, as the log has them.
#[test]
fn each_message_is_a_line_without_what_is_in_it() {
    for name in Mode::NAMES {
        let (home, _log, lines) = home(Filter::up_to(Level::TRACE), Clock::default());
        let mode = Mode::new(name, &home.0);
        let mut config = server_config();
        config.session.log_messages = true;
        config.session.dispatch = mode.dispatch.clone();
        let (handler, at_server) = Recorder::echoing();
        let server = home.server(config, handler);
        let mut config = client_config(server.local_addr().port());
        config.session = SessionConfig { framing: Framing::Framed, log_messages: true, ..SessionConfig::default() };
        let (handler, at_client) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        client.send(Payload::Text, SECRET).unwrap();
        at_client.message();
        let (ours, theirs) = (client.session().unwrap(), at_server.opened());
        let line = |what: &str, session: &str, peer| {
            format!("INFO network_system::messages: {what} session={session} peer={peer} kind=text bytes=28")
        };
        let mut expected = [
            line("sent", ours.id(), server.local_addr()),
            line("received", theirs.id(), ours.local_addr().unwrap()),
            line("sent", theirs.id(), ours.local_addr().unwrap()),
            line("received", ours.id(), server.local_addr()),
        ];
        // A line of a send may come after those of what the send has brought about.
        wait_until("all four lines", || lines.with("::messages").len() == 4);
        let mut found = lines.with("::messages");
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{name}");

        server.broadcast(Payload::Binary, SECRET).unwrap();
        at_client.message();
        wait_until("the line of the broadcast", || lines.with("kind=binary").len() == 2);
        let sent = format!("sent session={} peer={} kind=binary bytes=28", theirs.id(), ours.local_addr().unwrap());
        assert_eq!(lines.with(&sent).len(), 1, "{name}");
        assert_eq!(lines.with("horse"), [""; 0], "{name}");
    }
}

#[test]
fn messages_are_not_logged_unless_that_is_wanted() {
    let (home, _log, lines) = home(Filter::up_to(Level::TRACE), Clock::default());
    let (handler, at_server) = Recorder::new();
    let server = home.server(server_config(), handler);
    let (handler, _at_client) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.send(Payload::Text, SECRET).unwrap();
    at_server.message();
    assert_eq!((lines.with("::messages").len(), lines.with("horse").len()), (0, 0));
    assert_eq!(lines.with("is open").len(), 2, "the rest is logged");
}

/// What is dropped was not sent, and what waits in a client without a connection is, once.
#[test]
fn messages_that_are_dropped_or_wait() {
    let (home, _log, lines) = home(Filter::up_to(Level::INFO), Clock::default());
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = client_config(peer.local_addr().unwrap().port());
    config.session.log_messages = true;
    config.session.framing = Framing::Framed;
    config.session.send_policy = SendPolicy::DropNewest;
    config.session.send_queue = 100;
    config.session.send_hard_limit = 100;
    config.reconnect.enabled = true;
    let (handler, _events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    // The peer says no hello, so that nothing is sent.
    for _ in 0..3 {
        client.send(Payload::Binary, &[0; 80]).unwrap();
    }
    assert_eq!(client.stats().messages_dropped, 2);
    assert_eq!(lines.with("sent session=").len(), 1);
}

/// Lets `count` peers connect, one after the other, that break the protocol.
fn bad_peers(home: &Home, count: usize) -> Duration {
    let mut config = server_config();
    config.session.framing = Framing::Framed;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let drain = std::thread::spawn(move || while !matches!(events.next(), Event::Stopped) {});
    let begun = Instant::now();
    std::thread::scope(|scope| {
        const THREADS: usize = 4;
        for thread in 0..THREADS {
            let address = server.local_addr();
            scope.spawn(move || {
                for _ in 0..count / THREADS + usize::from(thread < count % THREADS) {
                    let mut peer = TcpStream::connect(address).unwrap();
                    // So that no port is taken for a minute.
                    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
                    peer.set_read_timeout(Some(PATIENCE)).unwrap();
                    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
                    let _ = peer.read(&mut [0; 64]);
                }
            });
        }
    });
    let elapsed = begun.elapsed();
    server.stop(Some(Duration::ZERO));
    server.wait(Some(PATIENCE)).unwrap();
    drain.join().unwrap();
    elapsed
}

/// Reliability row 57, with a clock that stands still.
#[test]
fn bad_peers_make_few_lines() {
    let clock = ManualClock::new();
    let (home, log, lines) = home(Filter::up_to(Level::WARN), clock.clock());
    bad_peers(&home, 200);
    let broke = |home: &str| lines.with(home).len();
    assert_eq!(broke("a peer broke the protocol"), 20);
    assert_eq!(broke(""), 20, "nothing else is said of them");
    clock.advance(Duration::from_secs(1));
    bad_peers(&home, 100);
    assert_eq!(broke(""), 30);
    assert_eq!(broke("(180 more like it were left out)"), 1);
    log.close();
    assert_eq!(broke(""), 31);
    assert_eq!(broke("(89 more like it were left out)"), 1);
}

#[test]
#[ignore = "row 57 in full: 1,000,000 bad peers"]
fn bad_peers_make_few_lines_in_full() {
    let (home, log, lines) = home(Filter::up_to(Level::WARN), Clock::default());
    let elapsed = bad_peers(&home, 1_000_000);
    log.close();
    let lines = lines.with("");
    println!("{} lines in {elapsed:?}", lines.len());
    assert!(lines.len() as u128 <= 21 + elapsed.as_millis() / 100 + 1);
    let left_out = |line: &String| -> Option<usize> {
        line.rsplit_once('(')?.1.strip_suffix(" more like it were left out)")?.parse().ok()
    };
    let told = lines.len() + lines.iter().filter_map(left_out).sum::<usize>();
    assert_eq!(told, 1_000_000, "each is in a line, or counted");
}

/// A stranger's peculiar words are one line, whatever is in them and however much is logged.
#[test]
fn a_peer_forges_no_line() {
    let (home, _log, lines) = home(Filter::up_to(Level::TRACE), Clock::default());
    let (handler, at_server) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut config = client_config(server.local_addr().port());
    config.session.framing = Framing::Framed;
    config.client_id = "eve\n2026-11-23T12:00:00.000Z ERROR forged\x1b[2J".into();
    let (handler, _at_client) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.session().unwrap().close(None, "bye\nERROR forged\u{2028}");
    at_server.closed();
    assert!(!lines.with("forged").is_empty(), "what a peer says at the end is logged");
    assert!(lines.with("").iter().all(|line| !line.contains(['\n', '\x1b', '\u{2028}'])));
}
