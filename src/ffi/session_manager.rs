//! Session managers.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::args::{self, Extensible, Out, reserved};
use super::guard;
use super::objects;
use super::server::session_handle;
use super::server_config::max_connections;
use super::status::{NETSYS_OK, netsys_status};
use super::types::*;
use crate::error::{Code, Error, Result};
use crate::session::{MAX_SESSION_ID, Managed, Session, SessionManager, SessionManagerConfig, SessionManagerStats};

/// A session manager: a limited set of sessions. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_session_manager {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Flag of a session manager: it never reports back-pressure.
pub const NETSYS_MANAGER_NO_BACKPRESSURE: u32 = 1;

/// What a session manager is like. All zero but struct_size means all defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_session_manager_config {
    /// sizeof(netsys_session_manager_config).
    pub struct_size: u32,
    /// The most sessions at a time; 0: 1000; NETSYS_UNLIMITED_U32.
    pub max_sessions: u32,
    /// A session that has sent and received nothing for this long, in ms, is stopped with NETSYS_ERR_SESSION_EXPIRED
    /// and taken out; 0: 300000; NETSYS_INFINITE: never.
    pub idle_timeout_ms: u32,
    /// How often idle sessions are looked for, in ms; 0: 30000; NETSYS_INFINITE: only by
    /// netsys_session_manager_clean_up.
    pub cleanup_interval_ms: u32,
    /// The part of max_sessions from which on there is back-pressure, up to 1; 0: 0.8.
    pub backpressure_threshold: f64,
    /// NETSYS_MANAGER_*.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// A session in the care of a manager: one of the library's, or one of the caller's own kind, or both. The functions
/// are called on any thread, never under a lock of the library, and must not wait. Those that are NULL mean what the
/// library knows of its session; without one, last_activity and stop are required.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_managed_session {
    /// sizeof(netsys_managed_session).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The library's session; id 0: none.
    pub session: netsys_session,
    /// Given to every function of this table.
    pub userdata: *mut c_void,
    /// When something was sent or received last: nanoseconds of CLOCK_MONOTONIC; 0: never.
    pub last_activity: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void) -> u64>,
    /// Whether it has ended by itself. Asked when sessions are cleaned up or there is no room.
    pub has_ended: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void) -> bool>,
    /// Ends it. code: NETSYS_OK for an end in good order, else why; reason: the same in words.
    pub stop: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, code: netsys_status, reason: netsys_str)>,
    /// The manager does not know the session any more, and userdata is no longer used. Runs exactly once, but not if
    /// netsys_session_manager_add fails.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}

/// How a session manager stands, and what it has done.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct netsys_session_manager_info {
    /// sizeof(netsys_session_manager_info); set it before the call.
    pub struct_size: u32,
    /// 1 while there is back-pressure, else 0.
    pub backpressure: u32,
    /// Sessions there are.
    pub sessions: u64,
    /// Sessions there may be.
    pub max_sessions: u64,
    /// The part of these that is used; more than 1 when the limit was lowered.
    pub utilization: f64,
    /// Sessions that were taken in.
    pub accepted: u64,
    /// Sessions that were refused because there were too many.
    pub rejected: u64,
    /// Sessions that were stopped because they were idle for too long.
    pub cleaned_up: u64,
    /// Sessions that ended by themselves.
    pub ended: u64,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_session_manager_config {}
// SAFETY: as above; a handle, pointers and functions (`Option`) may be zero too.
unsafe impl Extensible for netsys_managed_session {}
// SAFETY: as above.
unsafe impl Extensible for netsys_session_manager_info {}

impl From<SessionManagerStats> for netsys_session_manager_info {
    fn from(stats: SessionManagerStats) -> Self {
        netsys_session_manager_info {
            struct_size: size_of::<netsys_session_manager_info>() as u32,
            backpressure: stats.backpressure.into(),
            sessions: stats.sessions as u64,
            max_sessions: stats.max_sessions as u64,
            utilization: stats.utilization,
            accepted: stats.accepted,
            rejected: stats.rejected,
            cleaned_up: stats.cleaned_up,
            ended: stats.ended,
        }
    }
}

/// A manager of what C hands over.
pub(super) type Manager = SessionManager<Member>;

/// A session as C hands it over.
pub(super) struct Member {
    session: Option<Arc<Session>>,
    table: netsys_managed_session,
    /// Whether the manager took it in, and with it the pointer.
    taken: AtomicBool,
}

// SAFETY: the table's pointer is only handed to the table's functions, which the header says to be called on any
// thread.
unsafe impl Send for Member {}
// SAFETY: as above; the rest is the library's own.
unsafe impl Sync for Member {}

impl Member {
    fn new(table: netsys_managed_session) -> Result<Member> {
        reserved(table.reserved, "session: reserved")?;
        let session = match table.session.id {
            0 if table.last_activity.is_none() || table.stop.is_none() => {
                return Err(Error::invalid(
                    "session: without a session of the library, last_activity and stop are required",
                ));
            }
            0 => None,
            _ => Some(objects::with(table.session, |session| Ok(Arc::clone(session)))?),
        };
        Ok(Member { session, table, taken: AtomicBool::new(false) })
    }

    /// The table as it was given. The session in it may have ended, and so its handle with it.
    fn table(&self) -> netsys_managed_session {
        let session = self.session.as_ref().map_or(Ok(netsys_session { id: 0 }), session_handle);
        netsys_managed_session { session: session.unwrap_or(netsys_session { id: 0 }), ..self.table }
    }
}

impl Managed for Member {
    fn own_id(&self) -> String {
        self.session.as_ref().map_or_else(String::new, |session| session.id().to_owned())
    }

    fn last_activity_ns(&self) -> u64 {
        match (self.table.last_activity, &self.session) {
            // SAFETY: the table's function is called as the header says.
            (Some(last_activity), _) => unsafe { last_activity(self.table.userdata) },
            (None, Some(session)) => session.last_activity_ns(),
            (None, None) => 0,
        }
    }

    fn has_ended(&self) -> bool {
        match (self.table.has_ended, &self.session) {
            // SAFETY: the table's function is called as the header says.
            (Some(has_ended), _) => unsafe { has_ended(self.table.userdata) },
            (None, Some(session)) => session.has_ended(),
            (None, None) => false,
        }
    }

    fn stop(&self, reason: Option<Code>, text: &str) {
        match (self.table.stop, &self.session) {
            (Some(stop), _) => {
                let code = reason.map_or(NETSYS_OK, |code| code as i32);
                let view = netsys_str { data: text.as_ptr().cast(), len: text.len() };
                // SAFETY: the table's function is called as the header says; the view lives for the call.
                unsafe { stop(self.table.userdata, code, view) };
            }
            (None, Some(session)) => Managed::stop(&**session, reason, text),
            (None, None) => {}
        }
    }

    fn at_end(&self, wanted: Weak<()>, then: Box<dyn FnOnce() + Send>) -> bool {
        self.session.as_ref().is_none_or(|session| Managed::at_end(&**session, wanted, then))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.taken.load(Ordering::Acquire)
            && let Some(release) = self.table.release
        {
            // SAFETY: the table's function is called as the header says, and once.
            guard::contained("release of a managed session", || unsafe { release(self.table.userdata) });
        }
    }
}

/// What netsys_session_manager_get and _each call.
type Visit = unsafe extern "C-unwind" fn(userdata: *mut c_void, session: *const netsys_managed_session, id: netsys_str);

fn show(member: &Member, id: &str, visit: Visit, userdata: *mut c_void) {
    let table = member.table();
    let view = netsys_str { data: id.as_ptr().cast(), len: id.len() };
    // SAFETY: the caller's function is called as the header says; the table and the view live for the call.
    guard::contained("visit", || unsafe { visit(userdata, &raw const table, view) });
}

fn needed_visit(visit: Option<Visit>) -> Result<Visit> {
    visit.ok_or_else(|| Error::invalid("visit is NULL"))
}

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says.
unsafe fn manager_config(config: *const netsys_session_manager_config) -> Result<SessionManagerConfig> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    reserved(c.reserved, "config: reserved")?;
    if c.flags & !NETSYS_MANAGER_NO_BACKPRESSURE != 0 {
        return Err(Error::invalid(format!("flags is {:#x}: use NETSYS_MANAGER_NO_BACKPRESSURE (1) only", c.flags)));
    }
    let default = SessionManagerConfig::default();
    let or_timeout = |ms: u32, default| if ms == 0 { default } else { args::timeout(ms) };
    let threshold =
        if c.backpressure_threshold == 0.0 { default.backpressure_threshold } else { Some(c.backpressure_threshold) };
    Ok(SessionManagerConfig {
        max_sessions: if c.max_sessions == 0 { default.max_sessions } else { max_connections(c.max_sessions) },
        idle_timeout: or_timeout(c.idle_timeout_ms, default.idle_timeout),
        cleanup_interval: or_timeout(c.cleanup_interval_ms, default.cleanup_interval),
        backpressure_threshold: threshold.filter(|_| c.flags & NETSYS_MANAGER_NO_BACKPRESSURE == 0),
        ..default
    })
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_session_manager_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_config_init(
    config: *mut netsys_session_manager_config,
    size: usize,
) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Creates a manager without sessions.
///
/// @param context  whose clock looks for idle sessions, until the context is shut down
/// @param config   what it is like; copied
/// @param out      the manager, yours until netsys_session_manager_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_CANCELLED (the
///         context is being shut down); NETSYS_ERR_IO (no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_create(
    context: netsys_context,
    config: *const netsys_session_manager_config,
    out: *mut netsys_session_manager,
) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a place for a handle, and NULL or a configuration as long as it says.
        let (out, config) = unsafe { (Out::new(out, "out")?, manager_config(config)?) };
        let manager = objects::with(context, |open| Manager::start(&open.context, config))?;
        out.store(objects::insert(manager)?);
        Ok(())
    })
}

/// Makes the handle of a manager invalid. Its sessions go on; their release runs.
///
/// @param manager  the manager
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_manager_destroy(manager: netsys_session_manager) -> netsys_status {
    guard::with(manager, |_| objects::remove(manager))
}

/// Takes a session in. It leaves when it has ended, when it is removed, when it was idle for too long, and with the
/// manager.
///
/// @param manager  the manager
/// @param session  the session; copied
/// @param id       the id that it is known by, at most 255 bytes; empty: the id of the library's session, or if there
///                 is none "session_" with a number
/// @param buf      the id that it is known by, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf: 0, or at least 256
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
///         session's handle); NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SERVER_BUSY (there is no room);
///         NETSYS_ERR_ALREADY_EXISTS (the id is in use); NETSYS_ERR_CONNECTION_CLOSED (the session has ended)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_add(
    manager: netsys_session_manager,
    session: *const netsys_managed_session,
    id: netsys_str,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(manager, |manager| {
        // SAFETY: the caller gives NULL or a table as long as it says, and a view that is valid.
        let (table, id) = unsafe { (args::read_struct(session, "session")?, args::text(id, "id")?) };
        if buf.is_null() != (cap == 0) || (cap != 0 && cap <= MAX_SESSION_ID) {
            return Err(Error::invalid(format!("cap is {cap}: give a buffer of at least 256 bytes, or NULL and 0")));
        }
        let member = Arc::new(Member::new(table)?);
        let id = manager.add(Arc::clone(&member), id)?;
        member.taken.store(true, Ordering::Release);
        // SAFETY: the caller gives NULL or a place for the length.
        if let Some(needed) = unsafe { Out::optional(needed) } {
            needed.store(id.len());
        }
        if cap != 0 {
            // SAFETY: the caller gives a buffer of that size.
            unsafe { args::give_text(&id, buf, cap, std::ptr::null_mut()) }?;
        }
        Ok(())
    })
}

/// Takes a session out. It goes on.
///
/// @param manager  the manager
/// @param id       what it is known by
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_remove(
    manager: netsys_session_manager,
    id: netsys_str,
) -> netsys_status {
    guard::with(manager, |manager| {
        // SAFETY: the caller gives a view that is valid.
        manager.remove(unsafe { args::text(id, "id") }?).map(drop)
    })
}

/// Calls visit with a session, on this thread, before this returns, and without a lock: visit may call any function.
///
/// @param manager   the manager
/// @param id        what the session is known by
/// @param visit     gets the session and its id, valid for the call; its release does not run before it returns
/// @param userdata  given to visit
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_get(
    manager: netsys_session_manager,
    id: netsys_str,
    visit: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: *const netsys_managed_session, id: netsys_str),
    >,
    userdata: *mut c_void,
) -> netsys_status {
    guard::with(manager, |manager| {
        let visit = needed_visit(visit)?;
        // SAFETY: the caller gives a view that is valid.
        let id = unsafe { args::text(id, "id") }?;
        show(&*manager.get(id)?, id, visit, userdata);
        Ok(())
    })
}

/// Calls visit with each session, in the order in which they came, as netsys_session_manager_get does.
///
/// @param manager   the manager
/// @param visit     gets a session and its id, valid for the call
/// @param userdata  given to visit
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_each(
    manager: netsys_session_manager,
    visit: Option<
        unsafe extern "C-unwind" fn(userdata: *mut c_void, session: *const netsys_managed_session, id: netsys_str),
    >,
    userdata: *mut c_void,
) -> netsys_status {
    guard::with(manager, |manager| {
        let visit = needed_visit(visit)?;
        manager.all().iter().for_each(|(id, member)| show(member, id, visit, userdata));
        Ok(())
    })
}

/// Takes all sessions out and stops them.
///
/// @param manager  the manager
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_manager_stop_all(manager: netsys_session_manager) -> netsys_status {
    guard::with(manager, |manager| {
        manager.stop_all();
        Ok(())
    })
}

/// Stops the sessions that have been idle for too long, and takes them out; those that have ended are taken out too. It
/// happens by itself at the interval of the configuration.
///
/// @param manager  the manager
/// @param count    how many were stopped; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_clean_up(
    manager: netsys_session_manager,
    count: *mut usize,
) -> netsys_status {
    guard::with(manager, |manager| {
        let stopped = manager.clean_up();
        // SAFETY: the caller gives NULL or a place for the result.
        if let Some(count) = unsafe { Out::optional(count) } {
            count.store(stopped);
        }
        Ok(())
    })
}

/// Changes how many sessions there may be. Those beyond a lower limit stay.
///
/// @param manager       the manager
/// @param max_sessions  how many; 0: no more at all; NETSYS_UNLIMITED_U32
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_manager_set_max(manager: netsys_session_manager, max_sessions: u32) -> netsys_status {
    guard::with(manager, |manager| {
        manager.set_max_sessions(max_connections(max_sessions));
        Ok(())
    })
}

/// How a manager stands, and what it has done.
///
/// @param manager  the manager
/// @param out      filled in; set its struct_size to sizeof(netsys_session_manager_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_manager_stats(
    manager: netsys_session_manager,
    out: *mut netsys_session_manager_info,
) -> netsys_status {
    guard::with(manager, |manager| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", manager.stats().into()) }
    })
}
