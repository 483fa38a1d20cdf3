//! One test in a program of its own, since it looks at the memory of the whole process.

// Elsewhere memory is the C library's to give back.
#![cfg(target_env = "gnu")]

mod support;

use std::net::TcpStream;
use std::sync::Arc;

use network_system::config::Framing;
use network_system::session::handler::Handler;
use support::{Home, raise_descriptor_limit, server_config, wait_until};

/// Keeps nothing.
struct Quiet;
impl Handler for Quiet {}

/// Bytes of the process's own in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    1024 * line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
}

/// Goal P7: what many sessions took goes back to the system when they have ended, while the server goes on.
#[test]
fn memory_returns_when_a_crowd_has_gone() {
    const CROWD: usize = 4000;
    raise_descriptor_limit();
    let home = Home::new();
    let mut config = server_config();
    config.max_connections = usize::MAX;
    config.session.framing = Framing::Raw;
    let server = home.server(config, Arc::new(Quiet));
    let connect = |count| (0..count).map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect::<Vec<_>>();
    let before = resident();
    let mut peers = connect(CROWD);
    wait_until("all are there", || server.connection_count() == CROWD);
    let with = resident();
    assert!(with - before > 1024 * CROWD, "{} bytes for {CROWD} sessions", with - before);
    // Not all at once: what the last of them leave is given back too.
    peers.truncate(CROWD / 2);
    wait_until("half of them has ended", || server.connection_count() == CROWD / 2);
    drop(peers);
    wait_until("all have ended", || server.connection_count() == 0);
    wait_until("most of it has been given back", || resident() - before < (with - before) / 4);
}
