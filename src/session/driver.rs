//! The driver of a session: the task on its loop that reads, tells the handler, writes what is left, and closes.
//!
//! A session identifies its peer, is open, and closes. A graceful close delivers what was accepted: the queue is
//! written, a framed peer is sent a CLOSE, our direction is shut down, and then the peer's confirmation (raw: its
//! kernel's) is awaited within the time to drain. Only then the handler is told the end, so that its report is true.

mod closing;
mod receiving;
mod shaking_hands;
mod unpacking;

use std::future::Future;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use self::closing::{Closing, End};
use self::receiving::Incoming;
use super::handler::CloseReport;
use super::outbound::{Unsent, Wire};
use super::registry::Role;
use super::sending::{Undecided, Writer};
use super::{CloseRequest, Session, State, lock};
use crate::config::Framing;
use crate::error::{Code, Error, Result, panic_text};
use crate::runtime::{batch, with_read_buffer};
use crate::sys;
use crate::transport::Stream;
use crate::transport::tls::{TlsInfo, shake_hands};

/// A server takes a peer that is silent for this long for a raw one that waits for it to speak.
const SILENCE: Duration = Duration::from_millis(250);

/// When a thread that sends without a pause is taken to have made one.
const PAUSE: Duration = Duration::from_millis(1);

/// The driver. As a future it resolves when the handler has been told the end.
pub(crate) struct Driver {
    session: Arc<Session>,
    stream: Arc<Stream>,
    phase: Phase,
    /// `on_accept` was told, so `on_end` will be.
    told_accept: bool,
    /// `on_open` was told, so `on_close` will be.
    told_open: bool,
    incoming: Incoming,
    /// The deadline of the phase.
    timer: Option<Pin<Box<Sleep>>>,
    /// How long a fast sender's queue is left to it.
    pause: Option<Pin<Box<Sleep>>>,
    /// By when a peer has to have identified itself.
    identify_by: Instant,
    /// A close that waits for it to be known what the peer speaks, since messages do.
    close_later: Option<(Box<CloseRequest>, Instant)>,
    /// The peer has ended its direction.
    eof: bool,
    /// Nothing was read for a while, at the user's wish or since the handlers were behind.
    held_up: bool,
    /// How the peer, or its connection, ended, which takes effect when the handlers have got what came before.
    ending: Option<Box<Ending>>,
    /// The kernel failed a write; what the peer sent before may still be read.
    write_failed: bool,
    /// How many of our messages the peer says it got,
    confirmed: u64,
    /// and whether that is its last word.
    confirmed_last: bool,
}

/// What ends a session from outside.
#[derive(Debug)]
enum Ending {
    /// The peer closed, with a reason.
    Close(Option<Code>, String),
    /// The peer ended its direction.
    Eof,
    /// It did, but not in the way of TLS.
    Truncation,
    /// The peer broke the protocol.
    Violation(Error),
    /// The connection failed, or the peer is taken for dead.
    Failure(Error),
}

enum Phase {
    /// TLS is being agreed on.
    ShakingHands(Handshake),
    /// Nothing was told yet.
    New,
    /// Who the peer is, is not known.
    Identifying,
    Open,
    Closing(Box<Closing>),
    Ended(Option<Box<Ended>>),
}

/// What a handshake of TLS comes to.
type Handshake = Pin<Box<dyn Future<Output = Result<TlsInfo>> + Send>>;

/// How a session ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// It had been open.
    pub opened: bool,
    /// What failed.
    pub error: Option<Error>,
    /// The peer does not speak as this side does, and will not the next time.
    pub mismatch: bool,
    /// Messages that can be sent on another connection, since nothing of them was written,
    pub unsent: Unsent,
    /// and those of a session that was not open which can not, though they may not have arrived.
    pub undelivered: u64,
    /// The stream, if what still comes from the peer is to be read off.
    pub linger: Option<Arc<Stream>>,
}

impl Driver {
    /// A driver for a new session. `identify_within`: how long the peer may take to say who it is.
    pub(crate) fn new(session: Arc<Session>, stream: Arc<Stream>, identify_within: Duration) -> Driver {
        let registry = &session.registry;
        let incoming = Incoming::new(registry.max_message(), registry.config.receive_buffer, registry.share());
        let phase = match stream.tls() {
            None => Phase::New,
            Some(_) => {
                let stream = Arc::clone(&stream);
                Phase::ShakingHands(Box::pin(async move { shake_hands(&stream).await }))
            }
        };
        Driver {
            session,
            stream,
            phase,
            told_accept: false,
            told_open: false,
            incoming,
            timer: None,
            pause: None,
            identify_by: Instant::now() + identify_within,
            close_later: None,
            eof: false,
            held_up: false,
            ending: None,
            write_failed: false,
            confirmed: 0,
            confirmed_last: false,
        }
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &self.phase {
                Phase::ShakingHands(_) => match self.shake_hands(cx) {
                    Poll::Ready(()) => continue,
                    Poll::Pending => return Poll::Pending,
                },
                Phase::New => {
                    lock(&self.session.control).waker = Some(cx.waker().clone());
                    self.begin();
                    continue;
                }
                Phase::Ended(_) => return Poll::Ready(()),
                Phase::Identifying | Phase::Open | Phase::Closing(_) => {}
            }
            self.take_requests();
            self.resume_close();
            self.take_ending();
            self.write(cx);
            if matches!(self.phase, Phase::Ended(_)) || self.advance_closing() {
                continue;
            }
            if self.stream.owes() && self.stream.poll_write_ready(cx).is_ready() {
                // It became so after the writing: come back for it.
                cx.waker().wake_by_ref();
            }
            self.await_identity();
            if matches!(self.phase, Phase::Closing(_)) && self.timer_is_due(cx) {
                self.on_timer();
                continue;
            }
            match self.read(cx) {
                // What came is a batch of its own: it is answered before more is read.
                Poll::Ready(more) if more => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(_) => {}
                Poll::Pending if self.write_failed && !self.waits_for_handlers() => self.lost(),
                // Only now: a loop that was busy has not looked at what came in time.
                Poll::Pending if self.ending.is_none() && self.timer_is_due(cx) => self.on_timer(),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The first that happens on the loop.
    fn begin(&mut self) {
        self.phase = Phase::Identifying;
        let session = Arc::clone(&self.session);
        if session.registry.role == Role::Server {
            self.told_accept = true;
            session.registry.tell(&session, |handler, session| handler.on_accept(session));
        }
        let framing = session.lock_sending().begin(&session.registry);
        match (session.registry.role, framing) {
            (Role::Client, Framing::Framed) => {
                session.lock_sending().begin_framed(&session.registry);
                self.set_timer(self.identify_by);
            }
            (_, Framing::Raw) => {
                session.lock_sending().queue.decide(Wire::Raw);
                self.open();
            }
            (Role::Client, Framing::Auto) => {
                self.open();
            }
            (Role::Server, Framing::Auto | Framing::Framed) => {}
        }
        if let Some((_, by)) = self.close_later {
            // It was asked for during the handshake of TLS.
            self.bring_forward(by);
        }
    }

    /// Begins to wait for the peer to say who it is, once it is listened to.
    fn await_identity(&mut self) {
        if !matches!(self.phase, Phase::Identifying) || self.timer.is_some() || self.session.is_paused() {
            return;
        }
        let now = Instant::now();
        // Of an encrypted session, the handshake of TLS was a part of it.
        if self.stream.tls().is_none() || self.held_up {
            self.identify_by = now + self.session.registry.config.handshake_timeout;
        }
        let auto = self.session.registry.config.framing == Framing::Auto;
        self.set_timer(if auto { self.identify_by.min(now + SILENCE) } else { self.identify_by });
    }

    /// Tells that the session is open; false if it is not, or was already.
    fn open(&mut self) -> bool {
        if !matches!(self.phase, Phase::Identifying) {
            return false;
        }
        self.phase = Phase::Open;
        self.timer = None;
        if self.session.is_closing() {
            // It ends before it was open.
            return false;
        }
        self.told_open = true;
        self.session.registry.count_open();
        self.enter_state(State::Connected);
        let session = &self.session;
        tracing::debug!("{} is open: {:?} {:?}", session.id(), session.remote_addr(), session.framing());
        session.registry.tell_open(session);
        true
    }

    fn enter_state(&self, new: State) {
        let session = &self.session;
        let old = State::from_number(session.state.swap(new as u8, Ordering::AcqRel));
        if old != new {
            session.registry.tell(session, move |handler, session| handler.on_state(session, old, new));
        }
    }

    /// Whether handlers that are behind keep it from reading, or from ending as it is to. They wake it.
    fn waits_for_handlers(&self) -> bool {
        self.ending.is_some()
            || (!self.session.is_paused() && !self.session.is_closing() && self.session.holds_reading())
    }

    /// Does what other threads, or handlers, asked for.
    fn take_requests(&mut self) {
        let attention = &self.session.attention;
        if !attention.load(Ordering::Relaxed) || !attention.swap(false, Ordering::AcqRel) {
            return;
        }
        let asked = lock(&self.session.control).asked.take();
        self.session.resume_handling();
        let Some(asked) = asked else { return };
        for error in asked.errors {
            self.session.registry.tell_error(Some(&self.session), error);
        }
        if asked.abort {
            self.reset();
        } else if let Some(error) = asked.failure {
            self.give_up(error);
        } else if let Some(close) = asked.close {
            if matches!(self.phase, Phase::Closing(_)) {
                self.hurry(close.drain.unwrap_or(self.session.registry.config.drain));
            } else if self.owes_unframed() && close.drain != Some(Duration::ZERO) {
                let drain = close.drain.unwrap_or(self.session.registry.config.drain);
                self.close_later = Some((Box::new(close), Instant::now() + drain));
                self.await_identity();
                self.bring_forward(Instant::now() + drain);
            } else {
                self.close(End::local(close.code, close.text), close.drain);
            }
        }
        if let Some(drain) = asked.hurry {
            self.hurry(drain);
        }
        if let Some(error) = asked.fault
            && !self.session.is_closing()
        {
            self.end_by(Ending::Failure(error));
        }
    }

    /// Whether messages wait for it to be known what the peer speaks, or for TLS to be agreed on.
    fn owes_unframed(&self) -> bool {
        let sending = self.session.lock_sending();
        let kept = match self.phase {
            Phase::ShakingHands(_) => true,
            Phase::Identifying => matches!(sending.queue.wire, Wire::Unknown | Wire::Greeted),
            _ => false,
        };
        kept && !sending.queue.is_empty()
    }

    /// Goes on with a close that waited for that.
    fn resume_close(&mut self) {
        if self.close_later.is_some()
            && !self.owes_unframed()
            && let Some((close, by)) = self.close_later.take()
        {
            let left = by.saturating_duration_since(Instant::now());
            self.close(End::local(close.code, close.text), Some(left));
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        let (idle, blocked) = {
            let mut sending = self.session.lock_sending();
            if std::mem::take(&mut self.incoming.heard) {
                sending.queue.heard();
            }
            (sending.queue.is_idle(batch::current()), sending.queue.is_blocked())
        };
        let owes = self.stream.owes();
        if (idle && !owes && self.pause.is_none()) || self.gathers(cx) {
            return;
        }
        let blocked = blocked || owes;
        // A full socket waits for room; that there is room in the queue may have to be told nevertheless.
        let full = blocked && self.stream.poll_write_ready(cx).is_pending();
        if !full {
            if blocked {
                self.session.lock_sending().queue.unblock();
            }
            // If the socket has failed, it shows here.
            self.session.write_queue(Writer::Driver);
        }
        let (blocked, failed, writable, starved) = {
            let mut sending = self.session.lock_sending();
            let queue = &mut sending.queue;
            (queue.is_blocked(), queue.failure().is_some(), queue.take_writable(), queue.is_starved())
        };
        if starved {
            self.session.await_budget();
        }
        self.write_failed = failed;
        if (blocked || self.stream.owes()) && !full && self.stream.poll_write_ready(cx).is_ready() {
            // It became writable in between: come back for it.
            cx.waker().wake_by_ref();
        }
        if writable {
            // It had its turn, if it waited for memory.
            self.session.registry.budget.pass_on();
        }
        if writable && matches!(self.phase, Phase::Open) && !self.session.is_closing() {
            let session = &self.session;
            session.registry.tell(session, |handler, session| handler.on_writable(session));
        }
    }

    /// Whether what is queued is to wait for more, since another thread sends so fast that it writes by itself.
    fn gathers(&mut self, cx: &mut Context<'_>) -> bool {
        if self.session.lock_sending().queue.begin_gathering() {
            let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(PAUSE)));
            if pause.as_mut().poll(cx).is_pending() {
                return true;
            }
        }
        if self.pause.take().is_some() {
            self.session.lock_sending().queue.end_gathering();
        }
        false
    }

    /// Reads once and handles what came. `Ready(true)`: there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let closing = matches!(self.phase, Phase::Closing(_));
        if self.ending.is_some() {
            return Poll::Pending;
        }
        if self.session.holds_reading() && !closing {
            self.held_up = true;
            return Poll::Pending;
        }
        if std::mem::take(&mut self.held_up) {
            self.session.watch.listen();
        }
        if let Some((bytes, at)) = self.incoming.take_kept() {
            let left = self.on_bytes(&bytes[at..]);
            let at = bytes.len() - left;
            self.incoming.keep(bytes, at);
            self.incoming.settle();
            return Poll::Ready(false);
        }
        if self.eof {
            return Poll::Pending;
        }
        with_read_buffer(|buffer| self.read_into(buffer, cx))
    }

    #[inline]
    fn read_into(&mut self, buffer: &mut [u8], cx: &mut Context<'_>) -> Poll<bool> {
        let Some(room) = self.incoming.may_read(buffer.len()) else {
            self.session.starve(self.incoming.held());
            return Poll::Pending;
        };
        let buffer = &mut buffer[..room];
        match self.stream.poll_read(cx, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(read)) if read.len == 0 => {
                self.eof = true;
                self.end_by(Ending::Eof);
                Poll::Ready(false)
            }
            Poll::Ready(Ok(read)) => {
                self.session.received.wire.add(read.len as u64);
                self.session.received.last_ns.set(sys::monotonic_ns());
                let left = self.on_bytes(&buffer[..read.len]);
                if left > 0 {
                    self.incoming.keep(buffer[read.len - left..read.len].to_vec(), 0);
                }
                self.incoming.settle();
                self.session.is_fed();
                Poll::Ready(!read.drained)
            }
            Poll::Ready(Err(error)) => {
                self.eof = true;
                self.end_by(match error.kind() {
                    ErrorKind::UnexpectedEof => Ending::Truncation,
                    _ => Ending::Failure(Error::from_io(Code::ReceiveFailed, "the connection was lost", &error)),
                });
                Poll::Ready(false)
            }
        }
    }

    /// Ends the session as the peer or the network wants it, once the handlers have got what came before.
    fn end_by(&mut self, ending: Ending) {
        self.ending.get_or_insert_with(|| Box::new(ending));
        self.take_ending();
    }

    fn take_ending(&mut self) {
        if self.ending.is_none() || (self.session.has_unhandled() && !self.session.is_closing()) {
            return;
        }
        match self.ending.take().map(|ending| *ending) {
            Some(Ending::Close(reason, text)) => self.on_peer_close(reason, text),
            Some(Ending::Eof) => self.on_eof(None),
            Some(Ending::Truncation) => self.on_eof(Some(truncation())),
            Some(Ending::Violation(error)) => self.break_off(error),
            Some(Ending::Failure(error)) => self.give_up(error),
            None => {}
        }
    }

    fn set_timer(&mut self, at: Instant) {
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(at),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(at))),
        }
    }

    /// Has the timer fire at `at`, unless it does so earlier.
    fn bring_forward(&mut self, at: Instant) {
        if self.timer.as_ref().is_none_or(|timer| timer.deadline() > at) {
            self.set_timer(at);
        }
    }

    fn timer_is_due(&mut self, cx: &mut Context<'_>) -> bool {
        self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
    }

    fn on_timer(&mut self) {
        if matches!(self.phase, Phase::Closing(_)) {
            self.on_closing_timer();
            return;
        }
        let session = Arc::clone(&self.session);
        if let Some((close, _)) = self.close_later.take_if(|(_, by)| *by <= Instant::now()) {
            self.close(End::local(close.code, close.text), Some(Duration::ZERO));
            return;
        }
        if !matches!(self.phase, Phase::Identifying) && self.may_be_raw() {
            self.timer = None;
            self.settle_for_raw();
            return;
        }
        let auto = session.registry.config.framing == Framing::Auto;
        let undecided = auto && session.registry.role == Role::Server && session.framing() == Framing::Auto;
        if undecided && self.incoming.is_silent() {
            self.accept_silence();
        } else if undecided && Instant::now() < self.identify_by {
            let by = self.close_later.as_ref().map_or(self.identify_by, |(_, by)| self.identify_by.min(*by));
            self.set_timer(by);
        } else {
            let code = if session.registry.role == Role::Client { Code::ConnectionTimeout } else { Code::Timeout };
            self.give_up(Error::new(code, "the peer did not complete the hello of the framed protocol in time"));
        }
    }

    /// A raw peer that waits for the server to speak looks like this. Should it still say hello while nothing was
    /// sent to it, it is framed.
    fn accept_silence(&mut self) {
        {
            let mut sending = self.session.lock_sending();
            if sending.queue.is_empty() {
                sending.undecided = Undecided::Raw;
            } else {
                sending.queue.decide(Wire::Raw);
            }
        }
        self.open();
    }
}

/// A peer ended its direction without TLS saying so.
fn truncation() -> Error {
    Error::new(
        Code::TlsTruncated,
        "the peer ended the connection without the close_notify of TLS: what it sent last may be missing",
    )
}

impl Future for Driver {
    type Output = Box<Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Box<Ended>> {
        let driver = &mut *self;
        let session = Arc::as_ptr(&driver.session);
        let step = catch_unwind(AssertUnwindSafe(|| batch::run_for(session.cast(), || driver.step(cx))));
        let step = step.unwrap_or_else(|panic| {
            // A fault of ours must not keep a stop from ending.
            tracing::error!("the driver of {} panicked: {}", driver.session.id(), panic_text(&*panic));
            driver.stream.reset_on_close();
            driver.finish(End::failure(Error::new(Code::Internal, "internal error of the library")));
            Poll::Ready(())
        });
        match (&mut driver.phase, step) {
            (Phase::Ended(ended), Poll::Ready(())) => match ended.take() {
                Some(ended) => Poll::Ready(ended),
                None => Poll::Pending,
            },
            _ => Poll::Pending,
        }
    }
}
