//! The server: accepts connections and keeps their sessions.

mod admission;
mod refusal;
mod session_loops;

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use self::admission::Admission;
use self::session_loops::SessionLoops;
use super::lifecycle::{EndpointState, Lifecycle};
use crate::config::{Framing, LONGEST, ServerConfig, ServerTls};
use crate::error::{Code, Error, Result};
use crate::runtime::{Context, Endpoint, EndpointGuard, EndpointPlace, LoopRef};
use crate::session::handler::{Handler, Payload};
use crate::session::{Driver, Fanout, Registry, Role, Session, Stats, linger};
use crate::transport::listener::{AcceptFailure, Backoff, classify_accept_error, listen};
use crate::transport::tls::TlsServer;
use crate::transport::{SocketOptions, Stream};

/// How often at most the handler is told that accepting fails.
const ERROR_INTERVAL: Duration = Duration::from_millis(500);

/// How many connections are told in words at a time that they are refused; further ones are reset.
const MOST_REFUSALS: usize = 1024;

/// A running server. All functions may be called on any thread at any time, handlers included; only
/// [`Server::wait`] waits.
pub struct Server {
    registry: Arc<Registry>,
    local: SocketAddr,
    max_connections: AtomicUsize,
    admission: Admission,
    /// `None`: connections are not encrypted.
    tls: Option<TlsServer>,
    /// Held by each connection that is just being refused.
    refusing: Arc<()>,
    drain: Duration,
    lifecycle: Lifecycle,
}

impl Server {
    /// Binds, listens, and starts to accept. The port is known, and the error if there is one, when this returns.
    pub fn start(context: &Arc<Context>, config: ServerConfig, handler: Arc<dyn Handler>) -> Result<Arc<Server>> {
        let config = config.validated()?;
        let tls = TlsServer::new(&config.tls)?;
        let address = bind_address(&config.host, config.port)?;
        let event_loop = context.assign_loop()?;
        let listener = {
            let _inside = event_loop.enter();
            listen(address, config.backlog)?
        };
        let local = listener
            .local_addr()
            .map_err(|error| Error::os(Code::BindFailed, "cannot read the address that was bound", &error))?;
        let options = SocketOptions::from(&config.session);
        let drain = config.session.drain;
        let admission = Admission::new(&config);
        let place = context.place(&config.session.dispatch, &event_loop)?;
        let lifecycle = Lifecycle::new(place.as_ref());
        let elsewhere = place.as_ref().map(EndpointPlace::place);
        let session_loops = SessionLoops::new(context, &event_loop, config.io_threads)?;
        let registry =
            Registry::new(Role::Server, config.server_id, config.session, handler, Some(&event_loop), elsewhere);
        let server = Arc::new(Server {
            registry: Arc::new(registry),
            local,
            max_connections: AtomicUsize::new(config.max_connections),
            admission,
            tls,
            refusing: Arc::default(),
            drain,
            lifecycle,
        });
        let guard = context.register(event_loop.clone(), place, server.clone())?;
        event_loop.spawn(Arc::clone(&server).serve(listener, options, session_loops, guard));
        Ok(server)
    }

    /// Begins to stop: no connection is accepted and no message handled any more. What was accepted for sending is
    /// delivered if the peers read, within `drain` (`None`: as configured).
    pub fn stop(&self, drain: Option<Duration>) {
        let drain = drain.unwrap_or(self.drain).min(LONGEST);
        self.lifecycle.signal.request();
        self.registry.stop(drain);
    }

    /// Waits until it has stopped and the handler is told nothing any more.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        self.lifecycle.wait_stopped(timeout)
    }

    /// Where it stands.
    pub fn state(&self) -> EndpointState {
        self.lifecycle.state()
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// How many connections it has, those included whose peer is not known yet.
    pub fn connection_count(&self) -> usize {
        self.registry.count()
    }

    /// Its sessions.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.registry.sessions()
    }

    /// The session with that id.
    pub fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.registry.find(id)
    }

    /// Changes limits, at once. Connections that are there already stay.
    pub fn set_limits(&self, max_connections: Option<usize>, max_message: Option<u32>) {
        if let Some(most) = max_connections {
            self.max_connections.store(most, Ordering::Relaxed);
        }
        if let Some(bytes) = max_message {
            self.registry.set_max_message(bytes);
        }
    }

    /// Takes certificates and settings of TLS for the connections to come; `None`: those that it has, as their files
    /// are now. Sessions that are there go on with what they have. Fails, and changes nothing, where what is given
    /// cannot be used, and for a server that was started without TLS.
    pub fn reload_tls(&self, settings: Option<ServerTls>) -> Result<()> {
        let tls = self.tls.as_ref().ok_or_else(|| {
            Error::new(Code::Unsupported, "the server was started without TLS, so that there is nothing to reload")
        })?;
        tls.reload(settings)?;
        self.registry.logging(|| tracing::info!("server {:?} has reloaded its certificates", self.registry.id));
        Ok(())
    }

    /// Sends to every session. Waits for none.
    pub fn broadcast(&self, payload: Payload, data: &[u8]) -> Result<Fanout> {
        self.registry.broadcast(None, payload, data)
    }

    /// Sends to the sessions of a group. Waits for none.
    pub fn broadcast_group(&self, group: &str, payload: Payload, data: &[u8]) -> Result<Fanout> {
        self.registry.broadcast(Some(group), payload, data)
    }

    /// Closes every session, gracefully.
    pub fn disconnect_all(&self, reason: &str) {
        for session in self.registry.sessions() {
            session.close(None, reason);
        }
    }

    /// The sums of its sessions' counts since it was started or they were reset.
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

    async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        options: SocketOptions,
        session_loops: SessionLoops,
        guard: EndpointGuard,
    ) {
        tracing::info!("server {:?} listens on {}", self.registry.id, self.local);
        let accepting = self.accept(&listener, options, &session_loops);
        self.lifecycle.signal.unless(accepting).await;
        drop(listener);
        while !self.registry.is_quiet() {
            self.registry.left.notified().await;
        }
        tracing::info!("server {:?} has stopped", self.registry.id);
        self.registry.tell_stopped(None).await;
        drop(session_loops);
        // First the context: who has waited for the server may shut it down.
        drop(guard);
        self.lifecycle.set_stopped();
    }

    /// Accepts for ever.
    async fn accept(&self, listener: &TcpListener, options: SocketOptions, session_loops: &SessionLoops) {
        let mut backoff = Backoff::default();
        let mut told: Option<tokio::time::Instant> = None;
        loop {
            let error = match listener.accept().await {
                Ok((stream, peer)) => {
                    backoff.reset();
                    self.admit(stream, peer, options, session_loops);
                    continue;
                }
                Err(error) => error,
            };
            if told.is_none_or(|told| told.elapsed() >= ERROR_INTERVAL) {
                told = Some(tokio::time::Instant::now());
                let error = Error::os(Code::Io, "cannot accept a connection", &error);
                tracing::warn!("server {:?}: {error}", self.registry.id);
                self.registry.tell_error(None, error);
            }
            if classify_accept_error(&error) == AcceptFailure::Lasting {
                // A session that ends gives a descriptor back.
                let room = self.registry.left.notified();
                let _ = tokio::time::timeout(backoff.pause(), room).await;
            }
        }
    }

    /// Makes a session of a connection, or refuses it.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, options: SocketOptions, session_loops: &SessionLoops) {
        let event_loop = session_loops.next();
        let stream = match options.apply(&stream).and_then(|()| session_loops.move_to(event_loop, stream)) {
            Ok(stream) => stream,
            Err(error) => {
                // Its peer has reset it already.
                tracing::debug!("a connection was lost before it was accepted: {error}");
                return;
            }
        };
        let most = self.max_connections.load(Ordering::Relaxed);
        let place = match self.admission.admit(peer.ip(), Instant::now()) {
            Ok(place) => place,
            Err(error) => return self.refuse(Stream::new(stream), event_loop, error),
        };
        if let Err(error) = self.registry.check_room(most) {
            return self.refuse(Stream::new(stream), event_loop, error);
        }
        // Only for who is let in: it costs more than all the rest.
        let stream = match &self.tls {
            None => Stream::new(stream),
            Some(tls) => match tls.accept(stream) {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::error!("server {:?} cannot serve {peer}: {error}", self.registry.id);
                    return;
                }
            },
        };
        let stream = Arc::new(stream);
        let session = Session::new(Arc::clone(&self.registry), Arc::clone(&stream), false);
        if self.registry.add(&session).is_err() {
            // It has begun to stop.
            return;
        }
        let mut driver = Driver::new(session, stream, self.registry.config.handshake_timeout);
        let keep_running = event_loop.clone();
        let registry = Arc::clone(&self.registry);
        event_loop.spawn(async move {
            // Most of what a session costs: the driver is in the task once, not also where it is awaited, and what
            // comes after it is elsewhere.
            let ended = (&mut driver).await;
            drop(place);
            if let Some(stream) = ended.linger {
                Box::pin(linger(stream)).await;
            }
            // Only now its descriptor is free.
            registry.left.notify_one();
            drop(keep_running);
        });
    }

    /// Ends a connection that is too much, and tells its peer why if it speaks the framed protocol.
    fn refuse(&self, stream: Stream, event_loop: &LoopRef, error: Error) {
        if error.code == Code::ServerBusy {
            self.registry.tell_refusal(error.clone());
        }
        let refusing = Arc::clone(&self.refusing);
        if Arc::strong_count(&refusing) > MOST_REFUSALS {
            stream.reset_on_close();
            return;
        }
        let keep_running = event_loop.clone();
        // Before the handshake of TLS no word can be said.
        let framing = if self.tls.is_some() { Framing::Raw } else { self.registry.config.framing };
        event_loop.spawn(async move {
            refusal::refuse(Arc::new(stream), framing, &error).await;
            drop(refusing);
            drop(keep_running);
        });
    }
}

impl Endpoint for Server {
    fn stop(&self, drain: Option<Duration>) {
        Server::stop(self, drain);
    }

    fn house_interval(&self) -> Duration {
        self.registry.house_interval()
    }

    fn keep_house(&self) {
        self.admission.purge();
        self.registry.keep_house();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local", &self.local).field("state", &self.state()).finish_non_exhaustive()
    }
}

fn bind_address(host: &str, port: u16) -> Result<SocketAddr> {
    let failed = |why: &dyn fmt::Display| {
        Error::new(
            Code::BindFailed,
            format!("cannot listen on {host:?}: {why}; give an address of this host, or 0.0.0.0 for all"),
        )
    };
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let mut addresses = (bare, port).to_socket_addrs().map_err(|error| failed(&error))?;
    addresses.next().ok_or_else(|| failed(&"the name has no address"))
}
