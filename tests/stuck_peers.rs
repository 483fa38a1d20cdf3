//! Reliability row 20: a few peers that do not read slow nobody of the many that do.

mod support;

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use network_system::config::{ClientConfig, ContextConfig, Framing, SendPolicy};
use network_system::core::{Client, Server};
use network_system::runtime::{Context, ContextHooks};
use network_system::session::Session;
use network_system::session::handler::{CloseReport, Handler, Message, Payload};
use support::{Home, Recorder, client_config, server_config, wait_until};

/// Checks that numbered messages come whole and in order, and counts them.
#[derive(Default)]
struct Member {
    received: AtomicUsize,
}

impl Handler for Member {
    fn on_message(&self, _session: &Arc<Session>, message: Message<'_>) {
        let number = u64::from_le_bytes(message.data[..8].try_into().unwrap());
        assert_eq!(message.data.len(), 1024);
        assert_eq!(number, self.received.fetch_add(1, Ordering::SeqCst) as u64, "lost or out of order");
    }
}

/// Counts the sessions that a server ended.
#[derive(Default)]
struct Ends(AtomicUsize);

impl Handler for Ends {
    fn on_close(&self, _session: &Arc<Session>, _report: &CloseReport) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn joined(home: &Home, server: &Server, members: usize) -> Vec<(Arc<Client>, Arc<Member>)> {
    let clients: Vec<_> = (0..members)
        .map(|_| {
            let member = Arc::new(Member::default());
            let mut config: ClientConfig = client_config(server.local_addr().port());
            config.session.framing = Framing::Framed;
            (Client::start(&home.0, config, member.clone()).unwrap(), member)
        })
        .collect();
    clients.iter().for_each(|(client, _)| client.wait_connected(Some(support::PATIENCE)).unwrap());
    clients
}

/// Peers that say hello and then never read.
fn stuck_peers(server: &Server, count: usize) -> Vec<TcpStream> {
    use std::io::Write;
    (0..count)
        .map(|_| {
            let mut peer = TcpStream::connect(server.local_addr()).unwrap();
            let mut hello = b"NSYS\r\n\x1A\n".to_vec();
            hello.extend_from_slice(&[14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
            peer.write_all(&hello).unwrap();
            peer
        })
        .collect()
}

/// Broadcasts from a thread until `count` messages went out, no faster than the members take them.
fn broadcaster(server: &Arc<Server>, slowest: Vec<Arc<Member>>, count: u64) -> JoinHandle<()> {
    let server = Arc::clone(server);
    std::thread::spawn(move || {
        let mut message = [0; 1024];
        for number in 0..count {
            // Members that read are never 200 messages behind, so that none of them meets a full queue.
            wait_until("the members read", || {
                slowest.iter().all(|member| member.received.load(Ordering::SeqCst) as u64 + 200 > number)
            });
            message[..8].copy_from_slice(&number.to_le_bytes());
            server.broadcast(Payload::Binary, &message).unwrap();
        }
    })
}

fn stuck_peers_slow_nobody(members: usize, stuck: usize, messages: u64) {
    for policy in [SendPolicy::WouldBlock, SendPolicy::DropNewest, SendPolicy::DropOldest, SendPolicy::Disconnect] {
        let config = ContextConfig { max_loops: 3, max_buffered: usize::MAX, ..ContextConfig::default() };
        let home = Home(Context::new(config, ContextHooks::default()));
        let ends = Arc::new(Ends::default());
        let mut config = server_config();
        config.max_connections = usize::MAX;
        config.session.send_policy = policy;
        config.session.send_queue = 512 * 1024;
        config.session.kernel_send = Some(16 * 1024);
        config.session.drain = Duration::ZERO;
        config.session.heartbeat = None;
        let server = home.server(config, ends.clone());
        let silent = stuck_peers(&server, stuck);
        let clients = joined(&home, &server, members);
        wait_until("all are there", || server.sessions().len() == members + stuck);
        let all: Vec<_> = clients.iter().map(|(_, member)| member.clone()).collect();
        broadcaster(&server, all, messages).join().unwrap();
        for (_, member) in &clients {
            wait_until("all messages", || member.received.load(Ordering::SeqCst) as u64 == messages);
        }
        // Those that do not read cost no more than their queues, or were ended.
        let held: u64 = server.sessions().iter().map(|session| session.stats().queued_bytes).sum();
        assert!(held <= (stuck * (512 * 1024 + 2048)) as u64, "{policy:?}: {held} bytes are queued");
        if policy == SendPolicy::Disconnect {
            wait_until("the stuck ones are ended", || ends.0.load(Ordering::SeqCst) == stuck);
        } else {
            assert_eq!(ends.0.load(Ordering::SeqCst), 0, "{policy:?}: a session was ended");
        }
        if matches!(policy, SendPolicy::DropNewest | SendPolicy::DropOldest) {
            let stats = server.stats();
            let total = (members + stuck) as u64 * messages;
            let waiting: u64 = total - stats.messages_sent - stats.messages_dropped;
            assert!(stats.messages_dropped > 0 && waiting * 1032 <= held + 1032 * stuck as u64, "{stats:?}");
        }
        clients.iter().for_each(|(client, _)| client.stop(Some(Duration::ZERO)));
        drop(silent);
    }
}

#[test]
fn a_few_stuck_peers_slow_nobody() {
    stuck_peers_slow_nobody(60, 4, 1_500);
}

#[test]
#[ignore = "row 20 at the most that the descriptors of one process allow: 9,000 members, 10 of them stuck"]
fn a_few_stuck_peers_slow_nobody_in_full() {
    stuck_peers_slow_nobody(8_990, 10, 3_000);
}

/// A broadcast tells for how many it was too much.
#[test]
fn a_broadcast_says_how_many_refused_it() {
    let home = Home::new();
    let (handler, _events) = Recorder::new();
    let mut config = server_config();
    config.session.kernel_send = Some(16 * 1024);
    config.session.drain = Duration::ZERO;
    let server = home.server(config, handler);
    let _silent = stuck_peers(&server, 2);
    wait_until("both are open", || {
        let sessions = server.sessions();
        sessions.len() == 2 && sessions.iter().all(|session| session.framing() == Framing::Framed)
    });
    let refused = (0..).map(|_| server.broadcast(Payload::Binary, &[0; 60_000]).unwrap()).find(|all| all.refused == 2);
    assert_eq!(refused.unwrap().queued, 0);
}
