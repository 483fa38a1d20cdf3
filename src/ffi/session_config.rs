//! What the configurations of servers and clients have in common, as C gives it.

use std::num::NonZeroU32;
use std::time::Duration;

use super::args::{self, millis, narrow, to_millis};
use super::bridge::netsys_bridge;
use super::client_config::netsys_client_config;
use super::executor;
use super::server_config::netsys_server_config;
use super::types::*;
use crate::config::{MAX_COMPRESSION_LEVEL, SessionConfig, Word};
use crate::error::{Code, Error, Result};

/// The value, unless it is 0.
pub(super) fn set<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

/// A number of bytes in memory; more than there can be means no limit.
fn size(bytes: u64) -> usize {
    bytes.try_into().unwrap_or(usize::MAX)
}

/// The largest message, of which the format of frames allows 4 GiB - 1.
pub(super) fn max_message(bytes: u64) -> u32 {
    bytes.try_into().unwrap_or(u32::MAX)
}

/// What the configurations of servers and clients have in common.
pub(super) trait SessionFields {
    /// What they say of their sessions. What they have no field for keeps its default.
    fn session(&self) -> Result<SessionConfig>;
    /// The opposite.
    fn fill(&mut self, session: &SessionConfig);
}

macro_rules! session_fields {
    ($($config:ty)*) => {$(
        impl SessionFields for $config {
            fn session(&self) -> Result<SessionConfig> {
                let default = SessionConfig::default();
                // First, so that the executor is released whatever else is wrong.
                let dispatch = executor::dispatch(self.dispatch, self.executor)?;
                if self.flags & !(NETSYS_FLAG_NO_KEEP_ALIVE | NETSYS_FLAG_NO_NODELAY) != 0 {
                    return Err(Error::invalid(format!(
                        "flags is {:#x}: use NETSYS_FLAG_NO_KEEP_ALIVE (1) and _NO_NODELAY (2) only",
                        self.flags
                    )));
                }
                let send_queue = set(self.send_queue_bytes).map_or(default.send_queue, size);
                let send_hard_limit = match self.send_hard_limit_bytes {
                    0 => default.send_hard_limit.max(send_queue),
                    bytes => size(bytes),
                };
                Ok(SessionConfig {
                    framing: args::word(self.framing, "framing", "NETSYS_FRAMING")?,
                    dispatch,
                    receive_queue: set(self.receive_queue_bytes).map_or(default.receive_queue, size),
                    send_policy: args::word(self.send_policy, "send_policy", "NETSYS_SEND")?,
                    max_message: set(self.max_message_bytes).map_or(default.max_message, max_message),
                    send_queue,
                    send_queue_messages: NonZeroU32::new(self.send_queue_messages),
                    send_hard_limit,
                    send_timeout: or_millis(self.send_timeout_ms, default.send_timeout),
                    idle_timeout: set(self.idle_timeout_ms).and_then(args::timeout),
                    heartbeat: set(self.heartbeat_ms).map_or(default.heartbeat, args::timeout),
                    frame_timeout: set(self.frame_timeout_ms).map_or(default.frame_timeout, args::timeout),
                    unresponsive_timeout: set(self.unresponsive_timeout_ms)
                        .map_or(default.unresponsive_timeout, args::timeout),
                    drain: or_millis(self.drain_ms, default.drain),
                    keep_alive: self.flags & NETSYS_FLAG_NO_KEEP_ALIVE == 0,
                    nodelay: self.flags & NETSYS_FLAG_NO_NODELAY == 0,
                    compression: args::word(self.compression, "compression", "NETSYS_COMPRESSION")?,
                    compression_threshold: set(self.compression_threshold_bytes)
                        .map_or(default.compression_threshold, |bytes| bytes as usize),
                    compression_level: compression_level(self.compression_level)?,
                    receive_buffer: set(self.receive_buffer_bytes)
                        .map_or(default.receive_buffer, |bytes| bytes as usize),
                    send_buffer: set(self.send_buffer_bytes).map_or(default.send_buffer, |bytes| bytes as usize),
                    kernel_receive: set(self.kernel_receive_bytes).map(|bytes| bytes as usize),
                    kernel_send: set(self.kernel_send_bytes).map(|bytes| bytes as usize),
                    log_messages: args::switch(self.log_messages, "log_messages")?,
                    ..default
                })
            }

            fn fill(&mut self, session: &SessionConfig) {
                let SessionConfig {
                    framing,
                    dispatch,
                    receive_queue,
                    send_policy,
                    max_message,
                    send_queue,
                    send_queue_messages,
                    send_hard_limit,
                    send_timeout,
                    idle_timeout,
                    heartbeat,
                    frame_timeout,
                    unresponsive_timeout,
                    handshake_timeout: _, // servers only
                    drain,
                    keep_alive,
                    nodelay,
                    compression,
                    compression_threshold,
                    compression_level,
                    receive_buffer,
                    send_buffer,
                    kernel_receive,
                    kernel_send,
                    log_messages,
                } = session;
                self.framing = framing.number();
                self.dispatch = dispatch.number();
                self.receive_queue_bytes = *receive_queue as u64;
                self.send_policy = send_policy.number();
                self.max_message_bytes = (*max_message).into();
                self.send_queue_bytes = *send_queue as u64;
                self.send_queue_messages = send_queue_messages.map_or(0, NonZeroU32::get);
                self.send_hard_limit_bytes = *send_hard_limit as u64;
                self.send_timeout_ms = to_millis(*send_timeout);
                self.idle_timeout_ms = idle_timeout.map_or(0, to_millis);
                self.heartbeat_ms = heartbeat.map_or(NETSYS_INFINITE, to_millis);
                self.frame_timeout_ms = frame_timeout.map_or(NETSYS_INFINITE, to_millis);
                self.unresponsive_timeout_ms = unresponsive_timeout.map_or(NETSYS_INFINITE, to_millis);
                self.drain_ms = to_millis(*drain);
                self.flags = if *keep_alive { 0 } else { NETSYS_FLAG_NO_KEEP_ALIVE }
                    | if *nodelay { 0 } else { NETSYS_FLAG_NO_NODELAY };
                self.compression = compression.number();
                self.compression_threshold_bytes = narrow(*compression_threshold);
                self.compression_level = (*compression_level).into();
                self.receive_buffer_bytes = narrow(*receive_buffer);
                self.send_buffer_bytes = narrow(*send_buffer);
                self.kernel_receive_bytes = kernel_receive.map_or(0, narrow);
                self.kernel_send_bytes = kernel_send.map_or(0, narrow);
                self.log_messages = (*log_messages).into();
            }
        }
    )*};
}
session_fields!(netsys_server_config netsys_client_config);

fn compression_level(level: u32) -> Result<u8> {
    match set(level).map(u8::try_from) {
        None => Ok(SessionConfig::default().compression_level),
        Some(Ok(level)) if level <= MAX_COMPRESSION_LEVEL => Ok(level),
        Some(_) => Err(Error::invalid(format!("compression_level is {level}: use 1 to {MAX_COMPRESSION_LEVEL}"))),
    }
}

pub(super) fn or_millis(ms: u32, default: Duration) -> Duration {
    set(ms).map_or(default, millis)
}

/// A configuration, and the bridge that it names.
pub(super) struct Bridged<C> {
    pub config: C,
    pub bridge: netsys_bridge,
}

impl<C> Bridged<C> {
    /// The configuration of what can belong to no bridge.
    pub(super) fn unbridged(self) -> Result<C> {
        if self.bridge.id != 0 {
            return Err(Error::new(Code::Unsupported, "an adopted session belongs to no bridge: set bridge to 0"));
        }
        Ok(self.config)
    }
}
