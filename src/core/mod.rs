//! What a user starts and stops: servers and clients.

mod adopted;
mod client;
mod lifecycle;
mod server;

pub use adopted::adopt;
pub use client::Client;
pub use lifecycle::EndpointState;
pub use server::Server;
