//! What happens to messages that a peer does not read: the five policies, and the truth of the report.

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use network_system::config::{Framing, SendPolicy};
use network_system::core::{Client, Server};
use network_system::error::Code;
use network_system::session::Session;
use network_system::session::handler::{CloseReport, Payload};
use support::framed::hello;
use support::random::Random;
use support::{Event, Events, Home, PATIENCE, Recorder, client_config, server_config};

const QUEUE: usize = 64 * 1024;

/// A server with a small queue and a framed client that does not read until it is told to.
struct Pair {
    client: Arc<Client>,
    session: Arc<Session>,
    at_server: Events,
    at_client: Events,
}

fn pair(home: &Home, policy: SendPolicy, messages: Option<u32>) -> Pair {
    let mut config = server_config();
    config.session.send_policy = policy;
    config.session.send_queue = QUEUE;
    config.session.send_queue_messages = messages.and_then(NonZeroU32::new);
    config.session.kernel_send = Some(32 * 1024);
    let (handler, at_server) = Recorder::new();
    let server = home.server(config, handler);
    let mut config = client_config(server.local_addr().port());
    config.session.framing = Framing::Framed;
    config.session.kernel_receive = Some(32 * 1024);
    let (handler, at_client) = Recorder::with(|event| {
        if let Event::Open(session) = event {
            session.set_paused(true);
        }
    });
    let client = Client::start(&home.0, config, handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    let session = at_server.opened();
    Pair { client, session, at_server, at_client }
}

fn numbered(number: u64, len: usize) -> Vec<u8> {
    let mut message = vec![0; len.max(8)];
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// Sends until messages are dropped, and some more; gives back how many.
fn send_too_many(session: &Arc<Session>, len: usize) -> u64 {
    let mut sent = 0;
    while session.stats().messages_dropped < 500 {
        session.send(Payload::Binary, &numbered(sent, len)).unwrap();
        assert!(session.stats().queued_bytes as usize <= QUEUE + len + 8);
        sent += 1;
    }
    sent
}

/// What the client gets once it reads, to the end that the server brings about.
fn collect(pair: Pair) -> (Vec<u64>, CloseReport) {
    pair.client.session().unwrap().set_paused(false);
    pair.session.close(None, "enough");
    let report = pair.at_server.closed();
    let mut numbers = Vec::new();
    pair.at_client.until(|event| match event {
        Event::Message(_, _, data) => {
            numbers.push(u64::from_le_bytes(*data.first_chunk().unwrap()));
            None
        }
        Event::Close(..) => Some(()),
        _ => None,
    });
    assert!(numbers.is_sorted());
    (numbers, report)
}

fn assert_true(report: &CloseReport, accepted: u64, received: usize) {
    assert!(report.exact && report.reason.is_none(), "{report:?}");
    assert_eq!(report.accepted, accepted);
    assert_eq!(report.undelivered, accepted - received as u64);
    assert_eq!(report.dropped, report.undelivered);
}

#[test]
fn the_newest_are_dropped_and_counted() {
    let home = Home::new();
    let pair = pair(&home, SendPolicy::DropNewest, None);
    let sent = send_too_many(&pair.session, 1000);
    let dropped = pair.session.stats().messages_dropped;
    let (numbers, report) = collect(pair);
    assert_true(&report, sent, numbers.len());
    assert_eq!(report.dropped, dropped);
    assert!(numbers.last().is_some_and(|last| *last < sent - 1), "the last was sent to a full queue");
}

#[test]
fn the_oldest_are_dropped_and_counted() {
    let home = Home::new();
    let pair = pair(&home, SendPolicy::DropOldest, None);
    let sent = send_too_many(&pair.session, 1000);
    let (numbers, report) = collect(pair);
    assert_true(&report, sent, numbers.len());
    assert_eq!(numbers.last(), Some(&(sent - 1)));
    // What was queued at the end is without a gap.
    let whole = numbers.windows(2).rev().take_while(|pair| pair[0] + 1 == pair[1]).count();
    assert!(whole >= QUEUE / 2 / 1008, "{whole}");
}

/// A message that is larger than the whole queue takes the place of all that wait.
#[test]
fn a_message_larger_than_the_queue_is_taken() {
    let home = Home::new();
    let pair = pair(&home, SendPolicy::DropOldest, None);
    let sent = send_too_many(&pair.session, 1000);
    pair.session.send(Payload::Binary, &numbered(sent, 3 * QUEUE)).unwrap();
    assert!(pair.session.stats().queued_bytes as usize >= 3 * QUEUE);
    let (numbers, report) = collect(pair);
    assert_true(&report, sent + 1, numbers.len());
    assert_eq!(numbers.last(), Some(&sent));
}

#[test]
fn the_bound_in_messages_counts_under_every_policy() {
    let home = Home::new();
    let newest = pair(&home, SendPolicy::DropNewest, Some(10));
    let sent = send_too_many(&newest.session, 8);
    // The answer to the hello may still be before them.
    assert!(newest.session.stats().queued_bytes <= 10 * 16 + 64);
    newest.session.set_send_policy(SendPolicy::WouldBlock);
    let error = newest.session.send(Payload::Binary, b"one more").unwrap_err();
    assert_eq!(error.code, Code::WouldBlock);
    assert!(error.message.contains("10 messages"), "{error}");
    let (numbers, report) = collect(newest);
    assert_true(&report, sent, numbers.len());
}

#[test]
fn a_session_may_be_ended_for_a_full_queue() {
    let home = Home::new();
    let pair = pair(&home, SendPolicy::WouldBlock, None);
    while pair.session.send(Payload::Binary, &[0; 1000]).is_ok() {}
    pair.session.set_send_policy(SendPolicy::Disconnect);
    let error = loop {
        if let Err(error) = pair.session.send(Payload::Binary, &[0; 1000]) {
            break error;
        }
    };
    assert_eq!(error.code, Code::SendFailed);
    assert_eq!(pair.at_server.error(), error);
    let report = pair.at_server.closed();
    assert_eq!((report.reason, report.text.as_str()), (Some(Code::SendFailed), error.message.as_ref()));
    assert!(report.text.contains("policy is to disconnect"), "{}", report.text);
    assert!(report.undelivered > 0 && report.dropped == 0);
}

/// A send that waits goes by a new policy at once.
#[test]
fn a_policy_that_changes_reaches_who_waits() {
    let home = Home::new();
    let pair = pair(&home, SendPolicy::WouldBlock, None);
    while pair.session.send(Payload::Binary, &[0; 1000]).is_ok() {}
    pair.session.set_send_policy(SendPolicy::Wait);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            while pair.session.stats().messages_dropped == 0 {
                pair.session.send(Payload::Binary, &[0; 1000]).unwrap();
            }
        });
        pair.session.set_send_policy(SendPolicy::DropNewest);
        waiter.join().unwrap();
    });
}

/// A broadcast goes by the policy of each session.
#[test]
fn a_broadcast_goes_by_each_policy() {
    let home = Home::new();
    let mut config = server_config();
    config.session.framing = Framing::Raw;
    config.session.send_queue = QUEUE;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let policies = [SendPolicy::WouldBlock, SendPolicy::DropNewest, SendPolicy::DropOldest, SendPolicy::Disconnect];
    let peers: Vec<TcpStream> = policies.iter().map(|_| TcpStream::connect(server.local_addr()).unwrap()).collect();
    let sessions: Vec<Arc<Session>> = policies
        .iter()
        .map(|policy| {
            let session = events.opened();
            session.set_send_policy(*policy);
            session
        })
        .collect();
    // Until the one that may be ended is, and the others have met a full queue for long.
    let mut refused = 0;
    while sessions[1].stats().messages_dropped < 100 || server.connection_count() == policies.len() {
        refused += server.broadcast(Payload::Stream, &[1; 5000]).unwrap().refused;
    }
    assert!(refused > 0);
    assert_eq!(events.closed().reason, Some(Code::SendFailed));
    assert!(sessions[2].stats().messages_dropped > 0);
    assert_eq!(sessions[0].stats().messages_dropped, 0);
    assert_eq!(sessions[3].stats().messages_dropped, 0);
    for session in &sessions[..3] {
        assert!(session.stats().queued_bytes as usize <= QUEUE);
    }
    drop(peers);
}

/// Reliability row 19: under any policy the queue of a peer that never reads stays within its bound.
fn push_much(policy: SendPolicy, framing: Framing, total: usize) {
    let home = Home::new();
    let mut config = server_config();
    config.session.send_policy = policy;
    config.session.send_timeout = Duration::from_millis(50);
    config.session.framing = framing;
    let (handler, events) = Recorder::new();
    let server = home.server(config, handler);
    let _client = (framing == Framing::Framed).then(|| {
        let (handler, _) = Recorder::with(|event| {
            if let Event::Open(session) = event {
                session.set_paused(true);
            }
        });
        home.client(&server, framing, handler)
    });
    let _raw = (framing == Framing::Raw).then(|| TcpStream::connect(server.local_addr()).unwrap());
    let session = events.opened();
    let message = [0; 10_000];
    for _ in 0..total / message.len() {
        let outcome = session.send(Payload::Binary, &message);
        assert!(session.stats().queued_bytes <= (1 << 20) + 10_008);
        match outcome {
            Ok(()) => {}
            Err(error) if error.code == Code::WouldBlock => {}
            // The time to wait is over, or the session is.
            Err(_) => break,
        }
    }
}

const POLICIES: [SendPolicy; 5] =
    [SendPolicy::WouldBlock, SendPolicy::Wait, SendPolicy::DropNewest, SendPolicy::DropOldest, SendPolicy::Disconnect];

#[test]
fn no_policy_lets_the_queue_grow() {
    for policy in POLICIES {
        push_much(policy, Framing::Raw, 100 << 20);
        push_much(policy, Framing::Framed, 100 << 20);
    }
}

#[test]
#[ignore = "row 19 in full: 10 GiB for each policy and framing"]
fn no_policy_lets_the_queue_grow_in_full() {
    for policy in POLICIES {
        push_much(policy, Framing::Raw, 10 << 30);
        push_much(policy, Framing::Framed, 10 << 30);
    }
}

/// How a session of the next test ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    OurClose,
    PeerCloses,
    ServerStops,
    PeerAborts,
    WeAbort,
}

/// What both ends know of a session.
#[derive(Default)]
struct Account {
    accepted: AtomicU64,
    received: AtomicU64,
    report: Mutex<Option<CloseReport>>,
}

/// One session with random messages, which ends at a random moment.
fn one_session(home: &Home, random: &mut Random, ending: Ending) {
    let account = Arc::new(Account::default());
    let policy = POLICIES[random.below(POLICIES.len())];
    let mut config = server_config();
    config.session.send_policy = policy;
    config.session.send_timeout = Duration::from_millis(20);
    config.session.send_queue = 1 + random.length(100_000);
    config.session.send_queue_messages = NonZeroU32::new(random.below(40) as u32);
    let at = Arc::clone(&account);
    let (handler, events) = Recorder::with(move |event| {
        if let Event::Close(_, report) = event {
            *at.report.lock().unwrap() = Some(report.clone());
        }
    });
    let server: Arc<Server> = home.server(config, handler);
    let at = Arc::clone(&account);
    let stall = random.below(3) == 0;
    let (handler, at_client) = Recorder::with(move |event| match event {
        Event::Open(session) if stall => session.set_paused(true),
        Event::Message(..) => {
            at.received.fetch_add(1, Ordering::SeqCst);
        }
        _ => {}
    });
    let client = home.client(&server, Framing::Framed, handler);
    client.wait_connected(Some(PATIENCE)).unwrap();
    let session = events.opened();
    let lengths: Vec<usize> = (0..1 + random.below(300)).map(|_| random.length(50_000)).collect();
    let end_after = random.below(lengths.len());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (index, len) in lengths.iter().enumerate() {
                if session.send(Payload::Binary, &vec![0; *len]).is_ok() {
                    account.accepted.fetch_add(1, Ordering::SeqCst);
                }
                if index == end_after {
                    over.store(true, Ordering::Release);
                }
            }
        });
        while !over.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        match ending {
            Ending::OurClose => session.close(None, "as a test"),
            Ending::PeerCloses => client.stop(None),
            Ending::ServerStops => server.stop(None),
            Ending::PeerAborts => {
                if let Ok(session) = client.session() {
                    session.abort();
                }
            }
            Ending::WeAbort => session.abort(),
        }
        if let Ok(session) = client.session() {
            session.set_paused(false);
        }
    });
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    drop((events, at_client));
    let report = account.report.lock().unwrap().take().expect("each open session has its close");
    let (accepted, received) = (account.accepted.load(Ordering::SeqCst), account.received.load(Ordering::SeqCst));
    assert_eq!(report.accepted, accepted, "{ending:?} {policy:?} {report:?}");
    assert!(received + report.undelivered >= accepted, "{ending:?} {policy:?}: {received} received, {report:?}");
    assert!(report.dropped <= report.undelivered);
    let cut = matches!(ending, Ending::PeerAborts | Ending::WeAbort) || policy == SendPolicy::Disconnect;
    if report.exact || !cut {
        assert_eq!(received + report.undelivered, accepted, "{ending:?} {policy:?} {report:?}");
        assert!(report.exact, "{ending:?} {policy:?} {report:?}");
    }
}

fn sessions_in_any_order(seed: u64, count: usize) {
    const ENDINGS: [Ending; 5] =
        [Ending::OurClose, Ending::PeerCloses, Ending::ServerStops, Ending::PeerAborts, Ending::WeAbort];
    let home = Home::new();
    let mut random = Random(seed);
    for index in 0..count {
        one_session(&home, &mut random, ENDINGS[index % ENDINGS.len()]);
    }
}

/// Reliability row 2: what was accepted is delivered or counted, whatever the policy and the end.
#[test]
fn the_report_is_true() {
    sessions_in_any_order(1, 100);
}

#[test]
#[ignore = "row 2 in full: 1,000 sessions"]
fn the_report_is_true_in_full() {
    sessions_in_any_order(2, 1000);
}

/// A peer that never reads and pings without end: its answers do not pile up.
#[test]
fn heartbeats_of_who_does_not_read_do_not_pile_up() {
    use network_system::transport::frame::Frame;
    use std::io::Write;
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(server_config(), handler);
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(&hello("by hand")).unwrap();
    let session = events.opened();
    let mut pings = Vec::new();
    (0..10_000).for_each(|token| Frame::Ping(token).encode(&mut pings).unwrap());
    for _ in 0..200 {
        peer.write_all(&pings).unwrap();
        assert!(session.stats().queued_bytes < 64 * 1024);
    }
    // The last is read only after all before it were handled.
    Frame::Text(b"done").encode(&mut pings).unwrap();
    peer.write_all(&pings).unwrap();
    assert_eq!(events.message().1, b"done");
    assert!(session.stats().queued_bytes < 64 * 1024);
    assert!(peer.read(&mut [0; 8]).unwrap() > 0);
}
