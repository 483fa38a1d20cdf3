//! The C ABI: the only room of this crate where the outside is trusted to keep a contract, namely that of the header
//! `network_system.h`, which cbindgen writes from the documentation here.
//!
//! | file | what is in it |
//! |---|---|
//! | [`types`] | structs and constants |
//! | [`server_config`], [`client_config`], `session_config` | the configurations of servers and clients, and what they have in common |
//! | [`status`], [`version`] | codes, the last error, versions |
//! | [`context`], [`server`], [`client`], [`session`], [`session_data`], [`executor`] | the functions, a file for each noun |
//! | [`connection_pool`], [`pool_config`], [`pool_source`], [`pool_info`], [`lease`] | connections shared |
//! | [`session_manager`] | sessions kept |
//! | [`bridge`], [`monitor`] | servers and clients under one configuration, figures |
//! | [`tls_config`], [`tls_info`], `lent_tls` | encryption: what is asked for, what it came to, how C is given what a file asks for |
//! | [`network_config`], [`config_faults`], [`config_structs`], `open_config` | everything that can be configured: what is wrong with it, its parts as structs, the handle |
//! | [`network_utils`], [`resolver`] | addresses, ports and names; looking names up |
//! | `guard` | what every function runs under |
//! | `handles`, `objects` | the handle table, and what is in it |
//! | `args` | arguments checked and made Rust values |
//! | `binding`, `callbacks` | sessions and events on their way to C |
//! | `log` | what is logged, as C says it |

#![deny(clippy::undocumented_unsafe_blocks)]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the documentation is the C header's, whose every sentence is the contract"
)]
#![allow(rustdoc::broken_intra_doc_links, reason = "[BLOCKING] is a tag")]

mod args;
mod binding;
pub mod bridge;
mod callbacks;
pub mod client;
pub mod client_config;
pub mod config_faults;
pub mod config_structs;
pub mod connection_pool;
pub mod context;
pub mod executor;
mod guard;
mod handles;
pub mod lease;
mod lent_tls;
mod log;
pub mod monitor;
pub mod network_config;
pub mod network_utils;
mod objects;
mod open_config;
pub mod pool_config;
pub mod pool_info;
pub mod pool_source;
pub mod resolver;
pub mod server;
pub mod server_config;
pub mod session;
mod session_config;
pub mod session_data;
pub mod session_manager;
pub mod status;
pub mod tls_config;
pub mod tls_info;
pub mod types;
pub mod version;
