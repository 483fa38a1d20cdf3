//! The session manager: room, ids, idle sessions, ends.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use network_system::config::Framing;
use network_system::error::Code;
use network_system::runtime::ManualClock;
use network_system::session::{MAX_SESSION_ID, Managed, Session, SessionManager, SessionManagerConfig};
use support::{Event, Home, PATIENCE, Recorder, server_config, wait_until};

/// A session of an application's own.
#[derive(Debug, Default)]
struct Mock {
    id: String,
    last_activity_ns: AtomicU64,
    ended: AtomicBool,
    stopped: Mutex<Vec<(Option<Code>, String)>>,
}

impl Managed for Mock {
    fn own_id(&self) -> String {
        self.id.clone()
    }
    fn last_activity_ns(&self) -> u64 {
        self.last_activity_ns.load(Ordering::SeqCst)
    }
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
    fn stop(&self, reason: Option<Code>, text: &str) {
        self.stopped.lock().unwrap().push((reason, text.to_owned()));
    }
    fn at_end(&self, _wanted: Weak<()>, _then: Box<dyn FnOnce() + Send>) -> bool {
        true
    }
}

fn mock(id: &str) -> Arc<Mock> {
    Arc::new(Mock { id: id.into(), ..Mock::default() })
}

fn limit(max_sessions: usize) -> SessionManagerConfig {
    SessionManagerConfig { max_sessions, cleanup_interval: None, ..SessionManagerConfig::default() }
}

fn manager<S: Managed>(home: &Home, config: SessionManagerConfig) -> Arc<SessionManager<S>> {
    SessionManager::start(&home.0, config).unwrap()
}

#[test]
fn sessions_are_known_by_the_id_given_their_own_or_a_new_one() {
    let home = Home::new();
    let manager = manager(&home, limit(10));
    assert_eq!(manager.add(mock("own"), "given").unwrap(), "given");
    assert_eq!(manager.add(mock("own"), "").unwrap(), "own");
    assert_eq!(manager.add(mock(""), "session_1").unwrap(), "session_1");
    assert_eq!(manager.add(mock(""), "").unwrap(), "session_2");
    assert_eq!(manager.add(mock("own"), "").unwrap_err().code, Code::AlreadyExists);
    let error = manager.add(mock(""), &"x".repeat(MAX_SESSION_ID + 1)).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    assert!(error.message.contains("256 bytes"), "{error}");
    let ids: Vec<_> = manager.all().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["given", "own", "session_1", "session_2"], "in the order in which they came");
    assert_eq!(manager.get("own").unwrap().id, "own");
    assert_eq!(manager.remove("own").unwrap().id, "own");
    assert_eq!(manager.get("own").unwrap_err().code, Code::SessionNotFound);
    assert_eq!(manager.remove("own").unwrap_err().code, Code::SessionNotFound);
    assert_eq!((manager.count(), manager.stats().accepted), (3, 4));
}

#[test]
fn there_is_backpressure_before_there_is_no_room() {
    let home = Home::new();
    let manager = manager(&home, limit(5));
    let mut told = Vec::new();
    for number in 1..=5 {
        assert!(manager.can_accept());
        manager.add(mock(&number.to_string()), "").unwrap();
        told.push((manager.stats().utilization, manager.stats().backpressure));
    }
    assert_eq!(told, [(0.2, false), (0.4, false), (0.6, false), (0.8, true), (1.0, true)]);
    assert!(!manager.can_accept());
    let error = manager.add(mock("6"), "").unwrap_err();
    assert_eq!((error.code, manager.stats().rejected), (Code::ServerBusy, 1));
    assert!(error.message.contains("limit of 5 sessions"), "{error}");
    manager.set_max_sessions(6);
    manager.add(mock("6"), "").unwrap();
    manager.set_max_sessions(3);
    assert_eq!((manager.count(), manager.can_accept(), manager.stats().utilization), (6, false, 2.0));
    manager.set_max_sessions(0);
    assert!(manager.stats().backpressure);
}

#[test]
fn a_threshold_that_is_no_part_is_refused_and_none_means_no_backpressure() {
    let home = Home::new();
    for threshold in [-0.1, 1.1, f64::NAN] {
        let config = SessionManagerConfig { backpressure_threshold: Some(threshold), ..limit(1) };
        assert_eq!(SessionManager::<Mock>::start(&home.0, config).unwrap_err().code, Code::InvalidArgument);
    }
    let manager = manager(&home, SessionManagerConfig { backpressure_threshold: None, ..limit(1) });
    manager.add(mock("1"), "").unwrap();
    assert!(!manager.stats().backpressure);
}

#[test]
fn idle_sessions_are_stopped_with_a_reason() {
    let home = Home::new();
    let clock = ManualClock::new();
    let idle_timeout = Some(Duration::from_secs(300));
    let manager = manager(&home, SessionManagerConfig { idle_timeout, clock: clock.clock(), ..limit(5) });
    let (idle, busy, over) = (mock("idle"), mock("busy"), mock("over"));
    for session in [&idle, &busy, &over] {
        manager.add(session.clone(), "").unwrap();
    }
    assert_eq!(manager.clean_up(), 0, "the time before it came does not count");
    clock.advance(Duration::from_secs(299));
    busy.last_activity_ns.store(clock.clock().now_ns(), Ordering::SeqCst);
    over.ended.store(true, Ordering::SeqCst);
    assert_eq!(manager.clean_up(), 0);
    assert_eq!((manager.count(), manager.stats().ended), (2, 1), "what has ended is dropped");
    clock.advance(Duration::from_secs(1));
    assert_eq!(manager.clean_up(), 1);
    let stopped = idle.stopped.lock().unwrap().clone();
    assert_eq!(stopped, [(Some(Code::SessionExpired), "nothing was sent or received for 300000 ms".into())]);
    assert_eq!((manager.count(), manager.stats().cleaned_up), (1, 1));
    assert!(busy.stopped.lock().unwrap().is_empty() && over.stopped.lock().unwrap().is_empty());
    manager.stop_all();
    assert_eq!(*busy.stopped.lock().unwrap(), [(None, "stopped".into())]);
    assert_eq!(manager.count(), 0);
}

#[test]
fn sessions_that_ended_make_room() {
    let home = Home::new();
    let manager = manager(&home, limit(1));
    let first = mock("first");
    manager.add(first.clone(), "").unwrap();
    first.ended.store(true, Ordering::SeqCst);
    manager.add(mock("second"), "").unwrap();
    assert_eq!((manager.stats().ended, manager.stats().rejected), (1, 0));
}

/// Without anybody's doing, on a real clock.
#[test]
fn idle_sessions_are_cleaned_up_at_the_interval() {
    let home = Home::new();
    let short = Some(Duration::from_millis(5));
    let config = SessionManagerConfig { idle_timeout: short, cleanup_interval: short, ..limit(5) };
    let manager = manager(&home, config);
    let idle = mock("idle");
    manager.add(idle.clone(), "").unwrap();
    wait_until("it is stopped", || !idle.stopped.lock().unwrap().is_empty());
    assert_eq!(manager.stats().cleaned_up, 1);
}

#[test]
fn the_sessions_of_a_server() {
    let home = Home::new();
    let clock = ManualClock::new();
    let config = SessionManagerConfig { clock: clock.clock(), ..limit(5) };
    let manager: Arc<SessionManager> = manager(&home, config);
    let (theirs, refused) = (manager.clone(), Arc::new(Mutex::new(None)));
    let outcome = refused.clone();
    let (handler, events) = Recorder::with(move |event| match event {
        Event::Open(session) => assert_eq!(theirs.add(session.clone(), "").unwrap(), session.id()),
        Event::Detach(session) => assert!(theirs.get(session.id()).is_ok(), "until all was told"),
        Event::Release => {
            let session = theirs.all().into_iter().next();
            *outcome.lock().unwrap() = Some(session.is_none());
        }
        _ => {}
    });
    let server = home.server(server_config(), handler);
    let (handler, at_client) = Recorder::new();
    let client = home.client(&server, Framing::Framed, handler);
    let session = events.opened();
    // What ends by itself leaves.
    client.stop(None);
    events.closed();
    wait_until("it has left", || manager.count() == 0);
    assert_eq!(manager.stats().ended, 1);
    assert_eq!(manager.add(session, "").unwrap_err().code, Code::ConnectionClosed);
    assert_eq!(manager.stats().accepted, 1);
    // What is idle is ended with its reason.
    let (handler, told) = Recorder::new();
    let _other = home.client(&server, Framing::Framed, handler);
    let session = events.opened();
    clock.advance(Duration::from_secs(301));
    assert_eq!(manager.clean_up(), 1);
    assert_eq!(told.closed().reason, Some(Code::SessionExpired));
    assert_eq!(events.closed().reason, Some(Code::SessionExpired));
    drop((session, at_client));
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    events.released();
    assert_eq!(*refused.lock().unwrap(), Some(true));
}

/// A session that never had a connection has not ended either.
#[test]
fn a_session_without_a_connection_stays() {
    let home = Home::new();
    let manager: Arc<SessionManager> = manager(&home, limit(1));
    manager.add(Session::detached("alone".into(), "client".into()), "").unwrap();
    assert_eq!((manager.clean_up(), manager.count()), (0, 1));
    assert_eq!(manager.get("alone").unwrap().id(), "alone");
}

#[test]
fn a_manager_goes_with_its_last_reference_or_without_its_context() {
    let home = Home::new();
    let gone: Arc<SessionManager<Mock>> = manager(&home, SessionManagerConfig::default());
    let stays: Arc<SessionManager<Mock>> = manager(&home, SessionManagerConfig::default());
    stays.add(mock("here"), "").unwrap();
    drop(gone);
    drop(home); // which waits for everything that lives in the context
    assert_eq!(stays.count(), 1);
    assert!(stays.clean_up() == 0 && stays.get("here").is_ok());
}

#[test]
fn many_threads_never_pass_the_limit() {
    let home = Home::new();
    let manager = manager(&home, limit(8));
    thread::scope(|scope| {
        for number in 0..6 {
            let manager = &manager;
            scope.spawn(move || {
                for round in 0..300 {
                    match manager.add(mock(""), "") {
                        Ok(id) if round % 3 == number % 3 => drop(manager.remove(&id)),
                        Ok(_) => {}
                        Err(error) => {
                            assert_eq!(error.code, Code::ServerBusy);
                            manager.stop_all();
                        }
                    }
                    assert!(manager.count() <= 8);
                }
            });
        }
    });
    let stats = manager.stats();
    assert_eq!(stats.accepted + stats.rejected, 6 * 300);
}
