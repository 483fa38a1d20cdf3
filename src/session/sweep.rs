//! What is looked at from time to time: whether a session's peer is alive, and gets on with what it has begun.
//!
//! Nothing here has a timer of its own, since one that is pending makes every wait of a loop dearer: the clock of the
//! context has the loop sweep all sessions of an endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::{Session, State};
use crate::config::Framing;
use crate::error::{Code, Error};
use crate::sys::{self, TcpInfo};
use crate::transport::frame::Frame;

/// The least rate, in bytes per second, at which a peer has to send a frame after the time that each frame has.
const LEAST_RATE: u64 = 240;

/// How long who holds memory may take, while it is short, if the configuration sets no limit.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the sweeps need to know. Times are those of CLOCK_MONOTONIC in nanoseconds.
#[derive(Debug)]
pub(super) struct Watch {
    /// When the last heartbeat was sent,
    pinged_ns: AtomicU64,
    /// and the first one since something was heard.
    asked_ns: AtomicU64,
    /// How long the answer to a heartbeat took; 0: none came yet.
    pub round_trip_ns: AtomicU64,
    /// When reading last began or went on: the peer's silence counts from there.
    listening_since_ns: AtomicU64,
    /// When the first byte of a frame came that is not whole; 0: there is none.
    pub frame_begun_ns: AtomicU64,
    /// Since when there is no memory to read more of it; 0: there is.
    pub starved_since_ns: AtomicU64,
    /// How much memory it holds then.
    pub starved_with: AtomicUsize,
    /// That frame's size, as far as it is known.
    pub frame_size: AtomicU64,
    /// When something was sent last of which the peer's kernel had acknowledged all.
    acknowledged_ns: AtomicU64,
    /// Since when the peer's kernel has not answered; 0: it does, or is not asked anything.
    unanswered_since_ns: AtomicU64,
}

impl Watch {
    pub(super) fn new() -> Watch {
        Watch {
            pinged_ns: AtomicU64::new(0),
            asked_ns: AtomicU64::new(0),
            round_trip_ns: AtomicU64::new(0),
            listening_since_ns: AtomicU64::new(sys::monotonic_ns()),
            frame_begun_ns: AtomicU64::new(0),
            frame_size: AtomicU64::new(0),
            starved_since_ns: AtomicU64::new(0),
            starved_with: AtomicUsize::new(0),
            acknowledged_ns: AtomicU64::new(0),
            unanswered_since_ns: AtomicU64::new(0),
        }
    }

    /// From now on the peer's silence counts.
    pub(super) fn listen(&self) {
        self.listening_since_ns.store(sys::monotonic_ns(), Ordering::Relaxed);
    }

    /// Since when the peer is silent that was heard then. A pause of ours is not silence of the peer.
    fn silent_since(&self, heard_ns: u64) -> u64 {
        heard_ns.max(self.listening_since_ns.load(Ordering::Relaxed))
    }

    fn elapsed_since(&self, heard_ns: u64, now: u64) -> Duration {
        Duration::from_nanos(now.saturating_sub(self.silent_since(heard_ns)))
    }

    /// For how long the peer has not answered a heartbeat, or anything.
    fn asked_for(&self, heard_ns: u64, now: u64) -> Duration {
        let asked = self.asked_ns.load(Ordering::Relaxed);
        let asked = Some(asked).filter(|asked| *asked > self.silent_since(heard_ns));
        asked.map_or(Duration::ZERO, |asked| Duration::from_nanos(now.saturating_sub(asked)))
    }

    /// Notes that a heartbeat is sent to a peer that was heard then.
    fn ask(&self, heard_ns: u64, now: u64) {
        self.pinged_ns.store(now, Ordering::Relaxed);
        if self.asked_ns.load(Ordering::Relaxed) <= self.silent_since(heard_ns) {
            self.asked_ns.store(now, Ordering::Relaxed);
        }
    }
}

impl Session {
    /// Sends a heartbeat if it is time, ends the session if the peer was silent or slow for too long. Runs on the loop.
    pub(super) fn sweep(self: &Arc<Self>, now: u64) {
        let (writable, held, stream) = {
            let mut sending = self.lock_sending();
            let stream = sending.trim();
            (sending.queue.is_writable_due(), sending.queue.held, stream)
        };
        if let Some(stream) = stream {
            stream.trim();
        }
        if writable {
            // That memory has become free was told somebody else.
            self.kick();
        }
        // Who was not answered yet has nothing to say.
        if self.state() != State::Connected || held {
            return;
        }
        if let Some(fault) = self.fault(now) {
            // What a pause holds may be held for ever.
            if self.is_paused() { self.fail(fault) } else { self.fail_by_peer(fault) }
        } else {
            self.send_heartbeat(now);
        }
    }

    /// Whether the frame that the peer has begun should be whole by now. A cheap look, for all sessions often.
    pub(super) fn is_frame_late(&self, now: u64) -> bool {
        let begun = self.watch.frame_begun_ns.load(Ordering::Relaxed);
        if begun == 0 || self.is_paused() {
            return false;
        }
        self.time_for_frame().is_some_and(|limit| self.watch.elapsed_since(begun, now) > limit)
    }

    /// How long the frame that the peer has begun may take. While memory is short, those who hold it get less.
    fn time_for_frame(&self) -> Option<Duration> {
        let limit = self.registry.config.frame_timeout;
        if self.registry.budget.is_full() {
            return Some(limit.unwrap_or(PATIENCE));
        }
        let size = self.watch.frame_size.load(Ordering::Relaxed);
        let allowance = Duration::from_nanos(size.saturating_mul(1_000_000_000 / LEAST_RATE));
        limit.map(|limit| limit.saturating_add(allowance))
    }

    /// Since when it waits for memory in the middle of a frame; 0: it does not.
    fn starved_since(&self) -> u64 {
        self.watch.starved_since_ns.load(Ordering::Relaxed)
    }

    /// Whether it has waited for long enough, while all memory is held by others that wait, or do not get on.
    pub(super) fn is_starved_out(&self, now: u64) -> bool {
        let since = self.starved_since();
        let limit = self.registry.config.frame_timeout.unwrap_or(PATIENCE);
        since != 0 && self.registry.budget.is_full() && Duration::from_nanos(now.saturating_sub(since)) > limit
    }

    /// What memory would come free if it ended.
    pub(super) fn starves_with(&self) -> usize {
        self.watch.starved_with.load(Ordering::Relaxed)
    }

    /// Gives up a session for the others that wait for memory.
    pub(super) fn starve_out(&self) {
        let size = self.watch.frame_size.load(Ordering::Relaxed);
        let text = format!(
            "the buffers of all sessions are at the limit of their context, and there was no room for a message of \
             {size} bytes"
        );
        self.fail(Error::new(Code::OutOfMemory, text));
    }

    /// Why the session is to end now, if it is.
    fn fault(&self, now: u64) -> Option<Error> {
        let config = &self.registry.config;
        let heard_ns = self.received.last_ns.get();
        let silent = self.watch.elapsed_since(heard_ns, now);
        let listening = || !self.is_paused() && !self.has_input();
        if let Some(limit) = config.idle_timeout
            && silent > limit
            && listening()
        {
            let text = format!("nothing was received for {} ms", limit.as_millis());
            return Some(Error::new(Code::SessionExpired, text));
        }
        if self.is_frame_late(now) && listening() {
            let text = format!(
                "a frame of {} bytes was not whole after {} ms: the peer stalls",
                self.watch.frame_size.load(Ordering::Relaxed),
                self.time_for_frame().unwrap_or_default().as_millis()
            );
            return Some(Error::new(Code::Timeout, text));
        }
        if let Some(interval) = config.heartbeat_interval()
            && silent > interval * 3
            // A loop that was held up has not asked in time.
            && self.watch.asked_for(heard_ns, now) > interval
            && self.framing() == Framing::Framed
            && listening()
        {
            let text = format!("heartbeats were not answered for {} ms", silent.as_millis());
            return Some(Error::new(Code::SessionExpired, text));
        }
        if let Some(limit) = config.unresponsive_limit()
            && silent > limit / 4
            && self.unanswered(now) > limit
        {
            let text =
                format!("the peer's host has acknowledged nothing of what was sent for {} ms", limit.as_millis());
            return Some(Error::new(Code::SessionExpired, text));
        }
        None
    }

    /// For how long the peer's kernel has not answered what ours has sent again and again.
    fn unanswered(&self, now: u64) -> Duration {
        let Watch { acknowledged_ns, unanswered_since_ns, .. } = &self.watch;
        let info = {
            let sending = self.lock_sending();
            let sent_ns = sending.queue.sent.last_ns;
            if sent_ns == acknowledged_ns.load(Ordering::Relaxed) && sending.queue.is_empty() {
                None
            } else if sending.is_acknowledged() {
                acknowledged_ns.store(sent_ns, Ordering::Relaxed);
                None
            } else {
                sending.tcp_info()
            }
        };
        let since = unanswered_since_ns.load(Ordering::Relaxed);
        let since = info.map_or(0, |info| unanswered_since(&info, since, now));
        unanswered_since_ns.store(since, Ordering::Relaxed);
        if since == 0 { Duration::ZERO } else { Duration::from_nanos(now - since) }
    }

    fn send_heartbeat(self: &Arc<Self>, now: u64) {
        let Some(interval) = self.registry.config.heartbeat_interval() else { return };
        let heard_ns = self.received.last_ns.get();
        let needed = self.registry.is_measured() || self.watch.elapsed_since(heard_ns, now) >= interval;
        if !needed || self.framing() != Framing::Framed {
            return;
        }
        let pinged = self.watch.pinged_ns.load(Ordering::Relaxed);
        if Duration::from_nanos(now.saturating_sub(pinged)) >= interval {
            self.watch.ask(heard_ns, now);
            // While paused it tells the peer, whose pings are not read, that this side lives.
            self.send_frame(&Frame::Ping(now));
        }
    }

    /// The peer has answered a heartbeat.
    pub(super) fn on_pong(&self, token: u64) {
        // A peer may say what it likes.
        if token != 0 && token == self.watch.pinged_ns.load(Ordering::Relaxed) {
            let round_trip = sys::monotonic_ns().saturating_sub(token);
            self.watch.round_trip_ns.store(round_trip, Ordering::Relaxed);
            self.registry.measure(|meter| meter.on_round_trip(Duration::from_nanos(round_trip)));
        }
    }

    /// Whether something has come that was not read yet: a handler held up the loop, the peer is not silent.
    fn has_input(&self) -> bool {
        self.lock_sending().has_input()
    }
}

/// Since when a peer's kernel has not answered what ours has sent again and again; 0: it has. `since`: what was found
/// the last time. An answer that came before the question is none, so this can only be told by looking again.
///
/// A peer that lives and does not read acknowledges each probe of its closed window, for as long as it likes: that is
/// no reason to end it. `TCP_USER_TIMEOUT` would, since it counts from when the window was closed.
fn unanswered_since(info: &TcpInfo, since: u64, now: u64) -> u64 {
    let waiting = (info.unacknowledged > 0 && info.retransmits > 0) || info.probes >= 2;
    let answered = now.saturating_sub(info.last_ack.as_nanos() as u64);
    match since {
        _ if !waiting => 0,
        0 => now,
        since if answered > since => now,
        since => since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1000 * SECOND;

    fn info(unacknowledged: u32, retransmits: u32, probes: u32, last_ack_s: u64) -> TcpInfo {
        TcpInfo { unacknowledged, retransmits, probes, last_ack: Duration::from_secs(last_ack_s) }
    }

    #[test]
    fn what_is_sent_again_in_vain_is_unanswered() {
        for info in [info(3, 1, 0, 500), info(0, 0, 2, 500)] {
            assert_eq!(unanswered_since(&info, 0, NOW), NOW, "a long silence before the question is none after it");
            assert_eq!(unanswered_since(&info, NOW - 30 * SECOND, NOW), NOW - 30 * SECOND);
        }
    }

    #[test]
    fn a_host_that_answers_is_alive() {
        let since = NOW - 30 * SECOND;
        assert_eq!(unanswered_since(&info(3, 5, 0, 1), since, NOW), NOW, "it answered lately");
        assert_eq!(unanswered_since(&info(0, 0, 2, 1), since, NOW), NOW, "its window is closed, it answers");
    }

    #[test]
    fn a_host_that_was_asked_nothing_is_left_alone() {
        let since = NOW - 30 * SECOND;
        for (why, info) in [
            ("nothing is in flight", info(0, 0, 0, 500)),
            ("the data has only just been sent", info(3, 0, 0, 500)),
            ("a probe has only just been sent", info(0, 0, 1, 500)),
        ] {
            assert_eq!(unanswered_since(&info, since, NOW), 0, "{why}");
        }
    }
}
