//! A session over a connection that somebody else made.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{LONGEST, ServerConfig};
use crate::error::{Code, Error, Result};
use crate::runtime::{Context, Endpoint, EndpointGuard, EndpointPlace};
use crate::session::handler::Handler;
use crate::session::{Driver, Registry, Role, Session, linger};
use crate::transport::{SocketOptions, Stream};

/// The endpoint that an adopted session is the only one of.
struct Adopted {
    registry: Arc<Registry>,
    drain: Duration,
}

/// Makes a session of a connected socket, as a server does of one that it accepts. It is paused: unpausing it starts
/// reading. The handler is told `on_accept` to `on_detach`, then `on_stopped` and `on_release`.
pub fn adopt(
    context: &Arc<Context>,
    stream: TcpStream,
    config: ServerConfig,
    handler: Arc<dyn Handler>,
) -> Result<Arc<Session>> {
    let config = config.validated()?;
    if config.tls.enabled {
        return Err(Error::invalid("tls is enabled, but a socket that is adopted is not encrypted: leave tls out"));
    }
    let event_loop = context.assign_loop()?;
    let failed = |error| Error::os(Code::InvalidArgument, "the descriptor is not that of a connected socket", &error);
    stream.peer_addr().map_err(failed)?;
    stream.set_nonblocking(true).map_err(failed)?;
    let stream = {
        let _inside = event_loop.enter();
        tokio::net::TcpStream::from_std(stream).map_err(failed)?
    };
    SocketOptions::from(&config.session).apply(&stream).map_err(failed)?;
    let stream = Arc::new(Stream::new(stream));
    let drain = config.session.drain;
    let handshake = config.session.handshake_timeout;
    let place = context.place(&config.session.dispatch, &event_loop)?;
    let elsewhere = place.as_ref().map(EndpointPlace::place);
    let registry = Registry::new(Role::Server, config.server_id, config.session, handler, Some(&event_loop), elsewhere);
    let adopted = Arc::new(Adopted { registry: Arc::new(registry), drain });
    let session = Session::new(Arc::clone(&adopted.registry), Arc::clone(&stream), true);
    let guard = context.register(event_loop.clone(), place, adopted.clone())?;
    if adopted.registry.add(&session).is_err() {
        // A stop of the context came in between.
        return Err(Error::new(Code::Cancelled, "the context is being shut down: nothing can be started in it"));
    }
    let driver = Driver::new(Arc::clone(&session), stream, handshake);
    event_loop.spawn(adopted.serve(driver, guard));
    Ok(session)
}

impl Adopted {
    async fn serve(self: Arc<Self>, mut driver: Driver, guard: EndpointGuard) {
        let ended = (&mut driver).await;
        // The last event of the session, which may be handled elsewhere, comes before.
        while !self.registry.is_quiet() {
            self.registry.left.notified().await;
        }
        self.registry.tell_stopped(None).await;
        let event_loop = guard.event_loop().clone();
        drop(guard);
        if let Some(stream) = ended.linger {
            linger(stream).await;
        }
        drop(event_loop);
    }
}

impl Endpoint for Adopted {
    fn stop(&self, drain: Option<Duration>) {
        self.registry.stop(drain.unwrap_or(self.drain).min(LONGEST));
    }

    fn house_interval(&self) -> Duration {
        self.registry.house_interval()
    }

    fn keep_house(&self) {
        self.registry.keep_house();
    }
}
