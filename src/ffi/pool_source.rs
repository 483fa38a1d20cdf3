//! Where a connection pool has its clients from, if the caller makes them.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::{self, Extensible, reserved};
use super::guard;
use super::objects::{self, Handle};
use super::status::{self, NETSYS_OK, netsys_status};
use super::types::*;
use crate::core::{Client, Connector, Opened};
use crate::error::{Error, Result};
use crate::transport::tls::SharedTls;

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
    /// the calling thread with the same host and TLS read certificates once, and resume each other's sessions. Returns
    /// NETSYS_OK, or why there is none: the first who waits for a connection gets that status and, if it is the last
    /// error of the thread, its text.
    pub open: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, client: *mut netsys_client) -> netsys_status>,
    /// A client that open started has stopped, and the pool has forgotten it: the time to destroy it.
    pub closed: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, client: netsys_client)>,
    /// Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the start
    /// fails, then on the calling thread before the start returns.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers, pointers and functions (`Option`) may be zero.
unsafe impl Extensible for netsys_pool_source {}

type OpenClient = unsafe extern "C-unwind" fn(userdata: *mut c_void, client: *mut netsys_client) -> netsys_status;

/// Clients that the caller makes.
pub(super) struct Source {
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
    pub(super) unsafe fn read(table: *const netsys_pool_source) -> Result<Source> {
        // SAFETY: by the contract of this function.
        let table = unsafe { args::read_struct(table, "source") }?;
        reserved(table.reserved, "source: reserved")?;
        Ok(Source { table, tls: Arc::default(), started: AtomicBool::new(false) })
    }

    pub(super) fn open(&self) -> Result<OpenClient> {
        self.table.open.ok_or_else(|| Error::invalid("source: open is NULL"))
    }

    /// From now on the pool has it and will release it when it is done.
    pub(super) fn started(&self) {
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
pub(super) struct Sourced(pub Arc<Source>);

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

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::error::{Code, Error};
    use crate::ffi::connection_pool::{netsys_pool, netsys_pool_destroy, netsys_pool_start_with};
    use crate::ffi::context::{netsys_context_create, netsys_context_shutdown};
    use crate::ffi::pool_config::netsys_pool_config;
    use crate::ffi::types::netsys_context;

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
