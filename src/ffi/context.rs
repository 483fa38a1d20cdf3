//! Contexts.

use std::ffi::c_void;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::{self, Extensible, Out};
use super::guard;
use super::log;
use super::objects;
use super::status::netsys_status;
use super::types::*;
use crate::config::{ContextConfig, MAX_BUSY_POLL_US};
use crate::error::{Code, Error, Result};
use crate::log::{Log, Record, Sink, StandardError};
use crate::runtime::{Clock, Context, ContextHooks, on_library_thread};

/// More would leave the rest of the machine none.
const MAX_POOL_THREADS: u32 = 4096;

/// A line of the library's log. Valid for the callback.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_log_record {
    /// sizeof(netsys_log_record) of the library.
    pub struct_size: u32,
    /// 1 error, 2 warning, 3 information, 4 debugging, 5 trace.
    pub level: u32,
    /// When: milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: u64,
    /// The part of the library that says it: "network_system::transport::listener".
    pub target: netsys_str,
    /// What it says, in one line of at most some 3 KiB: control characters, which a peer may have sent, are escaped, a
    /// line feed as "\n". It ends with "(N more like it were left out)" where lines before it were too many.
    pub message: netsys_str,
}

/// What a context is like. All zero but struct_size, which is what netsys_context_config_init makes, means all
/// defaults.
///
/// The callbacks run on the context's own threads, several at a time, and must not throw. on_log also runs on a thread
/// of the program's that is in a function of the library, which then counts as one of the library's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_context_config {
    /// sizeof(netsys_context_config).
    pub struct_size: u32,
    /// The most loop threads; 0: 64. Each server and client gets one of its own while there are fewer, then they share.
    pub max_loops: u32,
    /// Which lines are logged: 1 errors only .. 5 everything; 0: 2, errors and warnings. Of no effect beside a
    /// log_filter.
    pub log_level: u32,
    /// For how many microseconds after its last work a loop thread asks for events over and over before it sleeps until
    /// there are some, at most 1,000,000; 0: it sleeps at once. To be woken takes longer than to look: busy polling by
    /// both ends halves the time of a lone round trip, and gains nothing where messages are many. Each loop thread keeps
    /// a whole processor busy meanwhile, so there have to be more of these than such threads.
    pub busy_poll_us: u32,
    /// What the names of the threads begin with; empty: "netsys".
    pub thread_name_prefix: netsys_str,
    /// A line of the log. Without it and without log_to_stderr, nothing is logged anywhere. Nothing is logged of what it
    /// calls.
    ///
    /// No peer can flood it: of each place in the library that logs, 10 lines a second come in the long run, and 20 at
    /// once after a rest; at level 4 and 5, and of single messages (log_messages of servers and clients), 1000 and 2000.
    /// The next line that comes tells how many like it were left out; for the last ones, netsys_context_shutdown does,
    /// before the release.
    pub on_log: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, record: *const netsys_log_record)>,
    /// Runs first on each thread that runs callbacks.
    pub on_thread_start: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
    /// Runs last on each thread that runs callbacks.
    pub on_thread_stop: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
    /// Given to the callbacks above.
    pub userdata: *mut c_void,
    /// The callbacks are not called any more, and userdata is no longer used. Runs exactly once: when the context has
    /// been shut down, or on the calling thread when it could not be created.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
    /// What all sessions of the context may hold together in the library's buffers, messages that have arrived in part
    /// and queues for sending, without what TLS holds, in bytes; 0: 256 MiB; NETSYS_UNLIMITED_U64. Beyond it, sends
    /// meet a full queue (see NETSYS_SEND_*), and a session in the middle of a message stops reading until there is
    /// room.
    pub max_buffered_bytes: u64,
    /// How many threads run callbacks under NETSYS_DISPATCH_POOL, while there is a server or client with that; 0: as
    /// many as the machine has processors; at most 4096.
    pub pool_threads: u32,
    /// 1: the log goes to the standard error stream too, each line in one write, as in
    /// "2026-11-23T12:00:00.123Z WARN network_system::core::server: text", whether there is an on_log or not; 0: it does
    /// not. Who logs waits for who reads the stream; one that is closed is no failure, and raises no SIGPIPE.
    pub log_to_stderr: u32,
    /// Which lines are logged, by target, instead of log_level: a level for all (off, error, warn, info, debug, trace),
    /// levels for targets and what is below them at a "::", or both, with commas between them, as in
    /// "warn,network_system::session=debug,network_system::transport=off". The longest target decides, and what none is
    /// for is off. Empty: by log_level.
    pub log_filter: netsys_str,
}

// SAFETY: see `args::tests::structs_have_no_padding`; pointers, functions (`Option`), numbers and views may be zero.
unsafe impl Extensible for netsys_context_config {}

/// A context that a handle names.
#[derive(Clone)]
pub(super) struct OpenContext {
    pub context: Arc<Context>,
    hooks: Arc<Hooks>,
    log: Option<Log>,
}

impl OpenContext {
    /// All of it has ended: tells the last of the log, and releases.
    fn ended(&self) {
        if let Some(log) = &self.log {
            log.close();
        }
        self.hooks.release();
    }
}

/// The callbacks of a context.
struct Hooks {
    table: netsys_context_config,
    released: AtomicBool,
}

// SAFETY: the table's pointers are only handed to the table's functions, which the header says to be called on
// several threads.
unsafe impl Send for Hooks {}
// SAFETY: as above.
unsafe impl Sync for Hooks {}

impl Hooks {
    fn new(table: netsys_context_config) -> Hooks {
        Hooks { table, released: AtomicBool::new(false) }
    }

    /// # Safety
    /// `config` is NULL, which is a configuration of all defaults, or points to a struct as long as its own struct_size
    /// says.
    unsafe fn read(config: *const netsys_context_config) -> Result<Hooks> {
        if config.is_null() {
            // SAFETY: all zero is a value of this struct.
            return Ok(Hooks::new(unsafe { std::mem::zeroed() }));
        }
        // SAFETY: by the contract of this function.
        Ok(Hooks::new(unsafe { args::read_struct(config, "config") }?))
    }

    fn release(&self) {
        if !self.released.swap(true, Ordering::AcqRel)
            && let Some(release) = self.table.release
        {
            // SAFETY: as the header says, for the first time, and after the last of the other calls.
            guard::contained("release", || unsafe { release(self.table.userdata) });
        }
    }

    /// One of the thread callbacks, as the core takes it.
    fn on_thread(
        self: &Arc<Self>,
        what: &'static str,
        callback: Option<unsafe extern "C-unwind" fn(*mut c_void)>,
    ) -> Option<Arc<dyn Fn() + Send + Sync>> {
        let (callback, hooks) = (callback?, Arc::clone(self));
        // SAFETY: as the header says.
        Some(Arc::new(move || guard::contained(what, || unsafe { callback(hooks.table.userdata) })))
    }
}

/// A context that could not be created calls none of them.
impl guard::Release for Hooks {
    fn release_unless_started(&self) {
        self.release();
    }
}

impl Sink for Hooks {
    fn log(&self, record: &Record<'_>) {
        let record = netsys_log_record {
            struct_size: size_of::<netsys_log_record>() as u32,
            level: log::number(record.level),
            unix_ms: record.unix_ms,
            target: args::view(record.target),
            message: args::view(record.text),
        };
        if let Some(on_log) = self.table.on_log {
            // SAFETY: as the header says; the record and its texts live for the call, and the log is closed before the
            // release.
            guard::contained("on_log", || unsafe { on_log(self.table.userdata, &raw const record) });
        }
    }
}

/// # Safety
/// The views in the hooks' table are valid.
unsafe fn open(hooks: &Arc<Hooks>) -> Result<netsys_context> {
    let table = &hooks.table;
    let to_stderr = args::switch(table.log_to_stderr, "log_to_stderr")?;
    // SAFETY: by the contract of this function.
    let filter = log::configured(table.log_level, unsafe { args::text(table.log_filter, "log_filter") }?)?;
    let mut config = ContextConfig::default();
    // SAFETY: by the contract of this function.
    let prefix = unsafe { args::text(table.thread_name_prefix, "thread_name_prefix") }?;
    if prefix.contains('\0') {
        return Err(Error::invalid("thread_name_prefix has a NUL in it, which the name of a thread cannot have"));
    }
    if !prefix.is_empty() {
        config.thread_name_prefix = prefix.to_owned();
    }
    if table.max_loops != 0 {
        config.max_loops = table.max_loops as usize;
    }
    if table.pool_threads > MAX_POOL_THREADS {
        return Err(Error::invalid(format!("pool_threads is {}: use at most {MAX_POOL_THREADS}", table.pool_threads)));
    }
    config.pool_threads = table.pool_threads as usize;
    if table.busy_poll_us > MAX_BUSY_POLL_US {
        return Err(Error::invalid(format!("busy_poll_us is {}: use at most {MAX_BUSY_POLL_US}", table.busy_poll_us)));
    }
    config.busy_poll_us = table.busy_poll_us;
    if table.max_buffered_bytes != 0 {
        config.max_buffered = table.max_buffered_bytes.try_into().unwrap_or(usize::MAX);
    }
    let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
    if table.on_log.is_some() {
        sinks.push(Arc::clone(hooks) as _);
    }
    if to_stderr {
        sinks.push(Arc::new(StandardError));
    }
    let log = (!sinks.is_empty()).then(|| Log::new(filter, sinks, Clock::default()));
    let context_hooks = ContextHooks {
        dispatch: log.as_ref().map(Log::dispatch),
        on_thread_start: hooks.on_thread("on_thread_start", table.on_thread_start),
        on_thread_stop: hooks.on_thread("on_thread_stop", table.on_thread_stop),
    };
    objects::insert(OpenContext { context: Context::new(config, context_hooks), hooks: Arc::clone(hooks), log })
}

/// The default context, once it has been made.
static DEFAULT: Mutex<Option<netsys_context>> = Mutex::new(None);

fn default_context() -> Result<netsys_context> {
    let mut default = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(context) = *default {
        return Ok(context);
    }
    // SAFETY: all zero is a value of this struct, with empty views.
    let context = unsafe { open(&Arc::new(Hooks::new(std::mem::zeroed()))) }?;
    *default = Some(context);
    Ok(context)
}

fn shut_down(handle: netsys_context, drain_ms: u32) -> Result<()> {
    if *DEFAULT.lock().unwrap_or_else(PoisonError::into_inner) == Some(handle) {
        return Err(Error::new(
            Code::Unsupported,
            "the default context serves the whole process and is never shut down: create one of your own for that",
        ));
    }
    let open: OpenContext = objects::with(handle, |open: &OpenContext| Ok(open.clone()))?;
    // Of several calls, the one that removes the handle goes on.
    objects::remove(handle)?;
    open.context.stop(args::timeout(drain_ms));
    if on_library_thread() {
        return Arc::clone(&open.context).when_joined(move || open.ended());
    }
    open.context.join()?;
    open.ended();
    Ok(())
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_context_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_config_init(config: *mut netsys_context_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Creates a context. It has no threads until something is started in it.
///
/// @param config  what it is like; NULL: all defaults. Copied; its userdata must live until its release runs
/// @param out     the context, yours until netsys_context_shutdown
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release
///         of the configuration runs before this returns, unless it is the struct_size that is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_create(
    config: *const netsys_context_config,
    out: *mut netsys_context,
) -> netsys_status {
    guard::start(
        || Ok(()),
        // SAFETY: the caller gives NULL or a struct as long as it says.
        || unsafe { Hooks::read(config) },
        |hooks, ()| {
            // SAFETY: the caller gives NULL or a place for a handle, and a configuration with views that are valid.
            let (out, context) = unsafe { (Out::new(out, "out")?, open(hooks)?) };
            out.store(context);
            Ok(())
        },
    )
}

/// The context of the whole process: made with all defaults at the first call, never shut down. Libraries in one
/// process share it without knowing of each other.
///
/// @param out  the context, everybody's
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_default(out: *mut netsys_context) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(default_context()?);
        Ok(())
    })
}

/// [BLOCKING] Runs the callbacks that are due of the servers and clients with NETSYS_DISPATCH_MANUAL, after it has
/// waited for some. One thread at a time runs them; a second one that calls this waits for its turn.
///
/// @param context     the context
/// @param timeout_ms  how long to wait for something to run; 0: not at all; NETSYS_INFINITE: for ever
/// @param out         how many turns of sessions, servers and clients were run, each of one callback or more; 0: nothing
///                    was due in that time; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_CANCELLED (the context was shut down while this waited);
///         NETSYS_ERR_WOULD_DEADLOCK (inside a callback); NETSYS_ERR_IO (at the first call: no descriptor)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_poll(
    context: netsys_context,
    timeout_ms: u32,
    out: *mut usize,
) -> netsys_status {
    guard::call(|| {
        let OpenContext { context, .. } = objects::with(context, |open| Ok(open.clone()))?;
        let turns = context.poll(args::timeout(timeout_ms))?;
        // SAFETY: the caller gives NULL or a place for the result.
        unsafe { Out::optional(out) }.inspect(|out| out.store(turns));
        Ok(())
    })
}

/// A descriptor that is readable while netsys_context_poll has something to run: put it into poll, epoll or select, and
/// call netsys_context_poll with a timeout of 0 when it is readable. Do not read from it.
///
/// @param context  the context
/// @param out      the descriptor, which is the context's: valid until netsys_context_shutdown, and not to be closed
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_IO (no descriptor)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_poll_descriptor(context: netsys_context, out: *mut i32) -> netsys_status {
    guard::with(context, |open| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(open.context.poll_descriptor()?.as_raw_fd());
        Ok(())
    })
}

/// Changes which lines of a context are logged, from now on.
///
/// @param context  the context, which was created with an on_log or with log_to_stderr
/// @param filter   as log_filter of netsys_context_config; not empty
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT (the filter cannot be understood; the one
///         before holds); NETSYS_ERR_UNSUPPORTED (the context has no log)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_context_set_log_filter(context: netsys_context, filter: netsys_str) -> netsys_status {
    guard::with(context, |open| {
        // SAFETY: the caller gives a view that is valid.
        let filter = log::filter(unsafe { args::text(filter, "filter") }?, "filter")?;
        let log = open.log.as_ref().ok_or_else(|| {
            Error::new(
                Code::Unsupported,
                "the context has no log: create one with an on_log or with log_to_stderr, as the default one is not",
            )
        })?;
        log.set_filter(filter);
        Ok(())
    })
}

/// Ends a context: stops all its servers, clients and adopted sessions, waits for them, joins all its threads, and runs
/// the release of its configuration. The handle is invalid from the beginning of the call. The handles of its servers
/// and clients stay valid until they are destroyed. Connections that have ended and whose peers still send, which are
/// read off for up to 5 s so that no reset destroys what was sent to them, are given up when drain_ms are over.
///
/// On a library thread it cannot wait: it returns at once, and the rest follows on a thread made for it.
///
/// @param context   the context; not the default one
/// @param drain_ms  how long each may take to deliver what is queued; 0: not at all; NETSYS_INFINITE: as configured
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_UNSUPPORTED (the default context); NETSYS_ERR_IO (on a
///         library thread: no thread could be made for the rest, so the release never runs)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_context_shutdown(context: netsys_context, drain_ms: u32) -> netsys_status {
    guard::call(|| shut_down(context, drain_ms))
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::ffi::status::NETSYS_OK;

    unsafe extern "C-unwind" fn count(userdata: *mut c_void) {
        // SAFETY: the tests give a counter that lives longer.
        unsafe { &*userdata.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    unsafe extern "C-unwind" fn on_log(userdata: *mut c_void, record: *const netsys_log_record) {
        // SAFETY: valid for the callback.
        let record = unsafe { &*record };
        assert_eq!(record.struct_size as usize, size_of::<netsys_log_record>());
        // SAFETY: as above.
        let (target, message) = unsafe {
            let text = |view| args::text(view, "text").expect("UTF-8");
            (text(record.target), text(record.message))
        };
        if (record.level, target, message) == (2, "t", "m k=1") {
            // SAFETY: as for any callback.
            unsafe { count(userdata) };
        }
    }

    fn config(released: &AtomicUsize) -> netsys_context_config {
        // SAFETY: all zero is a value of this struct.
        let zero: netsys_context_config = unsafe { std::mem::zeroed() };
        netsys_context_config {
            struct_size: size_of::<netsys_context_config>() as u32,
            userdata: ptr::from_ref(released).cast_mut().cast(),
            release: Some(count),
            ..zero
        }
    }

    fn create(config: *const netsys_context_config) -> (netsys_status, netsys_context) {
        let mut context = netsys_context { id: 0 };
        // SAFETY: the tests give NULL or a whole struct.
        (unsafe { netsys_context_create(config, &raw mut context) }, context)
    }

    #[test]
    fn a_context_is_released_once_when_it_is_shut_down() {
        let released = AtomicUsize::new(0);
        let (status, context) = create(&config(&released));
        assert_eq!((status, released.load(Ordering::Relaxed)), (NETSYS_OK, 0));
        assert_eq!(netsys_context_shutdown(context, 0), NETSYS_OK);
        assert_eq!(released.load(Ordering::Relaxed), 1);
        assert_eq!(netsys_context_shutdown(context, 0), Code::InvalidHandle as i32);
        assert_eq!(released.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_context_that_cannot_be_created_is_released_too() {
        let released = AtomicUsize::new(0);
        let wrong = [
            netsys_context_config { log_level: 6, ..config(&released) },
            netsys_context_config { busy_poll_us: 1_000_001, ..config(&released) },
            netsys_context_config { log_to_stderr: 2, ..config(&released) },
            netsys_context_config { log_filter: args::view("loud"), ..config(&released) },
            netsys_context_config {
                thread_name_prefix: netsys_str { data: c"a".as_ptr(), len: 2 },
                ..config(&released)
            },
        ];
        for (done, config) in wrong.iter().enumerate() {
            assert_eq!(create(config).0, Code::InvalidArgument as i32);
            assert_eq!(released.load(Ordering::Relaxed), done + 1);
        }
        // SAFETY: NULL is refused.
        let status = unsafe { netsys_context_create(&config(&released), ptr::null_mut()) };
        assert_eq!((status, released.load(Ordering::Relaxed)), (Code::InvalidArgument as i32, 6));
        let unsized_config = netsys_context_config { struct_size: 0, ..config(&released) };
        assert_eq!(create(&unsized_config).0, Code::InvalidArgument as i32);
        assert_eq!(released.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn no_configuration_is_the_default_one() {
        let (status, context) = create(ptr::null());
        assert_eq!(status, NETSYS_OK);
        assert_eq!(netsys_context_shutdown(context, NETSYS_INFINITE), NETSYS_OK);
    }

    #[test]
    fn the_default_context_is_one_and_stays() {
        let get = || {
            let mut context = netsys_context { id: 0 };
            // SAFETY: a place for a handle.
            assert_eq!(unsafe { netsys_context_default(&raw mut context) }, NETSYS_OK);
            context
        };
        let context = get();
        assert_eq!(get(), context);
        assert_eq!(netsys_context_shutdown(context, 0), Code::Unsupported as i32);
        assert_eq!(get(), context);
        assert!(objects::with(context, |_| Ok(())).is_ok());
    }

    #[test]
    fn log_records_reach_the_callback_until_the_release() {
        let logged = AtomicUsize::new(0);
        let table = netsys_context_config { on_log: Some(on_log), release: None, ..config(&logged) };
        let (status, handle) = create(&table);
        assert_eq!(status, NETSYS_OK);
        let log = objects::with(handle, |open: &OpenContext| Ok(open.log.clone())).expect("open").expect("a log");
        let dispatch = log.dispatch();
        let event = || tracing::dispatcher::with_default(&dispatch, || tracing::warn!(target: "t", k = 1, "m"));
        event();
        assert_eq!(logged.load(Ordering::Relaxed), 1);
        // SAFETY: the view is valid.
        let set = |filter| unsafe { netsys_context_set_log_filter(handle, args::view(filter)) };
        assert_eq!(set("warn,t=off"), NETSYS_OK);
        event();
        assert_eq!(set("warn,t=quiet"), Code::InvalidArgument as i32);
        assert_eq!(set(""), Code::InvalidArgument as i32);
        event();
        assert_eq!(logged.load(Ordering::Relaxed), 1);
        assert_eq!(set("t=debug"), NETSYS_OK);
        event();
        assert_eq!(logged.load(Ordering::Relaxed), 2);
        assert_eq!(netsys_context_shutdown(handle, 0), NETSYS_OK);
        event();
        assert_eq!(logged.load(Ordering::Relaxed), 2);
        assert_eq!(set("t=debug"), Code::InvalidHandle as i32);
    }

    #[test]
    fn a_context_without_a_log_has_no_filter() {
        let (_, handle) = create(ptr::null());
        // SAFETY: the view is valid.
        let status = unsafe { netsys_context_set_log_filter(handle, args::view("warn")) };
        assert_eq!(status, Code::Unsupported as i32);
        assert_eq!(netsys_context_shutdown(handle, 0), NETSYS_OK);
    }
}
