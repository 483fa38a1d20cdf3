//! Settings of a server.

use super::tls::ServerTls;
use super::{SessionConfig, validate_id};
use crate::error::Result;
use crate::transport::AddressRange;

/// Settings of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The id that framed peers are told.
    pub server_id: String,
    /// The address or name to listen on.
    pub host: String,
    /// The port; 0: a free one.
    pub port: u16,
    /// The length of the kernel's queue of connections not accepted yet.
    pub backlog: u32,
    /// The most connections at a time.
    pub max_connections: usize,
    /// Over how many loops its sessions are spread. With more than one, the handlers of different sessions run at the
    /// same time.
    pub io_threads: usize,
    /// The most connections of one address at a time; of IPv6, of one /64. `None`: 256, and no limit for loopback.
    /// `usize::MAX`: no limit.
    pub max_connections_per_address: Option<usize>,
    /// How many connections a second one address may make in the long run; 0: as many as it likes.
    pub accept_rate: u32,
    /// How many of them at once, after a rest; 0: as many as in a second.
    pub accept_burst: u32,
    /// Addresses that neither of these holds for.
    pub exempt_addresses: Vec<AddressRange>,
    /// Whether and how its connections are encrypted.
    pub tls: ServerTls,
    /// What its sessions are like.
    pub session: SessionConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            server_id: String::new(),
            host: "0.0.0.0".into(),
            port: 0,
            backlog: 4096,
            max_connections: 1000,
            io_threads: 1,
            max_connections_per_address: None,
            accept_rate: 0,
            accept_burst: 0,
            exempt_addresses: Vec::new(),
            tls: ServerTls::default(),
            session: SessionConfig::default(),
        }
    }
}

impl ServerConfig {
    /// Checks what the types cannot, and bounds durations that no clock could add.
    pub fn validated(mut self) -> Result<Self> {
        validate_id("server_id", &self.server_id)?;
        self.tls.check()?;
        self.session.validate()?;
        Ok(self)
    }
}
