//! A client that connects again: when it waits, when it tries, and when it gives up.
//!
//! It ends when it is stopped, when so many attempts in a row have failed as its policy allows, and when the server
//! speaks another protocol: that it would do the next time too. It does not end when the server closes the connection,
//! orderly or not, nor when the own side closes the session, or a handler fails.

use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::time::Instant;

use super::backoff::{Backoff, Jitter};
use super::outlet::Outlet;
use super::{Client, Target};
use crate::config::Reconnect;
use crate::error::{Code, Error, Result};
use crate::runtime::EndpointGuard;

pub(super) struct Reconnecting<'c> {
    client: &'c Client,
    outlet: &'c Outlet,
    max_attempts: Option<u32>,
    backoff: Backoff,
    jitter: Jitter,
    /// Attempts in a row that failed.
    failed: u32,
    /// Messages that may not have arrived, of connections that had no report since they were not open.
    undelivered: u64,
}

impl<'c> Reconnecting<'c> {
    pub(super) fn new(client: &'c Client, outlet: &'c Outlet, policy: &Reconnect) -> Reconnecting<'c> {
        Reconnecting {
            client,
            outlet,
            max_attempts: policy.max_attempts.map(Into::into),
            backoff: Backoff::new(policy),
            jitter: Jitter::default(),
            failed: 0,
            undelivered: 0,
        }
    }

    /// Connects again and again. Gives back why it ended, if it was not stopped.
    pub(super) async fn serve(mut self, target: &Target, guard: &EndpointGuard) -> Option<Error> {
        let failure = loop {
            if let Some(Err(last)) = self.attempt(target, guard).await {
                break Some(last);
            }
            let wait = tokio::time::sleep(self.backoff.next(self.jitter.draw()));
            if self.client.lifecycle.signal.unless(self.telling(wait)).await.is_none() {
                break None;
            }
        };
        self.tell_what_is_left();
        failure
    }

    /// Makes one connection and serves it. `None`: it is to stop; an error: it is to end.
    async fn attempt(&mut self, target: &Target, guard: &EndpointGuard) -> Option<Result<()>> {
        let connected = match self.telling(self.client.connect(target)).await? {
            Ok(connected) => connected,
            Err(error) => return Some(self.failed(error)),
        };
        let began = Instant::now();
        let (session, ended) = self.client.converse(connected, target, guard).await?;
        let lasted = began.elapsed();
        let registry = &self.client.registry;
        self.outlet.lost(&session, ended.unsent);
        self.undelivered += ended.undelivered;
        if registry.is_stopping() {
            return None;
        }
        let error = ended.error.unwrap_or_else(|| Code::ConnectionClosed.into());
        if ended.mismatch {
            if !ended.opened {
                registry.count_failed_attempt();
            }
            return Some(Err(error));
        }
        if !ended.opened {
            return Some(self.failed(error));
        }
        self.failed = 0;
        self.backoff.connection_lasted(lasted);
        Some(Ok(()))
    }

    /// An attempt has failed. It is an error if no other one follows.
    fn failed(&mut self, error: Error) -> Result<()> {
        self.failed += 1;
        if self.max_attempts.is_some_and(|most| self.failed >= most) {
            self.client.registry.count_failed_attempt();
            let message = format!("{} (attempt {} of {})", error.message, self.failed, self.failed);
            return Err(Error { message: message.into(), ..error });
        }
        self.client.registry.tell_failed_attempt(error);
        Ok(())
    }

    /// Awaits `work`, and meanwhile tells the handler what sends to the backlog failed with.
    async fn telling<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            for error in self.outlet.take_reports(cx.waker()) {
                self.client.registry.tell_error(None, error);
            }
            work.as_mut().poll(cx)
        })
        .await
    }

    /// The end: what was accepted and not sent is lost with the client, and must not be lost in silence.
    fn tell_what_is_left(&self) {
        let left = self.outlet.end();
        let messages = left.messages.len() as u64 + self.undelivered;
        if messages == 0 {
            return;
        }
        let registry = &self.client.registry;
        registry.count_unsent(messages);
        let text = format!(
            "messages that were accepted and not sent before the client ended: {} ({} bytes)",
            left.messages.len(),
            left.bytes()
        );
        let more = match self.undelivered {
            0 => String::new(),
            count => format!("; messages that may not have arrived on a connection that was not open: {count}"),
        };
        registry.tell_error(None, Error::new(Code::SendFailed, text + &more));
    }
}
