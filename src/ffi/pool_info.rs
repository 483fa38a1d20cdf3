//! What a connection pool tells of itself.

use super::args::Extensible;
use crate::core::PoolStats;

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
