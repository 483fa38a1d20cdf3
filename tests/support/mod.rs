//! What the tests of the core share: a handler that records, and a context that is checked for leaks.

#![allow(dead_code)] // Each test program uses its own part.

pub mod compression;
pub mod framed;
pub mod random;
pub mod reconnecting;
pub mod tls;

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use network_system::config::{ClientConfig, ContextConfig, Framing, ServerConfig};
use network_system::core::{Client, Server};
use network_system::error::Error;
use network_system::runtime::{Context, ContextHooks, Dispatch, Executor, Job};
use network_system::session::handler::{CloseReport, Handler, Message, Payload};
use network_system::session::{Session, State};
use socket2::SockRef;

/// Longer than anything here takes on the slowest machine; reached only where a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const MIB: usize = 1 << 20;

/// Something that a handler was told.
#[derive(Debug)]
pub enum Event {
    Accept(Arc<Session>),
    Open(Arc<Session>),
    Message(Arc<Session>, Payload, Vec<u8>),
    Writable(Arc<Session>),
    State(State, State),
    Close(Arc<Session>, CloseReport),
    End(Arc<Session>, CloseReport),
    Detach(Arc<Session>),
    Error(Option<Arc<Session>>, Error),
    Stopped,
    Release,
}

type Action = Box<dyn Fn(&Event) + Send + Sync>;

/// Records what it is told, and does what the test wants at it.
pub struct Recorder {
    events: Mutex<Sender<Event>>,
    action: Action,
}

impl Recorder {
    pub fn new() -> (Arc<Recorder>, Events) {
        Recorder::with(|_| {})
    }

    pub fn with(action: impl Fn(&Event) + Send + Sync + 'static) -> (Arc<Recorder>, Events) {
        let (sender, receiver) = channel();
        (Arc::new(Recorder { events: Mutex::new(sender), action: Box::new(action) }), Events(receiver))
    }

    /// Sends back what comes.
    pub fn echoing() -> (Arc<Recorder>, Events) {
        Recorder::with(|event| {
            if let Event::Message(session, kind, data) = event {
                session.send(*kind, data).unwrap();
            }
        })
    }

    /// Sends so many bytes to each session as it opens.
    pub fn owing(len: usize) -> (Arc<Recorder>, Events) {
        Recorder::with(move |event| {
            if let Event::Open(session) = event {
                session.send(Payload::Stream, &vec![7; len]).unwrap();
            }
        })
    }

    fn record(&self, event: Event) {
        (self.action)(&event);
        let _ = self.events.lock().unwrap().send(event);
    }
}

impl Handler for Recorder {
    fn on_accept(&self, session: &Arc<Session>) {
        self.record(Event::Accept(session.clone()));
    }
    fn on_open(&self, session: &Arc<Session>) {
        self.record(Event::Open(session.clone()));
    }
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        self.record(Event::Message(session.clone(), message.kind, message.data.to_vec()));
    }
    fn on_writable(&self, session: &Arc<Session>) {
        self.record(Event::Writable(session.clone()));
    }
    fn on_state(&self, _session: &Arc<Session>, old: State, new: State) {
        self.record(Event::State(old, new));
    }
    fn on_close(&self, session: &Arc<Session>, report: &CloseReport) {
        self.record(Event::Close(session.clone(), report.clone()));
    }
    fn on_end(&self, session: &Arc<Session>, report: &CloseReport) {
        self.record(Event::End(session.clone(), report.clone()));
    }
    fn on_detach(&self, session: &Arc<Session>) {
        self.record(Event::Detach(session.clone()));
    }
    fn on_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        self.record(Event::Error(session.cloned(), error.clone()));
    }
    fn on_stopped(&self) {
        self.record(Event::Stopped);
    }
    fn on_release(&self) {
        self.record(Event::Release);
    }
}

/// What a [`Recorder`] was told.
pub struct Events(Receiver<Event>);

impl Events {
    pub fn next(&self) -> Event {
        self.0.recv_timeout(PATIENCE).expect("an event was awaited and did not come")
    }

    /// Drops events until one is what `pick` looks for.
    pub fn until<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.next()) {
                return found;
            }
        }
    }

    pub fn opened(&self) -> Arc<Session> {
        self.until(|event| if let Event::Open(session) = event { Some(session) } else { None })
    }

    pub fn message(&self) -> (Payload, Vec<u8>) {
        self.until(|event| if let Event::Message(_, kind, data) = event { Some((kind, data)) } else { None })
    }

    pub fn closed(&self) -> CloseReport {
        self.until(|event| if let Event::Close(_, report) = event { Some(report) } else { None })
    }

    pub fn error(&self) -> Error {
        self.until(|event| if let Event::Error(_, error) = event { Some(error) } else { None })
    }

    pub fn released(&self) {
        self.until(|event| matches!(event, Event::Release).then_some(()));
    }

    /// What came and was not taken.
    pub fn rest(&self) -> Vec<Event> {
        self.0.try_iter().collect()
    }
}

/// A context that ends with the test.
pub struct Home(pub Arc<Context>);

impl Home {
    pub fn new() -> Home {
        Home(Context::new(ContextConfig::default(), ContextHooks::default()))
    }

    pub fn server(&self, config: ServerConfig, handler: Arc<dyn Handler>) -> Arc<Server> {
        Server::start(&self.0, config, handler).unwrap()
    }

    pub fn client(&self, server: &Server, framing: Framing, handler: Arc<dyn Handler>) -> Arc<Client> {
        let mut config = client_config(server.local_addr().port());
        config.session.framing = framing;
        Client::start(&self.0, config, handler).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.0.stop(Some(Duration::ZERO));
        self.0.join().unwrap();
    }
}

pub fn server_config() -> ServerConfig {
    ServerConfig { server_id: "server".into(), host: "127.0.0.1".into(), ..ServerConfig::default() }
}

pub fn client_config(port: u16) -> ClientConfig {
    ClientConfig { client_id: "client".into(), host: "127.0.0.1".into(), port, ..ClientConfig::default() }
}

pub fn dispatched(dispatch: Dispatch) -> ServerConfig {
    let mut config = server_config();
    config.session.dispatch = dispatch;
    config
}

pub fn framed_client_config(port: u16) -> ClientConfig {
    let mut config = client_config(port);
    config.session.framing = Framing::Framed;
    config
}

/// A way of dispatching handlers that goes on by itself for as long as this lives.
pub struct Mode {
    pub name: &'static str,
    pub dispatch: Dispatch,
    /// What ends the thread that polls.
    polling: Option<(Arc<AtomicBool>, std::thread::JoinHandle<()>)>,
}

impl Mode {
    pub const NAMES: [&str; 4] = ["inline", "pool", "executor", "manual"];

    pub fn new(name: &'static str, context: &Arc<Context>) -> Mode {
        let mut polling = None;
        let dispatch = match name {
            "inline" => Dispatch::Inline,
            "pool" => Dispatch::Pool,
            "executor" => Dispatch::Executor(Arc::new(Threads)),
            _ => {
                let (on, context) = (Arc::new(AtomicBool::new(true)), Arc::clone(context));
                let poll = {
                    let on = on.clone();
                    move || {
                        while on.load(Ordering::SeqCst) {
                            context.poll(Some(Duration::from_millis(20))).unwrap();
                        }
                    }
                };
                polling = Some((on, std::thread::spawn(poll)));
                Dispatch::Manual
            }
        };
        Mode { name, dispatch, polling }
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        if let Some((on, thread)) = self.polling.take() {
            on.store(false, Ordering::SeqCst);
            thread.join().unwrap();
        }
    }
}

/// Holds up a handler until it is opened, and says that one is there.
#[derive(Default)]
pub struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    reached: bool,
    open: bool,
}

impl Gate {
    pub fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    /// For the handler.
    pub fn pass(&self) {
        self.state.lock().unwrap().reached = true;
        self.changed.notify_all();
        self.wait("the gate was not opened", |state| state.open);
    }

    /// Waits until a handler has come to it.
    pub fn reached(&self) {
        self.wait("no handler came to the gate", |state| state.reached);
    }

    fn wait(&self, what: &str, so: impl Fn(&GateState) -> bool) {
        let state = self.state.lock().unwrap();
        let (_state, late) = self.changed.wait_timeout_while(state, PATIENCE, |state| !so(state)).unwrap();
        assert!(!late.timed_out(), "{what}");
    }
}

/// An executor that makes a thread for each job.
pub struct Threads;

impl Executor for Threads {
    fn execute(&self, job: Job) {
        std::thread::spawn(|| job.run());
    }
}

/// Closes the connection so that the other side is told of a reset.
pub fn reset(peer: TcpStream) {
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Lets this process have as many descriptors as it may.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid struct, for both calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

/// Polls until it is so: for figures and states, of whose changes nothing tells.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
