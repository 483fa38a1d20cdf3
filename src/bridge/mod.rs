//! The bridge: servers and clients under one configuration, counted together, with one place for their events.

mod events;
mod figures;
mod observed;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::WeakDispatch;

pub use self::events::Events;
use self::events::{Event, EventQueue};
use self::figures::Figures;
use self::observed::Observed;
use crate::config::{BridgeConfig, ClientConfig, MAX_ID_LEN, ServerConfig};
use crate::core::{Client, EndpointState, PoolConfig, Server};
use crate::error::{Code, Error, Result};
use crate::metrics::{ErrorKind, Metrics, Source, monitor};
use crate::runtime::{Context, LoopRef, Rate, RateLimit, logging_to, on_library_thread};
use crate::session::Stats;
use crate::session::handler::Handler;
use crate::sys;
use crate::transport::tls::TlsClient;

/// How many of the failures that are reported to it a bridge tells.
const REPORTS: Rate = Rate { each_second: 10, at_once: 10 };

/// A bridge. All functions may be called on any thread at any time, handlers included; only [`Bridge::wait`] waits.
///
/// It keeps none of its servers and clients: they end when they are stopped, by themselves or with the bridge.
pub struct Bridge {
    id: String,
    config: Mutex<BridgeConfig>,
    debug: AtomicBool,
    /// Where the last context logs that something was started in.
    log: Mutex<Option<WeakDispatch>>,
    figures: Figures,
    events: EventQueue,
    reports: RateLimit,
    endpoints: Mutex<Endpoints>,
    /// Signalled when one has been started or has ended.
    changed: Condvar,
}

#[derive(Default)]
struct Endpoints {
    started: u64,
    running: BTreeMap<u64, Endpoint>,
    /// Nothing more is started.
    closed: bool,
}

/// A server or client, until it has been started and has ended: which may come the other way round.
struct Endpoint {
    /// `None` while it is being started.
    made: Option<Made>,
    ended: bool,
    id: String,
    measured: bool,
    /// What was counted of it already.
    counted: Stats,
}

/// What was made.
#[derive(Clone)]
enum Made {
    Server(Weak<Server>),
    Client(Weak<Client>),
}

/// The same, while it is looked at.
enum Present {
    Server(Arc<Server>),
    Client(Arc<Client>),
}

impl Made {
    fn upgrade(&self) -> Option<Present> {
        match self {
            Made::Server(server) => server.upgrade().map(Present::Server),
            Made::Client(client) => client.upgrade().map(Present::Client),
        }
    }
}

impl Present {
    fn totals(&self) -> Stats {
        match self {
            Present::Server(server) => server.total_stats(),
            Present::Client(client) => client.total_stats(),
        }
    }

    fn stop(&self, drain: Option<Duration>) {
        match self {
            Present::Server(server) => server.stop(drain),
            Present::Client(client) => client.stop(drain),
        }
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        match self {
            Present::Server(server) => server.wait(timeout),
            Present::Client(client) => client.wait(timeout),
        }
    }

    fn state(&self) -> EndpointState {
        match self {
            Present::Server(server) => server.state(),
            Present::Client(client) => client.state(),
        }
    }
}

impl Endpoints {
    fn present(&self) -> Vec<Present> {
        self.running.values().filter_map(Endpoint::present).collect()
    }

    fn is_starting(&self) -> bool {
        self.running.values().any(|endpoint| endpoint.made.is_none())
    }
}

impl Endpoint {
    fn present(&self) -> Option<Present> {
        self.made.as_ref()?.upgrade()
    }

    /// Counts what it has done since the last time. What this returns may be the last reference: drop it outside the
    /// lock.
    fn count(&mut self, figures: &Figures) -> Option<Present> {
        let present = self.present().filter(|_| self.measured)?;
        let totals = present.totals();
        figures.count(&self.counted, &totals);
        self.counted = totals;
        Some(present)
    }
}

impl Bridge {
    /// A bridge, which has a name for people.
    pub fn new(id: &str, config: BridgeConfig, events: Arc<dyn Events>) -> Result<Arc<Bridge>> {
        if id.len() > MAX_ID_LEN {
            let text = format!("the id of the bridge has {} bytes: give it at most {MAX_ID_LEN}", id.len());
            return Err(Error::invalid(text));
        }
        let config = config.validated()?;
        let bridge = Arc::new(Bridge {
            id: id.to_owned(),
            config: Mutex::new(config),
            debug: AtomicBool::new(false),
            log: Mutex::default(),
            figures: Figures::default(),
            events: EventQueue::new(events),
            reports: RateLimit::default(),
            endpoints: Mutex::default(),
            changed: Condvar::new(),
        });
        let source: Weak<Bridge> = Arc::downgrade(&bridge);
        monitor().add_source(source);
        Ok(bridge)
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its settings.
    pub fn config(&self) -> BridgeConfig {
        lock(&self.config).clone()
    }

    /// Changes its settings, for what is started from now on.
    pub fn set_config(&self, config: BridgeConfig) -> Result<()> {
        *lock(&self.config) = config.validated()?;
        Ok(())
    }

    /// Has what it does logged as information, and not only for debugging.
    pub fn set_debug_logging(&self, enabled: bool) {
        self.debug.store(enabled, Ordering::Relaxed);
    }

    // --- servers and clients -----------------------------------------------------------------------------------

    /// Starts a server as [`Server::start`] does.
    pub fn start_server(
        self: &Arc<Self>,
        context: &Arc<Context>,
        config: ServerConfig,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Server>> {
        let settings = self.config();
        let config = settings.complete_server(config);
        self.start(context, &settings, config.server_id.clone(), handler, |handler| {
            settings.check_certificate(&config)?;
            let server = Server::start(context, config, handler)?;
            Ok((Made::Server(Arc::downgrade(&server)), server))
        })
    }

    /// Starts a client as [`Client::start`] does.
    pub fn start_client(
        self: &Arc<Self>,
        context: &Arc<Context>,
        config: ClientConfig,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Client>> {
        let settings = self.config();
        let config = settings.complete_client(config);
        self.start_client_by(context, &settings, config, handler, |config, handler| {
            Client::start(context, config, handler)
        })
    }

    /// Starts one of a pool, whose configuration was completed with these settings and is valid, and whose encryption is
    /// made already.
    pub(crate) fn start_pooled_client(
        self: &Arc<Self>,
        context: &Arc<Context>,
        settings: &BridgeConfig,
        config: ClientConfig,
        tls: Option<TlsClient>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Client>> {
        self.start_client_by(context, settings, config, handler, |config, handler| {
            Client::start_with(context, config, tls, handler)
        })
    }

    fn start_client_by(
        self: &Arc<Self>,
        context: &Context,
        settings: &BridgeConfig,
        config: ClientConfig,
        handler: Arc<dyn Handler>,
        start: impl FnOnce(ClientConfig, Arc<dyn Handler>) -> Result<Arc<Client>>,
    ) -> Result<Arc<Client>> {
        self.start(context, settings, config.client_id.clone(), handler, |handler| {
            let client = start(config, handler)?;
            Ok((Made::Client(Arc::downgrade(&client)), client))
        })
    }

    /// The settings of a pool of its clients. Fails where there are to be no pools.
    pub fn complete_pool(&self, mut pool: PoolConfig) -> Result<PoolConfig> {
        let settings = self.config();
        if !settings.connection_pooling {
            return Err(Error::new(
                Code::Unsupported,
                format!("connection pooling is switched off in the configuration of the bridge {:?}", self.id),
            ));
        }
        if pool.max_connections == PoolConfig::default().max_connections {
            pool.max_connections = settings.max_connections_per_client;
        }
        Ok(pool)
    }

    fn start<T>(
        self: &Arc<Self>,
        context: &Context,
        settings: &BridgeConfig,
        id: String,
        handler: Arc<dyn Handler>,
        start: impl FnOnce(Arc<Observed>) -> Result<(Made, Arc<T>)>,
    ) -> Result<Arc<T>> {
        let measured = settings.performance_monitoring;
        *lock(&self.log) = context.log().map(Dispatch::downgrade);
        let number = {
            let mut endpoints = self.lock_endpoints();
            if endpoints.closed {
                return Err(Error::new(Code::Cancelled, "the bridge is being destroyed: nothing is started in it"));
            }
            endpoints.started += 1;
            let number = endpoints.started;
            let endpoint = Endpoint { made: None, ended: false, id, measured, counted: Stats::default() };
            endpoints.running.insert(number, endpoint);
            number
        };
        match start(Arc::new(Observed::new(Arc::clone(self), number, measured, handler))) {
            Ok((made, endpoint)) => {
                let present = made.upgrade();
                self.update(number, |endpoint| endpoint.made = Some(made));
                let closed = self.lock_endpoints().closed;
                present.filter(|_| closed).iter().for_each(|endpoint| endpoint.stop(None));
                Ok(endpoint)
            }
            Err(error) => {
                // In line first, since nothing is told any more when the last one is forgotten. The release, if the
                // bridge waits for nothing else, may be told on this thread nevertheless.
                context.logging(|| self.report_from_loop(context, &error));
                let mut endpoints = self.lock_endpoints();
                endpoints.running.remove(&number);
                self.unlock(endpoints);
                Err(error)
            }
        }
    }

    /// A server or client has ended.
    fn ended(&self, number: u64) {
        self.update(number, |endpoint| endpoint.ended = true);
    }

    /// Notes something of a server or client, and forgets it after the last.
    fn update(&self, number: u64, note: impl FnOnce(&mut Endpoint)) {
        let mut endpoints = self.lock_endpoints();
        let mut counted = None;
        if let Some(endpoint) = endpoints.running.get_mut(&number) {
            note(endpoint);
            if endpoint.ended && endpoint.made.is_some() {
                counted = endpoint.count(&self.figures);
                endpoints.running.remove(&number);
            }
        }
        self.unlock(endpoints);
        drop(counted);
    }

    /// To be called after each change that others may wait for.
    fn unlock(&self, endpoints: MutexGuard<'_, Endpoints>) {
        let over = endpoints.closed && endpoints.running.is_empty();
        // In line before anybody can see that nothing runs: who waits for that waits for what is told then, too.
        let tell = over && self.events.push(Event::Released);
        drop(endpoints);
        self.changed.notify_all();
        if tell {
            self.logging(|| self.events.tell());
        }
    }

    /// Begins to stop its servers and clients. `drain`: as for these. Others may be started afterwards. One that is being
    /// started on another thread is not stopped.
    pub fn stop(&self, drain: Option<Duration>) {
        let present = self.lock_endpoints().present();
        present.iter().for_each(|endpoint| endpoint.stop(drain));
    }

    /// Waits until none of its servers and clients runs, and all events have been told.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        if on_library_thread() {
            return Err(Error::new(
                Code::WouldDeadlock,
                "this is a thread of the library, whose work the call would wait for: return from the handler",
            ));
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let present = self.wait_started(deadline)?;
            if present.is_empty() {
                break;
            }
            for endpoint in present {
                endpoint.wait(deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())))?;
            }
        }
        self.events.wait_idle(deadline)
    }

    /// Those that run, when none is being started.
    fn wait_started(&self, deadline: Option<Instant>) -> Result<Vec<Present>> {
        let endpoints = self.lock_endpoints();
        let endpoints = wait_while(&self.changed, endpoints, deadline, Endpoints::is_starting)?;
        Ok(endpoints.present())
    }

    /// Begins to stop for good. The events are released when nothing of it runs any more.
    pub fn close(&self, drain: Option<Duration>) {
        let mut endpoints = self.lock_endpoints();
        endpoints.closed = true;
        self.unlock(endpoints);
        self.stop(drain);
    }

    // --- figures -----------------------------------------------------------------------------------------------

    /// What its servers and clients have done.
    pub fn metrics(&self) -> Metrics {
        self.collect();
        self.figures.own.metrics()
    }

    /// Counts anew.
    pub fn reset_metrics(&self) {
        self.collect();
        self.figures.own.reset();
    }

    /// How it stands, for people.
    pub fn status_report(&self) -> String {
        report::status(self)
    }

    /// Counts what its servers and clients have done since the last time.
    fn collect(&self) {
        let mut endpoints = self.lock_endpoints();
        let counted: Vec<_> = endpoints.running.values_mut().map(|endpoint| endpoint.count(&self.figures)).collect();
        drop(endpoints);
        drop(counted);
    }

    /// Counts what one of them has done since the last time.
    fn collect_from(&self, number: u64) {
        let mut endpoints = self.lock_endpoints();
        let counted = endpoints.running.get_mut(&number).and_then(|endpoint| endpoint.count(&self.figures));
        drop(endpoints);
        drop(counted);
    }

    // --- events ------------------------------------------------------------------------------------------------

    /// Tells of a failure of the application's own, as of those of servers and clients.
    ///
    /// It is counted in any case, and told unless 1,024 others wait for that; but ten times a second at most, as what
    /// peers can bring about, unless it is a handler that failed. Never waits.
    pub fn report(&self, error: &Error) {
        self.logging(|| {
            self.count_failure(error);
            if error.code != Code::HandlerFailed && !self.reports.take(REPORTS, sys::monotonic_ns()) {
                return;
            }
            self.note(format_args!("{error}"));
            self.events.post_in_passing(Event::Failed(error.clone()));
        });
    }

    /// Tells of a start that failed, on a loop: the thread that asked for it may hold locks that handlers take.
    fn report_from_loop(self: &Arc<Self>, context: &Context, error: &Error) {
        self.count_failure(error);
        self.note(format_args!("{error}"));
        if self.events.push(Event::Failed(error.clone())) {
            self.tell_on(context.any_loop());
        }
    }

    /// Tells what is in line on this loop. Where there is none any more, since the context is being shut down, this
    /// thread has to.
    fn tell_on(self: &Arc<Self>, event_loop: Result<LoopRef>) {
        let duty = Duty(Arc::clone(self));
        if let Ok(event_loop) = event_loop {
            event_loop.clone().spawn(async move {
                drop(duty);
                drop(event_loop);
            });
        }
    }

    fn count_failure(&self, error: &Error) {
        if self.config().performance_monitoring {
            self.figures.record_error(ErrorKind::of(error.code));
        }
    }

    fn fail(&self, error: &Error) {
        self.note(format_args!("{error}"));
        self.events.post(Event::Failed(error.clone()));
    }

    /// Logs what it does.
    fn note(&self, what: fmt::Arguments<'_>) {
        if self.debug.load(Ordering::Relaxed) {
            tracing::info!("bridge {:?}: {what}", self.id);
        } else {
            tracing::debug!("bridge {:?}: {what}", self.id);
        }
    }

    /// Runs `work`, on whatever thread, with its log going where that of the last context goes that something was started
    /// in. Not to be called under a lock.
    fn logging<R>(&self, work: impl FnOnce() -> R) -> R {
        let log = lock(&self.log).as_ref().and_then(WeakDispatch::upgrade);
        logging_to(log.as_ref(), work)
    }

    fn lock_endpoints(&self) -> MutexGuard<'_, Endpoints> {
        lock(&self.endpoints)
    }
}

/// What tells the events of a bridge, when it is dropped: run, or given up by a loop that has ended.
struct Duty(Arc<Bridge>);

impl Drop for Duty {
    fn drop(&mut self) {
        self.0.events.tell();
    }
}

impl Source for Bridge {
    fn update(&self) {
        self.collect();
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("id", &self.id).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable until `condition` is false, or the time has come.
fn wait_while<'a, T>(
    changed: &Condvar,
    mut guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
    condition: impl Fn(&T) -> bool,
) -> Result<MutexGuard<'a, T>> {
    while condition(&guard) {
        guard = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => return Err(Code::Timeout.into()),
            Some(left) => changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
    Ok(guard)
}
