//! What the clock of the context has an endpoint do from time to time.

use std::sync::Arc;
use std::time::Duration;

use super::{Inner, Registry};
use crate::config::Framing;
use crate::runtime::batch;
use crate::session::Session;
use crate::session::handler::METER_INTERVAL;
use crate::session::outbound::trim_pool;
use crate::sys;

/// How often sessions are swept at most and at least.
const SHORTEST_SWEEP: Duration = Duration::from_millis(10);
const LONGEST_SWEEP: Duration = Duration::from_secs(2);

/// From this many sessions on, the memory that they had is given back to the system when most of them have ended.
const CROWD: usize = 1000;

impl Inner {
    /// Whether three quarters of many sessions have ended; true once.
    fn is_crowd_gone(&mut self) -> bool {
        let now = self.sessions.len();
        let gone = self.crowd >= CROWD && now <= self.crowd / 4;
        if gone {
            self.crowd = now;
            self.sessions.shrink_to_fit();
        }
        gone
    }
}

impl Registry {
    /// How often [`Registry::keep_house`] is to run.
    pub(crate) fn house_interval(&self) -> Duration {
        // A slow frame is noticed within a twentieth of its time.
        let frame = self.config.frame_timeout.filter(|_| self.config.framing != Framing::Raw);
        let frame = frame.map_or(Duration::MAX, |limit| (limit / 25).max(SHORTEST_SWEEP));
        let meter = if self.is_measured() { METER_INTERVAL } else { Duration::MAX };
        self.sweep_interval().min(frame).min(meter)
    }

    /// How often all sessions are swept, so that a deadline is missed by a quarter of it at most.
    fn sweep_interval(&self) -> Duration {
        let config = &self.config;
        let limits = [config.heartbeat_interval(), config.idle_timeout, config.unresponsive_limit()];
        let shortest = limits.into_iter().flatten().min();
        (shortest.unwrap_or(Duration::MAX) / 4).clamp(SHORTEST_SWEEP, LONGEST_SWEEP)
    }

    /// Has the loop send heartbeats, end what is silent or slow for too long, and give up memory that is not needed.
    pub(crate) fn keep_house(self: &Arc<Self>) {
        self.budget.pass_on();
        let now = sys::monotonic_ns();
        self.have_measured(now);
        if self.lock().is_crowd_gone() {
            // Few allocations that live on keep an allocator from giving back what many sessions had.
            sys::trim_heap();
        }
        let sweep_due = {
            let mut inner = self.lock();
            let due = now.saturating_sub(inner.swept_ns) >= self.sweep_interval().as_nanos() as u64;
            if due {
                inner.swept_ns = now;
            }
            let late = |session: &Arc<Session>| session.is_frame_late(now) || session.is_starved_out(now);
            if inner.sessions.is_empty() || !(due || inner.sessions.values().any(late)) {
                return;
            }
            due
        };
        let registry = Arc::clone(self);
        self.on_loop(move || {
            let now = sys::monotonic_ns();
            let mut sessions = registry.sessions();
            registry.make_memory(&sessions, now);
            sessions.retain(|session| sweep_due || session.is_frame_late(now));
            batch::run(|| sessions.iter().for_each(|session| session.sweep(now)));
            if sweep_due {
                trim_pool(false);
            }
        });
    }

    /// Has who measures look at the counts, if it is time.
    fn have_measured(&self, now: u64) {
        if !self.is_measured() {
            return;
        }
        let due = {
            let measured_ns = &mut self.lock().measured_ns;
            // The clock may be a little early.
            let due = Duration::from_nanos(now.saturating_sub(*measured_ns)) >= METER_INTERVAL * 9 / 10;
            if due {
                *measured_ns = now;
            }
            due
        };
        if due {
            self.measure(|meter| meter.on_interval());
        }
    }

    /// Gives up those who have waited long for memory, the largest first, until the others can go on: what they hold
    /// may be all that everybody waits for.
    fn make_memory(&self, sessions: &[Arc<Session>], now: u64) {
        let mut starved: Vec<_> = sessions.iter().filter(|session| session.is_starved_out(now)).collect();
        starved.sort_by_key(|session| std::cmp::Reverse(session.starves_with()));
        let mut freed = 0;
        for session in starved {
            if freed > self.budget.reserve() {
                break;
            }
            freed += session.starves_with();
            session.starve_out();
        }
    }
}
