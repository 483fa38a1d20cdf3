//! The clients that a pool makes by itself.

use std::sync::Arc;

use super::{Connector, Opened};
use crate::config::{ClientConfig, Reconnect};
use crate::core::Client;
use crate::error::{Error, Result};
use crate::runtime::{Context, Dispatch};
use crate::session::handler::{CloseReport, Handler, Message};
use crate::session::{Session, State};
use crate::transport::tls::TlsClient;

/// Starts a client: [`Client::start_with`], or what is done in its place.
pub(crate) type StartClient =
    dyn Fn(&Arc<Context>, ClientConfig, Option<TlsClient>, Arc<dyn Handler>) -> Result<Arc<Client>> + Send + Sync;

/// Makes clients of one configuration that share a handler.
pub(crate) struct ClientMaker {
    context: Arc<Context>,
    config: ClientConfig,
    /// One for all, so that certificates are read once, and connections resume the sessions of each other.
    tls: Option<TlsClient>,
    handler: Arc<dyn Handler>,
    start: Box<StartClient>,
}

impl ClientMaker {
    pub(crate) fn new(
        context: &Arc<Context>,
        config: ClientConfig,
        handler: Arc<dyn Handler>,
        start: Box<StartClient>,
    ) -> Result<ClientMaker> {
        if matches!(config.session.dispatch, Dispatch::Manual) {
            return Err(Error::invalid(
                "dispatch is manual: whoever waits for a pool's connection cannot run the handlers that tell of it; use \
                 another dispatch",
            ));
        }
        // A broken connection is the pool's to replace.
        let config = ClientConfig { reconnect: Reconnect::default(), ..config.validated()? };
        let tls = TlsClient::new(&config.tls, &config.host)?;
        Ok(ClientMaker { context: Arc::clone(context), config, tls, handler, start })
    }
}

impl Connector for ClientMaker {
    fn open(&self) -> Result<Opened> {
        let handler = Arc::new(Shared(Arc::clone(&self.handler)));
        let client = (self.start)(&self.context, self.config.clone(), self.tls.clone(), handler)?;
        Ok(Opened { client, tag: 0 })
    }

    fn closed(&self, _opened: &Opened) {}

    fn released(&self) {
        self.handler.on_release();
    }
}

/// The events of one of several clients. Their ends are not that of the handler.
struct Shared(Arc<dyn Handler>);

impl Handler for Shared {
    fn on_open(&self, session: &Arc<Session>) {
        self.0.on_open(session);
    }
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        self.0.on_message(session, message);
    }
    fn on_writable(&self, session: &Arc<Session>) {
        self.0.on_writable(session);
    }
    fn on_state(&self, session: &Arc<Session>, old: State, new: State) {
        self.0.on_state(session, old, new);
    }
    fn on_close(&self, session: &Arc<Session>, report: &CloseReport) {
        self.0.on_close(session, report);
    }
    fn on_detach(&self, session: &Arc<Session>) {
        self.0.on_detach(session);
    }
    fn on_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        self.0.on_error(session, error);
    }
}
