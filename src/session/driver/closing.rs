//! The end of a session: delivering what was accepted, asking what arrived, and telling the handler.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{CloseReport, Driver, Ended, Ending, Phase};
use crate::error::{Code, Error};
use crate::session::outbound::{Unsent, Wire};
use crate::session::registry::Role;
use crate::session::sending::Writer;
use crate::session::{State, lock};
use crate::transport::frame::{Close, Frame, PREAMBLE};

/// The first and the longest pause between looks at whether the kernel's queue is empty.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LONGEST_LOOK: Duration = Duration::from_millis(32);

/// Why a session ends.
#[derive(Debug)]
pub(super) struct End {
    reason: Option<Code>,
    os_code: i32,
    by_peer: bool,
    text: String,
    /// The peer is to confirm what arrived.
    confirm: bool,
}

impl End {
    /// This side closes.
    pub(super) fn local(reason: Option<Code>, text: String) -> End {
        End { reason, os_code: 0, by_peer: false, text, confirm: true }
    }

    /// The peer has closed.
    pub(super) fn by_peer(reason: Option<Code>, text: String) -> End {
        End { reason, os_code: 0, by_peer: true, text, confirm: false }
    }

    /// Something failed.
    pub(super) fn failure(error: Error) -> End {
        End {
            reason: Some(error.code),
            os_code: error.os_code,
            by_peer: false,
            text: error.message.into_owned(),
            confirm: false,
        }
    }

    fn is_local(&self) -> bool {
        self.confirm
    }

    /// What the user is told as an error, where it is one.
    fn error(&self) -> Option<Error> {
        self.reason.map(|code| Error { code, os_code: self.os_code, message: self.text.clone().into() })
    }
}

/// A close that is under way.
#[derive(Debug)]
pub(super) struct Closing {
    end: End,
    deadline: Instant,
    /// Our direction has been shut down.
    shut: bool,
    look: Duration,
}

impl Driver {
    /// Begins to close. What is queued is written first.
    pub(super) fn close(&mut self, end: End, drain: Option<Duration>) {
        if matches!(self.phase, Phase::Closing(_) | Phase::Ended(_)) {
            return;
        }
        let session = Arc::clone(&self.session);
        session.seal();
        session.lock_sending().queue.give_up_kept();
        let drain = drain.unwrap_or(session.registry.config.drain);
        let deadline = Instant::now() + drain;
        if !end.by_peer && self.speaks_frames() {
            let code = end.reason.map_or(0, |code| code as i32);
            self.queue_close(code, &end.text);
        }
        self.phase = Phase::Closing(Box::new(Closing { end, deadline, shut: false, look: FIRST_LOOK }));
        self.set_timer(deadline);
        if self.told_open {
            self.enter_state(State::Disconnecting);
        }
    }

    /// Queues a close for a peer that speaks the framed protocol.
    fn queue_close(&self, code: i32, reason: &str) {
        let mut sending = self.session.lock_sending();
        if !self.incoming.is_framed() && self.session.registry.role == Role::Server {
            // It said hello and was not answered: this is the answer.
            sending.queue.drop_unsent();
            sending.queue.push_control(PREAMBLE.to_vec());
            sending.queue.decide(Wire::Framed);
        }
        sending.queue.push_frame(&Frame::Close(Close { code, received: self.handled_at_last(), reason }));
    }

    /// Ends a session whose peer broke the protocol: it is told so, and not listened to any more.
    pub(super) fn break_off(&mut self, error: Error) {
        if matches!(self.phase, Phase::Closing(_)) {
            self.incoming.ignore();
            return;
        }
        if self.told_open || self.session.registry.role == Role::Server {
            self.session.registry.tell_violation(&self.session, &error);
        }
        self.session.lock_sending().queue.drop_unsent();
        self.close(End::failure(error), None);
        self.incoming.ignore();
    }

    /// Ends a session that failed. Waits for nothing.
    pub(super) fn give_up(&mut self, error: Error) {
        if let Some(end) = self.take_closing() {
            // The reason for which it was being closed is the one that counts.
            self.finish(end);
            return;
        }
        let session = Arc::clone(&self.session);
        session.seal();
        self.tell_failure(&error);
        if !self.eof && self.speaks_frames() {
            session.lock_sending().queue.drop_unsent();
            self.queue_close(error.code as i32, &error.message);
            session.write_queue(Writer::Driver);
        }
        self.finish(End::failure(error));
    }

    /// A write failed, and nothing is left to read that the peer sent before. Handlers get what was read, unless that
    /// is held by a pause, which may last for ever.
    pub(super) fn lost(&mut self) {
        self.eof = true;
        let failure = self.session.lock_sending().queue.failure().cloned();
        let failure = failure.unwrap_or_else(|| Code::SendFailed.into());
        if self.session.is_paused() { self.give_up(failure) } else { self.end_by(Ending::Failure(failure)) }
    }

    /// Ends the session with a reset.
    pub(super) fn reset(&mut self) {
        self.stream.reset_on_close();
        self.eof = true;
        let end = self.take_closing();
        self.finish(end.unwrap_or_else(|| End::local(Some(Code::Cancelled), "aborted".into())));
    }

    /// Goes on with a close; true if it went a step further.
    pub(super) fn advance_closing(&mut self) -> bool {
        let Phase::Closing(closing) = &mut self.phase else { return false };
        let (empty, failed, wire) = {
            let sending = self.session.lock_sending();
            // What waits for a peer's framing to be known will never be sent.
            let empty = sending.queue.is_empty() || sending.queue.wire == Wire::Unknown;
            (empty, sending.queue.failure().is_some(), sending.queue.wire)
        };
        let done = if failed {
            true
        } else if !empty {
            false
        } else {
            closing.shut = closing.shut || self.stream.end_write();
            match wire {
                _ if !closing.shut => false,
                _ if !closing.end.confirm || self.eof => true,
                Wire::Framed => self.confirmed_last,
                _ => self.stream.is_acknowledged(),
            }
        };
        if done {
            if let Some(end) = self.take_closing() {
                self.finish(end);
            }
            return true;
        }
        if closing.shut && wire != Wire::Framed {
            // No event tells when the kernel's queue is empty.
            let next = closing.deadline.min(Instant::now() + closing.look);
            self.set_timer(next);
        }
        false
    }

    pub(super) fn on_closing_timer(&mut self) {
        let Phase::Closing(closing) = &mut self.phase else { return };
        if Instant::now() < closing.deadline {
            closing.look = (closing.look * 2).min(LONGEST_LOOK);
            let next = closing.deadline.min(Instant::now() + closing.look);
            self.set_timer(next);
            return;
        }
        if !closing.shut {
            // The peer does not read: what it is owed will not be taken.
            self.stream.reset_on_close();
            self.eof = true;
        }
        if let Some(end) = self.take_closing() {
            self.finish(end);
        }
    }

    /// The close that was under way, which is over then.
    fn take_closing(&mut self) -> Option<End> {
        match std::mem::replace(&mut self.phase, Phase::Ended(None)) {
            Phase::Closing(closing) => Some(closing.end),
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Tells of a failure. That a connection could not be made is not the session's to tell but the client's.
    pub(super) fn tell_failure(&self, error: &Error) {
        let session = &self.session;
        if self.told_open || session.registry.role == Role::Server {
            session.registry.tell_error(Some(session), error.clone());
        }
    }

    /// Lets a close that is under way take no longer than `drain` from now.
    pub(super) fn hurry(&mut self, drain: Duration) {
        let deadline = Instant::now() + drain;
        if let Phase::Closing(closing) = &mut self.phase
            && deadline < closing.deadline
        {
            closing.deadline = deadline;
            self.set_timer(deadline);
        } else if let Some((_, by)) = &mut self.close_later {
            *by = deadline.min(*by);
            self.bring_forward(deadline);
        }
    }

    /// Tells the end: the last that the handler hears of the session.
    pub(super) fn finish(&mut self, end: End) {
        let session = Arc::clone(&self.session);
        let registry = Arc::clone(&session.registry);
        self.timer = None;
        session.ticket.give_up();
        self.incoming.discard_kept();
        // A stop is the end: then there is no other connection for what was not sent.
        let goes_on = registry.keeps_unsent() && !registry.is_stopping();
        let (report, unsent) = {
            let mut sending = session.lock_sending();
            let unsent = if registry.keeps_unsent() {
                sending.seal("the session has ended");
                sending = session.await_writer(sending);
                sending.queue.take_unsent()
            } else {
                Unsent::default()
            };
            // A session that was not open has no report to tell of them.
            let unsent = if goes_on || !self.told_open { unsent } else { Unsent::default() };
            let requeued = unsent.messages.len() as u64;
            let (accepted, dropped) = (sending.queue.accepted, sending.queue.dropped);
            let framed = sending.queue.wire == Wire::Framed;
            let delivered = if framed { self.confirmed } else { sending.handed_over() };
            sending.disconnect();
            // Who sends now leaves room for what is given back.
            sending.queue.promise(unsent.room());
            let report = CloseReport {
                reason: end.reason,
                os_code: end.os_code,
                by_peer: end.by_peer,
                accepted,
                undelivered: accepted.saturating_sub(delivered + requeued),
                dropped,
                requeued,
                discarded: self.incoming.discarded + session.inbox.as_ref().map_or(0, |inbox| inbox.seal().1),
                exact: framed && self.confirmed_last,
                text: end.text.clone(),
            };
            (report, unsent)
        };
        let errors = {
            let mut control = lock(&session.control);
            // It would keep the runtime's poller open for as long as the session is kept.
            control.waker = None;
            control.take_errors()
        };
        // Sends that waited in vain until just now. Those that still wait find the queue closed.
        errors.into_iter().for_each(|error| registry.tell_error(Some(&session), error));
        tracing::debug!("{} has ended: {report:?}", session.id());
        session.resume_handling();
        session.room.notify_all();
        registry.remove(&session);
        let failed = end.reason.is_some_and(|code| !matches!(code, Code::Cancelled | Code::ServerBusy));
        let state = if failed { State::Error } else { State::Disconnected };
        let opened = self.told_open;
        let undelivered = if opened { 0 } else { report.undelivered.saturating_sub(report.dropped) };
        if opened {
            self.enter_state(state);
            let report = report.clone();
            registry.tell(&session, move |handler, session| handler.on_close(session, &report));
        } else {
            session.state.store(state as u8, std::sync::atomic::Ordering::Release);
        }
        if self.told_accept {
            registry.tell(&session, move |handler, session| handler.on_end(session, &report));
        }
        registry.tell_detached(&session);
        let linger = (!self.eof).then(|| Arc::clone(&self.stream));
        if let Some(stream) = &linger {
            stream.shutdown_write();
        }
        let end_is_local = end.is_local();
        let error =
            end.error().or_else(|| (end.by_peer && !opened).then(|| Error::new(Code::ConnectionClosed, end.text)));
        let known = session.peer_id.get().is_some();
        let other = |error: &Error| matches!(error.code, Code::Protocol | Code::TlsMismatch);
        let mismatch = error.as_ref().is_some_and(other) && !known && !end_is_local;
        self.phase = Phase::Ended(Some(Box::new(Ended { opened, error, mismatch, unsent, undelivered, linger })));
    }
}
