//! The client: one connection to a server.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::lifecycle::{EndpointState, Lifecycle, Watcher};
use crate::config::{ClientConfig, LONGEST};
use crate::error::{Code, Error, Result};
use crate::runtime::{Context, Endpoint, EndpointGuard, batch};
use crate::session::handler::{CloseReport, Handler, Message};
use crate::session::{Driver, Registry, Role, Session, State, Stats, linger};
use crate::transport::connect::{connect, resolve};
use crate::transport::{SocketOptions, Stream};

/// A client. All functions may be called on any thread at any time, handlers included; only [`Client::wait`] and
/// [`Client::wait_connected`] wait.
pub struct Client {
    registry: Arc<Registry>,
    drain: Duration,
    lifecycle: Arc<Lifecycle>,
    session: Mutex<Option<Arc<Session>>>,
}

impl Client {
    /// Starts to connect. Whether that succeeds, the handler is told: `on_open`, or `on_error` and `on_stopped`.
    pub fn start(context: &Arc<Context>, config: ClientConfig, handler: Arc<dyn Handler>) -> Result<Arc<Client>> {
        let config = config.validated()?;
        let event_loop = context.assign_loop()?;
        let lifecycle = Arc::new(Lifecycle::default());
        let handler = Arc::new(Watched { lifecycle: Arc::clone(&lifecycle), handler });
        let target = Target {
            host: config.host,
            port: config.port,
            timeout: config.connect_timeout,
            options: SocketOptions::from(&config.session),
        };
        let drain = config.session.drain;
        let registry = Registry::new(Role::Client, config.client_id, config.session, handler, Some(&event_loop));
        let client = Arc::new(Client { registry: Arc::new(registry), drain, lifecycle, session: Mutex::new(None) });
        let guard = context.register(event_loop.clone(), client.clone())?;
        event_loop.spawn(Arc::clone(&client).serve(target, guard));
        Ok(client)
    }

    /// Begins to stop: no message is handled any more. What was accepted for sending is delivered if the server
    /// reads, within `drain` (`None`: as configured).
    pub fn stop(&self, drain: Option<Duration>) {
        let drain = drain.unwrap_or(self.drain).min(LONGEST);
        self.lifecycle.signal.request();
        self.registry.stop(drain);
    }

    /// Waits until it has stopped, be it that its connection ended, and the handler is told nothing any more.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        self.lifecycle.wait_stopped(timeout)
    }

    /// Waits until it is connected. Fails with what connecting failed with.
    pub fn wait_connected(&self, timeout: Option<Duration>) -> Result<()> {
        self.lifecycle.wait_connected(timeout)
    }

    /// Has somebody told when it is connected and when it has stopped.
    pub(super) fn watch(&self, watcher: Arc<dyn Watcher>) {
        self.lifecycle.watch(watcher);
    }

    /// Where it stands.
    pub fn state(&self) -> EndpointState {
        self.lifecycle.state()
    }

    /// Its session, from when TCP is connected to the end.
    pub fn session(&self) -> Result<Arc<Session>> {
        let session = self.lock_session().clone();
        session
            .filter(|session| !matches!(session.state(), State::Disconnected | State::Error))
            .ok_or_else(|| Error::new(Code::ConnectionClosed, "the client is not connected"))
    }

    /// Its counts since it was started or they were reset.
    pub fn stats(&self) -> Stats {
        self.registry.stats()
    }

    /// Starts counting anew.
    pub fn reset_stats(&self) {
        self.registry.reset_stats();
    }

    async fn serve(self: Arc<Self>, target: Target, guard: EndpointGuard) {
        let connecting = tokio::time::timeout_at(target.deadline(), target.connect());
        let failure = match self.lifecycle.signal.unless(connecting).await {
            None => None,
            Some(Ok(Ok(stream))) => self.converse(stream, &target, &guard).await,
            Some(Ok(Err(error))) => Some(error),
            Some(Err(_)) => Some(target.timed_out()),
        };
        let outcome = failure.clone().unwrap_or_else(|| Code::ConnectionClosed.into());
        self.lifecycle.set_connected(Err(outcome));
        batch::run(|| {
            if let Some(error) = failure {
                self.registry.tell_error(None, &error);
            }
            self.registry.tell(None, |handler| handler.on_stopped());
            self.registry.release();
        });
        *self.lock_session() = None;
        drop(guard);
        self.lifecycle.set_stopped();
    }

    /// Serves the connection to its end; gives back the error if it did not come to be open.
    async fn converse(
        &self,
        (stream, started): (Stream, Instant),
        target: &Target,
        guard: &EndpointGuard,
    ) -> Option<Error> {
        let stream = Arc::new(stream);
        let session = Session::new(Arc::clone(&self.registry), Arc::clone(&stream), false);
        if self.registry.add(&session, usize::MAX).is_err() {
            // A stop came first.
            return None;
        }
        *self.lock_session() = Some(Arc::clone(&session));
        let within = target.timeout.saturating_sub(started.elapsed());
        let ended = Driver::new(session, stream, within).await;
        if let Some(stream) = ended.linger {
            let event_loop = guard.event_loop().clone();
            guard.event_loop().spawn(async move {
                linger(stream).await;
                drop(event_loop);
            });
        }
        if ended.opened { None } else { ended.error }
    }

    fn lock_session(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint for Client {
    fn stop(&self, drain: Option<Duration>) {
        Client::stop(self, drain);
    }

    fn house_interval(&self) -> Duration {
        self.registry.house_interval()
    }

    fn keep_house(&self) {
        self.registry.keep_house();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.registry.id).field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Where to connect to.
struct Target {
    host: String,
    port: u16,
    timeout: Duration,
    options: SocketOptions,
}

impl Target {
    fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// A connected stream, and when connecting began.
    async fn connect(&self) -> Result<(Stream, Instant)> {
        let started = Instant::now();
        let addresses = resolve(&self.host, self.port).await?;
        let stream = connect(&addresses).await?;
        let failed =
            |error| Error::os(Code::ConnectionFailed, format_args!("lost the connection to {}", self.name()), &error);
        self.options.apply(&stream).map_err(failed)?;
        Ok((Stream::new(stream), started))
    }

    fn timed_out(&self) -> Error {
        Error::new(
            Code::ConnectionTimeout,
            format!("no connection to {} within {} ms", self.name(), self.timeout.as_millis()),
        )
    }

    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The user's handler, with those who wait for the connection told before it.
struct Watched {
    lifecycle: Arc<Lifecycle>,
    handler: Arc<dyn Handler>,
}

impl Handler for Watched {
    fn on_open(&self, session: &Arc<Session>) {
        self.handler.on_open(session);
        self.lifecycle.set_connected(Ok(()));
    }
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        self.handler.on_message(session, message);
    }
    fn on_writable(&self, session: &Arc<Session>) {
        self.handler.on_writable(session);
    }
    fn on_state(&self, session: &Arc<Session>, old: State, new: State) {
        self.handler.on_state(session, old, new);
    }
    fn on_close(&self, session: &Arc<Session>, report: &CloseReport) {
        self.handler.on_close(session, report);
    }
    fn on_detach(&self, session: &Arc<Session>) {
        self.handler.on_detach(session);
    }
    fn on_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        self.handler.on_error(session, error);
    }
    fn on_stopped(&self) {
        self.handler.on_stopped();
    }
    fn on_release(&self) {
        self.handler.on_release();
    }
}
