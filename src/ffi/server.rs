//! Servers.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::args::{self, Out};
use super::binding::{Binding, Owner};
use super::bridge;
use super::callbacks::Callbacks;
use super::guard;
use super::objects;
use super::server_config::{self, netsys_server_config};
use super::session_config;
use super::status::netsys_status;
use super::tls_config::{self, netsys_tls_config};
use super::types::*;
use crate::core::{EndpointState, Server};
use crate::error::{Code, Error, Result};
use crate::runtime::on_library_thread;
use crate::session::{Fanout, Session, Stats};

/// The number of a server's or client's state in C.
pub(super) fn state_number(state: EndpointState) -> u32 {
    match state {
        EndpointState::Running => NETSYS_ENDPOINT_RUNNING,
        EndpointState::Stopping => NETSYS_ENDPOINT_STOPPING,
        EndpointState::Stopped => NETSYS_ENDPOINT_STOPPED,
    }
}

impl From<Stats> for netsys_stats {
    fn from(stats: Stats) -> Self {
        netsys_stats {
            struct_size: size_of::<netsys_stats>() as u32,
            reserved: 0,
            connections_total: stats.connections_total,
            connections_current: stats.connections_current,
            connections_rejected: stats.connections_rejected,
            messages_sent: stats.messages_sent,
            messages_received: stats.messages_received,
            bytes_sent: stats.bytes_sent,
            bytes_received: stats.bytes_received,
            wire_bytes_sent: stats.wire_bytes_sent,
            wire_bytes_received: stats.wire_bytes_received,
            errors: stats.errors,
            queued_bytes: stats.queued_bytes,
            start_ns: stats.start_ns,
            last_activity_ns: stats.last_activity_ns,
            last_message_ns: stats.last_message_ns,
            messages_dropped: stats.messages_dropped,
            connections_failed: stats.connections_failed,
            round_trip_ns: stats.round_trip_ns,
            reconnects: stats.reconnects,
            messages_unsent: stats.messages_unsent,
            compressed_messages_sent: stats.compressed_messages_sent,
            compressed_bytes_sent: stats.compressed_bytes_sent,
            compressed_wire_bytes_sent: stats.compressed_wire_bytes_sent,
            compressed_messages_received: stats.compressed_messages_received,
            compressed_bytes_received: stats.compressed_bytes_received,
            compressed_wire_bytes_received: stats.compressed_wire_bytes_received,
        }
    }
}

/// The handle of a session of a server or client.
pub(super) fn session_handle(session: &Arc<Session>) -> Result<netsys_session> {
    Binding::of(session, Owner::Endpoint).handle(session)
}

/// The handles of those sessions that have not ended meanwhile.
fn session_handles(server: &Server) -> Result<Vec<netsys_session>> {
    let handles = server.sessions().into_iter().map(|session| session_handle(&session));
    handles.filter(|handle| !matches!(handle, Err(error) if error.code == Code::SessionNotFound)).collect()
}

/// # Safety
/// Both are NULL or good for storing a size.
unsafe fn store_fanout(fanout: Fanout, queued: *mut usize, refused: *mut usize) {
    // SAFETY: by the contract of this function.
    let (queued, refused) = unsafe { (Out::optional(queued), Out::optional(refused)) };
    queued.inspect(|out| out.store(fanout.queued));
    refused.inspect(|out| out.store(fanout.refused));
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_server_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_config_init(config: *mut netsys_server_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Starts a server. It is bound and listens when this returns. Callbacks may run before this returns.
///
/// @param context    where its thread belongs
/// @param config     what it is like; copied
/// @param callbacks  its events; copied. The userdata must live until release runs
/// @param out        the server, yours until netsys_server_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
///         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_BIND_FAILED (the
///         host or port: os_code of netsys_last_error says whether it is in use, forbidden, or not this machine's);
///         NETSYS_ERR_NOT_FOUND, NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO (a file of TLS, or no
///         thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before
///         this returns, unless it is the struct_size or reserved of the callbacks that is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_start(
    context: netsys_context,
    config: *const netsys_server_config,
    callbacks: *const netsys_callbacks,
    out: *mut netsys_server,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        || unsafe { server_config::server(config) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { Callbacks::read(callbacks, Owner::Endpoint) },
        |callbacks, config| {
            // SAFETY: the caller gives NULL or a place for a handle.
            let out = unsafe { Out::new(out, "out") }?;
            let server = objects::with(context, |open| {
                bridge::start_server(config.bridge, &open.context, config.config, callbacks.clone())
            })?;
            callbacks.started();
            out.store(objects::insert(Arc::clone(&server)).inspect_err(|_| server.stop(None))?);
            Ok(())
        },
    )
}

/// Begins to stop a server: it accepts no more, no message is handled any more, and what its sessions have queued is
/// delivered, if their peers read, within the time to drain. Returns at once. A second stop can only shorten the time.
///
/// @param server    the server
/// @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as configured
/// @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_server_stop(server: netsys_server, drain_ms: u32) -> netsys_status {
    guard::with(server, |server| {
        server.stop(args::timeout(drain_ms));
        Ok(())
    })
}

/// [BLOCKING] Waits until a server has stopped, and no callback of it, release included, runs any more. It does not
/// stop it.
///
/// @param server      the server
/// @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_server_wait(server: netsys_server, timeout_ms: u32) -> netsys_status {
    guard::with(server, |server| server.wait(args::timeout(timeout_ms)))
}

/// Stops a server as configured, waits for it as netsys_server_wait does, and makes the handle invalid. When it
/// returns, no callback runs any more.
///
/// On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it;
/// release tells when.
///
/// @param server  the server
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_server_destroy(server: netsys_server) -> netsys_status {
    guard::with(server, |object| {
        object.stop(None);
        if !on_library_thread() {
            object.wait(None)?;
        }
        objects::remove(server)
    })
}

/// Where a server stands.
///
/// @param server  the server
/// @param out     NETSYS_ENDPOINT_*
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_state(server: netsys_server, out: *mut u32) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(state_number(server.state()));
        Ok(())
    })
}

/// The port that a server is bound to, also after it has stopped.
///
/// @param server  the server
/// @param out     the port
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_port(server: netsys_server, out: *mut u16) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(server.local_addr().port());
        Ok(())
    })
}

/// The IP address that a server is bound to, without the port.
///
/// @param server  the server
/// @param buf     the address, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_address(
    server: netsys_server,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&args::ip_text(server.local_addr()), buf, cap, needed) }
    })
}

/// How many connections a server has, counted from accept to end.
///
/// @param server  the server
/// @param out     the number
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_connection_count(server: netsys_server, out: *mut usize) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(server.connection_count());
        Ok(())
    })
}

/// The sessions that a server has now. They may end at any time, which makes their handles invalid, and does no harm.
///
/// @param server  the server
/// @param buf     gets as many handles as fit, in no particular order; may be NULL if cap is 0
/// @param cap     how many fit into buf
/// @param count   how many sessions there are; stored with NETSYS_ERR_BUFFER_TOO_SMALL too
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL (there are
///         more than cap); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_sessions(
    server: netsys_server,
    buf: *mut netsys_session,
    cap: usize,
    count: *mut usize,
) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a place for the number.
        let count = unsafe { Out::new(count, "count") }?;
        if buf.is_null() && cap != 0 {
            return Err(Error::invalid(format!("buf is NULL, but cap is {cap}")));
        }
        let handles = session_handles(server)?;
        count.store(handles.len());
        // SAFETY: the caller's buffer has room for `cap` handles, and is NULL only if `cap` is 0.
        unsafe { handles.as_ptr().copy_to_nonoverlapping(buf, handles.len().min(cap)) };
        if handles.len() > cap {
            return Err(Error::new(Code::BufferTooSmall, "there are more sessions than fit: count says how many"));
        }
        Ok(())
    })
}

/// The session of a server with an id.
///
/// @param server      the server
/// @param session_id  what netsys_session_id gave
/// @param out         the session
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_SESSION_NOT_FOUND;
///         NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_find_session(
    server: netsys_server,
    session_id: netsys_str,
    out: *mut netsys_session,
) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a place for a handle, and a view that is valid.
        let (out, id) = unsafe { (Out::new(out, "out")?, args::text(session_id, "session_id")?) };
        let session = server.find(id);
        let session =
            session.ok_or_else(|| Error::new(Code::SessionNotFound, "the server has no session of that id"))?;
        out.store(session_handle(&session)?);
        Ok(())
    })
}

/// Changes the limits of a server at once. Connections beyond a lower limit stay.
///
/// @param server             the server
/// @param max_connections    the most connections; 0: as it is; NETSYS_UNLIMITED_U32
/// @param max_message_bytes  the largest message; 0: as it is; at most 4 GiB - 1, which larger values mean too
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_server_set_limits(
    server: netsys_server,
    max_connections: u32,
    max_message_bytes: u64,
) -> netsys_status {
    guard::with(server, |server| {
        let connections = (max_connections != 0).then(|| server_config::max_connections(max_connections));
        let message = (max_message_bytes != 0).then(|| session_config::max_message(max_message_bytes));
        server.set_limits(connections, message);
        Ok(())
    })
}

/// Gives a server other certificates and settings of TLS while it serves. Connections that come from now on get them;
/// sessions that are there go on as they are. What cannot be used changes nothing.
///
/// @param server  the server, which was started with TLS
/// @param tls     the settings; copied. NULL: those that it has, with its files read again
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_UNSUPPORTED (it was started without TLS);
///         NETSYS_ERR_INVALID_ARGUMENT (what is given is malformed, does not belong together or is not enough);
///         NETSYS_ERR_NOT_FOUND, NETSYS_ERR_PERMISSION_DENIED, NETSYS_ERR_IO (a file)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_reload_tls(
    server: netsys_server,
    tls: *const netsys_tls_config,
) -> netsys_status {
    guard::with(server, |object| {
        let settings = match tls.is_null() {
            true => None,
            // SAFETY: the caller gives a configuration as long as it says.
            false => Some(unsafe { tls_config::server(tls) }?),
        };
        object.reload_tls(settings)
    })
}

/// Sends a message to all sessions of a server. It waits for nobody: a session whose queue is full refuses the message
/// or, under NETSYS_SEND_WAIT, takes it up to its hard limit.
///
/// @param server   the server
/// @param kind     NETSYS_MESSAGE_*
/// @param data     the bytes; copied once for all; may be NULL if len is 0
/// @param len      how many
/// @param queued   how many sessions took it; may be NULL
/// @param refused  how many did not; may be NULL
/// @return NETSYS_OK, also if all refused; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT;
///         NETSYS_ERR_MESSAGE_TOO_LARGE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_broadcast(
    server: netsys_server,
    kind: u32,
    data: *const c_void,
    len: usize,
    queued: *mut usize,
    refused: *mut usize,
) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives the bytes for the call.
        let data = unsafe { args::bytes(data, len, "data") }?;
        let fanout = server.broadcast(args::payload(kind)?, data)?;
        // SAFETY: the caller gives NULL or places for the numbers.
        unsafe { store_fanout(fanout, queued, refused) };
        Ok(())
    })
}

/// Sends a message to the sessions of a server that are in a group; as netsys_server_broadcast otherwise. A group that
/// nobody is in is an empty one.
///
/// @param server   the server
/// @param group    the name of the group
/// @param kind     NETSYS_MESSAGE_*
/// @param data     the bytes; copied once for all; may be NULL if len is 0
/// @param len      how many
/// @param queued   how many sessions took it; may be NULL
/// @param refused  how many did not; may be NULL
/// @return NETSYS_OK, also if all refused; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT;
///         NETSYS_ERR_MESSAGE_TOO_LARGE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_broadcast_group(
    server: netsys_server,
    group: netsys_str,
    kind: u32,
    data: *const c_void,
    len: usize,
    queued: *mut usize,
    refused: *mut usize,
) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives the bytes and the view for the call.
        let (group, data) = unsafe { (args::text(group, "group")?, args::bytes(data, len, "data")?) };
        let fanout = server.broadcast_group(group, args::payload(kind)?, data)?;
        // SAFETY: the caller gives NULL or places for the numbers.
        unsafe { store_fanout(fanout, queued, refused) };
        Ok(())
    })
}

/// Closes all sessions of a server, as netsys_session_close does with NETSYS_OK. The server goes on.
///
/// @param server  the server
/// @param reason  why, in words; framed peers are told; may be empty
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_disconnect_all(server: netsys_server, reason: netsys_str) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives a view that is valid.
        server.disconnect_all(unsafe { args::text(reason, "reason") }?);
        Ok(())
    })
}

/// The figures of a server: its own and those of all its sessions, ended ones included.
///
/// @param server  the server
/// @param out     filled in; set its struct_size to sizeof(netsys_stats) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_stats(server: netsys_server, out: *mut netsys_stats) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", server.stats().into()) }
    })
}

/// The figures of a server, which then starts its counters anew: each message is counted in exactly one such result.
///
/// @param server  the server
/// @param out     filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_server_take_stats(server: netsys_server, out: *mut netsys_stats) -> netsys_status {
    guard::with(server, |server| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe {
            args::fill_struct(out, "out", server.stats().into())?;
            args::fill_struct(out, "out", server.take_stats().into())
        }
    })
}

/// Starts the counters of a server anew.
///
/// @param server  the server
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_server_reset_stats(server: netsys_server) -> netsys_status {
    guard::with(server, |server| {
        server.reset_stats();
        Ok(())
    })
}
