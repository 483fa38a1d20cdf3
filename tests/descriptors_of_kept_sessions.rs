//! One test in a program of its own, since it counts the descriptors of the whole process.

mod support;

use std::net::TcpStream;

use network_system::config::Framing;
use support::{Home, PATIENCE, Recorder, server_config};

/// A session that is kept beyond its context keeps no descriptors open.
#[test]
fn a_kept_session_keeps_no_descriptors() {
    let polls = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|e| std::fs::read_link(e.unwrap().path()).ok())
            .filter(|l| l.to_string_lossy().contains("event"))
            .count()
    };
    let before = polls();
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    let server = home.server(config, handler);
    let peer = TcpStream::connect(server.local_addr()).unwrap();
    let session = events.opened();
    drop(peer);
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    drop((server, events));
    drop(home);
    let with = polls();
    drop(session);
    let without = polls();
    assert_eq!((with, without), (before, before));
}
