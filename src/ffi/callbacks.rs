//! The events of the core, told to a callback table of C.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args;
use super::binding::{Binding, Owner};
use super::guard;
use super::status::NETSYS_OK;
use super::types::*;
use crate::error::{Error, Result};
use crate::session::handler::{CloseReport, Handler, Message, Payload};
use crate::session::{Session, State};

/// A callback table, and what keeps its release to one time.
pub(super) struct Callbacks {
    table: netsys_callbacks,
    owner: Owner,
    /// Whether the core has taken over, and will tell when it is done.
    started: AtomicBool,
    released: AtomicBool,
}

// SAFETY: the table's pointers are only handed to the table's functions, which the header says to be called on
// library threads.
unsafe impl Send for Callbacks {}
// SAFETY: as above; the rest is atomic.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    /// # Safety
    /// `table` is NULL or points to a struct as long as its own struct_size says.
    pub(super) unsafe fn read(table: *const netsys_callbacks, owner: Owner) -> Result<Callbacks> {
        // SAFETY: by the contract of this function.
        let table = unsafe { args::read_struct(table, "callbacks") }?;
        args::reserved(table.reserved, "callbacks: reserved")?;
        Ok(Callbacks { table, owner, started: AtomicBool::new(false), released: AtomicBool::new(false) })
    }

    /// From now on the core has the callbacks and will release them when it is done.
    pub(super) fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// The handle for a callback on the session. There always is one, unless all 2^24 are in use: then it is 0.
    #[inline]
    fn handle(&self, session: &Arc<Session>) -> netsys_session {
        Binding::of(session, self.owner).handle(session).unwrap_or(netsys_session { id: 0 })
    }

    fn run_on_session(
        &self,
        session: &Arc<Session>,
        callback: Option<unsafe extern "C-unwind" fn(*mut c_void, netsys_session)>,
    ) {
        if let Some(callback) = callback {
            let handle = self.handle(session);
            // SAFETY: the table's function is called as the header says.
            unsafe { callback(self.table.userdata, handle) };
        }
    }

    fn run_on_end(
        &self,
        session: &Arc<Session>,
        report: &CloseReport,
        callback: Option<unsafe extern "C-unwind" fn(*mut c_void, netsys_session, *const netsys_close_info)>,
    ) {
        if let Some(callback) = callback {
            let handle = self.handle(session);
            let info = netsys_close_info {
                struct_size: size_of::<netsys_close_info>() as u32,
                reason: report.reason.map_or(NETSYS_OK, |code| code as i32),
                os_code: report.os_code,
                by_peer: report.by_peer.into(),
                accepted: report.accepted,
                undelivered: report.undelivered,
                requeued: report.requeued,
                discarded: report.discarded,
                exact: report.exact.into(),
                reserved: 0,
                text: netsys_str { data: report.text.as_ptr().cast(), len: report.text.len() },
                dropped: report.dropped,
            };
            // SAFETY: as above; `info` and its text live for the call.
            unsafe { callback(self.table.userdata, handle, &raw const info) };
        }
    }
}

impl guard::Release for Callbacks {
    fn release_unless_started(&self) {
        if !self.started.load(Ordering::Relaxed) {
            self.on_release();
        }
    }
}

/// The number of a session's state in C.
pub(super) fn state_number(state: State) -> u32 {
    match state {
        State::Connecting => NETSYS_STATE_CONNECTING,
        State::Connected => NETSYS_STATE_CONNECTED,
        State::Disconnecting => NETSYS_STATE_DISCONNECTING,
        State::Disconnected => NETSYS_STATE_DISCONNECTED,
        State::Error => NETSYS_STATE_ERROR,
    }
}

/// The core catches what a callback that is written in Rust throws: it closes the session and comes back with
/// `on_error`.
impl Handler for Callbacks {
    fn on_accept(&self, session: &Arc<Session>) {
        self.run_on_session(session, self.table.on_accept);
    }

    fn on_open(&self, session: &Arc<Session>) {
        self.run_on_session(session, self.table.on_open);
    }

    #[inline]
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        let Some(callback) = self.table.on_message else { return };
        let binding = Binding::of(session, self.owner);
        let handle = binding.handle(session).unwrap_or(netsys_session { id: 0 });
        let message = netsys_message {
            struct_size: size_of::<netsys_message>() as u32,
            kind: match message.kind {
                Payload::Text => NETSYS_MESSAGE_TEXT,
                Payload::Binary => NETSYS_MESSAGE_BINARY,
                Payload::Stream => NETSYS_MESSAGE_STREAM,
            },
            data: message.data.as_ptr(),
            len: message.data.len(),
            session_userdata: binding.userdata(),
        };
        // SAFETY: the table's function is called as the header says; `message` and its bytes live for the call.
        unsafe { callback(self.table.userdata, handle, &raw const message) };
    }

    fn on_writable(&self, session: &Arc<Session>) {
        self.run_on_session(session, self.table.on_writable);
    }

    fn on_state(&self, session: &Arc<Session>, old: State, new: State) {
        if let Some(callback) = self.table.on_state {
            let handle = self.handle(session);
            let (old, new) = (state_number(old), state_number(new));
            // SAFETY: the table's function is called as the header says.
            unsafe { callback(self.table.userdata, handle, old, new) };
        }
    }

    fn on_close(&self, session: &Arc<Session>, report: &CloseReport) {
        self.run_on_end(session, report, self.table.on_close);
    }

    fn on_end(&self, session: &Arc<Session>, report: &CloseReport) {
        self.run_on_end(session, report, self.table.on_end);
    }

    fn on_detach(&self, session: &Arc<Session>) {
        Binding::of(session, self.owner).end();
    }

    fn on_error(&self, session: Option<&Arc<Session>>, error: &Error) {
        if let Some(callback) = self.table.on_error {
            let handle = session.map_or(netsys_session { id: 0 }, |session| self.handle(session));
            let info = netsys_error_info::new(error);
            // SAFETY: the table's function is called as the header says; `info` lives for the call.
            unsafe { callback(self.table.userdata, handle, &raw const info) };
        }
    }

    fn on_stopped(&self) {
        if let Some(callback) = self.table.on_stopped {
            // SAFETY: the table's function is called as the header says.
            unsafe { callback(self.table.userdata) };
        }
    }

    fn on_release(&self) {
        if !self.released.swap(true, Ordering::AcqRel)
            && let Some(release) = self.table.release
        {
            // SAFETY: the table's function is called as the header says, and for the first time.
            guard::contained("release", || unsafe { release(self.table.userdata) });
        }
    }
}

#[cfg(test)]
mod tests;
