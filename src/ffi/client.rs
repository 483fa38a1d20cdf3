//! Clients.

use std::ffi::c_void;
use std::sync::Arc;

use super::args::{self, Out};
use super::binding::Owner;
use super::bridge;
use super::callbacks::Callbacks;
use super::client_config::{self, netsys_client_config};
use super::guard;
use super::objects;
use super::server::{session_handle, state_number};
use super::session::send_parts;
use super::status::netsys_status;
use super::types::*;
use crate::core::Client;
use crate::error::{Code, Error, Result};
use crate::runtime::on_library_thread;

/// The session of a client that has one.
pub(super) fn live_session(client: &Client) -> Result<netsys_session> {
    session_handle(&client.session()?).map_err(|error| match error.code {
        // It ended meanwhile.
        Code::SessionNotFound => Error::from(Code::ConnectionClosed),
        _ => error,
    })
}

/// Makes a configuration that means all defaults; host and port are still to be set.
///
/// @param config  filled in
/// @param size    sizeof(netsys_client_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_config_init(config: *mut netsys_client_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Starts a client. It returns at once, and resolves the name and connects behind it: on_open tells when it is
/// connected; on_error and then on_stopped tell that it cannot be. Callbacks may run before this returns.
///
/// A client with `reconnect` in its configuration goes on until it is stopped: on_open comes for each connection,
/// on_close when it is lost, on_error for an attempt that failed (ten times a second at most), on_stopped at the end.
///
/// @param context    where its thread belongs
/// @param config     what it is like; copied
/// @param callbacks  its events; copied. The userdata must live until release runs
/// @param out        the client, yours until netsys_client_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
///         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_NOT_FOUND (a file
///         of TLS, or the issuers that the system trusts); NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO
///         (a file of TLS, or no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the
///         callbacks runs before this returns, unless it is the struct_size or reserved of the callbacks that is
///         refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_start(
    context: netsys_context,
    config: *const netsys_client_config,
    callbacks: *const netsys_callbacks,
    out: *mut netsys_client,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        || unsafe { client_config::client(config) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { Callbacks::read(callbacks, Owner::Endpoint) },
        |callbacks, config| {
            // SAFETY: the caller gives NULL or a place for a handle.
            let out = unsafe { Out::new(out, "out") }?;
            let client = objects::with(context, |open| {
                bridge::start_client(config.bridge, &open.context, config.config, callbacks.clone())
            })?;
            callbacks.started();
            out.store(objects::insert(Arc::clone(&client)).inspect_err(|_| client.stop(None))?);
            Ok(())
        },
    )
}

/// Begins to stop a client: no message is handled any more, and what is queued is delivered, if the peer reads, within
/// the time to drain. Returns at once. A second stop can only shorten the time.
///
/// @param client    the client
/// @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as configured
/// @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_client_stop(client: netsys_client, drain_ms: u32) -> netsys_status {
    guard::with(client, |client| {
        client.stop(args::timeout(drain_ms));
        Ok(())
    })
}

/// [BLOCKING] Waits until a client has stopped, and no callback of it, release included, runs any more. It does not
/// stop it.
///
/// @param client      the client
/// @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_client_wait(client: netsys_client, timeout_ms: u32) -> netsys_status {
    guard::with(client, |client| client.wait(args::timeout(timeout_ms)))
}

/// Stops a client as configured, waits for it as netsys_client_wait does, and makes the handle invalid. When it
/// returns, no callback runs any more.
///
/// On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it;
/// release tells when.
///
/// @param client  the client
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_client_destroy(client: netsys_client) -> netsys_status {
    guard::with(client, |object| {
        object.stop(None);
        if !on_library_thread() {
            object.wait(None)?;
        }
        objects::remove(client)
    })
}

/// Where a client stands.
///
/// @param client  the client
/// @param out     NETSYS_ENDPOINT_*
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_state(client: netsys_client, out: *mut u32) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(state_number(client.state()));
        Ok(())
    })
}

/// [BLOCKING] Waits until a client is connected: its on_open, if there is one, has run. A reconnecting client that is
/// not connected now is waited for until it is again, or has ended.
///
/// A client whose connection was made and has ended by the time of the call, or of its answer, was connected:
/// netsys_client_is_connected tells whether it still is.
///
/// @param client      the client
/// @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT (of this wait); NETSYS_ERR_WOULD_DEADLOCK (on a
///         library thread); or why it did not become connected, as on_error was told: NETSYS_ERR_CONNECTION_REFUSED,
///         NETSYS_ERR_CONNECTION_TIMEOUT, NETSYS_ERR_CONNECTION_FAILED (the name of the host included),
///         NETSYS_ERR_CONNECTION_CLOSED (it was stopped, or the server ended the connection), NETSYS_ERR_SERVER_BUSY,
///         NETSYS_ERR_PROTOCOL
#[unsafe(no_mangle)]
pub extern "C" fn netsys_client_wait_connected(client: netsys_client, timeout_ms: u32) -> netsys_status {
    guard::with(client, |client| client.wait_connected(args::timeout(timeout_ms)))
}

/// Whether a client has a connection that is open: on_open has run for it, and on_close has not begun.
///
/// @param client  the client
/// @param out     true or false
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_is_connected(client: netsys_client, out: *mut bool) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(client.is_connected());
        Ok(())
    })
}

/// Sends a message on the client's connection, as netsys_session_send does on that of a session.
///
/// A reconnecting client that is not connected keeps the message for its next connection. What waits for that is
/// bounded by send_queue_bytes, and the same NETSYS_SEND_* says what a send does that finds no room. Each connection
/// gets what waits before its on_open. Messages that one thread sends arrive in its order, over all connections; one
/// that was begun on a connection that was lost is counted in its on_close as undelivered, and never sent again.
///
/// @param client  the client
/// @param kind    NETSYS_MESSAGE_*
/// @param data    the bytes; copied; may be NULL if len is 0
/// @param len     how many; NETSYS_MESSAGE_STREAM: at least 1
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it is not
///         connected and does not reconnect, or has been stopped, or has ended); NETSYS_ERR_MESSAGE_TOO_LARGE;
///         NETSYS_ERR_WOULD_BLOCK, NETSYS_ERR_SEND_FAILED (there is no room: see NETSYS_SEND_*). It waits only under
///         NETSYS_SEND_WAIT, and never on a library thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_send(
    client: netsys_client,
    kind: u32,
    data: *const c_void,
    len: usize,
) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives the bytes for the call.
        let data = unsafe { args::bytes(data, len, "data") }?;
        client.send(args::payload(kind)?, data)
    })
}

/// Sends one message that is given in parts; as netsys_client_send otherwise.
///
/// @param client  the client
/// @param kind    NETSYS_MESSAGE_*
/// @param parts   the bytes, part by part; copied; may be NULL if count is 0
/// @param count   how many parts
/// @return as netsys_client_send
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_sendv(
    client: netsys_client,
    kind: u32,
    parts: *const netsys_bytes,
    count: usize,
) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives the parts and their bytes for the call.
        unsafe { send_parts(|kind, parts| client.send_vectored(kind, parts), kind, parts, count) }
    })
}

/// The present session of a client. There is one from the moment TCP is connected until it has ended; a framed client
/// may send in it before on_open.
///
/// @param client  the client
/// @param out     the session
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (there is
///         none); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_session(client: netsys_client, out: *mut netsys_session) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(live_session(client)?);
        Ok(())
    })
}

/// The figures of a client.
///
/// @param client  the client
/// @param out     filled in; set its struct_size to sizeof(netsys_stats) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_stats(client: netsys_client, out: *mut netsys_stats) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", client.stats().into()) }
    })
}

/// The figures of a client, which then starts its counters anew: each message is counted in exactly one such result.
///
/// @param client  the client
/// @param out     filled in; set its struct_size to sizeof(netsys_stats) first. Where it is refused, nothing is reset
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_client_take_stats(client: netsys_client, out: *mut netsys_stats) -> netsys_status {
    guard::with(client, |client| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe {
            args::fill_struct(out, "out", client.stats().into())?;
            args::fill_struct(out, "out", client.take_stats().into())
        }
    })
}

/// Starts the counters of a client anew.
///
/// @param client  the client
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_client_reset_stats(client: netsys_client) -> netsys_status {
    guard::with(client, |client| {
        client.reset_stats();
        Ok(())
    })
}
