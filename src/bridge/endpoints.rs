//! The servers and clients of a bridge, from the beginning of their start to their end.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::figures::Figures;
use crate::core::{Client, EndpointState, Server};
use crate::error::{Code, Error, Result};
use crate::session::Stats;

/// A server or client that was started.
pub(super) trait Started: Send + Sync {
    /// What it has done since its start, resets notwithstanding.
    fn total_stats(&self) -> Stats;
    fn stop(&self, drain: Option<Duration>);
    fn wait(&self, timeout: Option<Duration>) -> Result<()>;
    /// How it stands, for people.
    fn status(&self, id: &str) -> String;
}

impl Started for Server {
    fn total_stats(&self) -> Stats {
        Server::total_stats(self)
    }

    fn stop(&self, drain: Option<Duration>) {
        Server::stop(self, drain);
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        Server::wait(self, timeout)
    }

    fn status(&self, id: &str) -> String {
        let (state, connections) = (name_of(self.state()), self.connection_count());
        format!("server {id:?} {state} on {}, connections: {connections}", self.local_addr())
    }
}

impl Started for Client {
    fn total_stats(&self) -> Stats {
        Client::total_stats(self)
    }

    fn stop(&self, drain: Option<Duration>) {
        Client::stop(self, drain);
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        Client::wait(self, timeout)
    }

    fn status(&self, id: &str) -> String {
        let peer = self.session().ok().and_then(|session| session.remote_addr());
        let connection = match peer {
            Some(peer) if self.is_connected() => format!("connected with {peer}"),
            Some(peer) => format!("connecting with {peer}"),
            None => "not connected".into(),
        };
        format!("client {id:?} {}, {connection}", name_of(self.state()))
    }
}

fn name_of(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Running => "runs",
        EndpointState::Stopping => "is stopping",
        EndpointState::Stopped => "has stopped",
    }
}

/// All of them. What functions give back of them may be the last reference: drop it outside the lock.
#[derive(Default)]
pub(super) struct Endpoints {
    begun: u64,
    running: BTreeMap<u64, Endpoint>,
    /// Nothing more is started.
    closed: bool,
}

/// A server or client, until it has been started and has ended: which may come the other way round.
struct Endpoint {
    /// `None` while it is being started.
    started: Option<Weak<dyn Started>>,
    ended: bool,
    id: String,
    measured: bool,
    /// What was counted of it already.
    counted: Stats,
}

impl Endpoint {
    fn present(&self) -> Option<Arc<dyn Started>> {
        self.started.as_ref()?.upgrade()
    }

    /// Counts what it has done since the last time.
    fn count(&mut self, figures: &Figures) -> Option<Arc<dyn Started>> {
        let present = self.present().filter(|_| self.measured)?;
        let totals = present.total_stats();
        figures.count(&self.counted, &totals);
        self.counted = totals;
        Some(present)
    }
}

impl Endpoints {
    /// One is about to be started, which gets a number.
    pub(super) fn begin(&mut self, id: String, measured: bool) -> Result<u64> {
        if self.closed {
            return Err(Error::new(Code::Cancelled, "the bridge is being destroyed: nothing is started in it"));
        }
        self.begun += 1;
        let endpoint = Endpoint { started: None, ended: false, id, measured, counted: Stats::default() };
        self.running.insert(self.begun, endpoint);
        Ok(self.begun)
    }

    /// It was started.
    #[must_use]
    pub(super) fn started(
        &mut self,
        number: u64,
        started: Weak<dyn Started>,
        figures: &Figures,
    ) -> Option<Arc<dyn Started>> {
        self.note(number, figures, |endpoint| endpoint.started = Some(started))
    }

    /// It could not be started.
    pub(super) fn failed(&mut self, number: u64) {
        self.running.remove(&number);
    }

    /// It has ended.
    #[must_use]
    pub(super) fn ended(&mut self, number: u64, figures: &Figures) -> Option<Arc<dyn Started>> {
        self.note(number, figures, |endpoint| endpoint.ended = true)
    }

    /// Notes something of one, and forgets it after the last.
    fn note(&mut self, number: u64, figures: &Figures, note: impl FnOnce(&mut Endpoint)) -> Option<Arc<dyn Started>> {
        let endpoint = self.running.get_mut(&number)?;
        note(endpoint);
        if !endpoint.ended || endpoint.started.is_none() {
            return None;
        }
        self.running.remove(&number)?.count(figures)
    }

    /// Nothing more is to be started.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Nothing runs, and nothing ever will.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.running.is_empty()
    }

    pub(super) fn is_starting(&self) -> bool {
        self.running.values().any(|endpoint| endpoint.started.is_none())
    }

    /// Those that have been started.
    pub(super) fn present(&self) -> Vec<Arc<dyn Started>> {
        self.running.values().filter_map(Endpoint::present).collect()
    }

    /// All that run, by what they are called; `None`: it is being started, or has been dropped.
    pub(super) fn named(&self) -> Vec<(String, Option<Arc<dyn Started>>)> {
        self.running.values().map(|endpoint| (endpoint.id.clone(), endpoint.present())).collect()
    }

    /// Counts what all have done since the last time.
    #[must_use]
    pub(super) fn count(&mut self, figures: &Figures) -> Vec<Arc<dyn Started>> {
        self.running.values_mut().filter_map(|endpoint| endpoint.count(figures)).collect()
    }

    /// Counts what one of them has done since the last time.
    #[must_use]
    pub(super) fn count_one(&mut self, number: u64, figures: &Figures) -> Option<Arc<dyn Started>> {
        self.running.get_mut(&number)?.count(figures)
    }
}
