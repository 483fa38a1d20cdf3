//! The bookkeeping of a pool: what becomes of its connections is decided here, under the pool's lock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::promise::Promise;
use super::{Opened, PoolConfig, PoolStats};
use crate::core::{Client, EndpointState};
use crate::error::{Code, Error, Result};
use crate::runtime::{Clock, Membership};
use crate::session::State;

#[derive(Default)]
pub(super) struct Inner {
    pub(super) phase: Phase,
    pub(super) membership: Option<Membership>,
    pub(super) slots: HashMap<u64, Slot>,
    pub(super) slots_made: u64,
    /// The slots that are idle. The last one is used next, so that those which are not needed grow old.
    pub(super) idle: Vec<u64>,
    /// The first one is served next. While somebody waits, nothing is idle.
    pub(super) waiting: VecDeque<Arc<Promise<Granted>>>,
    /// The counts of what has been done; how things stand is not in it.
    pub(super) done: PoolStats,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Running,
    Stopping,
    /// The last connection has gone; that is being told.
    Ending,
    Ended,
}

/// A place for a connection.
pub(super) struct Slot {
    pub(super) stage: Stage,
    /// `None` while the connector is being asked.
    pub(super) opened: Option<Opened>,
    /// Those who wait for it to be connected, whoever gets it then.
    pub(super) filling: Vec<Arc<Filling>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Connecting,
    Idle {
        since_ns: u64,
        /// How many messages had come when it was returned.
        received: u64,
    },
    Leased,
    Closing,
}

/// A connection for somebody who waits.
pub(super) struct Granted {
    pub(super) slot: u64,
    pub(super) opened: Opened,
}

/// The connections that a [`fill`](super::ConnectionPool::fill) waits for.
pub(super) struct Filling {
    left: Mutex<usize>,
    pub(super) done: Promise<()>,
}

impl Filling {
    pub(super) fn new(connections: usize) -> Filling {
        Filling { left: Mutex::new(connections), done: Promise::default() }
    }

    /// What has become of one of them.
    fn count(&self, outcome: Result<()>) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left -= 1;
        if outcome.is_err() || *left == 0 {
            self.done.settle(outcome);
        }
    }
}

/// What was decided under the lock and is to be done without it.
#[derive(Default)]
#[must_use]
pub(super) struct Todo {
    pub(super) open: Vec<u64>,
    pub(super) stop: Vec<Arc<Client>>,
    pub(super) end: bool,
}

impl Todo {
    pub(super) fn stop(client: Option<Arc<Client>>) -> Todo {
        Todo { stop: client.into_iter().collect(), ..Todo::default() }
    }

    pub(super) fn add(&mut self, more: Todo) {
        self.open.extend(more.open);
        self.stop.extend(more.stop);
        self.end |= more.end;
    }
}

impl Inner {
    /// The connection was made.
    pub(super) fn connected(&mut self, number: u64, clock: &Clock) -> Todo {
        match self.slots.get_mut(&number) {
            Some(slot) if slot.stage == Stage::Connecting => {
                if slot.received().is_none() {
                    return self.fail(number, &ended_at_once());
                }
                slot.filled(&Ok(()));
                self.done.connected += 1;
                self.offer(number, clock)
            }
            _ => Todo::default(),
        }
    }

    /// The connection could not be made: the first who waits learns why.
    pub(super) fn fail(&mut self, number: u64, error: &Error) -> Todo {
        match self.slots.get_mut(&number) {
            Some(slot) if slot.stage == Stage::Connecting => {
                self.done.failed += 1;
                slot.filled(&Err(error.clone()));
                if let Some(turn) = self.waiting.pop_front() {
                    turn.settle(Err(error.clone()));
                }
                slot.close()
            }
            _ => Todo::default(),
        }
    }

    /// Gives a connection to the first who waits, or keeps it.
    pub(super) fn offer(&mut self, number: u64, clock: &Clock) -> Todo {
        let Some(slot) = self.slots.get_mut(&number) else { return Todo::default() };
        match slot.received() {
            None => {
                self.done.broken += 1;
                slot.close()
            }
            Some(received) => {
                slot.stage = Stage::Idle { since_ns: clock.now_ns(), received };
                self.idle.push(number);
                self.serve()
            }
        }
    }

    /// Gives idle connections to those who wait.
    pub(super) fn serve(&mut self) -> Todo {
        let mut todo = Todo::default();
        while !self.waiting.is_empty() {
            let (granted, more) = self.take_idle();
            todo.add(more);
            let Some(granted) = granted else { break };
            if let Some(turn) = self.waiting.pop_front() {
                turn.settle(Ok(granted));
            }
        }
        todo
    }

    /// Leases the idle connection that was used last, and closes those that turn out not to be fit for use.
    pub(super) fn take_idle(&mut self) -> (Option<Granted>, Todo) {
        let mut todo = Todo::default();
        while let Some(number) = self.idle.pop() {
            let Some(slot) = self.slots.get_mut(&number) else { continue };
            if let Some(opened) = slot.opened.clone().filter(|_| slot.is_clean()) {
                slot.stage = Stage::Leased;
                self.done.acquired += 1;
                return (Some(Granted { slot: number, opened }), todo);
            }
            todo.add(self.dismiss(number));
        }
        (None, todo)
    }

    /// Closes a connection that is not fit for use.
    pub(super) fn dismiss(&mut self, number: u64) -> Todo {
        let Some(slot) = self.slots.get_mut(&number) else { return Todo::default() };
        *(if slot.received().is_some() { &mut self.done.discarded } else { &mut self.done.broken }) += 1;
        slot.close()
    }

    /// Plans a connection for everyone who waits and for whom none is on its way.
    pub(super) fn grow(&mut self, config: &PoolConfig) -> Todo {
        self.make_slots(self.waiting.len(), config)
    }

    /// Plans connections, so that `wanted` are on their way, within the limit.
    pub(super) fn make_slots(&mut self, wanted: usize, config: &PoolConfig) -> Todo {
        let mut todo = Todo::default();
        if self.phase != Phase::Running {
            return todo;
        }
        let connecting = self.slots.values().filter(|slot| slot.stage == Stage::Connecting).count();
        let room = config.max_connections.saturating_sub(self.slots.len());
        for _ in 0..wanted.saturating_sub(connecting).min(room) {
            self.slots_made += 1;
            self.slots.insert(self.slots_made, Slot { stage: Stage::Connecting, opened: None, filling: Vec::new() });
            todo.open.push(self.slots_made);
        }
        todo
    }

    pub(super) fn close_idle(&mut self, config: &PoolConfig) -> Todo {
        let mut todo = Todo::default();
        let now = config.clock.now_ns();
        let mut spare = self.idle.len().saturating_sub(config.min_idle);
        // Those that have been idle for longest come first.
        for number in std::mem::take(&mut self.idle) {
            let Some(slot) = self.slots.get_mut(&number) else { continue };
            if !slot.is_clean() {
                todo.add(self.dismiss(number));
                spare = spare.saturating_sub(1);
            } else if spare > 0 && config.idle_timeout.is_some_and(|limit| slot.idle_for(now) >= limit) {
                todo.add(slot.close());
                self.done.expired += 1;
                spare -= 1;
            } else {
                self.idle.push(number);
            }
        }
        todo
    }

    /// Whether all has ended. True once.
    pub(super) fn is_over(&mut self) -> bool {
        let over = self.phase == Phase::Stopping && self.slots.is_empty();
        if over {
            self.phase = Phase::Ending;
        }
        over
    }
}

impl Slot {
    pub(super) fn close(&mut self) -> Todo {
        self.stage = Stage::Closing;
        Todo::stop(self.opened.as_ref().map(|opened| Arc::clone(&opened.client)))
    }

    /// Tells those who wait for it to be connected what came of that.
    pub(super) fn filled(&mut self, outcome: &Result<()>) {
        self.filling.drain(..).for_each(|filling| filling.count(outcome.clone()));
    }

    /// How many messages have come on its connection; `None` if there is none.
    pub(super) fn received(&self) -> Option<u64> {
        self.opened.as_ref().and_then(|opened| received(&opened.client))
    }

    /// Whether it is idle, connected, and nothing has come since it was returned.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self.stage, Stage::Idle { received, .. } if self.received() == Some(received))
    }

    pub(super) fn idle_for(&self, now_ns: u64) -> Duration {
        match self.stage {
            Stage::Idle { since_ns, .. } => Duration::from_nanos(now_ns.saturating_sub(since_ns)),
            _ => Duration::ZERO,
        }
    }
}

/// Why nobody gets a connection that was made.
pub(super) fn ended_at_once() -> Error {
    Error::new(Code::ConnectionClosed, "the server ended the connection as soon as it was made")
}

/// How many messages have come on a connection; `None` if it is none any more.
pub(super) fn received(client: &Client) -> Option<u64> {
    let session = client.session().ok()?;
    let lives = client.state() == EndpointState::Running && session.state() == State::Connected;
    lives.then(|| session.messages_received())
}
