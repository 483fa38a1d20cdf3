//! The handler of a server or client with the bridge listening.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Bridge;
use super::events::Event;
use crate::error::{Code, Error};
use crate::metrics::ErrorKind;
use crate::session::handler::{CloseReport, Handler, Message, Meter};
use crate::session::{Session, State};

/// Of so many messages on one thread, the handler's time is measured for one: looking at the clock takes longer than
/// many a handler. A prime, so that no pattern, such as that of two peers which take turns, has it hit the same ones.
const MEASURED_OF: u32 = 61;

thread_local! {
    static UNMEASURED: Cell<u32> = const { Cell::new(0) };
}

pub(super) struct Observed {
    bridge: Arc<Bridge>,
    number: u64,
    measured: bool,
    handler: Arc<dyn Handler>,
}

/// Whether this message is one of those.
#[inline]
fn is_turn() -> bool {
    let unmeasured = UNMEASURED.get();
    UNMEASURED.set((unmeasured + 1) % MEASURED_OF);
    unmeasured == 0
}

impl Observed {
    pub(super) fn new(bridge: Arc<Bridge>, number: u64, measured: bool, handler: Arc<dyn Handler>) -> Observed {
        Observed { bridge, number, measured, handler }
    }

    fn tell_connection(&self, session: &Session, connected: bool) {
        let peer = session.remote_addr().map_or_else(|| session.id().to_owned(), |address| address.to_string());
        let what = if connected { "connected with" } else { "disconnected from" };
        self.bridge.note(format_args!("{what} {peer} ({})", session.id()));
        self.bridge.events.post(Event::Connection(peer, connected));
    }

    fn count_error(&self, code: Code) {
        if self.measured {
            self.bridge.figures.record_error(ErrorKind::of(code));
        }
    }
}

impl Handler for Observed {
    fn on_accept(&self, session: &Arc<Session>) {
        self.handler.on_accept(session);
    }

    fn on_open(&self, session: &Arc<Session>) {
        self.tell_connection(session, true);
        self.handler.on_open(session);
    }

    #[inline]
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        if !self.measured || !is_turn() {
            return self.handler.on_message(session, message);
        }
        let start = Instant::now();
        self.handler.on_message(session, message);
        self.bridge.figures.record_handler_time(start.elapsed());
    }

    fn on_writable(&self, session: &Arc<Session>) {
        self.handler.on_writable(session);
    }

    fn on_state(&self, session: &Arc<Session>, old: State, new: State) {
        self.handler.on_state(session, old, new);
    }

    fn on_close(&self, session: &Arc<Session>, report: &CloseReport) {
        let _told = Finally(|| self.tell_connection(session, false));
        self.handler.on_close(session, report);
    }

    fn on_end(&self, session: &Arc<Session>, report: &CloseReport) {
        self.handler.on_end(session, report);
    }

    fn on_detach(&self, session: &Arc<Session>) {
        self.handler.on_detach(session);
    }

    fn on_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        self.count_error(error.code);
        // Afterwards, so that whoever hears it finds the server or client in the state that it has then.
        let _told = Finally(|| self.bridge.fail(error));
        self.handler.on_error(session, error);
    }

    fn on_stopped(&self) {
        self.handler.on_stopped();
    }

    fn on_release(&self) {
        let _ended = Finally(|| self.bridge.ended(self.number));
        self.handler.on_release();
    }

    fn meter(&self) -> Option<&dyn Meter> {
        self.measured.then_some(self)
    }
}

impl Meter for Observed {
    fn on_round_trip(&self, time: Duration) {
        self.bridge.figures.record_round_trip(time);
    }

    fn on_error_omitted(&self, code: Code) {
        self.count_error(code);
    }

    fn on_interval(&self) {
        self.bridge.collect_from(self.number);
    }
}

/// What the bridge is told behind a handler, also if that panics, which the core catches.
struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_that_take_turns_are_both_measured() {
        let measured: Vec<u32> = (0..2 * MEASURED_OF).filter(|_| is_turn()).collect();
        assert_eq!(measured.len(), 2);
        assert_ne!(measured[0] % 2, measured[1] % 2);
    }
}
