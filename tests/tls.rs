//! Sessions behind TLS: what holds for plain ones holds for them.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use network_system::config::{ClientTls, Framing, Pem, SendPolicy, ServerTls, TlsVersion};
use network_system::core::{Client, ConnectionPool, PoolConfig, Server};
use network_system::error::Code;
use network_system::session::Session;
use network_system::session::handler::Payload;
use rustls::version::{TLS12, TLS13};
use support::framed::hello;
use support::random::Random;
use support::tls::{Ca, Folder, encrypted_server, foreign, foreign_server, read_exactly};
use support::{Event, Home, MIB, PATIENCE, Recorder};

fn start(home: &Home, ca: &Ca, server: &Server, framing: Framing) -> (Arc<Client>, support::Events) {
    let (handler, events) = Recorder::new();
    let config = ca.client_config(server.local_addr().port(), framing);
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    (client, events)
}

/// Lengths of messages: less than a record, a record, and more.
const LENGTHS: [usize; 5] = [1, 100, 16_384, 16_385, 300_000];

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 % 251) as u8).collect()
}

/// Takes messages, or pieces of a stream, until `len` bytes have come.
fn receive(events: &support::Events, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        bytes.extend(events.message().1);
    }
    bytes
}

#[test]
fn messages_go_both_ways_in_every_framing() {
    let (ca, home) = (Ca::new(), Home::new());
    for (serves, speaks) in [
        (Framing::Auto, Framing::Framed),
        (Framing::Auto, Framing::Raw),
        (Framing::Framed, Framing::Framed),
        (Framing::Raw, Framing::Raw),
    ] {
        let (handler, _at_server) = Recorder::echoing();
        let server = home.server(ca.server_config(serves), handler);
        let (client, events) = start(&home, &ca, &server, speaks);
        let kind = if speaks == Framing::Raw { Payload::Stream } else { Payload::Binary };
        for len in LENGTHS {
            let message = pattern(len);
            client.send(kind, &message).unwrap();
            assert!(receive(&events, len) == message, "{len} bytes, {speaks:?}");
        }
        let info = client.session().unwrap().tls().unwrap().clone();
        assert_eq!(info.version, TlsVersion::V1_3, "the better one is preferred");
        assert!(info.cipher_suite_name.starts_with("TLS13_AES_") && info.peer_verified && !info.resumed);
        assert_eq!(info.peer.unwrap().common_name(), Some("the server".into()));
    }
}

/// A client speaks with a server that knows one version only, unless that is one it does not want.
#[test]
fn a_client_speaks_the_version_that_its_server_knows() {
    let (ca, home) = (Ca::new(), Home::new());
    let identity = ca.server();
    for (version, expected) in [(&TLS12, TlsVersion::V1_2), (&TLS13, TlsVersion::V1_3)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (handler, events) = Recorder::new();
        let mut config = ca.client_config(listener.local_addr().unwrap().port(), Framing::Raw);
        let client = Client::start(&home.0, config.clone(), handler).unwrap();
        let mut server = foreign_server(listener.accept().unwrap().0, &identity, &[version]);
        server.conn.complete_io(&mut server.sock).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        for len in LENGTHS {
            client.send(Payload::Stream, &pattern(len)).unwrap();
            let message = read_exactly(&mut server, len);
            assert!(message == pattern(len), "{len} bytes");
            server.write_all(&message).unwrap();
            assert!(receive(&events, len) == message, "{len} bytes");
        }
        let info = client.session().unwrap().tls().unwrap().clone();
        assert!(info.version == expected && info.peer_verified && !info.resumed, "{info:?}");

        config.tls.min_version = TlsVersion::V1_3;
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        let mut server = foreign_server(listener.accept().unwrap().0, &identity, &[version]);
        let agreed = server.conn.complete_io(&mut server.sock).is_ok();
        assert_eq!(agreed, expected == TlsVersion::V1_3);
        match client.wait_connected(Some(PATIENCE)) {
            Ok(()) => assert!(agreed),
            Err(error) => assert!(!agreed && error.code == Code::TlsFailed, "{error}"),
        }
    }
}

/// A client that is asked nothing decides by its first send, behind TLS too; so does a server by the first bytes.
#[test]
fn both_sides_find_out_what_is_spoken() {
    let (ca, home) = (Ca::new(), Home::new());
    for (kind, framing) in [(Payload::Text, Framing::Framed), (Payload::Stream, Framing::Raw)] {
        let (handler, at_server) = Recorder::new();
        let server = home.server(ca.server_config(Framing::Auto), handler);
        let (client, _events) = start(&home, &ca, &server, Framing::Auto);
        client.send(kind, b"hello").unwrap();
        assert_eq!(at_server.message(), (kind, b"hello".to_vec()));
        assert_eq!(server.sessions()[0].framing(), framing);
    }
}

/// What is sent before the handshake is done waits for it.
#[test]
fn what_is_sent_early_is_sent_encrypted() {
    let (ca, home) = (Ca::new(), Home::new());
    for framing in [Framing::Framed, Framing::Raw, Framing::Auto] {
        let (handler, at_server) = Recorder::new();
        let server = home.server(ca.server_config(framing), handler);
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, ca.client_config(server.local_addr().port(), framing), handler).unwrap();
        let kind = if framing == Framing::Raw { Payload::Stream } else { Payload::Binary };
        support::wait_until("there is a session before it is open", || client.send(kind, b"early").is_ok());
        // A close waits for the handshake too.
        client.stop(None);
        assert_eq!(at_server.message(), (kind, b"early".to_vec()));
        client.wait(Some(PATIENCE)).unwrap();
    }
}

#[test]
fn tls_1_2_is_spoken_with_who_knows_no_better() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::echoing();
    let server = home.server(ca.server_config(Framing::Raw), handler);
    let mut peer = foreign(server.local_addr(), &ca, &[&TLS12]);
    peer.write_all(b"old").unwrap();
    assert_eq!(read_exactly(&mut peer, 3), b"old");
    let session = at_server.opened();
    let info = session.tls().unwrap();
    assert_eq!((info.version, &*info.server_name, info.resumed), (TlsVersion::V1_2, "localhost", false));
    assert!(info.cipher_suite_name.starts_with("TLS_ECDHE_ECDSA_WITH_AES_"), "{info:?}");
}

/// Keys may be changed at any time, and a peer may ask for it.
#[test]
fn keys_change_in_the_middle() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, _events) = Recorder::echoing();
    let server = home.server(ca.server_config(Framing::Raw), handler);
    let mut peer = foreign(server.local_addr(), &ca, &[&TLS13]);
    for round in 0..20u8 {
        let message = vec![round; 50_000];
        peer.write_all(&message).unwrap();
        peer.conn.refresh_traffic_keys().unwrap();
        assert!(read_exactly(&mut peer, message.len()) == message);
    }
}

/// A slow reader is waited for, and everything arrives in order, under every policy that loses nothing.
#[test]
fn a_slow_reader_gets_everything_in_order() {
    const MESSAGES: u64 = 300;
    let (ca, home) = (Ca::new(), Home::new());
    for policy in [SendPolicy::Wait, SendPolicy::WouldBlock] {
        for framing in [Framing::Framed, Framing::Raw] {
            let (handler, at_server) = Recorder::new();
            let mut config = ca.server_config(framing);
            config.session.send_policy = policy;
            config.session.send_queue = 64 * 1024;
            config.session.kernel_send = Some(64 * 1024);
            let server = home.server(config, handler);
            let mut config = ca.client_config(server.local_addr().port(), framing);
            config.session.kernel_receive = Some(64 * 1024);
            let (handler, events) = Recorder::new();
            let client = Client::start(&home.0, config, handler).unwrap();
            client.wait_connected(Some(PATIENCE)).unwrap();
            client.session().unwrap().set_paused(true);
            let session = at_server.opened();
            let kind = if framing == Framing::Raw { Payload::Stream } else { Payload::Binary };
            let sender = {
                let session = session.clone();
                std::thread::spawn(move || {
                    let mut blocked = 0;
                    for number in 0..MESSAGES {
                        let message = number.to_le_bytes().repeat(1000);
                        while let Err(error) = session.send(kind, &message) {
                            assert_eq!(error.code, Code::WouldBlock);
                            blocked += 1;
                            at_server.until(|event| matches!(event, Event::Writable(_)).then_some(()));
                        }
                    }
                    session.close(None, "done");
                    (blocked, at_server.closed())
                })
            };
            // There is no room for one more.
            support::wait_until("the queue is full", || session.stats().queued_bytes > 64 * 1024 - 8000);
            client.session().unwrap().set_paused(false);
            let bytes = receive(&events, MESSAGES as usize * 8000);
            for (number, message) in bytes.chunks(8000).enumerate() {
                assert!(message == (number as u64).to_le_bytes().repeat(1000), "message {number}");
            }
            let (blocked, report) = sender.join().unwrap();
            assert_eq!(blocked > 0, policy == SendPolicy::WouldBlock, "it is told to wait, or waits");
            assert_eq!((report.accepted, report.undelivered, report.dropped), (MESSAGES, 0, 0), "{report:?}");
        }
    }
}

/// The policies that give messages up: what comes is whole and in order, and the report adds up.
#[test]
fn what_a_slow_reader_does_not_get_is_counted() {
    let (ca, home) = (Ca::new(), Home::new());
    for policy in [SendPolicy::DropOldest, SendPolicy::DropNewest, SendPolicy::Disconnect] {
        let (handler, at_server) = Recorder::new();
        let mut config = ca.server_config(Framing::Framed);
        config.session.send_policy = policy;
        config.session.send_queue = 64 * 1024;
        config.session.kernel_send = Some(16 * 1024);
        let server = home.server(config, handler);
        let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
        config.session.kernel_receive = Some(16 * 1024);
        let (handler, events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        client.session().unwrap().set_paused(true);
        let session = at_server.opened();
        let mut sent = 0;
        for number in 0..3000u64 {
            if session.send(Payload::Binary, &number.to_le_bytes().repeat(200)).is_err() {
                break;
            }
            sent += 1;
        }
        client.session().unwrap().set_paused(false);
        session.close(None, "");
        let report = at_server.closed();
        let mut last = None;
        let mut received = 0;
        for event in std::iter::from_fn(|| match events.next() {
            Event::Close(..) => None,
            other => Some(other),
        }) {
            if let Event::Message(_, _, data) = event {
                let number = u64::from_le_bytes(data[..8].try_into().unwrap());
                assert!(data == number.to_le_bytes().repeat(200) && last < Some(number), "{number} after {last:?}");
                (last, received) = (Some(number), received + 1);
            }
        }
        assert_eq!(report.accepted, sent, "{policy:?}");
        assert!(report.undelivered > 0, "{policy:?}: {report:?}");
        if policy == SendPolicy::Disconnect {
            assert_eq!(report.reason, Some(Code::SendFailed));
        } else {
            assert!(report.exact && report.undelivered == report.dropped, "{policy:?}: {report:?}");
            assert_eq!(received, report.accepted - report.undelivered, "{policy:?}");
        }
    }
}

/// Reliability row 3, encrypted: peers that send all the while still get every byte that was queued before the stop,
/// and then that this was the end.
#[test]
fn a_stop_delivers_what_was_queued_although_peers_send() {
    const PEERS: usize = 40;
    let (ca, home) = (Ca::new(), Home::new());
    let mut config = ca.server_config(Framing::Raw);
    config.session.send_policy = SendPolicy::Wait;
    let (handler, events) = Recorder::owing(MIB);
    let server = home.server(config, handler);
    let address = server.local_addr();
    let ca = Arc::new(ca);
    let peers: Vec<_> = (0..PEERS)
        .map(|_| {
            let ca = Arc::clone(&ca);
            std::thread::spawn(move || {
                let mut peer = foreign(address, &ca, &[&TLS12, &TLS13]);
                let mut total = 0;
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    // What it sends is not read any more once the server stops, and must not cost it what it is owed.
                    let _ = peer.write(&[1; 4096]);
                    match peer.read(&mut buffer) {
                        Ok(0) => return total,
                        Ok(len) => total += len,
                        Err(error) => panic!("after {total} bytes: {error}"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..PEERS {
        events.opened();
    }
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    for peer in peers {
        assert_eq!(peer.join().unwrap(), MIB);
    }
    for event in events.rest() {
        if let Event::Close(_, report) = event {
            assert_eq!((report.accepted, report.undelivered), (1, 0), "{report:?}");
        }
    }
}

/// Framed, with the count that the peer confirms.
#[test]
fn a_graceful_close_is_exact() {
    let (ca, home) = (Ca::new(), Home::new());
    for messages in [0u64, 1, 500] {
        let (handler, at_server) = Recorder::new();
        let server = home.server(ca.server_config(Framing::Auto), handler);
        let (client, at_client) = start(&home, &ca, &server, Framing::Framed);
        for _ in 0..messages {
            client.send(Payload::Binary, &[1; 3000]).unwrap_or_else(|error| assert_eq!(error.code, Code::WouldBlock));
        }
        client.session().unwrap().close(None, "enough");
        let (report, theirs) = (at_client.closed(), at_server.closed());
        assert!(report.exact && report.undelivered == 0 && report.reason.is_none(), "{report:?}");
        assert!(theirs.by_peer && theirs.reason.is_none() && theirs.text == "enough", "{theirs:?}");
        assert_eq!(server.stats().messages_received, report.accepted);
    }
}

#[test]
fn an_abort_is_a_reset() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Raw), handler);
    let mut peer = foreign(server.local_addr(), &ca, &[&TLS13]);
    peer.write_all(b"x").unwrap();
    let session = at_server.opened();
    session.abort();
    assert_eq!(at_server.closed().reason, Some(Code::Cancelled));
    assert_eq!(peer.read(&mut [0; 16]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// A peer that ends its direction in the way of TLS still gets the rest; one that does not is told of.
#[test]
fn an_end_is_told_from_a_cut() {
    let (ca, home) = (Ca::new(), Home::new());
    for (says_so, version) in [(true, &TLS12), (true, &TLS13), (false, &TLS12), (false, &TLS13)] {
        let (handler, at_server) = Recorder::with(|event| {
            if let Event::Message(session, ..) = event {
                session.send(Payload::Stream, &vec![9; MIB]).unwrap();
            }
        });
        let mut config = ca.server_config(Framing::Raw);
        config.session.send_queue = 2 * MIB;
        let server = home.server(config, handler);
        let mut peer = foreign(server.local_addr(), &ca, &[version]);
        peer.write_all(b"go").unwrap();
        if says_so {
            peer.conn.send_close_notify();
            peer.conn.complete_io(&mut peer.sock).unwrap();
        }
        peer.sock.shutdown(Shutdown::Write).unwrap();
        let mut buffer = vec![0; 64 * 1024];
        let mut total = 0;
        loop {
            match peer.read(&mut buffer).unwrap() {
                0 => break,
                len => total += len,
            }
        }
        assert_eq!(total, MIB, "and it ends with close_notify, or the last read had failed");
        if !says_so {
            assert_eq!(at_server.error().code, Code::TlsTruncated);
        }
        let report = at_server.closed();
        let reason = (!says_so).then_some(Code::TlsTruncated);
        assert_eq!((report.reason, report.by_peer, report.undelivered), (reason, true, 0), "{report:?}");
    }
}

/// A peer that has ended its direction and reads only late, when the kernel's buffers have long been full, still gets
/// all, and the end.
#[test]
fn a_half_closed_peer_may_read_late() {
    const BYTES: usize = 8 * MIB;
    let (ca, home) = (Ca::new(), Home::new());
    for last in [0, 1, 5000, 16_384, 32_768] {
        let (handler, at_server) = Recorder::with(move |event| {
            if let Event::Message(session, ..) = event {
                session.send(Payload::Stream, &vec![9; BYTES]).unwrap();
                if last > 0 {
                    session.send(Payload::Stream, &vec![8; last]).unwrap();
                }
            }
        });
        let mut config = ca.server_config(Framing::Raw);
        config.session.send_queue = 2 * BYTES;
        config.session.drain = PATIENCE;
        let server = home.server(config, handler);
        let mut peer = foreign(server.local_addr(), &ca, &[&TLS13]);
        peer.write_all(b"go").unwrap();
        peer.conn.send_close_notify();
        peer.conn.complete_io(&mut peer.sock).unwrap();
        peer.sock.shutdown(Shutdown::Write).unwrap();
        let session = at_server.opened();
        // Nothing more is taken: the kernel is full. That has no event, so it is looked at twice; a kernel that is slower
        // than that only makes it easier to pass.
        let mut before = u64::MAX;
        support::wait_until("the kernel is full", || {
            std::thread::sleep(Duration::from_millis(20));
            let queued = session.stats().queued_bytes;
            0 < queued && queued == std::mem::replace(&mut before, queued)
        });
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), BYTES + last);
        assert_eq!(at_server.closed().undelivered, 0);
    }
}

/// A framed peer that goes without a word is told of as ever.
#[test]
fn a_framed_peer_that_is_cut_off_is_told_of() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Auto), handler);
    let mut peer = foreign(server.local_addr(), &ca, &[&TLS13]);
    peer.write_all(&hello("peer")).unwrap();
    at_server.opened();
    peer.sock.shutdown(Shutdown::Write).unwrap();
    let report = at_server.closed();
    assert_eq!(report.reason, Some(Code::ConnectionClosed), "{report:?}");
}

/// Sends of many threads and what comes meanwhile share one connection of TLS.
#[test]
fn many_threads_send_while_messages_come() {
    const THREADS: usize = 4;
    const MESSAGES: usize = 500;
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, _at_server) = Recorder::echoing();
    let mut config = ca.server_config(Framing::Framed);
    config.session.send_queue = 64 * MIB;
    config.session.send_hard_limit = 64 * MIB;
    let server = home.server(config, handler);
    let (handler, events) = Recorder::new();
    let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
    config.session.send_policy = SendPolicy::Wait;
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let client = Arc::clone(&client);
            std::thread::spawn(move || {
                let mut random = Random(thread as u64);
                for number in 0..MESSAGES {
                    let mut message = vec![thread as u8; 4 + random.below(20_000)];
                    message[..4].copy_from_slice(&(number as u32).to_le_bytes());
                    client.send(Payload::Binary, &message).unwrap();
                }
            })
        })
        .collect();
    let mut next = [0u32; THREADS];
    for _ in 0..THREADS * MESSAGES {
        let (_, data) = events.message();
        let number = u32::from_le_bytes(data[..4].try_into().unwrap());
        let Some(&thread) = data.get(4) else { continue };
        assert!(data[4..].iter().all(|byte| *byte == thread), "no message has bytes of another");
        assert!(number >= next[thread as usize], "in order");
        next[thread as usize] = number + 1;
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Reliability row 53, the reason of resumption: a client that connects again leaves out most of the handshake.
#[test]
fn a_client_that_comes_again_resumes() {
    let (ca, home) = (Ca::new(), Home::new());
    for (offers, takes) in [(true, true), (false, true), (true, false)] {
        let (handler, at_server) = Recorder::new();
        let mut config = ca.server_config(Framing::Framed);
        config.tls.session_resumption = offers;
        let server = home.server(config, handler);
        let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
        config.tls.session_resumption = takes;
        config.reconnect = support::reconnecting::quickly();
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        for round in 0..3 {
            let session = at_server.opened();
            // The tickets come behind the handshake, so before this.
            client.send(Payload::Text, b"here").unwrap();
            at_server.message();
            let resumed = round > 0 && offers && takes;
            assert_eq!(session.tls().unwrap().resumed, resumed, "{offers} {takes} {round}");
            session.close(None, "again");
            at_server.closed();
        }
        client.stop(None);
    }
}

/// The connections of a pool resume the sessions of each other.
#[test]
fn a_pool_encrypts_its_connections() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Framed), handler);
    let (handler, _events) = Recorder::new();
    let config = ca.client_config(server.local_addr().port(), Framing::Framed);
    let pool = ConnectionPool::start(&home.0, PoolConfig::default(), config, handler).unwrap();
    let mut leases = Vec::new();
    for round in 0..3 {
        let lease = pool.acquire(Some(PATIENCE)).unwrap();
        lease.client().send(Payload::Text, b"here").unwrap();
        leases.push(lease);
        let session = at_server.opened();
        at_server.message();
        assert_eq!(session.tls().unwrap().resumed, round > 0);
    }
    drop(leases);
    pool.stop(None);
    let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
    config.tls.ca = Pem::memory("nothing");
    let (handler, _events) = Recorder::new();
    let error = ConnectionPool::start(&home.0, PoolConfig::default(), config, handler).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument, "before anything is started");
}

#[test]
fn application_protocols_are_agreed_on() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let mut config = ca.server_config(Framing::Raw);
    config.tls.alpn = vec!["b".into(), "c".into()];
    let server = home.server(config, handler);
    for (offered, agreed) in [(&["a", "b"][..], Some("b")), (&["c", "b"], Some("b")), (&[], Some("")), (&["a"], None)] {
        let mut config = ca.client_config(server.local_addr().port(), Framing::Raw);
        config.tls.alpn = offered.iter().map(|name| (*name).to_owned()).collect();
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        match agreed {
            Some(agreed) => {
                client.wait_connected(Some(PATIENCE)).unwrap();
                assert_eq!(&*client.session().unwrap().tls().unwrap().alpn, agreed.as_bytes());
                assert_eq!(&*at_server.opened().tls().unwrap().alpn, agreed.as_bytes());
            }
            None => {
                assert_eq!(client.wait_connected(Some(PATIENCE)).unwrap_err().code, Code::TlsFailed);
                assert_eq!(at_server.error().code, Code::TlsFailed);
            }
        }
    }
}

/// Certificates and keys in files, of the configuration file of which they are named too.
#[test]
fn certificates_come_from_files() {
    let (ca, home) = (Ca::new(), Home::new());
    let folder = Folder::new("tls-files");
    let identity = ca.server();
    let certificate = folder.write("server.pem", &(identity.certificate.clone() + &ca.pem()));
    let key = folder.write("server.key", &identity.key);
    let roots = folder.write("ca.pem", &ca.pem());
    let text = format!(
        "[server]\nbind_address = \"127.0.0.1\"\nport = 0\n[server.tls]\nenabled = true\ncertificate_file = \
         {certificate:?}\nkey_file = {key:?}\nmin_version = \"1.3\"\nalpn = \"x, y\"\n[client]\nhost = \"localhost\"\n\
         [client.tls]\nenabled = true\nca_file = {roots:?}\n"
    );
    let config = network_system::config::NetworkConfig::from_str(&text, network_system::config::Format::Toml).unwrap();
    let expected = ServerTls {
        enabled: true,
        certificate: Pem::file(certificate),
        key: Pem::file(key),
        min_version: TlsVersion::V1_3,
        alpn: vec!["x".into(), "y".into()],
        ..ServerTls::default()
    };
    assert_eq!(config.server.tls, expected);
    let (handler, _at_server) = Recorder::echoing();
    let server = Server::start(&home.0, config.server, handler).unwrap();
    let mut config = config.client;
    config.port = server.local_addr().port();
    let (handler, events) = Recorder::new();
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    client.send(Payload::Text, b"from files").unwrap();
    assert_eq!(events.message().1, b"from files");
}

#[test]
fn a_name_other_than_the_host_can_be_asked_for() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Framed), handler);
    for sni in [true, false] {
        let mut config = ca.client_config(server.local_addr().port(), Framing::Framed);
        config.tls = ClientTls { server_name: "localhost".into(), sni, ..config.tls };
        let (handler, _events) = Recorder::new();
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        assert_eq!(&*at_server.opened().tls().unwrap().server_name, if sni { "localhost" } else { "" });
    }
}

/// Broadcasts, groups and pauses as ever.
#[test]
fn a_server_broadcasts_and_a_session_pauses() {
    let (ca, home) = (Ca::new(), Home::new());
    let (handler, at_server) = Recorder::new();
    let server = home.server(ca.server_config(Framing::Auto), handler);
    let clients: Vec<_> = (0..5).map(|_| start(&home, &ca, &server, Framing::Framed)).collect();
    let sessions: Vec<Arc<Session>> = clients.iter().map(|_| at_server.opened()).collect();
    sessions[0].set_paused(true);
    for message in [vec![1; 10], vec![2; 200_000]] {
        assert_eq!(server.broadcast(Payload::Binary, &message).unwrap().queued, 5);
        for (_, events) in &clients {
            assert!(events.message().1 == message);
        }
    }
    for (client, _) in &clients {
        client.send(Payload::Binary, &vec![3; 100_000]).unwrap();
    }
    let first = sessions[0].id().to_owned();
    for _ in 0..4 {
        let from = at_server.until(|event| if let Event::Message(from, ..) = event { Some(from) } else { None });
        assert_ne!(from.id(), first, "it is paused");
    }
    sessions[0].set_paused(false);
    assert_eq!(at_server.message().1.len(), 100_000);
}

/// Every way to dispatch handlers.
#[test]
fn handlers_may_run_anywhere() {
    let ca = Ca::new();
    for name in support::Mode::NAMES {
        let home = Home::new();
        let mode = support::Mode::new(name, &home.0);
        let (handler, _at_server) = Recorder::echoing();
        let mut config = encrypted_server(&ca.server(), Framing::Auto);
        config.session.dispatch = mode.dispatch.clone();
        config.session.receive_queue = 10_000;
        config.session.send_queue = 4 * MIB;
        let server = home.server(config, handler);
        let (client, events) = start(&home, &ca, &server, Framing::Framed);
        for number in 0..100u32 {
            client.send(Payload::Binary, &number.to_le_bytes().repeat(1500)).unwrap();
        }
        for number in 0..100u32 {
            assert!(events.message().1 == number.to_le_bytes().repeat(1500), "{name}");
        }
        client.stop(None);
        client.wait(Some(PATIENCE)).unwrap();
        server.stop(None);
        server.wait(Some(PATIENCE)).unwrap();
        drop(mode);
    }
}

/// A stop ends in time also where handshakes are half done.
#[test]
fn a_stop_ends_half_done_handshakes() {
    let (ca, home) = (Ca::new(), Home::new());
    let told = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&told);
    let (handler, _events) = Recorder::with(move |event| {
        if !matches!(event, Event::Stopped | Event::Release | Event::Detach(_)) {
            seen.store(true, Ordering::SeqCst);
        }
    });
    let server = home.server(ca.server_config(Framing::Auto), handler);
    let silent: Vec<_> = (0..50).map(|_| std::net::TcpStream::connect(server.local_addr()).unwrap()).collect();
    let begun: Vec<_> = silent.iter().map(|mut peer| peer.write_all(&[22, 3, 1, 2, 0, 1, 0, 1])).collect();
    assert!(begun.iter().all(Result::is_ok));
    support::wait_until("all are there", || server.connection_count() == 50);
    server.stop(Some(Duration::ZERO));
    server.wait(Some(Duration::from_secs(2))).unwrap();
    assert!(!told.load(Ordering::SeqCst), "nothing was told of peers that never were known");
}
