//! Connection pools and leases.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::{self, Extensible, Out, invalid, reserved};
use super::binding::Owner;
use super::bridge::PoolHome;
use super::callbacks::Callbacks;
use super::client::live_session;
use super::client_config::{self, netsys_client_config};
use super::guard;
use super::objects::{self, Handle};
use super::status::{self, NETSYS_OK, netsys_status};
use super::types::*;
use crate::core::{Client, ClientMaker, ConnectionPool, Connector, Opened, PoolConfig, PoolStats};
use crate::error::Result;
use crate::runtime::on_library_thread;
use crate::transport::tls::SharedTls;

/// A pool of connections to one server. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_pool {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// The use of a pool's connection. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_lease {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// What a connection pool is like. All zero but struct_size means all defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_pool_config {
    /// sizeof(netsys_pool_config).
    pub struct_size: u32,
    /// The most connections at a time, those that are being made or closed included; 0: 10.
    pub max_connections: u32,
    /// So many connections are made without being asked for, and kept while they are idle; at most max_connections.
    pub min_idle: u32,
    /// Idle connections beyond these are closed after this time, in ms; 0: 60000; NETSYS_INFINITE: never.
    pub idle_timeout_ms: u32,
}

/// Where a pool has its clients from, if it does not make them itself. The functions are called on any thread, never
/// under a lock of the library, and must return soon: none of them may wait for a connection.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_pool_source {
    /// sizeof(netsys_pool_source).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Given to every function of this table.
    pub userdata: *mut c_void,
    /// Starts a client, which the pool has to itself from then on, and stores it. Required. Clients that it starts on
    /// the calling thread with the same host and TLS read certificates once, and resume each other's sessions. Returns NETSYS_OK, or why
    /// there is none: the first who waits for a connection gets that status and, if it is the last error of the
    /// thread, its text.
    pub open: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, client: *mut netsys_client) -> netsys_status>,
    /// A client that open started has stopped, and the pool has forgotten it: the time to destroy it.
    pub closed: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, client: netsys_client)>,
    /// Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the start
    /// fails, then on the calling thread before the start returns.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}

/// How a pool stands, and what it has done since it was started.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_pool_info {
    /// sizeof(netsys_pool_info); set it before the call.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The most connections there may be.
    pub max_connections: u64,
    /// Connections there are: leased, idle, or being closed.
    pub connections: u64,
    /// Of these, the leased ones.
    pub leased: u64,
    /// Of these, the idle ones.
    pub idle: u64,
    /// Connections that are being made.
    pub connecting: u64,
    /// Threads that wait in netsys_pool_acquire.
    pub waiting: u64,
    /// Leases given.
    pub acquired: u64,
    /// Waits that ended because the time was over.
    pub timed_out: u64,
    /// Connections made.
    pub connected: u64,
    /// Connections that could not be made.
    pub failed: u64,
    /// Connections that ended by themselves.
    pub broken: u64,
    /// Connections closed by netsys_lease_discard, or because something came while they were idle.
    pub discarded: u64,
    /// Connections closed because they were idle for too long.
    pub expired: u64,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_pool_config {}
// SAFETY: as above; pointers and functions (`Option`) may be zero too.
unsafe impl Extensible for netsys_pool_source {}
// SAFETY: as above.
unsafe impl Extensible for netsys_pool_info {}

impl From<PoolStats> for netsys_pool_info {
    fn from(stats: PoolStats) -> Self {
        netsys_pool_info {
            struct_size: size_of::<netsys_pool_info>() as u32,
            reserved: 0,
            max_connections: stats.max_connections as u64,
            connections: stats.connections as u64,
            leased: stats.leased as u64,
            idle: stats.idle as u64,
            connecting: stats.connecting as u64,
            waiting: stats.waiting as u64,
            acquired: stats.acquired,
            timed_out: stats.timed_out,
            connected: stats.connected,
            failed: stats.failed,
            broken: stats.broken,
            discarded: stats.discarded,
            expired: stats.expired,
        }
    }
}

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says.
unsafe fn pool_config(config: *const netsys_pool_config) -> Result<PoolConfig> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    let default = PoolConfig::default();
    Ok(PoolConfig {
        max_connections: if c.max_connections == 0 { default.max_connections } else { c.max_connections as usize },
        min_idle: c.min_idle as usize,
        idle_timeout: if c.idle_timeout_ms == 0 { default.idle_timeout } else { args::timeout(c.idle_timeout_ms) },
        ..default
    })
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

type OpenClient = unsafe extern "C-unwind" fn(userdata: *mut c_void, client: *mut netsys_client) -> netsys_status;

/// Clients that the caller makes.
struct Source {
    table: netsys_pool_source,
    tls: Arc<SharedTls>,
    /// Whether the pool has taken over, and will release it.
    started: AtomicBool,
}

// SAFETY: the table's pointer is only handed to the table's functions, which the header says to be called on any
// thread.
unsafe impl Send for Source {}
// SAFETY: as above; the rest is atomic.
unsafe impl Sync for Source {}

impl Source {
    /// # Safety
    /// `table` is NULL or points to a struct as long as its own struct_size says.
    unsafe fn read(table: *const netsys_pool_source) -> Result<Source> {
        // SAFETY: by the contract of this function.
        let table = unsafe { args::read_struct(table, "source") }?;
        reserved(table.reserved, "source: reserved")?;
        Ok(Source { table, tls: Arc::default(), started: AtomicBool::new(false) })
    }

    fn open(&self) -> Result<OpenClient> {
        self.table.open.ok_or_else(|| invalid("source: open is NULL"))
    }

    /// From now on the pool has it and will release it when it is done.
    fn started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    fn release(&self) {
        if let Some(release) = self.table.release {
            // SAFETY: the table's function is called as the header says, and once.
            guard::contained("release of a pool's source", || unsafe { release(self.table.userdata) });
        }
    }
}

impl guard::Release for Source {
    fn release_unless_started(&self) {
        if !self.started.load(Ordering::Relaxed) {
            self.release();
        }
    }
}

/// The same for the pool.
struct Sourced(Arc<Source>);

impl Connector for Sourced {
    fn open(&self) -> Result<Opened> {
        let open = self.0.open()?;
        let mut handle = netsys_client { id: 0 };
        // SAFETY: the table's function is called as the header says.
        let status = self.0.tls.within(|| unsafe { open(self.0.table.userdata, &raw mut handle) });
        if status != NETSYS_OK {
            return Err(status::recall(status));
        }
        let client: Arc<Client> = objects::with(handle, |client| Ok(Arc::clone(client)))?;
        Ok(Opened { client, tag: handle.id() })
    }

    fn closed(&self, opened: &Opened) {
        if let Some(closed) = self.0.table.closed {
            // SAFETY: the table's function is called as the header says.
            unsafe { closed(self.0.table.userdata, netsys_client { id: opened.tag }) };
        }
    }

    fn released(&self) {
        self.0.release();
    }
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_pool_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_pool_config_init(config: *mut netsys_pool_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
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

/// The client of a lease. It belongs to the pool: do not destroy it.
///
/// @param lease  the lease
/// @param out    the client
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_lease_client(lease: netsys_lease, out: *mut netsys_client) -> netsys_status {
    guard::with(lease, |lease| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(netsys_client { id: lease.tag() });
        Ok(())
    })
}

/// The session of a lease, in which messages are sent.
///
/// @param lease  the lease
/// @param out    the session
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it has
///         ended since); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_lease_session(lease: netsys_lease, out: *mut netsys_session) -> netsys_status {
    guard::with(lease, |lease| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(live_session(lease)?);
        Ok(())
    })
}

/// Returns a connection to its pool, for the next who needs one. If it has broken, it is replaced.
///
/// A connection on which an answer is still outstanding is to be discarded instead: the next user would get it. What
/// comes while a connection is idle is told to the callbacks, and the connection is closed and not leased again.
///
/// @param lease  the lease; invalid from now on
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_lease_release(lease: netsys_lease) -> netsys_status {
    guard::with(lease, |_| objects::remove(lease))
}

/// Returns a connection that nobody must get any more. The pool closes it: what was sent on it is delivered.
///
/// @param lease  the lease; invalid from now on
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_lease_discard(lease: netsys_lease) -> netsys_status {
    guard::with(lease, |object| {
        object.mark_for_discard();
        objects::remove(lease)
    })
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::error::{Code, Error};
    use crate::ffi::context::{netsys_context_create, netsys_context_shutdown};

    #[derive(Default)]
    struct Counts {
        opened: AtomicUsize,
        released: AtomicUsize,
    }

    unsafe extern "C-unwind" fn refuse(userdata: *mut c_void, _client: *mut netsys_client) -> netsys_status {
        // SAFETY: the tests give counts that live longer.
        match unsafe { &*userdata.cast::<Counts>() }.opened.fetch_add(1, Ordering::Relaxed) {
            0 => status::fail(&Error::new(Code::ConnectionRefused, "nobody is there")),
            1 => Code::Network as i32,
            2 => 7,
            // No client was stored.
            _ => NETSYS_OK,
        }
    }

    unsafe extern "C-unwind" fn release(userdata: *mut c_void) {
        // SAFETY: as above.
        unsafe { &*userdata.cast::<Counts>() }.released.fetch_add(1, Ordering::Relaxed);
    }

    fn source(counts: &Counts) -> netsys_pool_source {
        netsys_pool_source {
            struct_size: size_of::<netsys_pool_source>() as u32,
            reserved: 0,
            userdata: ptr::from_ref(counts).cast_mut().cast(),
            open: Some(refuse),
            closed: None,
            release: Some(release),
        }
    }

    fn context() -> netsys_context {
        let mut context = netsys_context { id: 0 };
        // SAFETY: a place for a handle.
        assert_eq!(unsafe { netsys_context_create(ptr::null(), &raw mut context) }, NETSYS_OK);
        context
    }

    fn start(
        context: netsys_context,
        config: netsys_pool_config,
        source: netsys_pool_source,
    ) -> (netsys_status, netsys_pool) {
        let mut pool = netsys_pool { id: 0 };
        // SAFETY: whole structs and a place for a handle.
        let status = unsafe { netsys_pool_start_with(context, &raw const config, &raw const source, &raw mut pool) };
        (status, pool)
    }

    fn config() -> netsys_pool_config {
        netsys_pool_config { struct_size: 16, max_connections: 0, min_idle: 0, idle_timeout_ms: 0 }
    }

    #[test]
    fn why_the_source_has_no_client_reaches_who_waits() {
        let (counts, context) = (Counts::default(), context());
        let (started, pool) = start(context, config(), source(&counts));
        assert_eq!(started, NETSYS_OK);
        let failures: Vec<_> = (0..4)
            .map(|_| {
                objects::with(pool, |pool| pool.acquire(None).map(drop).map_err(|error| error.clone()))
                    .expect_err("no client")
            })
            .collect();
        let codes = failures.iter().map(|error| error.code).collect::<Vec<_>>();
        assert_eq!(codes, [Code::ConnectionRefused, Code::Network, Code::InvalidArgument, Code::InvalidHandle]);
        assert_eq!(failures[0].message, "nobody is there");
        assert_eq!(failures[2].message, "a callback returned 7: use NETSYS_OK or one of NETSYS_ERR_*");
        assert_eq!(netsys_pool_destroy(pool), NETSYS_OK);
        assert_eq!(counts.released.load(Ordering::Relaxed), 1);
        assert_eq!(netsys_context_shutdown(context, 0), NETSYS_OK);
    }

    #[test]
    fn the_source_of_a_pool_that_cannot_be_started_is_released_once() {
        let (counts, context) = (Counts::default(), context());
        let refused = [
            (config(), netsys_pool_source { open: None, ..source(&counts) }),
            (netsys_pool_config { min_idle: 11, ..config() }, source(&counts)),
            (netsys_pool_config { struct_size: 0, ..config() }, source(&counts)),
        ];
        for (done, (config, source)) in refused.into_iter().enumerate() {
            assert_eq!(start(context, config, source).0, Code::InvalidArgument as i32);
            assert_eq!(counts.released.load(Ordering::Relaxed), done + 1);
        }
        let unread = netsys_pool_source { reserved: 1, ..source(&counts) };
        assert_eq!(start(context, config(), unread).0, Code::InvalidArgument as i32);
        assert_eq!(counts.released.load(Ordering::Relaxed), 3);
        assert_eq!(netsys_context_shutdown(context, 0), NETSYS_OK);
        assert_eq!(start(context, config(), source(&counts)).0, Code::InvalidHandle as i32);
        assert_eq!(counts.released.load(Ordering::Relaxed), 4);
    }
}
