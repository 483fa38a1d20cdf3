//! Sessions: sending, closing, and what they are.

use std::ffi::{c_char, c_void};
use std::net::SocketAddr;
use std::slice;

use super::args::{self, Out};
use super::callbacks::state_number;
use super::guard;
use super::status::{NETSYS_OK, netsys_status};
use super::types::*;
use crate::config::Framing;
use crate::error::{Code, Error, Result};
use crate::session::handler::Payload;

/// Messages of up to this many parts are sent without allocating memory for their list.
const PARTS_ON_STACK: usize = 16;

/// Gives `send` a message in parts.
///
/// # Safety
/// `parts` is NULL or points to `count` views, valid for the call.
pub(super) unsafe fn send_parts(
    send: impl FnOnce(Payload, &[&[u8]]) -> Result<()>,
    kind: u32,
    parts: *const netsys_bytes,
    count: usize,
) -> Result<()> {
    let kind = args::payload(kind)?;
    let views: &[netsys_bytes] = match count {
        0 => &[],
        _ if parts.is_null() => return Err(Error::invalid(format!("parts is NULL, but count is {count}"))),
        _ if count > isize::MAX as usize / size_of::<netsys_bytes>() => {
            return Err(Error::invalid(format!("count is {count}, more than an array can have")));
        }
        // SAFETY: by the contract of this function.
        _ => unsafe { slice::from_raw_parts(parts, count) },
    };
    // SAFETY: by the contract of this function.
    let bytes = |view: &netsys_bytes| unsafe { args::bytes(view.data.cast(), view.len, "a part's data") };
    let mut on_stack: [&[u8]; PARTS_ON_STACK] = [&[]; PARTS_ON_STACK];
    if let Some(slices) = on_stack.get_mut(..count) {
        for (slice, view) in slices.iter_mut().zip(views) {
            *slice = bytes(view)?;
        }
        send(kind, slices)
    } else {
        send(kind, &views.iter().map(bytes).collect::<Result<Vec<_>>>()?)
    }
}

/// The code that a close gives as its reason.
fn close_code(code: netsys_status) -> Result<Option<Code>> {
    match Code::from_number(code) {
        Some(code) => Ok(Some(code)),
        None if code == NETSYS_OK => Ok(None),
        None => Err(Error::invalid(format!("code is {code}: use NETSYS_OK or one of NETSYS_ERR_*"))),
    }
}

fn known(address: Option<SocketAddr>) -> Result<SocketAddr> {
    address.ok_or_else(|| Error::new(Code::ConnectionClosed, "the session never had a connection"))
}

/// Sends a message. On NETSYS_OK it was accepted: it will be delivered, or be counted as undelivered in on_close.
/// Messages of one session arrive in the order in which they were accepted.
///
/// A session of which it is not decided yet whether it is framed keeps the messages until it is. On a framed session
/// NETSYS_MESSAGE_STREAM travels as a binary message; on a raw one the bytes of every kind are written as they are.
///
/// @param session  the session
/// @param kind     NETSYS_MESSAGE_*
/// @param data     the bytes; copied; may be NULL if len is 0
/// @param len      how many; NETSYS_MESSAGE_STREAM: at least 1
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED; NETSYS_ERR_MESSAGE_TOO_LARGE;
///         NETSYS_ERR_WOULD_BLOCK, NETSYS_ERR_SEND_FAILED (the queue is full: see NETSYS_SEND_*). It waits only under
///         NETSYS_SEND_WAIT, and never on a library thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_send(
    session: netsys_session,
    kind: u32,
    data: *const c_void,
    len: usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives the bytes for the call.
        let data = unsafe { args::bytes(data, len, "data") }?;
        session.send(args::payload(kind)?, data)
    })
}

/// Sends one message that is given in parts; as netsys_session_send otherwise.
///
/// @param session  the session
/// @param kind     NETSYS_MESSAGE_*
/// @param parts    the bytes, part by part; copied; may be NULL if count is 0
/// @param count    how many parts
/// @return as netsys_session_send
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_sendv(
    session: netsys_session,
    kind: u32,
    parts: *const netsys_bytes,
    count: usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives the parts and their bytes for the call.
        unsafe { send_parts(|kind, parts| session.send_vectored(kind, parts), kind, parts, count) }
    })
}

/// Chooses what a send on this session does when its queue is full, in place of what its server's or client's
/// configuration says. It holds at once, also for sends that wait.
///
/// @param session  the session
/// @param policy   NETSYS_SEND_*
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_set_send_policy(session: netsys_session, policy: u32) -> netsys_status {
    guard::with(session, |session| {
        session.set_send_policy(args::word(policy, "policy", "NETSYS_SEND")?);
        Ok(())
    })
}

/// Closes a session: no message is handled and no send accepted any more, and what was accepted is delivered, if the
/// peer reads, within the configured time to drain. Returns at once; on_close tells when it is done. Only the first
/// close of a session counts.
///
/// @param session  the session
/// @param code     NETSYS_OK for a close in good order, else why: the reason in on_close
/// @param reason   why, in words; a framed peer is told; may be empty
/// @return NETSYS_OK, also if it is closed already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
///         handle); NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_close(
    session: netsys_session,
    code: netsys_status,
    reason: netsys_str,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a view that is valid.
        let reason = unsafe { args::text(reason, "reason") }?;
        session.close(close_code(code)?, reason);
        Ok(())
    })
}

/// Ends a session with a reset of the connection. What is queued is dropped and counted as undelivered. Returns at
/// once; on_close tells when it is done.
///
/// @param session  the session
/// @return NETSYS_OK, also if it has ended already; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
///         handle)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_abort(session: netsys_session) -> netsys_status {
    guard::with(session, |session| {
        session.abort();
        Ok(())
    })
}

/// Stops reading from the peer, or goes on. While it is paused no on_message comes, what was read already is kept, and
/// TCP slows the peer down. Called in a callback of the session it holds from the next message on.
///
/// @param session  the session
/// @param paused   true: stop; false: go on
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_pause(session: netsys_session, paused: bool) -> netsys_status {
    guard::with(session, |session| {
        session.set_paused(paused);
        Ok(())
    })
}

/// The id of a session, unique in the process.
///
/// @param session  the session
/// @param buf      the id, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_id(
    session: netsys_session,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(session.id(), buf, cap, needed) }
    })
}

/// The id of the client of a session: of a client's session its own; of a server's, what a framed peer said, from
/// on_open on. Else empty.
///
/// @param session  the session
/// @param buf      the id, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_client_id(
    session: netsys_session,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(session.client_id(), buf, cap, needed) }
    })
}

/// The id of the server that a session belongs to: on a client what a framed server calls itself; empty while, or if
/// never, known.
///
/// @param session  the session
/// @param buf      the id, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_server_id(
    session: netsys_session,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(session.server_id(), buf, cap, needed) }
    })
}

/// The peer's IP address, without the port.
///
/// @param session  the session
/// @param buf      the address, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_CONNECTION_CLOSED (it never had a
///         connection)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_remote_address(
    session: netsys_session,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&args::ip_text(known(session.remote_addr())?), buf, cap, needed) }
    })
}

/// The peer's port.
///
/// @param session  the session
/// @param out      the port
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it never had a connection)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_remote_port(session: netsys_session, out: *mut u16) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(known(session.remote_addr())?.port());
        Ok(())
    })
}

/// The own IP address of a session, without the port.
///
/// @param session  the session
/// @param buf      the address, NUL-terminated; may be NULL if cap is 0
/// @param cap      the size of buf
/// @param needed   the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL; NETSYS_ERR_CONNECTION_CLOSED (it never had a
///         connection)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_local_address(
    session: netsys_session,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&args::ip_text(known(session.local_addr())?), buf, cap, needed) }
    })
}

/// The own port of a session.
///
/// @param session  the session
/// @param out      the port
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it never had a connection)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_local_port(session: netsys_session, out: *mut u16) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(known(session.local_addr())?.port());
        Ok(())
    })
}

/// Where a session stands.
///
/// @param session  the session
/// @param out      NETSYS_STATE_*
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_state(session: netsys_session, out: *mut u32) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(state_number(session.state()));
        Ok(())
    })
}

/// How a session speaks.
///
/// @param session  the session
/// @param out      NETSYS_FRAMING_*; AUTO: it is not decided yet
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_framing(session: netsys_session, out: *mut u32) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(match session.framing() {
            Framing::Auto => NETSYS_FRAMING_AUTO,
            Framing::Framed => NETSYS_FRAMING_FRAMED,
            Framing::Raw => NETSYS_FRAMING_RAW,
        });
        Ok(())
    })
}

/// The figures of a session.
///
/// @param session  the session
/// @param out      filled in; set its struct_size to sizeof(netsys_stats) first
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle);
///         NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_stats(session: netsys_session, out: *mut netsys_stats) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", session.stats().into()) }
    })
}

/// The figures of a session, which then starts its counters anew: each message is counted in exactly one such result.
///
/// @param session  the session
/// @param out      filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the
///         handle); NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_session_take_stats(session: netsys_session, out: *mut netsys_stats) -> netsys_status {
    guard::with(session, |session| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe {
            args::fill_struct(out, "out", session.stats().into())?;
            args::fill_struct(out, "out", session.take_stats().into())
        }
    })
}

/// Starts the counters of a session anew. Those of its server or client go on.
///
/// @param session  the session
/// @return NETSYS_OK; NETSYS_ERR_SESSION_NOT_FOUND, NETSYS_ERR_INVALID_SESSION (the handle)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_session_reset_stats(session: netsys_session) -> netsys_status {
    guard::with(session, |session| {
        session.reset_stats();
        Ok(())
    })
}
