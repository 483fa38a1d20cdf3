//! What a connection pool is like.

use super::args::{self, Extensible};
use super::guard;
use super::status::netsys_status;
use crate::core::PoolConfig;
use crate::error::Result;

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

// SAFETY: see `args::tests::structs_have_no_padding`; numbers may be zero.
unsafe impl Extensible for netsys_pool_config {}

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says.
pub(super) unsafe fn pool_config(config: *const netsys_pool_config) -> Result<PoolConfig> {
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
