//! The edges of dispatch: handlers that wait, executors that run what they are given at once, and contexts that end
//! while somebody polls them.

mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use network_system::config::{ContextConfig, Framing};
use network_system::core::Client;
use network_system::error::Code;
use network_system::runtime::{Context, ContextHooks, Dispatch, Executor, Job};
use network_system::session::handler::Payload;
use support::{Event, Gate, Home, Mode, PATIENCE, Recorder, dispatched, server_config};

/// A handler may wait for what its own sends bring about, where it holds up nobody else.
#[test]
fn what_a_handler_sends_goes_out_while_it_runs() {
    for name in ["pool", "executor"] {
        let home = Home::new();
        let mode = Mode::new(name, &home.0);
        let (idle, heard) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let gates = (idle.clone(), heard.clone());
        let (handler, events) = Recorder::with(move |event| {
            if let Event::Message(session, kind, data) = event
                && data == b"slow"
            {
                gates.0.pass();
                session.send(*kind, b"begun").unwrap();
                gates.1.pass();
                session.send(*kind, b"ended").unwrap();
            }
        });
        let mut config = dispatched(mode.dispatch.clone());
        config.session.heartbeat = None; // which would have the queue looked at
        let server = home.server(config, handler);
        let (handler, at_client) = Recorder::new();
        let mut config = support::client_config(server.local_addr().port());
        (config.session.framing, config.session.heartbeat) = (Framing::Framed, None);
        let client = Client::start(&home.0, config, handler).unwrap();
        client.wait_connected(Some(PATIENCE)).unwrap();
        client.session().unwrap().send(Payload::Text, b"slow").unwrap();
        idle.reached();
        // The loop has turned, and has nothing to do any more for the session whose handler runs.
        let other = home.client(&server, Framing::Framed, Recorder::new().0);
        other.wait_connected(Some(PATIENCE)).unwrap();
        other.send(Payload::Text, b"turn").unwrap();
        events.until(|event| matches!(event, Event::Message(_, _, data) if data == b"turn").then_some(()));
        idle.open();
        assert_eq!(at_client.message().1, b"begun", "{name}");
        heard.open();
        assert_eq!(at_client.message().1, b"ended", "{name}");
        server.stop(None);
        server.wait(Some(PATIENCE)).unwrap();
        events.released();
    }
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// An executor with one thread, which runs at once what is given to it there.
struct CallerRuns {
    jobs: Mutex<Sender<Job>>,
    deepest: Arc<AtomicUsize>,
}

impl CallerRuns {
    fn start() -> (Arc<CallerRuns>, Arc<AtomicUsize>) {
        let (sender, jobs): (_, Receiver<Job>) = channel();
        let deepest: Arc<AtomicUsize> = Arc::default();
        let executor = Arc::new(CallerRuns { jobs: Mutex::new(sender), deepest: Arc::clone(&deepest) });
        std::thread::spawn(move || {
            DEPTH.set(1);
            jobs.into_iter().for_each(Job::run);
        });
        (executor, deepest)
    }
}

impl Executor for CallerRuns {
    fn execute(&self, job: Job) {
        let depth = DEPTH.get();
        if depth == 0 {
            let _ = self.jobs.lock().unwrap().send(job);
            return;
        }
        DEPTH.set(depth + 1);
        self.deepest.fetch_max(depth + 1, Ordering::SeqCst);
        job.run();
        DEPTH.set(depth);
    }
}

/// However long the queue, the stack does not grow with it.
#[test]
fn an_executor_may_run_a_job_at_once() {
    const MESSAGES: usize = 50;
    let home = Home::new();
    let (executor, deepest) = CallerRuns::start();
    let (handler, events) = Recorder::with(|event| {
        if matches!(event, Event::Message(..)) {
            // Longer than a turn, so that each message is a turn of its own.
            let end = Instant::now() + Duration::from_millis(1);
            while Instant::now() < end {
                std::hint::spin_loop();
            }
        }
    });
    let server = home.server(dispatched(Dispatch::Executor(executor)), handler);
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    client.wait_connected(Some(PATIENCE)).unwrap();
    for number in 0..MESSAGES {
        client.session().unwrap().send(Payload::Binary, &number.to_le_bytes()).unwrap();
    }
    for number in 0..MESSAGES {
        assert_eq!(events.message().1, number.to_le_bytes());
    }
    server.stop(None);
    server.wait(Some(PATIENCE)).unwrap();
    events.released();
    let deepest = deepest.load(Ordering::SeqCst);
    assert!(deepest <= 2, "jobs ran inside one another, {deepest} deep");
}

/// Who polls without a limit is told that nothing will come any more.
#[test]
fn the_end_of_a_context_ends_those_who_poll_it() {
    let home = Home::new();
    let (handler, events) = Recorder::new();
    let server = home.server(dispatched(Dispatch::Manual), handler);
    let context = Arc::clone(&home.0);
    let poller = std::thread::spawn(move || {
        loop {
            if let Err(error) = context.poll(None) {
                break error;
            }
        }
    });
    let client = home.client(&server, Framing::Framed, Recorder::new().0);
    client.wait_connected(Some(PATIENCE)).unwrap();
    let context = Arc::clone(&home.0);
    drop(home);
    events.released();
    support::wait_until("the poller has ended", || poller.is_finished());
    assert_eq!(poller.join().unwrap().code, Code::Cancelled);
    assert_eq!(context.poll(Some(Duration::ZERO)).unwrap_err().code, Code::Cancelled);
}

/// More loops than the context may have are not made, nor counted.
#[test]
fn io_threads_have_a_limit() {
    let config = ContextConfig { max_loops: 2, ..ContextConfig::default() };
    let home = Home(Context::new(config, ContextHooks::default()));
    let mut config = server_config();
    config.io_threads = usize::MAX;
    let server = home.server(config, Recorder::new().0);
    let (handler, at_client) = Recorder::new();
    let clients: Vec<_> = (0..4).map(|_| home.client(&server, Framing::Framed, handler.clone())).collect();
    for client in &clients {
        client.wait_connected(Some(PATIENCE)).unwrap();
    }
    support::wait_until("all are there", || server.connection_count() == 4);
    assert_eq!(server.broadcast(Payload::Text, b"all").unwrap().queued, 4);
    (0..4).for_each(|_| assert_eq!(at_client.message().1, b"all"));
}
