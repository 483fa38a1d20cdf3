//! Bytes on a wire: sockets, listening, connecting, TLS, and the framed protocol.

mod address;
mod address_class;
mod address_range;
pub mod compression;
pub mod connect;
pub mod frame;
pub mod hello;
pub mod listener;
mod socket;
mod stream;
mod tcp;
pub mod tls;

pub use address::Address;
pub(crate) use address::inside_brackets;
pub use address_class::AddressClass;
pub use address_range::AddressRange;
pub(crate) use socket::SocketOptions;
pub(crate) use stream::Stream;
