//! Settings of a client.

use std::num::NonZeroU32;
use std::time::Duration;

use super::tls::ClientTls;
use super::{LONGEST, SessionConfig, validate_id};
use crate::error::{Error, Result};

/// Settings of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The id that a framed server is told.
    pub client_id: String,
    /// The server's address or name.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// How long resolving, connecting, the handshake of TLS and the hello may take together.
    pub connect_timeout: Duration,
    /// Whether and how it connects again when it could not connect, or its connection ended.
    pub reconnect: Reconnect,
    /// Whether and how its connections are encrypted.
    pub tls: ClientTls,
    /// What its session is like.
    pub session: SessionConfig,
}

/// Whether and how a client connects again.
///
/// Before the n-th attempt in a row, counted from 0, it waits for a time that is uniform in 0 to `first_delay` * 2^n,
/// or to `max_delay` if that is less. The count begins anew after a connection that was open for `max_delay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// Whether it does at all.
    pub enabled: bool,
    /// The longest wait before the first attempt.
    pub first_delay: Duration,
    /// The longest wait of all. Many clients of a server that is down make about 2 / `max_delay` attempts each.
    pub max_delay: Duration,
    /// After how many attempts in a row that failed it ends; `None`: it goes on until it is stopped.
    pub max_attempts: Option<NonZeroU32>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect {
            enabled: false,
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(5),
            max_attempts: None,
        }
    }
}

impl Reconnect {
    fn validate(&mut self) -> Result<()> {
        self.max_delay = self.max_delay.min(LONGEST);
        self.check_delays()
    }

    pub(crate) fn check_delays(&self) -> Result<()> {
        if self.first_delay.is_zero() || self.first_delay > self.max_delay {
            return Err(Error::invalid(format!(
                "first_delay is {} ms and max_delay {} ms: give it more than 0, and no more than max_delay",
                self.first_delay.as_millis(),
                self.max_delay.as_millis()
            )));
        }
        Ok(())
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        ClientConfig {
            client_id: String::new(),
            host: String::new(),
            port: 0,
            connect_timeout: Duration::from_secs(30),
            reconnect: Reconnect::default(),
            tls: ClientTls::default(),
            session: SessionConfig::default(),
        }
    }
}

impl ClientConfig {
    /// Checks what the types cannot, and bounds durations that no clock could add.
    pub fn validated(mut self) -> Result<Self> {
        self.connect_timeout = self.connect_timeout.min(LONGEST);
        validate_id("client_id", &self.client_id)?;
        if self.host.is_empty() {
            return Err(Error::invalid("host is empty: name the server's host or address"));
        }
        if self.port == 0 {
            return Err(Error::invalid("port is 0: name the server's port, 1 to 65535"));
        }
        self.reconnect.validate()?;
        self.tls.check()?;
        self.session.validate()?;
        Ok(self)
    }
}
