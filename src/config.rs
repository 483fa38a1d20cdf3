//! Settings of servers, clients and contexts, validated in one place, and all of them together as one value that is
//! read from a file.
//!
//! | file | what is in it |
//! |---|---|
//! | `session`, `server`, `client`, `bridge`, `context` | the settings of each |
//! | `log` | settings of the library's own log |
//! | `application` | settings that the library only carries for the program |
//! | `tls`, `pem` | what connections are encrypted with; where certificates and keys are |
//! | [`network_config`] | everything in one value: reading, checking, writing |
//! | `fields` | its keys, a line for each |
//! | `stored`, `words` | the types of fields as values; the words and numbers of enums |
//! | `rules` | what several keys must satisfy together |
//! | `kind` | the types of values, their ranges, and how they are written |
//! | `document`, `toml`, `json` | texts as trees of values that know their place |
//! | [`fault`] | what is wrong with a configuration |

use std::time::Duration;

mod application;
mod bridge;
mod client;
mod context;
mod document;
pub mod fault;
mod fields;
mod json;
mod kind;
mod log;
pub mod network_config;
mod pem;
mod rules;
mod server;
mod session;
mod stored;
mod tls;
mod toml;
mod words;

pub use application::{LogLevel, LoggerConfig, MonitoringConfig, ThreadPoolConfig};
pub use bridge::BridgeConfig;
pub use client::{ClientConfig, Reconnect};
pub use context::ContextConfig;
pub(crate) use context::MAX_BUSY_POLL_US;
pub use document::Format;
pub use kind::{OFF, Scalar, UNLIMITED};
pub use log::LogConfig;
pub use network_config::NetworkConfig;
pub use pem::Pem;
pub use server::ServerConfig;
pub(crate) use session::MAX_COMPRESSION_LEVEL;
pub use session::{Compression, Framing, SendPolicy, SessionConfig};
pub use tls::{ClientCertificate, ClientTls, ServerTls, TlsVersion};
pub(crate) use tls::{alpn_text, split_alpn};
pub(crate) use words::Word;

use crate::error::{Error, Result};

/// What a longer duration is taken for: for ever, and yet a point in time that can be computed.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The longest id of a server or client, in bytes.
pub const MAX_ID_LEN: usize = 255;

fn validate_id(what: &str, id: &str) -> Result<()> {
    if id.len() > MAX_ID_LEN {
        return Err(Error::invalid(format!("{what} has {} bytes: at most {MAX_ID_LEN} fit into the hello", id.len())));
    }
    Ok(())
}
