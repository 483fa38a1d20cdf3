//! Peers that begin and do not go on: hellos and frames have deadlines.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use network_system::config::{Framing, ServerConfig};
use network_system::error::Code;
use network_system::session::handler::Payload;
use support::framed::{hello, message};
use support::{Event, Home, PATIENCE, Recorder, server_config};

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Writes a byte at a time until the server has had enough.
fn drip(mut stream: TcpStream, bytes: &[u8], pace: Duration) {
    for byte in bytes {
        if stream.write_all(std::slice::from_ref(byte)).is_err() {
            return;
        }
        std::thread::sleep(pace);
    }
}

/// Reads to the end; the code of the close frame that came before it, if one did.
fn end_of(stream: &mut TcpStream) -> Option<i32> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let at = rest.windows(8).position(|window| window[4] == 7 && window[5..] == [0; 3])?;
    rest.get(at + 8..)?.first_chunk().map(|code| i32::from_le_bytes(*code))
}

/// Reliability row 31: whatever a peer does instead of saying hello, it is cut in time.
#[test]
fn whoever_does_not_say_hello_is_cut() {
    const LIMIT: Duration = Duration::from_millis(600);
    for framing in [Framing::Framed, Framing::Auto] {
        let home = Home::new();
        let config = |limit| {
            let mut config = server_config();
            config.session.handshake_timeout = limit;
            config.session.framing = framing;
            config
        };
        let (handler, events) = Recorder::new();
        let server = home.server(config(LIMIT), handler);
        let hello = hello("by hand");
        // A silent peer of a server that takes raw ones is one that waits for the server to speak.
        let least = usize::from(framing == Framing::Auto);
        for (len, drips) in [(0, false), (3, false), (8, false), (15, false), (0, true), (8, true)] {
            if len < least && !drips {
                continue;
            }
            let mut peer = connect(server.local_addr());
            let begun = Instant::now();
            peer.write_all(&hello[..len.max(least)]).unwrap();
            if drips {
                let (peer, rest) = (peer.try_clone().unwrap(), hello[len.max(least)..].to_vec());
                std::thread::spawn(move || drip(peer, &rest, LIMIT / 6));
            }
            let error = events.error();
            assert_eq!(error.code, Code::Timeout, "{framing:?} {len} {drips}");
            assert!(begun.elapsed() >= LIMIT);
            end_of(&mut peer);
        }
        assert_eq!(server.connection_count(), 0);
    }
}

fn frame_server(limit: Duration) -> ServerConfig {
    let mut config = server_config();
    config.session.frame_timeout = Some(limit);
    config.session.max_message = 1 << 20;
    config
}

/// Reliability row 32: a frame that has begun has to come whole in time.
#[test]
fn a_frame_that_stalls_ends_the_session() {
    const LIMIT: Duration = Duration::from_millis(500);
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(frame_server(LIMIT), handler);
    for (bytes, drips) in [(&message(100)[..3], false), (&message(100)[..20], false), (&message(100)[..20], true)] {
        let mut peer = connect(server.local_addr());
        peer.write_all(&hello("by hand")).unwrap();
        events.opened();
        // A whole frame before it does not count.
        peer.write_all(&message(10)).unwrap();
        events.message();
        let begun = Instant::now();
        peer.write_all(bytes).unwrap();
        if drips {
            let (peer, rest) = (peer.try_clone().unwrap(), message(100)[20..].to_vec());
            std::thread::spawn(move || drip(peer, &rest, Duration::from_millis(50)));
        }
        let error = events.error();
        assert_eq!(error.code, Code::Timeout);
        assert!(error.message.contains("not whole"), "{error}");
        let allowance = if bytes.len() >= 8 { Duration::from_millis(400) } else { Duration::ZERO };
        assert!(begun.elapsed() >= LIMIT + allowance);
        let report = events.closed();
        assert_eq!((report.reason, report.text.as_str()), (Some(Code::Timeout), error.message.as_ref()));
        assert_eq!(end_of(&mut peer), Some(Code::Timeout as i32));
    }
}

/// Each frame has its own time, however many do not come whole at once.
#[test]
fn frames_that_come_in_pieces_are_in_time() {
    const LIMIT: Duration = Duration::from_secs(2);
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(frame_server(LIMIT), handler);
    let mut peer = connect(server.local_addr());
    peer.write_all(&hello("by hand")).unwrap();
    events.opened();
    let bytes = message(10);
    let (begin, rest) = bytes.split_at(9);
    let mut piece = begin.to_vec();
    let begun = Instant::now();
    while begun.elapsed() < LIMIT * 2 {
        peer.write_all(&piece).unwrap();
        std::thread::sleep(LIMIT / 20); // the pace of the pieces: each frame is in time, all together are not
        piece = [rest, begin].concat();
    }
    peer.write_all(rest).unwrap();
    peer.write_all(&message(3)).unwrap();
    events.until(|event| match event {
        Event::Message(_, Payload::Binary, data) => (data.len() == 3).then_some(()),
        Event::Error(_, error) => panic!("{error}"),
        _ => None,
    });
}

/// While this side does not read, the peer cannot be late; then its time begins anew.
#[test]
fn a_pause_of_ours_does_not_count() {
    const LIMIT: Duration = Duration::from_millis(300);
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(frame_server(LIMIT), handler);
    let mut peer = connect(server.local_addr());
    peer.write_all(&hello("by hand")).unwrap();
    let session = events.opened();
    let bytes = message(10);
    peer.write_all(&[&message(1)[..], &bytes[..9]].concat()).unwrap();
    events.message();
    session.set_paused(true);
    // Housekeeping goes by the clock, and so must the test that it does nothing.
    std::thread::sleep(LIMIT * 4);
    assert_eq!(session.state(), network_system::session::State::Connected);
    peer.write_all(&bytes[9..]).unwrap();
    session.set_paused(false);
    assert_eq!(events.message().1.len(), 10);
    assert!(!events.rest().iter().any(|event| matches!(event, Event::Error(..))));
}

fn many_slow_peers(count: usize, limit: Duration) {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let mut config = frame_server(limit);
    config.max_connections = 2 * count;
    config.session.handshake_timeout = limit;
    let server = home.server(config, handler);
    let mut peers = Vec::new();
    for index in 0..count {
        let mut peer = connect(server.local_addr());
        match index % 3 {
            0 => peer.write_all(&hello("by hand")[..11]).unwrap(),
            1 => peer.write_all(&hello("by hand")[..3]).unwrap(),
            _ => peer.write_all(&[&hello("by hand")[..], &message(240)[..20]].concat()).unwrap(),
        }
        peers.push((peer, Instant::now()));
    }
    let mut ended = 0;
    events.until(|event| {
        ended += usize::from(matches!(event, Event::End(..)));
        (ended == count).then_some(())
    });
    let latest = peers[0].1.elapsed();
    assert!(latest >= limit, "{latest:?}");
    println!("{count} slow peers were cut within {latest:?}, the limit is {limit:?}");
}

#[test]
fn many_slow_peers_are_cut() {
    many_slow_peers(300, Duration::from_millis(500));
}

#[test]
#[ignore = "rows 31 and 32 in full: thousands of peers, ten seconds"]
fn many_slow_peers_are_cut_in_full() {
    many_slow_peers(9000, Duration::from_secs(10));
}
