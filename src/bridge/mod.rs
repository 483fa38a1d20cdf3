//! The bridge: servers and clients under one configuration, counted together, with one place for their events.

mod endpoints;
mod events;
mod figures;
mod observed;
mod report;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::WeakDispatch;

use self::endpoints::{Endpoints, Started};
pub use self::events::Events;
use self::events::{Event, EventQueue};
use self::figures::Figures;
use self::observed::Observed;
use crate::config::{BridgeConfig, ClientConfig, MAX_ID_LEN, ServerConfig};
use crate::core::{Client, PoolConfig, Server};
use crate::error::{Code, Error, Result};
use crate::metrics::{ErrorKind, Metrics, Source, monitor};
use crate::runtime::{Context, LoopRef, Rate, RateLimit, logging_to, on_library_thread};
use crate::session::handler::Handler;
use crate::sync::{lock, wait_while};
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
        self.start(context, &settings, config.server_id.clone(), handler, |handler| {
            let config = settings.complete_server(config)?;
            settings.check_certificate(&config)?;
            Server::start(context, config, handler)
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
        self.start(context, &settings, config.client_id.clone(), handler, |handler| {
            Client::start(context, settings.complete_client(config)?, handler)
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
        self.start(context, settings, config.client_id.clone(), handler, |handler| {
            Client::start_with(context, config, tls, handler)
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

    fn start<T: Started + 'static>(
        self: &Arc<Self>,
        context: &Context,
        settings: &BridgeConfig,
        id: String,
        handler: Arc<dyn Handler>,
        start: impl FnOnce(Arc<Observed>) -> Result<Arc<T>>,
    ) -> Result<Arc<T>> {
        let measured = settings.performance_monitoring;
        *lock(&self.log) = context.log().map(Dispatch::downgrade);
        let number = self.lock_endpoints().begin(id, measured)?;
        let started = start(Arc::new(Observed::new(Arc::clone(self), number, measured, handler)));
        match &started {
            Ok(endpoint) => {
                let weak: Weak<T> = Arc::downgrade(endpoint);
                let closed = self.change(|endpoints| {
                    drop(endpoints.started(number, weak, &self.figures)); // `endpoint` is another reference
                    endpoints.is_closed()
                });
                if closed {
                    endpoint.stop(None);
                }
            }
            Err(error) => {
                // In line first, since nothing is told any more when the last one is forgotten. The release, if the
                // bridge waits for nothing else, may be told on this thread nevertheless.
                context.logging(|| self.report_on(context.any_loop(), error));
                self.change(|endpoints| endpoints.failed(number));
            }
        }
        started
    }

    /// A server or client has ended.
    fn ended(&self, number: u64) {
        drop(self.change(|endpoints| endpoints.ended(number, &self.figures)));
    }

    /// Makes a change that others may wait for.
    fn change<R>(&self, change: impl FnOnce(&mut Endpoints) -> R) -> R {
        let mut endpoints = self.lock_endpoints();
        let result = change(&mut endpoints);
        // In line before anybody can see that nothing runs: who waits for that waits for what is told then, too.
        let tell = endpoints.is_over() && self.events.push(Event::Released);
        drop(endpoints);
        self.changed.notify_all();
        if tell {
            self.logging(|| self.events.tell());
        }
        result
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
            return Err(Error::would_deadlock());
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
    fn wait_started(&self, deadline: Option<Instant>) -> Result<Vec<Arc<dyn Started>>> {
        let endpoints = wait_while(&self.changed, self.lock_endpoints(), deadline, Endpoints::is_starting);
        Ok(endpoints.ok_or(Code::Timeout)?.present())
    }

    /// Begins to stop for good. The events are released when nothing of it runs any more.
    pub fn close(&self, drain: Option<Duration>) {
        self.change(Endpoints::close);
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
        let counted = self.lock_endpoints().count(&self.figures);
        drop(counted); // outside the lock
    }

    /// Counts what one of them has done since the last time.
    fn collect_from(&self, number: u64) {
        let counted = self.lock_endpoints().count_one(number, &self.figures);
        drop(counted); // outside the lock
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

    /// Logs and tells of a start that failed, on this loop: the thread that asked for it may hold locks that handlers
    /// take. Where there is none any more, since the context is being shut down, that thread has to.
    fn report_on(self: &Arc<Self>, event_loop: Result<LoopRef>, error: &Error) {
        self.count_failure(error);
        let tells = self.events.push(Event::Failed(error.clone()));
        let duty = Duty { bridge: Arc::clone(self), failure: error.clone(), tells };
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

/// What logs a failure and tells the events of a bridge, when it is dropped: run, or given up by a loop that has ended.
struct Duty {
    bridge: Arc<Bridge>,
    failure: Error,
    /// Nobody else tells the events.
    tells: bool,
}

impl Drop for Duty {
    fn drop(&mut self) {
        self.bridge.note(format_args!("{}", self.failure));
        if self.tells {
            self.bridge.events.tell();
        }
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
