//! What a user starts and stops: servers, clients, pools of connections.

mod adopted;
mod client;
mod connection_pool;
mod lifecycle;
mod server;

pub use adopted::adopt;
pub use client::Client;
pub(crate) use connection_pool::{ClientMaker, Connector, Opened};
pub use connection_pool::{ConnectionPool, Lease, PoolConfig, PoolStats};
pub use lifecycle::EndpointState;
pub use server::Server;
