//! The handshake of TLS, before which nobody is told of the session.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::closing::End;
use super::{Driver, Phase};
use crate::error::{Code, Error};
use crate::session::lock;
use crate::session::registry::Role;
use crate::transport::tls::TlsInfo;

impl Driver {
    /// Goes on with the handshake; ready when it is over, or the session is.
    pub(super) fn shake_hands(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.timer.is_none() {
            lock(&self.session.control).waker = Some(cx.waker().clone());
            self.set_timer(self.identify_by);
        }
        self.take_requests();
        let Phase::ShakingHands(handshake) = &mut self.phase else { return Poll::Ready(()) };
        match handshake.as_mut().poll(cx) {
            Poll::Ready(Ok(info)) => self.shook_hands(info),
            Poll::Ready(Err(error)) => self.refuse(error),
            Poll::Pending if !self.timer_is_due(cx) => return Poll::Pending,
            Poll::Pending => match self.close_later.take_if(|(_, by)| *by <= Instant::now()) {
                Some((close, _)) => self.close(End::local(close.code, close.text), Some(Duration::ZERO)),
                None => {
                    let client = self.session.registry.role == Role::Client;
                    let code = if client { Code::ConnectionTimeout } else { Code::Timeout };
                    self.refuse(Error::new(code, "the peer did not complete the handshake of TLS in time"));
                }
            },
        }
        Poll::Ready(())
    }

    fn shook_hands(&mut self, info: TlsInfo) {
        let session = &self.session;
        tracing::debug!("{} is encrypted: {info:?}", session.id());
        session.tls.get_or_init(|| Box::new(info));
        session.lock_sending().queue.held = false;
        self.timer = None;
        self.phase = Phase::New;
    }

    /// Ends a session that never was one. That it did not come to be is the client's to tell; a server's handler is
    /// told of the failure, but of no session.
    fn refuse(&mut self, error: Error) {
        let session = Arc::clone(&self.session);
        session.seal();
        if session.registry.role == Role::Server {
            let peer = session.remote.map_or_else(|| "a peer".into(), |address| address.to_string());
            let error = Error { message: format!("no TLS with {peer}: {}", error.message).into(), ..error.clone() };
            session.registry.tell_failed_handshake(error);
        }
        self.finish(End::failure(error));
    }
}
