//! Connection pools.

use std::sync::Arc;

use super::args::{self, Out};
use super::binding::Owner;
use super::bridge::PoolHome;
use super::callbacks::Callbacks;
use super::client_config::{self, netsys_client_config};
use super::guard;
use super::lease::netsys_lease;
use super::objects::{self, Handle};
use super::pool_config::{netsys_pool_config, pool_config};
use super::pool_info::netsys_pool_info;
use super::pool_source::{Source, Sourced, netsys_pool_source};
use super::status::netsys_status;
use super::types::*;
use crate::core::{ClientMaker, ConnectionPool, Connector, Opened};
use crate::error::Result;
use crate::runtime::on_library_thread;

/// A pool of connections to one server. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_pool {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Clients that the pool makes, each with a handle.
struct Made(ClientMaker);

impl Connector for Made {
    fn open(&self) -> Result<Opened> {
        let Opened { client, .. } = self.0.open()?;
        let handle: netsys_client = objects::insert(Arc::clone(&client)).inspect_err(|_| client.stop(None))?;
        Ok(Opened { client, tag: handle.id() })
    }

    fn closed(&self, opened: &Opened) {
        // The user of the lease may have destroyed it.
        _ = objects::remove(netsys_client { id: opened.tag });
        self.0.closed(opened);
    }

    fn released(&self) {
        self.0.released();
    }
}

/// Starts a pool of connections to one server. Connections are made when they are needed, but for min_idle.
///
/// The callbacks get the events of all its connections. Those of one connection never overlap, those of different ones
/// may. on_stopped does not come. The release comes once, when the pool was stopped and its last connection has ended:
/// on whatever thread that happens, inside the call that stops the pool or returns the last lease too.
///
/// @param context    where its threads belong
/// @param config     what the pool is like; copied
/// @param client     what its clients are like; copied. The pool replaces broken connections itself: reconnect has no
///                   effect. Not NETSYS_DISPATCH_MANUAL
/// @param callbacks  their events; copied. The userdata must live until release runs
/// @param out        the pool, yours until netsys_pool_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context or the bridge);
///         NETSYS_ERR_CANCELLED (the context is being shut down, or the bridge destroyed); NETSYS_ERR_NOT_FOUND (a file
///         of TLS, or the issuers that the system trusts); NETSYS_ERR_PERMISSION_DENIED (a file of TLS); NETSYS_ERR_IO
///         (a file of TLS, or no thread); NETSYS_ERR_UNSUPPORTED (the bridge has pooling switched off);
///         NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release of the callbacks runs before this
///         returns, unless it is the struct_size or reserved of the callbacks that is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_start(
    context: netsys_context,
    config: *const netsys_pool_config,
    client: *const netsys_client_config,
    callbacks: *const netsys_callbacks,
    out: *mut netsys_pool,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        || unsafe { client_config::client(client) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { Callbacks::read(callbacks, Owner::Endpoint) },
        |callbacks, client| {
            // SAFETY: the caller gives NULL or a place for a handle, and NULL or a configuration as long as it says.
            let (out, config) = unsafe { (Out::new(out, "out")?, pool_config(config)?) };
            let home = PoolHome::new(client.bridge)?;
            let config = home.complete(config)?;
            let client = home.complete_client(client.config)?;
            let start = move |context: &_, client, tls, handler| home.start_client(context, client, tls, handler);
            let pool = objects::with(context, |open| {
                let maker = ClientMaker::new(&open.context, client, callbacks.clone(), Box::new(start))?;
                ConnectionPool::start_with(&open.context, config, Made(maker))
            })?;
            callbacks.started();
            out.store(objects::insert(Arc::clone(&pool)).inspect_err(|_| pool.stop(None))?);
            Ok(())
        },
    )
}

/// Starts a pool of connections that the caller makes.
///
/// @param context  where its clock belongs
/// @param config   what the pool is like; copied
/// @param source   where it has its clients from; copied. The userdata must live until release runs
/// @param out      the pool, yours until netsys_pool_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_INVALID_HANDLE (the context); NETSYS_ERR_CANCELLED (the
///         context is being shut down); NETSYS_ERR_IO (no thread); NETSYS_ERR_OUT_OF_MEMORY (too many handles). On
///         failure the release of the source runs before this returns, unless it is its struct_size or reserved that is
///         refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_start_with(
    context: netsys_context,
    config: *const netsys_pool_config,
    source: *const netsys_pool_source,
    out: *mut netsys_pool,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        || unsafe { pool_config(config) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { Source::read(source) },
        |source, config| {
            source.open()?;
            // SAFETY: the caller gives NULL or a place for a handle.
            let out = unsafe { Out::new(out, "out") }?;
            let pool = objects::with(context, |open| {
                ConnectionPool::start_with(&open.context, config, Sourced(Arc::clone(source)))
            })?;
            source.started();
            out.store(objects::insert(Arc::clone(&pool)).inspect_err(|_| pool.stop(None))?);
            Ok(())
        },
    )
}

/// [BLOCKING] Leases a connection: an idle one, or a new one, or the next that is returned. Who waits is served in
/// order. On a library thread it does not wait: it succeeds if one is idle.
///
/// Nobody else uses the connection until the lease is released or discarded. It is connected, and nothing has come on
/// it since it was last returned; it may still break at any time, which the client's state tells.
///
/// @param pool        the pool
/// @param timeout_ms  how long; 0: only an idle one; NETSYS_INFINITE: for ever
/// @param out         the lease, yours until netsys_lease_release or netsys_lease_discard
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_TIMEOUT;
///         NETSYS_ERR_WOULD_DEADLOCK (on a library thread: none is idle); NETSYS_ERR_CANCELLED (the pool is stopped, or
///         its bridge destroyed); NETSYS_ERR_OUT_OF_MEMORY (too many handles); or why the connection that was this
///         caller's turn could not be made, as for netsys_client_wait_connected
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_acquire(
    pool: netsys_pool,
    timeout_ms: u32,
    out: *mut netsys_lease,
) -> netsys_status {
    guard::with(pool, |pool| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(objects::insert(pool.acquire(args::timeout(timeout_ms))?)?);
        Ok(())
    })
}

/// [BLOCKING] Makes as many connections as there may be, and waits for them.
///
/// @param pool        the pool
/// @param timeout_ms  how long; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread);
///         NETSYS_ERR_CANCELLED (the pool is stopped, or its bridge destroyed); or why the first that failed could not
///         be made, as for netsys_client_wait_connected. Those that were made are kept.
#[unsafe(no_mangle)]
pub extern "C" fn netsys_pool_fill(pool: netsys_pool, timeout_ms: u32) -> netsys_status {
    guard::with(pool, |pool| pool.fill(args::timeout(timeout_ms)))
}

/// Closes the connections that were idle for too long, and those that are no longer fit for use. The pool does it by
/// itself from time to time.
///
/// @param pool   the pool
/// @param count  how many; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_close_idle(pool: netsys_pool, count: *mut usize) -> netsys_status {
    guard::with(pool, |pool| {
        let closed = pool.close_idle();
        // SAFETY: the caller gives NULL or a place for the result.
        if let Some(count) = unsafe { Out::optional(count) } {
            count.store(closed);
        }
        Ok(())
    })
}

/// How a pool stands, and what it has done.
///
/// @param pool  the pool
/// @param out   filled in; set its struct_size to sizeof(netsys_pool_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_stats(pool: netsys_pool, out: *mut netsys_pool_info) -> netsys_status {
    guard::with(pool, |pool| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", pool.stats().into()) }
    })
}

/// Begins to stop a pool: who waits gets NETSYS_ERR_CANCELLED, idle connections are closed, leased ones when they are
/// returned. Returns at once.
///
/// @param pool      the pool
/// @param drain_ms  the time in which idle connections deliver what is queued; 0: none; NETSYS_INFINITE: as configured
/// @return NETSYS_OK, also if it has stopped already; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_pool_stop(pool: netsys_pool, drain_ms: u32) -> netsys_status {
    guard::with(pool, |pool| {
        pool.stop(args::timeout(drain_ms));
        Ok(())
    })
}

/// [BLOCKING] Waits until a pool that was stopped has ended: all its connections have, the leased ones too. It does not
/// stop it.
///
/// @param pool        the pool
/// @param timeout_ms  how long; 0: not at all; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_pool_wait(pool: netsys_pool, timeout_ms: u32) -> netsys_status {
    guard::with(pool, |pool| pool.wait(args::timeout(timeout_ms)))
}

/// Stops a pool as configured, waits until nothing is left of it but what is leased, and makes the handle invalid.
/// Leases stay valid, and their connections end when they are returned; the release tells when all is over.
///
/// On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it.
///
/// @param pool  the pool
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_pool_destroy(pool: netsys_pool) -> netsys_status {
    guard::with(pool, |object| {
        object.stop(None);
        if !on_library_thread() {
            object.wait_unleased(None)?;
        }
        objects::remove(pool)
    })
}
