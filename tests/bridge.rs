//! The bridge: one configuration, common figures, events one at a time, and its end.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use network_system::bridge::{Bridge, Events};
use network_system::config::{BridgeConfig, ClientConfig, ContextConfig, Framing, Pem, SendPolicy, TlsVersion};
use network_system::core::{Client, PoolConfig, Server};
use network_system::error::{Code, Error};
use network_system::log::{Filter, Log, Record, Sink};
use network_system::metrics::Counter::*;
use network_system::metrics::Metrics;
use network_system::runtime::{Clock, Context, ContextHooks};
use network_system::session::Session;
use network_system::session::handler::{CloseReport, Handler, Message, Payload};
use support::tls::Ca;
use support::{Event, Home, PATIENCE, Recorder, client_config, framed_client_config, server_config, wait_until};
use tracing::Level;

/// What a bridge told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Connection(String, bool),
    Error(Code),
    Release,
}

/// Passes on what it is told, and finds out whether two calls overlap.
struct Listener {
    told: Mutex<Sender<Told>>,
    busy: AtomicBool,
    overlapped: AtomicBool,
}

impl Listener {
    fn new() -> (Arc<Listener>, Receiver<Told>) {
        let (sender, receiver) = channel();
        let (busy, overlapped) = (AtomicBool::new(false), AtomicBool::new(false));
        (Arc::new(Listener { told: Mutex::new(sender), busy, overlapped }), receiver)
    }

    fn tell(&self, told: Told) {
        self.overlapped.fetch_or(self.busy.swap(true, Ordering::SeqCst), Ordering::SeqCst);
        let _ = self.told.lock().unwrap().send(told);
        thread::yield_now();
        self.busy.store(false, Ordering::SeqCst);
    }
}

impl Events for Listener {
    fn on_connection(&self, endpoint: &str, connected: bool) {
        self.tell(Told::Connection(endpoint.to_owned(), connected));
    }
    fn on_error(&self, error: &Error) {
        self.tell(Told::Error(error.code));
    }
    fn on_release(&self) {
        self.tell(Told::Release);
    }
}

/// Sends back what comes.
struct Echo;

impl Handler for Echo {
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        session.send(message.kind, message.data).unwrap();
    }
}

fn bridge(config: BridgeConfig) -> (Arc<Bridge>, Receiver<Told>) {
    let (listener, told) = Listener::new();
    (Bridge::new("bridge", config, listener).unwrap(), told)
}

fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(PATIENCE).expect("the bridge was to tell something")
}

fn echo_server(home: &Home, bridge: &Arc<Bridge>) -> Arc<Server> {
    bridge.start_server(&home.0, server_config(), Arc::new(Echo)).unwrap()
}

fn connect(home: &Home, bridge: &Arc<Bridge>, server: &Server) -> (Arc<Client>, support::Events) {
    let (handler, events) = Recorder::new();
    let client = bridge.start_client(&home.0, framed_client_config(server.local_addr().port()), handler).unwrap();
    client.wait_connected(Some(PATIENCE)).unwrap();
    (client, events)
}

/// Ends all of it, and waits for that.
fn end(bridge: &Bridge) {
    bridge.close(None);
    bridge.wait(Some(PATIENCE)).unwrap();
}

#[test]
fn what_servers_and_clients_do_is_counted_together() {
    let home = Home::new();
    let (bridge, _told) = bridge(BridgeConfig::default());
    let server = echo_server(&home, &bridge);
    let (client, events) = connect(&home, &bridge, &server);
    for _ in 0..100 {
        client.send(Payload::Text, b"0123456789").unwrap();
        events.message();
    }
    // Each message was sent and received at two ends.
    let counts =
        |m: Metrics| [MessagesSent, MessagesReceived, BytesSent, BytesReceived].map(|counter| m.counts[counter]);
    wait_until("the last send is counted", || counts(bridge.metrics()) == [200, 200, 2000, 2000]);
    let found = bridge.metrics();
    assert_eq!([found.counts[Connections], found.connections_current, found.counts[ConnectionsFailed]], [2, 2, 0]);
    assert!(found.rates.messages > 0 && found.memory.resident > 0);
    assert!(found.handler_time.count >= 2, "both ends handle on threads of their own");
    assert_eq!(found.latency.count, 0, "that is the application's");

    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    wait_until("the server has seen the end", || bridge.metrics().connections_current == 0);
    drop((client, events));
    assert_eq!(counts(bridge.metrics()), [200, 200, 2000, 2000], "also of those that have gone");

    let (second, events) = connect(&home, &bridge, &server);
    second.reset_stats();
    second.send(Payload::Text, b"x").unwrap();
    events.message();
    wait_until("counted", || bridge.metrics().counts[MessagesReceived] == 202);
    bridge.reset_metrics();
    let anew = bridge.metrics();
    assert_eq!((anew.counts[MessagesReceived], anew.counts[Connections], anew.connections_current), (0, 0, 2));
    end(&bridge);
    assert_eq!(bridge.metrics().connections_current, 0);
}

#[test]
fn without_monitoring_nothing_is_counted() {
    let home = Home::new();
    let (bridge, told) = bridge(BridgeConfig { performance_monitoring: false, ..BridgeConfig::default() });
    let server = echo_server(&home, &bridge);
    let (client, events) = connect(&home, &bridge, &server);
    client.send(Payload::Text, b"x").unwrap();
    events.message();
    let found = bridge.metrics();
    assert_eq!((found.counts[Connections], found.counts[MessagesSent], found.handler_time.count), (0, 0, 0));
    assert!(matches!(next(&told), Told::Connection(_, true)), "events come nevertheless");
    end(&bridge);
}

#[test]
fn beginnings_and_ends_are_told_in_pairs_and_one_at_a_time() {
    let home = Home::new();
    let (listener, told) = Listener::new();
    let bridge = Bridge::new("bridge", BridgeConfig::default(), listener.clone()).unwrap();
    let servers: Vec<_> = (0..3).map(|_| echo_server(&home, &bridge)).collect();
    thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| {
                for _ in 0..20 {
                    let (client, _events) = connect(&home, &bridge, server);
                    client.stop(None);
                    client.wait(Some(PATIENCE)).unwrap();
                }
            });
        }
    });
    end(&bridge);
    let all: Vec<_> = told.try_iter().collect();
    assert_eq!(all.last(), Some(&Told::Release));
    let count = |which| all.iter().filter(|told| matches!(told, Told::Connection(_, how) if *how == which)).count();
    assert_eq!((count(true), count(false), all.len()), (120, 120, 241));
    for server in &servers {
        let name = server.local_addr().to_string();
        let of_clients = all.iter().filter(|told| matches!(told, Told::Connection(peer, _) if *peer == name)).count();
        assert_eq!(of_clients, 40, "a client's peer is the server");
    }
    assert!(!listener.overlapped.load(Ordering::SeqCst));
}

#[test]
fn errors_are_told_and_counted_by_their_kind() {
    let home = Home::new();
    let (bridge, told) = bridge(BridgeConfig::default());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (handler, events) = Recorder::new();
    let client = bridge.start_client(&home.0, framed_client_config(nobody), handler).unwrap();
    events.released();
    assert_eq!(next(&told), Told::Error(Code::ConnectionRefused));
    client.wait(Some(PATIENCE)).unwrap();
    let found = bridge.metrics();
    assert_eq!((found.counts[ConnectionsFailed], found.counts[ConnectionErrors]), (1, 1));

    let server = echo_server(&home, &bridge);
    let mut taken = server_config();
    taken.port = server.local_addr().port();
    let error = bridge.start_server(&home.0, taken, Arc::new(Echo)).unwrap_err();
    assert_eq!(error.code, Code::BindFailed);
    assert_eq!(next(&told), Told::Error(Code::BindFailed));

    // More broken peers than the handler is told of.
    let address = server.local_addr();
    let before = bridge.metrics().counts[ReceiveErrors];
    for _ in 0..50 {
        let mut peer = TcpStream::connect(address).unwrap();
        peer.write_all(b"NSYS\r\n\x1a\n\x00\x00\x00\x00\x00\x00\x00\x00").unwrap();
        let _ = peer.read_to_end(&mut Vec::new());
    }
    wait_until("all are counted", || bridge.metrics().counts[ReceiveErrors] - before == 50);
    end(&bridge);
}

/// Panics at the end of a session and at each error.
struct Panicking;

impl Handler for Panicking {
    fn on_close(&self, _session: &Arc<Session>, _report: &CloseReport) {
        panic!("at the end");
    }
    fn on_error(&self, _session: Option<&Arc<Session>>, _error: &Error) {
        panic!("at an error");
    }
}

#[test]
fn a_handler_that_panics_hides_nothing_from_its_bridge() {
    let home = Home::new();
    let (bridge, told) = bridge(BridgeConfig::default());
    let server = bridge.start_server(&home.0, server_config(), Arc::new(Panicking)).unwrap();
    let mut peer = TcpStream::connect(server.local_addr()).unwrap();
    peer.write_all(b"x").unwrap();
    let name = peer.local_addr().unwrap().to_string();
    assert_eq!(next(&told), Told::Connection(name.clone(), true));
    drop(peer);
    assert_eq!(next(&told), Told::Connection(name, false));
    assert_eq!(next(&told), Told::Error(Code::HandlerFailed));
    end(&bridge);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Told::Release]);
}

/// On a thread of the program's too, which has no log of its own.
#[test]
fn what_the_program_reports_is_logged() {
    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);
    impl Sink for Lines {
        fn log(&self, record: &Record<'_>) {
            self.0.lock().unwrap().push(format!("{} {}", record.level, record.text));
        }
    }
    struct Panicking;
    impl Events for Panicking {
        fn on_error(&self, _error: &Error) {
            panic!("in vain");
        }
    }
    let lines = Arc::new(Lines::default());
    let log = Log::new(Filter::up_to(Level::INFO), vec![lines.clone()], Clock::default());
    let hooks = ContextHooks { dispatch: Some(log.dispatch()), ..ContextHooks::default() };
    let home = Home(Context::new(ContextConfig::default(), hooks));
    let bridge = Bridge::new("b", BridgeConfig::default(), Arc::new(Panicking)).unwrap();
    bridge.set_debug_logging(true);
    bridge.report(&Error::new(Code::Io, "before there is a log"));
    echo_server(&home, &bridge);
    bridge.report(&Error::new(Code::Io, "no disk"));
    let mut found = lines.0.lock().unwrap().clone();
    found.retain(|line| !line.contains("listens on")); // which the server's loop says, sooner or later
    assert_eq!(found, ["INFO bridge \"b\": no disk", "ERROR an event handler of a bridge panicked: in vain"]);
    end(&bridge);
}

#[test]
fn what_is_reported_is_told_in_moderation_and_counted_whole() {
    const REPORTS: u64 = 1000; // for minutes, at ten a second
    let (bridge, told) = bridge(BridgeConfig::default());
    for _ in 0..REPORTS {
        bridge.report(&Code::ReceiveFailed.into());
    }
    bridge.report(&Code::HandlerFailed.into());
    let told: Vec<_> = told.try_iter().collect();
    assert!((11..REPORTS as usize).contains(&told.len()), "{} were told", told.len());
    assert_eq!(told.last(), Some(&Told::Error(Code::HandlerFailed)), "which is always told");
    assert_eq!(bridge.metrics().counts[ReceiveErrors], REPORTS);
}

#[test]
fn its_settings_take_the_place_of_defaults_only() {
    let home = Home::new();
    let config = BridgeConfig { message_timeout: Duration::from_millis(30), ..BridgeConfig::default() };
    let (bridge, _told) = bridge(config);
    let server = {
        let (handler, _events) = Recorder::with(|event| {
            if let Event::Accept(session) = event {
                session.set_paused(true);
            }
        });
        bridge.start_server(&home.0, server_config(), handler).unwrap()
    };
    // Nobody reads: a send gives up after the time that the bridge, or the client itself, allows.
    let blocked = |timeout| {
        let mut config = client_config(server.local_addr().port());
        config.session.framing = Framing::Raw;
        config.session.send_policy = SendPolicy::Wait;
        config.session.send_timeout = timeout;
        let (handler, _events) = Recorder::new();
        let client = bridge.start_client(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        let block = vec![0; 1 << 20];
        let error = loop {
            if let Err(error) = client.send(Payload::Stream, &block) {
                break error;
            }
        };
        assert_eq!(error.code, Code::SendFailed);
        error.message.into_owned()
    };
    let default = ClientConfig::default().session.send_timeout;
    assert!(blocked(default).contains("30 ms"), "{}", blocked(default));
    assert!(blocked(Duration::from_millis(70)).contains("70 ms"));

    let refused = bridge.set_config(BridgeConfig { max_connections_per_client: 0, ..bridge.config() }).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(bridge.config().message_timeout, Duration::from_millis(30), "nothing was changed");
    let pools = bridge.complete_pool(PoolConfig::default()).unwrap();
    assert_eq!(pools.max_connections, 10);
    bridge.set_config(BridgeConfig { connection_pooling: false, ..bridge.config() }).unwrap();
    assert_eq!(bridge.complete_pool(PoolConfig::default()).unwrap_err().code, Code::Unsupported);
    server.stop(Some(Duration::ZERO));
    bridge.stop(Some(Duration::ZERO));
    end(&bridge);
}

#[test]
fn round_trips_are_measured_also_while_peers_speak() {
    let home = Home::new();
    let (bridge, _told) = bridge(BridgeConfig::default());
    let mut config = server_config();
    config.session.heartbeat = Some(Duration::from_millis(40));
    let server = bridge.start_server(&home.0, config, Arc::new(Echo)).unwrap();
    let (client, events) = connect(&home, &bridge, &server);
    wait_until("a heartbeat is answered", || {
        client.send(Payload::Text, b"x").unwrap();
        events.message();
        bridge.metrics().round_trip.count > 0
    });
    let found = bridge.metrics().round_trip;
    assert!(found.min_ns > 0 && found.min_ns <= found.max_ns);
    end(&bridge);
}

#[test]
fn a_stop_ends_all_and_others_may_follow() {
    let home = Home::new();
    let (bridge, told) = bridge(BridgeConfig::default());
    let server = echo_server(&home, &bridge);
    let (client, events) = connect(&home, &bridge, &server);
    bridge.stop(None);
    bridge.wait(Some(PATIENCE)).unwrap();
    events.released();
    client.wait(Some(PATIENCE)).unwrap();
    server.wait(Some(PATIENCE)).unwrap();
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told.len(), 4, "all is told when the wait is over: {told:?}");

    let server = echo_server(&home, &bridge);
    let (client, events) = connect(&home, &bridge, &server);
    client.send(Payload::Text, b"again").unwrap();
    assert_eq!(events.message().1, b"again");
    bridge.close(None);
    assert_eq!(bridge.start_server(&home.0, server_config(), Arc::new(Echo)).unwrap_err().code, Code::Cancelled);
    bridge.wait(Some(PATIENCE)).unwrap();
}

#[test]
fn a_handler_may_stop_and_close_its_bridge() {
    let home = Home::new();
    let (listener, told) = Listener::new();
    let bridge = Bridge::new("bridge", BridgeConfig::default(), listener).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let (handler, _events) = {
        let (bridge, calls) = (bridge.clone(), calls.clone());
        Recorder::with(move |event| {
            if matches!(event, Event::Message(..)) {
                bridge.close(None);
                // It would wait for this handler.
                assert_eq!(bridge.wait(None).unwrap_err().code, Code::WouldDeadlock);
                calls.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let server = bridge.start_server(&home.0, server_config(), handler).unwrap();
    let (client, _events) = connect(&home, &bridge, &server);
    client.send(Payload::Text, b"stop").unwrap();
    while next(&told) != Told::Release {}
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    drop(home);
    assert!(told.try_recv().is_err(), "nothing comes behind the release");
}

#[test]
fn its_status_can_be_read() {
    let home = Home::new();
    let (bridge, _told) = bridge(BridgeConfig::default());
    assert!(bridge.status_report().contains("nothing runs"));
    let server = echo_server(&home, &bridge);
    let (_client, _events) = connect(&home, &bridge, &server);
    let report = bridge.status_report();
    for part in [
        "bridge \"bridge\"\n".to_owned(),
        format!("server \"server\" runs on {}, connections: 1\n", server.local_addr()),
        format!("client \"client\" runs, connected with {}\n", server.local_addr()),
        "connections  2 open, 2 in all, 0 failed".to_owned(),
        "pooling on with at most 10 connections a pool, 30000 ms to connect, 5000 ms to send, buffers of 8.0 KiB"
            .into(),
    ] {
        assert!(report.contains(&part), "{part}\n{report}");
    }
    end(&bridge);
}

#[test]
fn an_encrypting_bridge_encrypts_or_starts_nothing() {
    let (home, ca) = (Home::new(), Ca::new());
    let encrypting = BridgeConfig { encryption: true, compression: true, ..BridgeConfig::default() };
    let (bridge, told) = bridge(encrypting.clone());
    let error = bridge.start_server(&home.0, server_config(), Arc::new(Echo)).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    assert!(error.message.contains("set certificate_file"), "{error}");
    assert_eq!(next(&told), Told::Error(Code::InvalidArgument));

    // Settings of their own without the switch are not given up for those of the bridge.
    let mut server = server_config();
    server.tls.min_version = TlsVersion::V1_3;
    let mut client = framed_client_config(1);
    client.tls.ca = Pem::file("private.pem");
    for error in [
        bridge.start_server(&home.0, server, Arc::new(Echo)).unwrap_err(),
        bridge.start_client(&home.0, client, Arc::new(Echo)).unwrap_err(),
    ] {
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.contains("set tls.enabled to true"), "{error}");
        assert_eq!(next(&told), Told::Error(Code::InvalidArgument));
    }

    let given = BridgeConfig {
        server_tls: ca.server_config(Framing::Auto).tls,
        client_tls: ca.client_config(1, Framing::Framed).tls,
        ..encrypting
    };
    let without = BridgeConfig { encryption: false, ..given.clone() };
    assert!(bridge.set_config(without).unwrap_err().message.contains("switch it on"));
    bridge.set_config(given).unwrap();
    let server = echo_server(&home, &bridge);
    let mut config = framed_client_config(server.local_addr().port());
    config.host = "localhost".into();
    let (handler, events) = Recorder::new();
    let client = bridge.start_client(&home.0, config, handler).unwrap();
    let session = events.opened();
    assert!(session.tls().is_some_and(|tls| tls.peer_verified));
    client.send(Payload::Text, &[b'x'; 10_000]).unwrap();
    assert_eq!(events.message().1.len(), 10_000);
    assert!(session.stats().wire_bytes_received < 10_000, "it came compressed");
    end(&bridge);
}
