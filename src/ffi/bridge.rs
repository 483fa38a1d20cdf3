//! Bridges.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use super::args::{self, Extensible, Out, millis, reserved};
use super::guard;
use super::monitor::{netsys_metrics, report};
use super::objects;
use super::status::netsys_status;
use super::tls_config::{self, netsys_tls_config};
use super::types::*;
use crate::bridge::{Bridge, Events};
use crate::config::{BridgeConfig, ClientConfig, ServerConfig};
use crate::core::{Client, PoolConfig, Server};
use crate::error::{Code, Error, Result};
use crate::runtime::{Context, on_library_thread};
use crate::session::handler::Handler;
use crate::transport::tls::TlsClient;

/// Servers and clients under one configuration, counted together. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_bridge {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// Flag of a bridge: nothing is counted and measured. Else each framed session is sent a heartbeat when one is due, also
/// while its peer speaks, to measure the round trip.
pub const NETSYS_BRIDGE_NO_MONITORING: u32 = 1;
/// Flag of a bridge: netsys_pool_start refuses clients of the bridge.
pub const NETSYS_BRIDGE_NO_POOLING: u32 = 2;

/// Flag of a bridge: each message of its servers and clients is logged, as log_messages of their configuration says.
pub const NETSYS_BRIDGE_LOG_MESSAGES: u32 = 4;

/// Flag of a bridge: messages are compressed where peers agree, as under NETSYS_COMPRESSION_AUTO, unless a configuration
/// says otherwise or is for raw sessions only.
pub const NETSYS_BRIDGE_COMPRESS: u32 = 8;
/// Flag of a bridge: all connections are encrypted, as server_tls and client_tls say unless a configuration has TLS of
/// its own. A server for which neither names a certificate does not start.
pub const NETSYS_BRIDGE_ENCRYPT: u32 = 16;

const FLAGS: u32 = NETSYS_BRIDGE_NO_MONITORING
    | NETSYS_BRIDGE_NO_POOLING
    | NETSYS_BRIDGE_LOG_MESSAGES
    | NETSYS_BRIDGE_COMPRESS
    | NETSYS_BRIDGE_ENCRYPT;

/// What a bridge is like. All zero but struct_size means all defaults. What the configuration of one of its servers,
/// clients and pools leaves at its default is as it says here.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_bridge_config {
    /// sizeof(netsys_bridge_config).
    pub struct_size: u32,
    /// NETSYS_BRIDGE_* together.
    pub flags: u32,
    /// The most connections of a pool; 0: 10.
    pub max_connections_per_client: u32,
    /// How long connecting may take, in ms; 0: 30000.
    pub connection_timeout_ms: u32,
    /// How long a send waits under NETSYS_SEND_WAIT, in ms; 0: 5000.
    pub message_timeout_ms: u32,
    /// The first capacity of a session's buffers; 0: 8192.
    pub message_buffer_bytes: u32,
    /// How servers encrypt, with NETSYS_BRIDGE_ENCRYPT; NULL: nothing is said of it.
    pub server_tls: *const netsys_tls_config,
    /// How clients encrypt, with NETSYS_BRIDGE_ENCRYPT; NULL: with the defaults, which trust the issuers that the system
    /// does.
    pub client_tls: *const netsys_tls_config,
}

/// What a bridge tells. The functions are called one at a time, in order, on threads of the library and on those that
/// call it, and never under a lock of the library. In them, as in all callbacks, nothing waits. While more than 1024 calls
/// are in line, threads of the library that bring more wait for them: slow functions slow all sessions of the bridge
/// down.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_bridge_callbacks {
    /// sizeof(netsys_bridge_callbacks).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Given to every function of this table.
    pub userdata: *mut c_void,
    /// A session of one of its servers or clients has begun (1) or ended (0). The endpoint is the peer,
    /// "192.0.2.1:8080", and valid for the call.
    pub on_connection: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, endpoint: netsys_str, connected: u32)>,
    /// Something failed in one of its servers or clients, or one could not be started. The error is valid for the call.
    pub on_error: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, error: *const netsys_error_info)>,
    /// Nothing of this table is called any more, and userdata is no longer used. Runs exactly once, also when the bridge
    /// cannot be made, then on the calling thread before netsys_bridge_create returns.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_bridge_config {}
// SAFETY: as above; pointers and functions (`Option`) may be zero too.
unsafe impl Extensible for netsys_bridge_callbacks {}

/// The callbacks of a bridge.
struct BridgeCallbacks(netsys_bridge_callbacks);

// SAFETY: the table's pointer is only handed to the table's functions, which the header says to be called on any
// thread.
unsafe impl Send for BridgeCallbacks {}
// SAFETY: as above.
unsafe impl Sync for BridgeCallbacks {}

impl BridgeCallbacks {
    /// # Safety
    /// `table` is NULL, which is a table without callbacks, or points to a struct as long as its own struct_size says.
    unsafe fn read(table: *const netsys_bridge_callbacks) -> Result<BridgeCallbacks> {
        if table.is_null() {
            // SAFETY: all zero is a value of this struct.
            return Ok(BridgeCallbacks(unsafe { std::mem::zeroed() }));
        }
        // SAFETY: by the contract of this function.
        let table = unsafe { args::read_struct(table, "callbacks") }?;
        reserved(table.reserved, "callbacks: reserved")?;
        Ok(BridgeCallbacks(table))
    }
}

/// A bridge that could not be made has told nothing.
impl guard::Release for BridgeCallbacks {
    fn release_unless_started(&self) {
        self.on_release();
    }
}

impl Events for BridgeCallbacks {
    fn on_connection(&self, endpoint: &str, connected: bool) {
        if let Some(callback) = self.0.on_connection {
            // SAFETY: the table's function is called as the header says; the text lives for the call.
            unsafe { callback(self.0.userdata, args::view(endpoint), connected.into()) };
        }
    }

    fn on_error(&self, error: &Error) {
        if let Some(callback) = self.0.on_error {
            let info = netsys_error_info::new(error);
            // SAFETY: as above; `info` lives for the call.
            unsafe { callback(self.0.userdata, &raw const info) };
        }
    }

    fn on_release(&self) {
        if let Some(release) = self.0.release {
            // SAFETY: the table's function is called as the header says, once and last.
            guard::contained("release of a bridge's callbacks", || unsafe { release(self.0.userdata) });
        }
    }
}

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says, and so are the structs that it points to,
/// with views that are valid.
unsafe fn bridge_config(config: *const netsys_bridge_config) -> Result<BridgeConfig> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    if c.flags & !FLAGS != 0 {
        return Err(Error::invalid(format!(
            "flags is {:#x}: use NETSYS_BRIDGE_NO_MONITORING (1), _NO_POOLING (2), _LOG_MESSAGES (4), _COMPRESS (8) and \
             _ENCRYPT (16) only",
            c.flags
        )));
    }
    let default = BridgeConfig::default();
    let or = |value: u32, default: usize| if value == 0 { default } else { value as usize };
    // SAFETY: by the contract of this function.
    let (server_tls, client_tls) = unsafe { (tls_config::server(c.server_tls)?, tls_config::client(c.client_tls)?) };
    let or_millis = |ms: u32, default| if ms == 0 { default } else { millis(ms) };
    Ok(BridgeConfig {
        performance_monitoring: c.flags & NETSYS_BRIDGE_NO_MONITORING == 0,
        message_logging: c.flags & NETSYS_BRIDGE_LOG_MESSAGES != 0,
        connection_pooling: c.flags & NETSYS_BRIDGE_NO_POOLING == 0,
        max_connections_per_client: or(c.max_connections_per_client, default.max_connections_per_client),
        connection_timeout: or_millis(c.connection_timeout_ms, default.connection_timeout),
        message_timeout: or_millis(c.message_timeout_ms, default.message_timeout),
        message_buffer: or(c.message_buffer_bytes, default.message_buffer),
        compression: c.flags & NETSYS_BRIDGE_COMPRESS != 0,
        encryption: c.flags & NETSYS_BRIDGE_ENCRYPT != 0,
        server_tls,
        client_tls,
    })
}

impl From<BridgeConfig> for netsys_bridge_config {
    fn from(config: BridgeConfig) -> Self {
        let BridgeConfig {
            performance_monitoring,
            message_logging,
            connection_pooling,
            max_connections_per_client,
            connection_timeout,
            message_timeout,
            message_buffer,
            compression,
            encryption,
            server_tls: _, // what C is given of them depends on who lends it
            client_tls: _,
        } = config;
        let flag = |holds: bool, flag| if holds { flag } else { 0 };
        netsys_bridge_config {
            struct_size: size_of::<netsys_bridge_config>() as u32,
            flags: flag(!performance_monitoring, NETSYS_BRIDGE_NO_MONITORING)
                | flag(!connection_pooling, NETSYS_BRIDGE_NO_POOLING)
                | flag(message_logging, NETSYS_BRIDGE_LOG_MESSAGES)
                | flag(compression, NETSYS_BRIDGE_COMPRESS)
                | flag(encryption, NETSYS_BRIDGE_ENCRYPT),
            max_connections_per_client: args::narrow(max_connections_per_client),
            connection_timeout_ms: args::to_millis(connection_timeout),
            message_timeout_ms: args::to_millis(message_timeout),
            message_buffer_bytes: args::narrow(message_buffer),
            server_tls: ptr::null(),
            client_tls: ptr::null(),
        }
    }
}

/// The bridge of a configuration; `None`: it names none.
fn named(bridge: netsys_bridge) -> Result<Option<Arc<Bridge>>> {
    if bridge.id == 0 { Ok(None) } else { objects::with(bridge, |bridge| Ok(Some(Arc::clone(bridge)))) }
}

/// Starts a server, within a bridge if one is named.
pub(super) fn start_server(
    bridge: netsys_bridge,
    context: &Arc<Context>,
    config: ServerConfig,
    handler: Arc<dyn Handler>,
) -> Result<Arc<Server>> {
    match named(bridge)? {
        None => Server::start(context, config, handler),
        Some(bridge) => bridge.start_server(context, config, handler),
    }
}

/// Starts a client, within a bridge if one is named.
pub(super) fn start_client(
    bridge: netsys_bridge,
    context: &Arc<Context>,
    config: ClientConfig,
    handler: Arc<dyn Handler>,
) -> Result<Arc<Client>> {
    match named(bridge)? {
        None => Client::start(context, config, handler),
        Some(bridge) => bridge.start_client(context, config, handler),
    }
}

/// Where a pool starts its clients: in a bridge, with the settings that it had when the pool was started, or in none.
pub(super) struct PoolHome(Option<(Arc<Bridge>, BridgeConfig)>);

impl PoolHome {
    pub(super) fn new(bridge: netsys_bridge) -> Result<PoolHome> {
        Ok(PoolHome(named(bridge)?.map(|bridge| {
            let settings = bridge.config();
            (bridge, settings)
        })))
    }

    /// The pool's configuration with these settings.
    pub(super) fn complete(&self, config: PoolConfig) -> Result<PoolConfig> {
        match &self.0 {
            None => Ok(config),
            Some((bridge, _)) => bridge.complete_pool(config),
        }
    }

    /// That of its clients likewise.
    pub(super) fn complete_client(&self, config: ClientConfig) -> Result<ClientConfig> {
        match &self.0 {
            None => Ok(config),
            Some((_, settings)) => settings.complete_client(config),
        }
    }

    pub(super) fn start_client(
        &self,
        context: &Arc<Context>,
        config: ClientConfig,
        tls: Option<TlsClient>,
        handler: Arc<dyn Handler>,
    ) -> Result<Arc<Client>> {
        match &self.0 {
            None => Client::start_with(context, config, tls, handler),
            Some((bridge, settings)) => bridge.start_pooled_client(context, settings, config, tls, handler),
        }
    }
}

/// Makes a configuration that means all defaults.
///
/// @param config  filled in
/// @param size    sizeof(netsys_bridge_config)
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_config_init(config: *mut netsys_bridge_config, size: usize) -> netsys_status {
    guard::call(|| {
        // SAFETY: the caller gives NULL or a struct of that size.
        unsafe { args::init_struct(config, size, "config") }
    })
}

/// Makes a bridge. Servers, clients and pools belong to it that are started with a configuration which names it.
///
/// @param id         its name, for logs and reports, at most 255 bytes; may be empty
/// @param config     what it is like; copied
/// @param callbacks  its events; copied; may be NULL. The userdata must live until release runs
/// @param out        the bridge, yours until netsys_bridge_destroy
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_OUT_OF_MEMORY (too many handles). On failure the release
///         of the callbacks runs before this returns, unless it is their struct_size or reserved that is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_create(
    id: netsys_str,
    config: *const netsys_bridge_config,
    callbacks: *const netsys_bridge_callbacks,
    out: *mut netsys_bridge,
) -> netsys_status {
    guard::start(
        // SAFETY: the caller gives a view that is valid, and NULL or a configuration as long as it says.
        || unsafe { Ok((args::text(id, "id")?, bridge_config(config)?)) },
        // SAFETY: the caller gives NULL or a table as long as it says.
        || unsafe { BridgeCallbacks::read(callbacks) },
        |callbacks, (id, config)| {
            // SAFETY: the caller gives NULL or a place for a handle.
            let out = unsafe { Out::new(out, "out") }?;
            out.store(objects::insert(Bridge::new(id, config, callbacks.clone())?)?);
            Ok(())
        },
    )
}

/// Changes what a bridge is like, for servers, clients and pools that are started from now on.
///
/// What netsys_bridge_get_config gave is not enough for a bridge with NETSYS_BRIDGE_ENCRYPT: server_tls and client_tls are
/// NULL in it, and a NULL client_tls means that clients trust all issuers that the system does. Set them again.
///
/// @param bridge  the bridge
/// @param config  all of it; copied
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT, and then nothing is changed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_set_config(
    bridge: netsys_bridge,
    config: *const netsys_bridge_config,
) -> netsys_status {
    guard::with(bridge, |bridge| {
        // SAFETY: the caller gives NULL or a configuration as long as it says.
        bridge.set_config(unsafe { bridge_config(config) }?)
    })
}

/// What a bridge is like.
///
/// @param bridge  the bridge
/// @param out     filled in; set its struct_size to sizeof(netsys_bridge_config) first. How it encrypts is not given
///                back: server_tls and client_tls become NULL, and have to be set before netsys_bridge_set_config gets it
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_get_config(
    bridge: netsys_bridge,
    out: *mut netsys_bridge_config,
) -> netsys_status {
    guard::with(bridge, |bridge| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", bridge.config().into()) }
    })
}

/// What the servers and clients of a bridge have done, those that have ended included.
///
/// @param bridge  the bridge
/// @param out     filled in; set its struct_size to sizeof(netsys_metrics) first. Its latency is empty: that is for the
///                application to measure; the memory is that of the process
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_metrics(bridge: netsys_bridge, out: *mut netsys_metrics) -> netsys_status {
    guard::with(bridge, |bridge| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", bridge.metrics().into()) }
    })
}

/// Begins the figures of a bridge anew. The connections that there are stay, and so do the figures of its servers and
/// clients and of the process.
///
/// @param bridge  the bridge
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_bridge_reset_metrics(bridge: netsys_bridge) -> netsys_status {
    guard::with(bridge, |bridge| {
        bridge.reset_metrics();
        Ok(())
    })
}

/// The figures of a bridge as text. From one call to the next they may grow longer: ask again with more room.
///
/// @param bridge  the bridge
/// @param format  NETSYS_REPORT_*
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_report(
    bridge: netsys_bridge,
    format: u32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(bridge, |bridge| {
        let text = report(&bridge.metrics(), format)?;
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&text, buf, cap, needed) }
    })
}

/// How a bridge stands, for people: its servers and clients, its figures, its settings. From one call to the next it
/// may grow longer: ask again with more room.
///
/// @param bridge  the bridge
/// @param buf     the text, NUL-terminated; may be NULL if cap is 0
/// @param cap     the size of buf
/// @param needed  the length without the NUL; may be NULL
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_BUFFER_TOO_SMALL
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_status_report(
    bridge: netsys_bridge,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> netsys_status {
    guard::with(bridge, |bridge| {
        // SAFETY: the caller gives a buffer of that size, and NULL or a place for the length.
        unsafe { args::give_text(&bridge.status_report(), buf, cap, needed) }
    })
}

/// Tells a bridge of a failure of the application's own, such as a message that it cannot read: it is counted, and
/// on_error gets it, unless more than 1024 events wait to be told. Only ten a second are told, but for
/// NETSYS_ERR_HANDLER_FAILED: peers may bring about the others as often as they like.
///
/// @param bridge   the bridge
/// @param status   NETSYS_ERR_*
/// @param message  what failed, in words; copied. Beyond 231 bytes on_error gets the beginning
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_bridge_report_error(
    bridge: netsys_bridge,
    status: netsys_status,
    message: netsys_str,
) -> netsys_status {
    guard::with(bridge, |bridge| {
        // SAFETY: the caller gives a view that is valid.
        let message = unsafe { args::text(message, "message") }?;
        let code = Code::from_number(status)
            .ok_or_else(|| Error::invalid(format!("status is {status}: use one of NETSYS_ERR_*")))?;
        bridge.report(&Error::new(code, message.to_owned()));
        Ok(())
    })
}

/// Has a bridge log each connection, each end of one and each error as information (level 3) instead of for debugging
/// only (level 4). What is reported on the program's own threads goes to the log of the context in which the bridge has
/// last started something.
///
/// @param bridge   the bridge
/// @param enabled  1 or 0
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub extern "C" fn netsys_bridge_set_debug_logging(bridge: netsys_bridge, enabled: u32) -> netsys_status {
    guard::with(bridge, |bridge| {
        if enabled > 1 {
            return Err(Error::invalid(format!("enabled is {enabled}: use 1 or 0")));
        }
        bridge.set_debug_logging(enabled == 1);
        Ok(())
    })
}

/// Begins to stop the servers and clients of a bridge. Returns at once. Others may be started in it afterwards. One whose
/// start has not returned yet may not be stopped.
///
/// @param bridge    the bridge
/// @param drain_ms  the time to drain; 0: none; NETSYS_INFINITE: as each is configured
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_bridge_stop(bridge: netsys_bridge, drain_ms: u32) -> netsys_status {
    guard::with(bridge, |bridge| {
        bridge.stop(args::timeout(drain_ms));
        Ok(())
    })
}

/// [BLOCKING] Waits until no server and client of a bridge runs, and all events have been told. It does not stop them.
///
/// @param bridge      the bridge
/// @param timeout_ms  how long; NETSYS_INFINITE: for ever
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_TIMEOUT; NETSYS_ERR_WOULD_DEADLOCK (on a library thread)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_bridge_wait(bridge: netsys_bridge, timeout_ms: u32) -> netsys_status {
    guard::with(bridge, |bridge| bridge.wait(args::timeout(timeout_ms)))
}

/// Stops what a bridge has as configured, waits for that and for the release of its callbacks, and makes the
/// handle invalid. The handles of its servers and clients stay yours, to be destroyed as ever.
///
/// On a library thread it cannot wait: the stop begins, the handle is invalid at once, and the rest follows behind it.
///
/// @param bridge  the bridge
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_bridge_destroy(bridge: netsys_bridge) -> netsys_status {
    guard::with(bridge, |object| {
        objects::remove(bridge)?;
        object.close(None);
        if !on_library_thread() {
            object.wait(None)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_configuration_arrives_and_comes_back() {
        let c = netsys_bridge_config {
            struct_size: size_of::<netsys_bridge_config>() as u32,
            flags: FLAGS,
            max_connections_per_client: 1,
            connection_timeout_ms: 2,
            message_timeout_ms: 3,
            message_buffer_bytes: 4,
            server_tls: ptr::null(),
            client_tls: ptr::null(),
        };
        // SAFETY: a whole struct.
        let read = |c: netsys_bridge_config| unsafe { bridge_config(&raw const c) };
        let config = BridgeConfig {
            performance_monitoring: false,
            message_logging: true,
            connection_pooling: false,
            max_connections_per_client: 1,
            connection_timeout: millis(2),
            message_timeout: millis(3),
            message_buffer: 4,
            compression: true,
            encryption: true,
            ..BridgeConfig::default()
        };
        assert_eq!(read(c), Ok(config.clone()));
        assert_eq!(read(config.clone().into()), Ok(config));
        let zero = netsys_bridge_config {
            flags: 0,
            max_connections_per_client: 0,
            connection_timeout_ms: 0,
            message_timeout_ms: 0,
            message_buffer_bytes: 0,
            ..c
        };
        assert_eq!(read(zero), Ok(BridgeConfig::default()));
        assert!(read(netsys_bridge_config { flags: 32, ..c }).expect_err("unknown").message.contains("flags is 0x20"));
    }
}
