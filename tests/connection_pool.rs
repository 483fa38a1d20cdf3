//! The connection pool: limits, order, replacement, ends.

mod support;

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use network_system::config::ServerConfig;
use network_system::core::{ConnectionPool, PoolConfig, PoolStats, Server};
use network_system::error::Code;
use network_system::runtime::ManualClock;
use network_system::session::handler::{CloseReport, Handler, Message, Payload};
use network_system::session::{Session, State};
use support::{Event, Home, PATIENCE, Recorder, framed_client_config, server_config, wait_until};

/// An echo server that counts its connections.
#[derive(Default)]
struct Echo {
    now: AtomicUsize,
    most: AtomicUsize,
    total: AtomicUsize,
    sessions: Mutex<Vec<Arc<Session>>>,
}

impl Handler for Echo {
    fn on_accept(&self, session: &Arc<Session>) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.total.fetch_add(1, Ordering::SeqCst);
        self.sessions.lock().unwrap().push(session.clone());
    }
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        let _ = session.send(message.kind, message.data);
    }
    fn on_end(&self, session: &Arc<Session>, _report: &CloseReport) {
        self.sessions.lock().unwrap().retain(|other| !Arc::ptr_eq(other, session));
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A server, a pool of framed connections to it, and what the pool's handler is told.
struct Scene {
    home: Home,
    server: Arc<Server>,
    echo: Arc<Echo>,
    pool: Arc<ConnectionPool>,
    events: support::Events,
}

fn scene(config: PoolConfig) -> Scene {
    let home = Home::new();
    let echo = Arc::new(Echo::default());
    let server = home.server(server_config(), echo.clone());
    let (handler, events) = Recorder::new();
    let pool =
        ConnectionPool::start(&home.0, config, framed_client_config(server.local_addr().port()), handler).unwrap();
    Scene { home, server, echo, pool, events }
}

fn limit(max_connections: usize) -> PoolConfig {
    PoolConfig { max_connections, ..PoolConfig::default() }
}

/// Waits until the pool stands as it should.
fn await_stats(pool: &ConnectionPool, what: &str, holds: impl Fn(&PoolStats) -> bool) {
    let begun = Instant::now();
    while !holds(&pool.stats()) {
        assert!(begun.elapsed() < PATIENCE, "{what}: {:?}", pool.stats());
        thread::yield_now();
    }
}

/// Has a thread wait for a lease; the receiver gets what comes of it, and the lease with it.
fn acquire_behind(pool: &Arc<ConnectionPool>) -> Receiver<Result<network_system::core::Lease, Code>> {
    let (sender, receiver) = channel();
    let waiting = pool.stats().waiting;
    let theirs = pool.clone();
    thread::spawn(move || sender.send(theirs.acquire(None).map_err(|error| error.code)));
    await_stats(pool, "somebody waits", |stats| stats.waiting == waiting + 1);
    receiver
}

#[test]
fn connections_are_made_when_needed_and_used_again() {
    let scene = scene(limit(2));
    assert!(scene.pool.try_acquire().unwrap().is_none(), "nothing was made yet");
    let first = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let id = first.session().unwrap().id().to_owned();
    assert!(first.is_connected());
    first.session().unwrap().send(Payload::Text, b"hello").unwrap();
    assert_eq!(scene.events.message(), (Payload::Text, b"hello".to_vec()));
    drop(first);
    let again = scene.pool.acquire(Some(PATIENCE)).unwrap();
    assert_eq!(again.session().unwrap().id(), id);
    let second = scene.pool.acquire(Some(PATIENCE)).unwrap();
    assert_ne!(second.session().unwrap().id(), id);
    let stats = scene.pool.stats();
    assert_eq!((stats.connections, stats.leased, stats.idle, stats.connecting), (2, 2, 0, 0));
    assert_eq!((stats.acquired, stats.connected, stats.max_connections), (3, 2, 2));
    // The one that was used last is used next.
    drop(second);
    drop(again);
    assert_eq!(scene.pool.try_acquire().unwrap().unwrap().session().unwrap().id(), id);
}

#[test]
fn who_waits_is_served_in_order_and_those_who_give_up_are_left_out() {
    let scene = scene(limit(1));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    assert_eq!(scene.pool.acquire(Some(Duration::ZERO)).unwrap_err().code, Code::Timeout);
    let first = acquire_behind(&scene.pool);
    let error = scene.pool.acquire(Some(Duration::from_millis(1))).unwrap_err();
    assert_eq!((error.code, scene.pool.stats().timed_out), (Code::Timeout, 2));
    assert!(error.message.contains("1 connections"), "{error}");
    let second = acquire_behind(&scene.pool);
    let third = acquire_behind(&scene.pool);
    drop(lease);
    let lease = first.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(second.try_recv().is_err() && third.try_recv().is_err());
    lease.discard();
    let lease = second.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(third.try_recv().is_err());
    drop(lease);
    third.recv_timeout(PATIENCE).unwrap().unwrap();
    let stats = scene.pool.stats();
    assert_eq!((stats.acquired, stats.connected, stats.discarded, stats.waiting), (4, 2, 1, 0));
    assert_eq!(scene.echo.most.load(Ordering::SeqCst), 1);
}

/// Nobody may be overtaken by a thread that comes later and finds a connection just returned.
#[test]
fn nobody_overtakes_those_who_wait() {
    let scene = scene(limit(1));
    let order = Arc::new(Mutex::new(Vec::new()));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let threads: Vec<_> = (0..20)
        .map(|turn| {
            let (pool, theirs) = (scene.pool.clone(), order.clone());
            let thread = thread::spawn(move || {
                let lease = pool.acquire(Some(PATIENCE)).unwrap();
                theirs.lock().unwrap().push(turn);
                drop(lease);
            });
            await_stats(&scene.pool, "they queue one by one", |stats| stats.waiting == turn + 1);
            thread
        })
        .collect();
    drop(lease);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

#[test]
fn each_who_waits_learns_why_there_is_no_connection() {
    let home = Home::new();
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (handler, events) = Recorder::new();
    let pool = ConnectionPool::start(&home.0, limit(2), framed_client_config(refusing), handler).unwrap();
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let pool = pool.clone();
            thread::spawn(move || pool.acquire(Some(PATIENCE)).unwrap_err().code)
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Code::ConnectionRefused);
    }
    assert_eq!(events.error().code, Code::ConnectionRefused);
    assert_eq!(pool.fill(Some(PATIENCE)).unwrap_err().code, Code::ConnectionRefused);
    await_stats(&pool, "failed connections leave no trace", |stats| stats.connections + stats.connecting == 0);
    assert!(pool.stats().failed >= 7);
}

#[test]
fn a_connection_that_breaks_is_replaced() {
    let scene = scene(limit(1));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    // While it is leased: the lease says so, and makes room.
    scene.echo.sessions.lock().unwrap()[0].abort();
    await_stats(&scene.pool, "it has ended", |stats| stats.connections == 0);
    assert!(!lease.is_connected());
    assert_eq!(lease.session().unwrap_err().code, Code::ConnectionClosed);
    let other = scene.pool.acquire(Some(PATIENCE)).unwrap();
    drop(lease);
    assert_eq!(scene.pool.stats().leased, 1, "what has ended is not returned");
    // While it is idle.
    drop(other);
    scene.echo.sessions.lock().unwrap()[0].close(None, "enough");
    await_stats(&scene.pool, "it has ended", |stats| stats.connections == 0);
    assert!(scene.pool.acquire(Some(PATIENCE)).unwrap().is_connected());
    assert_eq!((scene.pool.stats().broken, scene.pool.stats().connected), (2, 3));
}

#[test]
fn a_connection_on_which_something_came_while_it_was_idle_is_not_leased_again() {
    let scene = scene(limit(2));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let session = lease.session().unwrap();
    // Returned although an answer is outstanding.
    scene.echo.sessions.lock().unwrap()[0].send(Payload::Text, b"before").unwrap();
    scene.events.message();
    drop(lease);
    scene.echo.sessions.lock().unwrap()[0].send(Payload::Text, b"late").unwrap();
    scene.events.message();
    wait_until("both have come", || session.stats().messages_received >= 2);
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    assert_ne!(lease.session().unwrap().id(), session.id());
    assert_eq!((scene.pool.stats().discarded, scene.pool.stats().broken), (1, 0));
}

#[test]
fn idle_connections_are_closed_after_their_time_down_to_the_minimum() {
    let clock = ManualClock::new();
    let idle_timeout = Some(Duration::from_secs(3600));
    let scene = scene(PoolConfig { max_connections: 4, min_idle: 1, idle_timeout, clock: clock.clock() });
    await_stats(&scene.pool, "the minimum is made without being asked for", |stats| stats.idle == 1);
    scene.pool.fill(Some(PATIENCE)).unwrap();
    assert_eq!(scene.pool.stats().idle, 4);
    scene.pool.fill(Some(Duration::ZERO)).unwrap();
    clock.advance(Duration::from_secs(1800));
    let used = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let id = used.session().unwrap().id().to_owned();
    drop(used);
    assert_eq!(scene.pool.close_idle(), 0);
    clock.advance(Duration::from_secs(1800));
    assert_eq!(scene.pool.close_idle(), 3, "all but the one that was used");
    await_stats(&scene.pool, "they are closed", |stats| stats.connections == 1);
    clock.advance(Duration::from_secs(1800));
    assert_eq!(scene.pool.close_idle(), 0, "the minimum stays");
    assert_eq!(scene.pool.acquire(Some(PATIENCE)).unwrap().session().unwrap().id(), id);
    assert_eq!((scene.pool.stats().expired, scene.echo.total.load(Ordering::SeqCst)), (3, 4));
}

/// Without anybody's doing.
#[test]
fn the_pool_keeps_house_by_itself() {
    let idle_timeout = Some(Duration::from_millis(40));
    let scene = scene(PoolConfig { idle_timeout, ..limit(2) });
    drop(scene.pool.acquire(Some(PATIENCE)).unwrap());
    await_stats(&scene.pool, "it is closed in time", |stats| stats.connections == 0 && stats.expired == 1);
}

#[test]
fn a_stop_cancels_closes_and_waits_for_what_is_leased() {
    let scene = scene(limit(2));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let other = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let waiting = acquire_behind(&scene.pool);
    drop(other);
    drop(waiting.recv_timeout(PATIENCE).unwrap().unwrap());
    let held = scene.pool.acquire(Some(PATIENCE)).unwrap();
    let waiting = acquire_behind(&scene.pool);
    scene.pool.stop(None);
    assert_eq!(waiting.recv_timeout(PATIENCE).unwrap().unwrap_err(), Code::Cancelled);
    assert_eq!(scene.pool.acquire(None).unwrap_err().code, Code::Cancelled);
    assert_eq!(scene.pool.try_acquire().unwrap_err().code, Code::Cancelled);
    assert_eq!(scene.pool.fill(None).unwrap_err().code, Code::Cancelled);
    assert_eq!(scene.pool.wait(Some(Duration::from_millis(1))).unwrap_err().code, Code::Timeout);
    // What is leased is good to the end.
    lease.session().unwrap().send(Payload::Text, b"last").unwrap();
    assert_eq!(scene.events.message().1, b"last");
    drop(lease);
    drop(held);
    scene.pool.wait(Some(PATIENCE)).unwrap();
    scene.events.released();
    assert!(scene.events.rest().is_empty(), "nothing comes after the release");
    scene.pool.stop(None);
    scene.pool.wait(None).unwrap();
}

#[test]
fn a_context_can_be_stopped_with_leases_outstanding() {
    let scene = scene(limit(3));
    let lease = scene.pool.acquire(Some(PATIENCE)).unwrap();
    drop(scene.pool.acquire(Some(PATIENCE)).unwrap());
    drop(scene.home);
    assert!(!lease.is_connected());
    scene.events.released();
    drop(lease);
    scene.pool.wait(None).unwrap();
    assert_eq!(scene.pool.acquire(None).unwrap_err().code, Code::Cancelled);
    drop(scene.server);
}

/// A handler must not wait, but gets what is free.
#[test]
fn a_handler_gets_a_lease_only_if_one_is_free() {
    let home = Home::new();
    let server = home.server(server_config(), Arc::new(Echo::default()));
    let (told, outcome) = channel();
    let told = Mutex::new(told);
    let shared: Arc<Mutex<Option<Arc<ConnectionPool>>>> = Arc::default();
    let theirs = shared.clone();
    let (handler, _events) = Recorder::with(move |event| {
        if let Event::Message(..) = event {
            let pool = theirs.lock().unwrap().clone().unwrap();
            let outcome = pool.acquire(None).map(drop).map_err(|error| error.code);
            told.lock().unwrap().send((outcome, pool.fill(None).map_err(|error| error.code))).unwrap();
        }
    });
    let pool =
        ConnectionPool::start(&home.0, limit(2), framed_client_config(server.local_addr().port()), handler).unwrap();
    *shared.lock().unwrap() = Some(pool.clone());
    let lease = pool.acquire(Some(PATIENCE)).unwrap();
    lease.session().unwrap().send(Payload::Text, b"none is free").unwrap();
    assert_eq!(outcome.recv_timeout(PATIENCE).unwrap(), (Err(Code::WouldDeadlock), Err(Code::WouldDeadlock)));
    drop(pool.acquire(Some(PATIENCE)).unwrap());
    lease.session().unwrap().send(Payload::Text, b"one is free").unwrap();
    assert_eq!(outcome.recv_timeout(PATIENCE).unwrap().0, Ok(()));
    shared.lock().unwrap().take();
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let home = Home::new();
    let start = |config, client| {
        let (handler, _events) = Recorder::new();
        ConnectionPool::start(&home.0, config, client, handler).unwrap_err()
    };
    let error = start(limit(0), framed_client_config(1));
    assert_eq!(error.code, Code::InvalidArgument);
    assert!(error.message.contains("max_connections is 0"), "{error}");
    let error = start(PoolConfig { min_idle: 3, ..limit(2) }, framed_client_config(1));
    assert!(error.message.contains("min_idle is 3, more than max_connections with 2"), "{error}");
    assert_eq!(start(limit(1), framed_client_config(0)).code, Code::InvalidArgument);
    home.0.stop(None);
    assert_eq!(start(limit(1), framed_client_config(1)).code, Code::Cancelled);
}

const MOST: usize = 4;

/// The server never sees more connections than allowed, closing ones included: it would refuse them.
#[test]
fn many_threads_share_few_connections() {
    let echo = hammer(ServerConfig { max_connections: MOST, ..server_config() }, false);
    assert!(echo.most.load(Ordering::SeqCst) <= MOST);
}

/// A connection that the server ends may still be known to it when its successor comes.
#[test]
fn many_threads_share_connections_that_break() {
    hammer(server_config(), true);
}

/// Threads acquire, use, return, discard and give up: no connection has two users, every lease is returned, and in the
/// end nothing is left.
fn hammer(config: ServerConfig, breaking: bool) -> Arc<Echo> {
    let home = Home::new();
    let echo = Arc::new(Echo::default());
    let server = home.server(config, echo.clone());
    let (handler, events) = Recorder::new();
    let pool =
        ConnectionPool::start(&home.0, limit(MOST), framed_client_config(server.local_addr().port()), handler).unwrap();
    let in_use = Mutex::new(HashSet::new());
    let leases = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let users: Vec<_> = (0..12)
            .map(|user| {
                let (pool, in_use, leases) = (&pool, &in_use, &leases);
                scope.spawn(move || {
                    for round in 0..60 {
                        let timeout = if round % 7 == 6 { Duration::ZERO } else { PATIENCE };
                        let lease = match pool.acquire(Some(timeout)) {
                            Ok(lease) => lease,
                            Err(error) if breaking && error.code == Code::ConnectionClosed => continue,
                            Err(error) => {
                                assert_eq!((error.code, timeout), (Code::Timeout, Duration::ZERO), "{error}");
                                continue;
                            }
                        };
                        leases.fetch_add(1, Ordering::SeqCst);
                        let Ok(session) = lease.session() else { continue };
                        assert!(in_use.lock().unwrap().insert(session.id().to_owned()), "one connection, two users");
                        let before = session.stats().messages_received;
                        let _ = session.send(Payload::Text, b"to be answered");
                        while lease.is_connected() && session.stats().messages_received == before {
                            thread::yield_now();
                        }
                        in_use.lock().unwrap().remove(session.id());
                        if (user + round) % 5 == 0 {
                            lease.discard();
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while breaking && !over.load(Ordering::SeqCst) {
                let sessions = echo.sessions.lock().unwrap().clone();
                // Earlier it would be a connection that could not be made, which is not the subject here.
                if let Some(session) = sessions.iter().find(|session| session.state() == State::Connected) {
                    session.close(None, "now and then");
                }
                thread::sleep(Duration::from_millis(3)); // the pace at which connections break, of no matter
            }
        });
        let failures = users.into_iter().filter_map(|user| user.join().err()).count();
        over.store(true, Ordering::SeqCst);
        assert_eq!(failures, 0);
    });
    assert_eq!(server.stats().connections_rejected, 0);
    let stats = pool.stats();
    assert_eq!((stats.leased, stats.waiting, stats.acquired), (0, 0, leases.load(Ordering::SeqCst) as u64));
    pool.stop(None);
    pool.wait(Some(PATIENCE)).unwrap();
    events.released();
    let stats = pool.stats();
    assert_eq!((stats.connections, stats.connecting, stats.idle), (0, 0, 0));
    echo
}

/// Whatever is under way when the pool is stopped, everybody gets an answer.
#[test]
fn a_stop_in_the_middle_of_everything() {
    for _ in 0..20 {
        let scene = scene(limit(3));
        let users: Vec<_> = (0..8)
            .map(|user| {
                let pool = scene.pool.clone();
                thread::spawn(move || {
                    loop {
                        match pool.acquire(None) {
                            Ok(lease) if user % 2 == 0 => lease.discard(),
                            Ok(lease) => drop(lease),
                            Err(error) => return error.code,
                        }
                    }
                })
            })
            .collect();
        await_stats(&scene.pool, "they are at it", |stats| stats.acquired > 10);
        scene.pool.stop(Some(Duration::ZERO));
        for user in users {
            assert_eq!(user.join().unwrap(), Code::Cancelled);
        }
        scene.pool.wait(Some(PATIENCE)).unwrap();
        scene.events.released();
    }
}

/// A pool's clients do not connect again by themselves, and their handlers wait for nobody to poll.
#[test]
fn what_a_pools_clients_cannot_be_is_refused_or_has_no_effect() {
    let home = Home::new();
    let echo = Arc::new(Echo::default());
    let server = home.server(server_config(), echo.clone());
    let mut config = framed_client_config(server.local_addr().port());
    config.reconnect.enabled = true;
    let (handler, _events) = Recorder::new();
    let pool = ConnectionPool::start(&home.0, limit(1), config.clone(), handler).unwrap();
    let lease = pool.acquire(Some(PATIENCE)).unwrap();
    echo.sessions.lock().unwrap()[0].abort();
    lease.client().wait(Some(PATIENCE)).unwrap();
    drop(lease);
    pool.acquire(Some(PATIENCE)).unwrap();
    assert_eq!(echo.total.load(Ordering::SeqCst), 2);
    config.session.dispatch = network_system::runtime::Dispatch::Manual;
    let refused = ConnectionPool::start(&home.0, limit(1), config, Recorder::new().0).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    pool.stop(None);
    pool.wait(Some(PATIENCE)).unwrap();
}
