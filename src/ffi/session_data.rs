//! What a session is given to keep: data, groups, a pointer; and how long its handle lives.

use std::ffi::{c_char, c_int, c_void};
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use socket2::{SockRef, Type};

use super::args::{self, Out};
use super::binding::{Binding, Owner, Release};
use super::callbacks::Callbacks;
use super::guard;
use super::objects;
use super::server_config::{self, netsys_server_config};
use super::status::netsys_status;
use super::types::*;
use crate::core;
use crate::error::{Code, Error, Result};
use crate::session::Session;

/// Gives the caller, who is the first to have the session, its handle.
fn hand_out(session: &Arc<Session>, out: Out<netsys_session>) -> Result<()> {
    out.store(Binding::of(session, Owner::Caller).handle(session)?);
    Ok(())
}

/// The binding of a session whose handle exists: the handle's making has made it.
fn binding(session: &Session) -> &Binding {
    Binding::of(session, Owner::Endpoint)
}

/// A second descriptor of the caller's socket, if it is one that can be adopted. The caller keeps the first one until
/// it is known that all went well.
///
/// # Safety
/// `fd` is the caller's to give, or no descriptor at all.
unsafe fn second_descriptor(fd: RawFd) -> Result<TcpStream> {
    let refused = |error: std::io::Error| Error::os(Code::InvalidArgument, "fd is no connected TCP socket", &error);
    if fd < 0 {
        return Err(Error::invalid(format!("fd is {fd}: no descriptor is negative")));
    }
    // SAFETY: by the contract of this function; a number that is no descriptor makes the first call fail.
    let duplicate = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().map_err(refused)?;
    let socket = SockRef::from(&duplicate);
    let is_stream = socket.r#type().map_err(refused)? == Type::STREAM;
    if !is_stream || socket.peer_addr().map_err(refused)?.as_socket().is_none() {
        return Err(Error::invalid("fd is a socket, but not one of TCP"));
    }
    Ok(duplicate.into())
}

/// Keeps a string with a session, under a key. A session keeps at most 64 KiB, keys included.
///
/// @param session  the session
/// @param key      1 to 255 bytes
/// @param value    any text; copied
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (it would be too much)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_set_data(
    session: netsys_session,
    key: netsys_str,
    value: netsys_str,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives views that are valid.
        let (key, value) = unsafe { (args::text(key, "key")?, args::text(value, "value")?) };
        session.set_data(key, value)
    })
}

/// The string that a session keeps under a key.
///
/// @param session  the session
/// @param key      the key
/// @param buf      the string, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (no such key); NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_get_data(
    session: netsys_session,
    key: netsys_str,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a view that is valid.
        let key = unsafe { args::text(key, "key") }?;
        let value =
            session.data(key).ok_or_else(|| Error::new(Code::NotFound, "the session keeps nothing under that key"))?;
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&value, buf, cap, needed) }
    })
}

/// Forgets what a session keeps under a key.
///
/// @param session  the session
/// @param key      the key
/// @return NETSYS_OK, also if there is nothing; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_remove_data(session: netsys_session, key: netsys_str) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a view that is valid.
        session.remove_data(unsafe { args::text(key, "key") }?);
        Ok(())
    })
}

/// Forgets all that a session keeps under keys.
///
/// @param session  the session
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_clear_data(session: netsys_session) -> netsys_status {
    guard::with(session, |session| {
        session.clear_data();
        Ok(())
    })
}

/// Puts a session into a group of its server, which exists while somebody is in it.
///
/// @param session  the session
/// @param group    the name, 1 to 255 bytes
/// @return NETSYS_OK, also if it is in already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (it is in 128 groups)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_join_group(session: netsys_session, group: netsys_str) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a view that is valid.
        session.join_group(unsafe { args::text(group, "group") }?)
    })
}

/// Takes a session out of a group.
///
/// @param session  the session
/// @param group    the name
/// @return NETSYS_OK, also if it is not in; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_leave_group(session: netsys_session, group: netsys_str) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a view that is valid.
        session.leave_group(unsafe { args::text(group, "group") }?);
        Ok(())
    })
}

/// Whether a session is in a group.
///
/// @param session  the session
/// @param group    the name
/// @param out      true if it is
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_in_group(
    session: netsys_session,
    group: netsys_str,
    out: *mut bool,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result, and a view that is valid.
        let (out, group) = unsafe { (Out::new(out, "out")?, args::text(group, "group")?) };
        out.store(session.in_group(group));
        Ok(())
    })
}

/// Calls visit for each group that a session is in, on this thread, before this returns, and without a lock: visit may
/// call any function.
///
/// @param session   the session
/// @param visit     gets the name of a group, valid for the call
/// @param userdata  given to visit
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_groups(
    session: netsys_session,
    visit: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, group: netsys_str)>,
    userdata: *mut c_void,
) -> netsys_status {
    guard::with(session, |session| {
        let visit = visit.ok_or_else(|| Error::invalid("visit is NULL"))?;
        for group in session.groups() {
            let view = netsys_str { data: group.as_ptr().cast(), len: group.len() };
            // SAFETY: the caller's function is called as the header says; the view lives for the call.
            guard::contained("visit", || unsafe { visit(userdata, view) });
        }
        Ok(())
    })
}

/// Stores a pointer with a session, one for each. on_message gets it in its netsys_message.
///
/// The former pointer is released before this returns. If a callback of the session may be using it on another thread
/// at that moment, replace it in a callback of the session instead: they run one at a time.
///
/// @param session   the session
/// @param userdata  the pointer; may be NULL
/// @param release   runs once, when the pointer is replaced (by the same one, too) or the session has ended, after
///                  on_end; on whatever thread that happens. May be NULL. Does not run if this function fails
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_set_userdata(
    session: netsys_session,
    userdata: *mut c_void,
    release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
) -> netsys_status {
    guard::with(session, |session| binding(session).set_userdata(userdata, release as Release))
}

/// The pointer that is stored with a session.
///
/// @param session  the session
/// @param out      the pointer, or NULL if none is stored
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_userdata(session: netsys_session, out: *mut *mut c_void) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(binding(session).userdata());
        Ok(())
    })
}

/// Keeps the handle of a session valid beyond its end, so that its data and figures can still be asked for. A handle is
/// valid until the session has ended and it was released as often as it was retained.
///
/// @param session  the session
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_retain(session: netsys_session) -> netsys_status {
    guard::with(session, |session| binding(session).retain())
}

/// Takes back one netsys_session_retain, or the one that the session was born with. It does not close the session.
///
/// @param session  the session
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT (it is not retained)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_release(session: netsys_session) -> netsys_status {
    guard::with(session, |session| binding(session).release())
}

/// Makes a session without a connection, for tests and for code that wants one in any case: its data and groups work,
/// its state is NETSYS_STATE_DISCONNECTED, sends fail with NETSYS_ERR_CONNECTION_CLOSED.
///
/// @param session_id  its id
/// @param client_id   the id of its client
/// @param out         the session, retained once: yours until netsys_session_release
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_create(
    session_id: netsys_str,
    client_id: netsys_str,
    out: *mut netsys_session,
) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a place for a handle, and views that are valid.
        let (out, session_id, client_id) = unsafe {
            (Out::new(out, "out")?, args::text(session_id, "session_id")?, args::text(client_id, "client_id")?)
        };
        let session = Session::detached(session_id.to_owned(), client_id.to_owned());
        hand_out(&session, out)?;
        // From the beginning only the retain keeps it.
        Binding::of(&session, Owner::Caller).end();
        Ok(())
    })
}

/// Makes a session of a TCP connection that was accepted by other means. It is like one of a server's, but paused until
/// netsys_session_pause(session, false), so that handlers can be prepared.
///
/// @param context    where its thread belongs
/// @param fd         a connected TCP socket. On NETSYS_OK it is the library's, and closed or numbered anew; on failure
///                   it is still yours
/// @param config     what the session is like, as for a server; tls is NULL or has NETSYS_TLS_OFF, since the socket is
///                   taken as it is. What is about listening and accepting is ignored: host, port, backlog, io_threads,
///                   max_connections, max_connections_per_address, accept_rate, accept_burst and exempt_addresses
/// @param callbacks  its events, as for a server: on_accept .. on_end, then on_stopped and release; copied
/// @param out        the session, retained once: yours until netsys_session_release
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_UNSUPPORTED (the
///         configuration names a bridge); NETSYS_ERR_CANCELLED (the context is being shut down); NETSYS_ERR_IO (no
///         thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before
///         this returns, unless it is the struct_size or reserved of the callbacks that is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_adopt(
    context: netsys_context,
    fd: c_int,
    config: *const netsys_server_config,
    callbacks: *const netsys_callbacks,
    out: *mut netsys_session,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        || unsafe { server_config::server(config) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { Callbacks::read(callbacks, Owner::Caller) },
        |callbacks, config| {
            // SAFETY: the caller gives NULL or a place for a handle.
            let out = unsafe { Out::new(out, "out") }?;
            let config = config.unbridged()?;
            // SAFETY: the caller gives the descriptor away.
            let stream = unsafe { second_descriptor(fd) }?;
            // SAFETY: as above; the caller keeps it at least until this returns.
            let given = unsafe { BorrowedFd::borrow_raw(fd) };
            let given = SockRef::from(&given);
            let nonblocking = given.nonblocking().unwrap_or(false);
            let session = objects::with(context, |open| core::adopt(&open.context, stream, config, callbacks.clone()))
                // Both descriptors are of one socket: a caller who keeps it gets it back as it was.
                .inspect_err(|_| _ = given.set_nonblocking(nonblocking))?;
            callbacks.started();
            hand_out(&session, out).inspect_err(|_| session.abort())?;
            // SAFETY: the session has a descriptor of its own; this one was the caller's and is given away now.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
            Ok(())
        },
    )
}
