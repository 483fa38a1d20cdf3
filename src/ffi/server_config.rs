//! The configuration of a server as C gives it.

use super::args::{self, Extensible, narrow, reserved, to_millis};
use super::bridge::netsys_bridge;
use super::executor::netsys_executor;
use super::session_config::{Bridged, SessionFields, or_millis, set};
use super::tls_config::{self, netsys_tls_config};
use super::types::*;
use crate::config::ServerConfig;
use crate::error::{Error, Result};
use crate::transport::AddressRange;

/// What a server, or an adopted session, is like. All zero but struct_size, which is what netsys_server_config_init
/// makes, means all defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_server_config {
    /// sizeof(netsys_server_config).
    pub struct_size: u32,
    /// NETSYS_FRAMING_*; 0, AUTO: each peer's first bytes decide.
    pub framing: u32,
    /// What framed peers are told, at most 255 bytes; may be empty.
    pub server_id: netsys_str,
    /// The address or name to listen on; empty: "0.0.0.0".
    pub host: netsys_str,
    /// The port; 0: a free one, which netsys_server_port tells.
    pub port: u16,
    /// 0.
    pub reserved16: u16,
    /// How many connections the kernel holds for the server to accept; 0: 4096.
    pub backlog: u32,
    /// The most connections at a time, counted from accept to end; 0: 1000; NETSYS_UNLIMITED_U32.
    pub max_connections: u32,
    /// NETSYS_SEND_*: what a send does when the session's queue is full.
    pub send_policy: u32,
    /// The largest message sent or received; 0: 1 MiB; at most 4 GiB - 1, which larger values mean too.
    pub max_message_bytes: u64,
    /// How much a session queues for sending; 0: 1 MiB; NETSYS_UNLIMITED_U64.
    pub send_queue_bytes: u64,
    /// How much a session queues for sends on library threads under NETSYS_SEND_WAIT; 0: 64 MiB, or send_queue_bytes if
    /// that is more.
    pub send_hard_limit_bytes: u64,
    /// How long a send waits under NETSYS_SEND_WAIT, in ms; 0: 5000.
    pub send_timeout_ms: u32,
    /// A session that has received nothing for this long, in ms, ends with NETSYS_ERR_SESSION_EXPIRED; 0: never.
    pub idle_timeout_ms: u32,
    /// A framed session that has received nothing for this long, in ms, asks the peer for a sign of life, and ends
    /// after three times this without one; 0: 10000; NETSYS_INFINITE: no heartbeats.
    pub heartbeat_ms: u32,
    /// How long a peer that has begun to say who it is may take to end, in ms; with tls: how long any peer may take from
    /// its connection on, for the handshake of TLS and, if framed, to say who it is together; 0: 5000.
    pub handshake_timeout_ms: u32,
    /// How long a graceful close or stop may take to deliver what is queued, in ms; 0: 5000.
    pub drain_ms: u32,
    /// NETSYS_FLAG_* together.
    pub flags: u32,
    /// The first capacity of a session's buffer for a message that has arrived in part; 0: 8192.
    pub receive_buffer_bytes: u32,
    /// The first capacity of a session's buffer for sending; 0: 8192.
    pub send_buffer_bytes: u32,
    /// SO_RCVBUF; 0: the system's choice, which adapts.
    pub kernel_receive_bytes: u32,
    /// SO_SNDBUF; 0: the system's choice, which adapts.
    pub kernel_send_bytes: u32,
    /// NETSYS_DISPATCH_*: where callbacks run.
    pub dispatch: u32,
    /// Over how many threads the sessions are spread; 0: 1. With more than one, callbacks of different sessions run at
    /// the same time also under NETSYS_DISPATCH_INLINE. At most max_loops of the context.
    pub io_threads: u32,
    /// How many bytes of a session's messages may wait for their callbacks where these do not run inline; then no more
    /// is read, and TCP slows the peer down; 0: 256 KiB.
    pub receive_queue_bytes: u64,
    /// Who runs the callbacks under NETSYS_DISPATCH_EXECUTOR; all zero otherwise.
    pub executor: netsys_executor,
    /// How many messages a session queues for sending; 0: as many as send_queue_bytes holds.
    pub send_queue_messages: u32,
    /// A framed peer that has begun a frame must end it within this time, in ms, and a second more for each 240 bytes,
    /// or the session ends with NETSYS_ERR_TIMEOUT; 0: 10000; NETSYS_INFINITE: never.
    pub frame_timeout_ms: u32,
    /// A session whose peer's host has acknowledged nothing of what was sent for this long, in ms, ends with
    /// NETSYS_ERR_SESSION_EXPIRED, unless NETSYS_FLAG_NO_KEEP_ALIVE is set. A peer that lives and does not read is not
    /// ended by this. 0: 30000; NETSYS_INFINITE: never.
    pub unresponsive_timeout_ms: u32,
    /// The most connections of one address at a time, of IPv6 of one /64; 0: 256, and no limit for loopback addresses;
    /// NETSYS_UNLIMITED_U32. Whoever is over it is refused as over max_connections, and refuses nobody else.
    pub max_connections_per_address: u32,
    /// How many connections a second one address may make in the long run; 0: as many as it likes.
    pub accept_rate: u32,
    /// How many of them at once, after a rest; 0: as many as in a second.
    pub accept_burst: u32,
    /// Addresses that the two limits above do not hold for: ranges with commas between them, as in
    /// "10.0.0.0/8, 2001:db8::/32, ::1"; may be empty.
    pub exempt_addresses: netsys_str,
    /// 1: each message that is accepted for sending, and each that is handed to on_message, is a line of the context's
    /// log, of level 3 (information) and target "network_system::messages", with the session's id, the peer's address,
    /// the kind and the size in bytes, and nothing of what is in it; 0: none is. See log_level and log_filter of
    /// netsys_context_config, which must let such lines through.
    pub log_messages: u32,
    /// NETSYS_COMPRESSION_*: whether and how messages are compressed, on framed sessions whose peer does the same and
    /// where it makes them shorter. A message that a client sends before the server has greeted it never is. Not with
    /// NETSYS_FRAMING_RAW.
    pub compression: u32,
    /// Messages of fewer bytes are not compressed; 0: 256.
    pub compression_threshold_bytes: u32,
    /// How hard zstd tries, 1 to 19; 0: 1.
    pub compression_level: u32,
    /// The bridge that the server belongs to, whose settings take the place of defaults; 0: none.
    pub bridge: netsys_bridge,
    /// How connections are encrypted; NULL: not at all. A session that is adopted cannot be.
    pub tls: *const netsys_tls_config,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers, views, pointers and functions (`Option`) may
// all be zero.
unsafe impl Extensible for netsys_server_config {}

/// A number of connections.
pub(super) fn max_connections(count: u32) -> usize {
    if count == NETSYS_UNLIMITED_U32 { usize::MAX } else { count as usize }
}

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says, with views that are valid.
pub(super) unsafe fn server(config: *const netsys_server_config) -> Result<Bridged<ServerConfig>> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    let mut session = c.session()?;
    reserved(c.reserved16.into(), "config: reserved16")?;
    session.handshake_timeout = or_millis(c.handshake_timeout_ms, session.handshake_timeout);
    let default = ServerConfig::default();
    // SAFETY: by the contract of this function.
    let (server_id, host) = unsafe { (args::text(c.server_id, "server_id")?, args::text(c.host, "host")?) };
    // SAFETY: by the contract of this function.
    let exempt = unsafe { args::text(c.exempt_addresses, "exempt_addresses") }?;
    let config = ServerConfig {
        server_id: server_id.to_owned(),
        host: if host.is_empty() { default.host } else { host.to_owned() },
        port: c.port,
        backlog: set(c.backlog).unwrap_or(default.backlog),
        max_connections: set(c.max_connections).map_or(default.max_connections, max_connections),
        io_threads: set(c.io_threads).map_or(default.io_threads, |count| count as usize),
        max_connections_per_address: set(c.max_connections_per_address).map(max_connections),
        accept_rate: c.accept_rate,
        accept_burst: c.accept_burst,
        exempt_addresses: AddressRange::split(exempt)
            .map(str::parse)
            .collect::<Result<_>>()
            .map_err(|error: Error| Error::invalid(format!("exempt_addresses: {error}")))?,
        // SAFETY: by the contract of this function.
        tls: unsafe { tls_config::server(c.tls) }?,
        session,
    };
    Ok(Bridged { config, bridge: c.bridge })
}

/// The configuration as C has it, with views of its strings and of `exempt`, which is its `exempt_addresses` as text,
/// and with `tls`, which is its `tls`.
pub(super) fn to_server(config: &ServerConfig, exempt: &str, tls: *const netsys_tls_config) -> netsys_server_config {
    let ServerConfig {
        server_id,
        host,
        port,
        backlog,
        max_connections,
        io_threads,
        max_connections_per_address,
        accept_rate,
        accept_burst,
        exempt_addresses: _,
        tls: _, // which `tls` is made of
        session,
    } = config;
    // SAFETY: all zero is a value of this struct.
    let mut c: netsys_server_config = unsafe { std::mem::zeroed() };
    c.fill(session);
    c.server_id = args::view(server_id);
    c.host = args::view(host);
    c.port = *port;
    c.backlog = *backlog;
    c.max_connections = narrow(*max_connections);
    c.io_threads = narrow(*io_threads);
    c.max_connections_per_address = max_connections_per_address.map_or(0, narrow);
    c.accept_rate = *accept_rate;
    c.accept_burst = *accept_burst;
    c.exempt_addresses = args::view(exempt);
    c.tls = tls;
    c.handshake_timeout_ms = to_millis(session.handshake_timeout);
    c
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::config::{Compression, Framing, SendPolicy, SessionConfig};
    use crate::error::Code;
    use crate::ffi::args::view;
    use crate::runtime::Dispatch;

    fn server_config() -> netsys_server_config {
        // SAFETY: all zero is a value of this struct.
        netsys_server_config { struct_size: size_of::<netsys_server_config>() as u32, ..unsafe { std::mem::zeroed() } }
    }

    fn read_server(config: netsys_server_config) -> Result<ServerConfig> {
        // SAFETY: a whole struct with views of static text.
        unsafe { server(&raw const config) }.map(|read| read.config)
    }

    /// What becomes of a configuration that was given to C and comes back.
    fn read_again(server: &ServerConfig) -> Result<ServerConfig> {
        let exempt = AddressRange::text(&server.exempt_addresses);
        read_server(netsys_server_config {
            struct_size: server_config().struct_size,
            ..to_server(server, &exempt, std::ptr::null())
        })
    }

    #[test]
    fn zero_means_the_default() {
        let server = read_server(server_config()).expect("defaults are valid");
        assert_eq!(format!("{server:?}"), format!("{:?}", ServerConfig::default()));
    }

    #[test]
    fn every_field_of_a_server_arrives() {
        let config = netsys_server_config {
            framing: NETSYS_FRAMING_RAW,
            server_id: view("id"),
            host: view("::1"),
            port: 81,
            backlog: 7,
            max_connections: 8,
            send_policy: NETSYS_SEND_WAIT,
            max_message_bytes: 9,
            send_queue_bytes: 10,
            send_hard_limit_bytes: 11,
            send_timeout_ms: 12,
            idle_timeout_ms: 13,
            heartbeat_ms: 14,
            handshake_timeout_ms: 15,
            drain_ms: 16,
            flags: NETSYS_FLAG_NO_KEEP_ALIVE | NETSYS_FLAG_NO_NODELAY,
            receive_buffer_bytes: 17,
            send_buffer_bytes: 18,
            kernel_receive_bytes: 19,
            kernel_send_bytes: 20,
            dispatch: NETSYS_DISPATCH_POOL,
            io_threads: 21,
            receive_queue_bytes: 22,
            send_queue_messages: 31,
            frame_timeout_ms: 32,
            unresponsive_timeout_ms: 33,
            max_connections_per_address: 24,
            accept_rate: 25,
            accept_burst: 26,
            exempt_addresses: view("10.0.0.0/8, ::1"),
            log_messages: 1,
            compression: NETSYS_COMPRESSION_ZSTD,
            compression_threshold_bytes: 34,
            compression_level: 9,
            ..server_config()
        };
        let read = read_server(config).expect("valid");
        assert_eq!(read_again(&read), Ok(read.clone()));
        assert_eq!(read.io_threads, 21);
        assert_eq!((read.max_connections_per_address, read.accept_rate, read.accept_burst), (Some(24), 25, 26));
        let exempt: Vec<String> = read.exempt_addresses.iter().map(ToString::to_string).collect();
        assert_eq!(exempt, ["10.0.0.0/8", "::1/128"]);
        let ServerConfig { server_id, host, port, backlog, max_connections, session, .. } = read;
        assert_eq!((server_id.as_str(), host.as_str(), port, backlog, max_connections), ("id", "::1", 81, 7, 8));
        let expected = SessionConfig {
            framing: Framing::Raw,
            dispatch: Dispatch::Pool,
            receive_queue: 22,
            send_policy: SendPolicy::Wait,
            max_message: 9,
            send_queue: 10,
            send_queue_messages: NonZeroU32::new(31),
            send_hard_limit: 11,
            send_timeout: Duration::from_millis(12),
            idle_timeout: Some(Duration::from_millis(13)),
            heartbeat: Some(Duration::from_millis(14)),
            frame_timeout: Some(Duration::from_millis(32)),
            unresponsive_timeout: Some(Duration::from_millis(33)),
            handshake_timeout: Duration::from_millis(15),
            drain: Duration::from_millis(16),
            keep_alive: false,
            nodelay: false,
            compression: Compression::Zstd,
            compression_threshold: 34,
            compression_level: 9,
            receive_buffer: 17,
            send_buffer: 18,
            kernel_receive: Some(19),
            kernel_send: Some(20),
            log_messages: true,
        };
        assert_eq!(format!("{session:?}"), format!("{expected:?}"));
    }

    #[test]
    fn no_limits() {
        let config = netsys_server_config {
            max_connections: NETSYS_UNLIMITED_U32,
            max_connections_per_address: NETSYS_UNLIMITED_U32,
            max_message_bytes: NETSYS_UNLIMITED_U64,
            send_queue_bytes: NETSYS_UNLIMITED_U64,
            idle_timeout_ms: NETSYS_INFINITE,
            heartbeat_ms: NETSYS_INFINITE,
            frame_timeout_ms: NETSYS_INFINITE,
            unresponsive_timeout_ms: NETSYS_INFINITE,
            ..server_config()
        };
        let server = read_server(config).expect("valid");
        assert_eq!(read_again(&server), Ok(server.clone()));
        assert_eq!(server.max_connections_per_address, Some(usize::MAX));
        assert_eq!((server.max_connections, server.session.max_message), (usize::MAX, u32::MAX));
        assert_eq!((server.session.send_queue, server.session.send_hard_limit), (usize::MAX, usize::MAX));
        assert_eq!((server.session.idle_timeout, server.session.heartbeat), (None, None));
        assert_eq!((server.session.frame_timeout, server.session.unresponsive_timeout), (None, None));
        assert!(server.validated().is_ok());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |config: netsys_server_config, text: &str| {
            let error = read_server(config).expect_err("refused");
            assert_eq!(error.code, Code::InvalidArgument);
            assert!(error.message.contains(text), "{error}");
        };
        refused(netsys_server_config { framing: 9, ..server_config() }, "framing is 9");
        refused(netsys_server_config { send_policy: 6, ..server_config() }, "send_policy is 6");
        refused(netsys_server_config { flags: 6, ..server_config() }, "flags is 0x6");
        refused(netsys_server_config { dispatch: 4, ..server_config() }, "dispatch is 4");
        refused(netsys_server_config { dispatch: NETSYS_DISPATCH_EXECUTOR, ..server_config() }, "execute is NULL");
        refused(netsys_server_config { compression: 4, ..server_config() }, "compression is 4");
        refused(netsys_server_config { compression_level: 20, ..server_config() }, "compression_level is 20");
        refused(netsys_server_config { compression_level: 1000, ..server_config() }, "compression_level is 1000");
        refused(netsys_server_config { reserved16: 1, ..server_config() }, "reserved16 is 1");
        refused(netsys_server_config { log_messages: 2, ..server_config() }, "log_messages is 2");
        let exempt_addresses = view("10.0.0.0/8, ten");
        refused(netsys_server_config { exempt_addresses, ..server_config() }, "exempt_addresses: \"ten\"");
        refused(netsys_server_config { struct_size: 0, ..server_config() }, "struct_size is 0");
    }
}
