//! Bytes on a wire: sockets, listening, connecting, and the framed protocol.

pub mod connect;
pub mod frame;
pub mod hello;
pub mod listener;
mod socket;
mod stream;

pub(crate) use socket::SocketOptions;
pub(crate) use stream::Stream;
