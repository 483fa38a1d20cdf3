//! Messaging servers, clients and sessions: a library for Rust, C and C++.
//!
//! | room | what is in it |
//! |---|---|
//! | [`error`] | every error code, once |
//! | [`config`] | settings and their validation |
//! | [`transport`] | bytes on a wire: sockets, listener, connector, the framed protocol |
//! | [`runtime`] | contexts, loops, batches |
//! | [`log`] | which events are lines of the log, how many, and where they go |
//! | [`session`] | one session, its queue and driver, the registry of sessions and groups, the session manager |
//! | [`utils`] | ports, addresses and names |
//! | [`core`] | server, client, pool of connections: what a user starts and stops |
//! | [`metrics`] | counts, rates, times and memory, and reports of them |
//! | [`bridge`] | servers and clients under one configuration |
//! | [`ffi`] | the C ABI |

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod bridge;
pub mod config;
pub mod core;
pub mod error;
#[allow(unsafe_code)]
pub mod ffi;
pub mod log;
pub mod metrics;
#[cfg(test)]
#[allow(dead_code)] // The tests of the interface use more of it.
#[path = "../tests/support/random.rs"]
mod random;
pub mod runtime;
pub mod session;
mod sync;
mod sys;
pub mod transport;
pub mod utils;
