//! Peers whose host is gone without a word, in a network of the test's own. Needs root and nft(8); says so where it has
//! not got them.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use network_system::config::{Framing, ServerConfig};
use network_system::error::Code;
use network_system::session::handler::Payload;
use support::{Event, Home, Recorder, server_config};

/// Runs a command; why not, if it fails.
fn run(command: &[&str]) -> Result<(), String> {
    let output =
        Command::new(command[0]).args(&command[1..]).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Gives this thread, and those that it starts, a network of their own, in which packets can be dropped.
fn own_network() -> Result<(), String> {
    // SAFETY: takes a number.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return Err(format!("unshare: {}", std::io::Error::last_os_error()));
    }
    run(&["ip", "link", "set", "lo", "up"])?;
    run(&["nft", "add", "table", "inet", "test"])?;
    run(&["nft", "add", "chain", "inet", "test", "in", "{ type filter hook input priority 0; }"])
}

/// From now on no packet to or from that port arrives.
fn cut(port: u16) {
    let port = port.to_string();
    for end in ["sport", "dport"] {
        run(&["nft", "add", "rule", "inet", "test", "in", "tcp", end, &port, "drop"]).unwrap();
    }
}

/// Runs a test in a network of its own if that can be had.
fn in_own_network(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || match own_network() {
        Ok(()) => test(),
        Err(why) => eprintln!("SKIPPED: no network of the test's own can be made: {why}"),
    });
    thread.join().unwrap();
}

fn raw_server(limit: Duration) -> ServerConfig {
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.unresponsive_timeout = Some(limit);
    config
}

const LIMIT: Duration = Duration::from_secs(1);

/// Reliability row 33, raw: data that is in flight to a host that is gone.
#[test]
fn a_host_that_is_gone_is_noticed_by_what_it_does_not_acknowledge() {
    in_own_network(|| {
        let home = Home::new();
        let (handler, events) = Recorder::new();
        let server = home.server(raw_server(LIMIT), handler);
        let peers: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect();
        let sessions: Vec<_> = peers.iter().map(|_| events.opened()).collect();
        cut(server.local_addr().port());
        let begun = Instant::now();
        sessions.iter().for_each(|session| session.send(Payload::Stream, b"are you there?").unwrap());
        for _ in &peers {
            let error = events.error();
            assert_eq!(error.code, Code::SessionExpired);
            assert!(error.message.contains("acknowledged nothing"), "{error}");
        }
        assert!(begun.elapsed() >= LIMIT);
    });
}

/// The same for a framed session that is paused, so that heartbeats cannot tell.
#[test]
fn a_paused_session_notices_it_too() {
    in_own_network(|| {
        let home = Home::new();
        let mut config = raw_server(LIMIT);
        config.session.framing = Framing::Framed;
        config.session.heartbeat = Some(Duration::from_millis(200));
        let (handler, events) = Recorder::new();
        let server = home.server(config, handler);
        let (handler, _at_client) = Recorder::new();
        let _client = home.client(&server, Framing::Framed, handler);
        let session = events.opened();
        session.set_paused(true);
        cut(server.local_addr().port());
        session.send(Payload::Text, b"are you there?").unwrap();
        assert!(events.error().message.contains("acknowledged nothing"));
        assert_eq!(events.closed().undelivered, 1);
    });
}

/// Framed sessions that are idle are told by heartbeats that go unanswered.
#[test]
fn heartbeats_notice_it_where_nothing_is_sent() {
    in_own_network(|| {
        let home = Home::new();
        let mut config = server_config();
        config.session.heartbeat = Some(Duration::from_millis(200));
        let (handler, events) = Recorder::new();
        let server = home.server(config, handler);
        let clients: Vec<_> = (0..20)
            .map(|_| {
                let (handler, at_client) = Recorder::new();
                (home.client(&server, Framing::Framed, handler), at_client)
            })
            .collect();
        clients.iter().for_each(|_| drop(events.opened()));
        cut(server.local_addr().port());
        for _ in &clients {
            let error = events.error();
            assert_eq!(error.code, Code::SessionExpired);
            assert!(error.message.contains("heartbeats"), "{error}");
        }
    });
}

/// A peer that lives and does not read keeps its connection, also when its window is closed for long.
#[test]
fn a_peer_that_only_does_not_read_is_left_alone() {
    in_own_network(|| {
        let home = Home::new();
        let (handler, events) = Recorder::new();
        let server = home.server(raw_server(Duration::from_millis(300)), handler);
        let mut peer = TcpStream::connect(server.local_addr()).unwrap();
        let session = events.opened();
        while session.send(Payload::Stream, &[0; 50_000]).is_ok() {}
        // The kernel probes the closed window at growing intervals, of which this sees several.
        std::thread::sleep(Duration::from_secs(1));
        assert!(!events.rest().iter().any(|event| matches!(event, Event::Error(..) | Event::Close(..))));
        peer.write_all(b"alive").unwrap();
        assert_eq!(events.message().1, b"alive");
        // Then its host goes, and it is noticed here too.
        cut(server.local_addr().port());
        assert!(events.error().message.contains("acknowledged nothing"));
    });
}
