//! The client: a connection to a server, or one after the other.

mod backoff;
mod outlet;
mod reconnecting;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::outlet::Outlet;
use self::reconnecting::Reconnecting;
use super::lifecycle::{EndpointState, Lifecycle, Watcher};
use crate::config::{ClientConfig, LONGEST, Reconnect};
use crate::error::{Code, Error, Result};
use crate::runtime::{Context, Endpoint, EndpointGuard, EndpointPlace};
use crate::session::handler::{CloseReport, Handler, Message, Meter, Payload};
use crate::session::{Driver, Ended, Registry, Role, Session, State, Stats, linger};
use crate::transport::connect::{connect, resolve};
use crate::transport::tls::{TlsClient, client_tls};
use crate::transport::{SocketOptions, Stream};

/// A client. All functions may be called on any thread at any time, handlers included; only [`Client::wait`],
/// [`Client::wait_connected`] and a send under [`SendPolicy::Wait`](crate::config::SendPolicy::Wait) wait.
pub struct Client {
    registry: Arc<Registry>,
    drain: Duration,
    lifecycle: Arc<Lifecycle>,
    session: Mutex<Option<Arc<Session>>>,
    /// Where sends go if it connects again.
    outlet: Option<Outlet>,
}

impl Client {
    /// Starts to connect. Whether that succeeds, the handler is told: `on_open`, or `on_error` and `on_stopped`.
    pub fn start(context: &Arc<Context>, config: ClientConfig, handler: Arc<dyn Handler>) -> Result<Arc<Client>> {
        let config = config.validated()?;
        let tls = client_tls(&config.tls, &config.host)?;
        Client::start_with(context, config, tls, handler)
    }

    /// Starts one that has a valid configuration and its encryption made already.
    pub(crate) fn start_with(
        context: &Arc<Context>,
        config: ClientConfig,
        tls: Option<TlsClient>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Client>> {
        let event_loop = context.assign_loop()?;
        let place = context.place(&config.session.dispatch, &event_loop)?;
        let lifecycle = Arc::new(Lifecycle::new(place.as_ref()));
        let reconnect = config.reconnect.enabled.then_some(config.reconnect);
        let reconnects = reconnect.is_some();
        let handler = Arc::new(Watched { lifecycle: Arc::clone(&lifecycle), reconnects, handler });
        let target = Target {
            host: config.host,
            port: config.port,
            timeout: config.connect_timeout,
            options: SocketOptions::from(&config.session),
            tls,
        };
        let drain = config.session.drain;
        let elsewhere = place.as_ref().map(EndpointPlace::place);
        let mut registry =
            Registry::new(Role::Client, config.client_id, config.session, handler, Some(&event_loop), elsewhere);
        if reconnects {
            registry = registry.keep_unsent();
        }
        let registry = Arc::new(registry);
        let outlet = reconnects.then(|| Outlet::new(Arc::clone(&registry)));
        let client = Arc::new(Client { registry, drain, lifecycle, session: Mutex::new(None), outlet });
        let guard = context.register(event_loop.clone(), place, client.clone())?;
        event_loop.spawn(Arc::clone(&client).serve(target, reconnect, guard));
        Ok(client)
    }

    /// Begins to stop: no message is handled any more. What was accepted for sending is delivered if the server
    /// reads, within `drain` (`None`: as configured).
    pub fn stop(&self, drain: Option<Duration>) {
        let drain = drain.unwrap_or(self.drain).min(LONGEST);
        self.lifecycle.signal.request();
        if let Some(outlet) = &self.outlet {
            outlet.stop();
        }
        self.registry.stop(drain);
    }

    /// Waits until it has stopped, be it that its connection ended, and the handler is told nothing any more.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        self.lifecycle.wait_stopped(timeout)
    }

    /// Sends a message, which is copied. See [`Client::send_vectored`].
    pub fn send(&self, payload: Payload, data: &[u8]) -> Result<()> {
        self.send_vectored(payload, &[data])
    }

    /// Sends a message that is given in parts, on the present connection as [`Session::send_vectored`] does.
    ///
    /// A reconnecting client that is not connected keeps the message for its next connection. What waits for that is
    /// bounded as a session's queue is, and the same policy says what a send does that finds no room. Each connection
    /// gets what waits before it is told to be open. What was accepted and is not sent when the client ends, the
    /// handler is told as an error.
    ///
    /// Any other client that is not connected fails with `ConnectionClosed`, as a reconnecting one does that has been
    /// stopped or has ended.
    pub fn send_vectored(&self, payload: Payload, parts: &[&[u8]]) -> Result<()> {
        match &self.outlet {
            Some(outlet) => outlet.send(payload, parts),
            None => self.session()?.send_vectored(payload, parts),
        }
    }

    /// Whether it has a connection that is open: `on_open` has run for it, and `on_close` has not begun.
    pub fn is_connected(&self) -> bool {
        self.lifecycle.is_connected()
    }

    /// Waits until it is connected. Fails with what connecting failed with; a reconnecting client fails only when it
    /// ends.
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

    /// Its counts since it was started, whatever was reset.
    pub(crate) fn total_stats(&self) -> Stats {
        self.registry.totals()
    }

    /// Starts counting anew.
    pub fn reset_stats(&self) {
        self.registry.take_stats();
    }

    /// Its counts as [`stats`](Self::stats) gives them, and starts counting anew: each message is in exactly one such
    /// result.
    pub fn take_stats(&self) -> Stats {
        self.registry.take_stats()
    }

    async fn serve(self: Arc<Self>, target: Target, reconnect: Option<Reconnect>, guard: EndpointGuard) {
        if let Some(tls) = &target.tls {
            tls.warn_if_blind(&target.host);
        }
        let failure = match (reconnect, &self.outlet) {
            (Some(policy), Some(outlet)) => Reconnecting::new(&self, outlet, &policy).serve(&target, &guard).await,
            _ => self.serve_once(&target, &guard).await,
        };
        let outcome = failure.clone().unwrap_or_else(|| Code::ConnectionClosed.into());
        self.lifecycle.set_connected(Err(outcome));
        self.registry.tell_stopped(failure).await;
        drop(guard);
        self.lifecycle.set_stopped();
    }

    /// Serves the one connection of a client that makes no other; gives back the error if it did not come to be open.
    async fn serve_once(&self, target: &Target, guard: &EndpointGuard) -> Option<Error> {
        let failure = match self.connect(target).await? {
            Ok(connected) => {
                let (_, ended) = self.converse(connected, target, guard).await?;
                if ended.opened { None } else { ended.error }
            }
            Err(error) => Some(error),
        };
        if failure.is_some() {
            self.registry.count_failed_attempt();
        }
        failure
    }

    /// Connects. `None`: a stop came first.
    async fn connect(&self, target: &Target) -> Option<Result<(Stream, Instant)>> {
        let connecting = tokio::time::timeout_at(target.deadline(), target.connect());
        let connected = self.lifecycle.signal.unless(connecting).await?;
        Some(connected.unwrap_or_else(|_| Err(target.timed_out())))
    }

    /// Serves a connection to its end. `None`: a stop came first.
    async fn converse(
        &self,
        (stream, started): (Stream, Instant),
        target: &Target,
        guard: &EndpointGuard,
    ) -> Option<(Arc<Session>, Box<Ended>)> {
        let stream = Arc::new(stream);
        let session = Session::new(Arc::clone(&self.registry), Arc::clone(&stream), false);
        self.registry.add(&session).ok()?;
        if let Some(outlet) = &self.outlet {
            outlet.connected(&session);
        }
        *self.lock_session() = Some(Arc::clone(&session));
        let within = target.timeout.saturating_sub(started.elapsed());
        let mut ended = Driver::new(Arc::clone(&session), stream, within).await;
        if let Some(stream) = ended.linger.take() {
            let event_loop = guard.event_loop().clone();
            guard.event_loop().spawn(async move {
                linger(stream).await;
                drop(event_loop);
            });
        }
        // The last event of the session, which may be handled elsewhere, comes before what follows.
        while !self.registry.is_quiet() {
            self.registry.left.notified().await;
        }
        *self.lock_session() = None;
        if let Some(error) = ended.error.as_mut().filter(|_| !ended.opened)
            && matches!(error.code, Code::SendFailed | Code::ReceiveFailed)
        {
            // No message was concerned, only the hello.
            error.code = Code::ConnectionFailed;
        }
        Some((session, ended))
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
    /// `None`: connections are not encrypted.
    tls: Option<TlsClient>,
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
        let stream = match &self.tls {
            None => Stream::new(stream),
            Some(tls) => tls.connect(stream)?,
        };
        Ok((stream, started))
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
    /// After a connection there will be another one.
    reconnects: bool,
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
        self.lifecycle.set_disconnected(self.reconnects);
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
    fn meter(&self) -> Option<&dyn Meter> {
        self.handler.meter()
    }
}
