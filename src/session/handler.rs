//! What a server or client tells its user.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Code, Error};
use crate::session::{Session, State};
use crate::transport::frame::Kind;

/// A message as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Payload,
    /// Its bytes, valid for the call.
    pub data: &'a [u8],
}

/// What the bytes of a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text,
    /// Binary.
    Binary,
    /// A piece of the stream of a raw session. On a framed session it travels as one binary message.
    Stream,
}

impl Payload {
    /// The kind of frame that carries it on a framed session.
    pub fn frame_kind(self) -> Kind {
        match self {
            Payload::Text => Kind::Text,
            Payload::Binary | Payload::Stream => Kind::Binary,
        }
    }

    /// What a message's frame of that kind carries.
    #[inline]
    pub(crate) fn of_frame(kind: Kind) -> Payload {
        if kind == Kind::Text { Payload::Text } else { Payload::Binary }
    }

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Payload::Text => "text",
            Payload::Binary => "binary",
            Payload::Stream => "stream",
        }
    }
}

/// Why and how a session ended.
#[derive(Clone, Debug)]
pub struct CloseReport {
    /// Why; `None`: orderly.
    pub reason: Option<Code>,
    /// `errno` of a failure, or 0.
    pub os_code: i32,
    /// Whether the peer ended it.
    pub by_peer: bool,
    /// Messages that sends accepted.
    pub accepted: u64,
    /// Of these, the ones that did not reach, or are not known to have reached, the peer's handler.
    pub undelivered: u64,
    /// Of these, the ones that were dropped while the session went on: since the queue was full, or since the peer
    /// takes no message as large.
    pub dropped: u64,
    /// Of those that were accepted, the ones that a reconnecting client sends on its next connection, since nothing of
    /// them was written. They are not among the undelivered.
    pub requeued: u64,
    /// Messages that were read and not handed to the handler.
    pub discarded: u64,
    /// Whether `undelivered` is exact because the peer confirmed it.
    pub exact: bool,
    /// Why, in words.
    pub text: String,
}

/// The events of a server or client, which come where its [`Dispatch`](crate::runtime::Dispatch) says: those of one
/// session one at a time, never under a lock. Those of different sessions come one at a time too where all run on one
/// loop or in `Context::poll`, and else at the same time.
///
/// A session's order: `on_accept` (servers only), `on_open`, `on_message`..., `on_close`, `on_end` (servers only),
/// `on_detach`. `on_close` pairs with `on_open`, `on_end` with `on_accept`, `on_detach` comes always.
pub trait Handler: Send + Sync + 'static {
    /// A server accepted a connection; who the peer is, is not known yet.
    fn on_accept(&self, _session: &Arc<Session>) {}
    /// The session is open: the peer is known, or the client is connected.
    fn on_open(&self, _session: &Arc<Session>) {}
    /// A message arrived.
    fn on_message(&self, _session: &Arc<Session>, _message: Message<'_>) {}
    /// The outgoing queue has room again, after a send failed with [`Code::WouldBlock`].
    fn on_writable(&self, _session: &Arc<Session>) {}
    /// The session's state changed.
    fn on_state(&self, _session: &Arc<Session>, _old: State, _new: State) {}
    /// The session, which was open, ended.
    fn on_close(&self, _session: &Arc<Session>, _report: &CloseReport) {}
    /// The session that a server accepted ended.
    fn on_end(&self, _session: &Arc<Session>, _report: &CloseReport) {}
    /// Nothing of this session will be told any more.
    fn on_detach(&self, _session: &Arc<Session>) {}
    /// Something failed, on this session or (`None`) before there was one.
    fn on_error(&self, _session: Option<&Arc<Session>>, _error: &Error) {}
    /// The server or client has stopped.
    fn on_stopped(&self) {}
    /// Nothing will be told any more: the last call of all.
    fn on_release(&self) {}

    /// Who measures the server or client, if somebody does.
    fn meter(&self) -> Option<&dyn Meter> {
        None
    }
}

/// Measures a server or client. Called beside all events, on threads of the library that must not be held up.
pub trait Meter {
    /// A heartbeat was answered after this time. To measure it, a session's peer is sent heartbeats also while it is
    /// not silent.
    fn on_round_trip(&self, time: Duration);
    /// Something failed of which the handler is not told, since too much has.
    fn on_error_omitted(&self, code: Code);
    /// Comes about once in [`METER_INTERVAL`].
    fn on_interval(&self);
}

/// How often a meter may look at the counts.
pub const METER_INTERVAL: Duration = Duration::from_secs(1);
