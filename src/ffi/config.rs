//! The configurations of servers and clients as C gives them.

use std::num::NonZeroU32;
use std::time::Duration;

use super::args::{self, Extensible, millis, narrow, reserved, to_millis};
use super::bridge::netsys_bridge;
use super::executor::{self, netsys_executor};
use super::types::*;
use crate::config::{ClientConfig, Framing, Reconnect, SendPolicy, ServerConfig, SessionConfig};
use crate::error::{Code, Error, Result};
use crate::runtime::Dispatch;
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
    /// How long a peer that has begun to say who it is may take to end, in ms; 0: 5000.
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
    /// 0.
    pub reserved_tail: u32,
    /// The bridge that the server belongs to, whose settings take the place of defaults; 0: none.
    pub bridge: netsys_bridge,
}

/// What a client is like. Host and port are required; the rest may be zero, but for struct_size, and then means the
/// default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_client_config {
    /// sizeof(netsys_client_config).
    pub struct_size: u32,
    /// NETSYS_FRAMING_*; 0, AUTO: the client's first send decides.
    pub framing: u32,
    /// What a framed server is told, at most 255 bytes; may be empty.
    pub client_id: netsys_str,
    /// The server's address or name.
    pub host: netsys_str,
    /// The server's port.
    pub port: u16,
    /// 0.
    pub reserved16: u16,
    /// How long resolving, connecting and, if framed, greeting may take together, in ms; 0: 30000.
    pub connect_timeout_ms: u32,
    /// NETSYS_SEND_*: what a send does when the queue is full.
    pub send_policy: u32,
    /// 0.
    pub reserved32: u32,
    /// As in netsys_server_config.
    pub max_message_bytes: u64,
    /// As in netsys_server_config.
    pub send_queue_bytes: u64,
    /// As in netsys_server_config.
    pub send_hard_limit_bytes: u64,
    /// As in netsys_server_config.
    pub send_timeout_ms: u32,
    /// As in netsys_server_config.
    pub idle_timeout_ms: u32,
    /// As in netsys_server_config.
    pub heartbeat_ms: u32,
    /// As in netsys_server_config.
    pub drain_ms: u32,
    /// As in netsys_server_config.
    pub flags: u32,
    /// As in netsys_server_config.
    pub receive_buffer_bytes: u32,
    /// As in netsys_server_config.
    pub send_buffer_bytes: u32,
    /// As in netsys_server_config.
    pub kernel_receive_bytes: u32,
    /// As in netsys_server_config.
    pub kernel_send_bytes: u32,
    /// As in netsys_server_config.
    pub dispatch: u32,
    /// As in netsys_server_config.
    pub receive_queue_bytes: u64,
    /// As in netsys_server_config.
    pub executor: netsys_executor,
    /// 1: the client connects again when it could not connect, or its connection ended, until it is stopped; 0: its
    /// first connection is its last. Before the n-th attempt in a row, counted from 0, it waits for a random time
    /// between 0 and reconnect_first_ms * 2^n, or reconnect_max_ms if that is less. The count begins anew after a
    /// connection that was open for reconnect_max_ms.
    ///
    /// A framed connection carries messages from when it is open, and what is not begun to be written when it is lost
    /// goes to the next one. An AUTO client keeps to what its first send, or its server, decided. It ends, with
    /// on_stopped, when it is stopped, after reconnect_max_attempts, or if the server speaks another protocol
    /// (NETSYS_ERR_PROTOCOL before it has answered the hello). What was accepted and is not sent by then is told in an
    /// on_error with NETSYS_ERR_SEND_FAILED, and counted in messages_unsent of its figures.
    pub reconnect: u32,
    /// The longest wait before the first attempt, in ms; 0: 100, or reconnect_max_ms if that is less. At most
    /// reconnect_max_ms.
    pub reconnect_first_ms: u32,
    /// The longest wait of all, in ms; 0: 5000, or reconnect_first_ms if that is more. A thousand clients of a server
    /// that is down make about 2000 attempts in this time.
    pub reconnect_max_ms: u32,
    /// After how many attempts in a row that failed the client ends; 0: never.
    pub reconnect_max_attempts: u32,
    /// As in netsys_server_config.
    pub send_queue_messages: u32,
    /// As in netsys_server_config.
    pub frame_timeout_ms: u32,
    /// As in netsys_server_config.
    pub unresponsive_timeout_ms: u32,
    /// As in netsys_server_config.
    pub log_messages: u32,
    /// The bridge that the client belongs to, whose settings take the place of defaults; 0: none.
    pub bridge: netsys_bridge,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers, views, pointers and functions (`Option`) may
// all be zero.
unsafe impl Extensible for netsys_server_config {}
// SAFETY: as above.
unsafe impl Extensible for netsys_client_config {}

/// The value, unless it is 0.
fn set<T: Default + PartialEq>(value: T) -> Option<T> {
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

/// A number of connections.
pub(super) fn max_connections(count: u32) -> usize {
    if count == NETSYS_UNLIMITED_U32 { usize::MAX } else { count as usize }
}

/// What servers and clients have in common. The rest of the fields keep their defaults.
macro_rules! session_config {
    ($c:expr) => {{
        let (c, default) = ($c, SessionConfig::default());
        // First, so that the executor is released whatever else is wrong.
        let dispatch = executor::dispatch(c.dispatch, c.executor)?;
        if c.flags & !(NETSYS_FLAG_NO_KEEP_ALIVE | NETSYS_FLAG_NO_NODELAY) != 0 {
            return Err(Error::new(
                Code::InvalidArgument,
                format!("flags is {:#x}: use NETSYS_FLAG_NO_KEEP_ALIVE (1) and _NO_NODELAY (2) only", c.flags),
            ));
        }
        let send_queue = set(c.send_queue_bytes).map_or(default.send_queue, size);
        let send_hard_limit = match c.send_hard_limit_bytes {
            0 => default.send_hard_limit.max(send_queue),
            bytes => size(bytes),
        };
        SessionConfig {
            framing: args::framing(c.framing)?,
            dispatch,
            receive_queue: set(c.receive_queue_bytes).map_or(default.receive_queue, size),
            send_policy: args::send_policy(c.send_policy)?,
            max_message: set(c.max_message_bytes).map_or(default.max_message, max_message),
            send_queue,
            send_queue_messages: NonZeroU32::new(c.send_queue_messages),
            send_hard_limit,
            send_timeout: or_millis(c.send_timeout_ms, default.send_timeout),
            idle_timeout: set(c.idle_timeout_ms).and_then(args::timeout),
            heartbeat: set(c.heartbeat_ms).map_or(default.heartbeat, args::timeout),
            frame_timeout: set(c.frame_timeout_ms).map_or(default.frame_timeout, args::timeout),
            unresponsive_timeout: set(c.unresponsive_timeout_ms).map_or(default.unresponsive_timeout, args::timeout),
            drain: or_millis(c.drain_ms, default.drain),
            keep_alive: c.flags & NETSYS_FLAG_NO_KEEP_ALIVE == 0,
            nodelay: c.flags & NETSYS_FLAG_NO_NODELAY == 0,
            receive_buffer: set(c.receive_buffer_bytes).map_or(default.receive_buffer, |bytes| bytes as usize),
            send_buffer: set(c.send_buffer_bytes).map_or(default.send_buffer, |bytes| bytes as usize),
            kernel_receive: set(c.kernel_receive_bytes).map(|bytes| bytes as usize),
            kernel_send: set(c.kernel_send_bytes).map(|bytes| bytes as usize),
            log_messages: args::switch(c.log_messages, "log_messages")?,
            ..default
        }
    }};
}

fn or_millis(ms: u32, default: Duration) -> Duration {
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

/// # Safety
/// `config` is NULL or points to a struct as long as its own struct_size says, with views that are valid.
pub(super) unsafe fn server(config: *const netsys_server_config) -> Result<Bridged<ServerConfig>> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    let mut session = session_config!(&c);
    reserved(c.reserved16.into(), "config: reserved16")?;
    reserved(c.reserved_tail, "config: reserved_tail")?;
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
            .map_err(|error: Error| args::invalid(format!("exempt_addresses: {error}")))?,
        session,
    };
    Ok(Bridged { config, bridge: c.bridge })
}

/// # Safety
/// As for `server`.
pub(super) unsafe fn client(config: *const netsys_client_config) -> Result<Bridged<ClientConfig>> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    let session = session_config!(&c);
    reserved(c.reserved16.into(), "config: reserved16")?;
    reserved(c.reserved32, "config: reserved32")?;
    // SAFETY: by the contract of this function.
    let (client_id, host) = unsafe { (args::text(c.client_id, "client_id")?, args::text(c.host, "host")?) };
    let config = ClientConfig {
        client_id: client_id.to_owned(),
        host: host.to_owned(),
        port: c.port,
        connect_timeout: or_millis(c.connect_timeout_ms, ClientConfig::default().connect_timeout),
        reconnect: reconnect(&c)?,
        session,
    };
    Ok(Bridged { config, bridge: c.bridge })
}

/// Whether and how a client connects again.
fn reconnect(c: &netsys_client_config) -> Result<Reconnect> {
    let fields = [
        ("reconnect_first_ms", c.reconnect_first_ms),
        ("reconnect_max_ms", c.reconnect_max_ms),
        ("reconnect_max_attempts", c.reconnect_max_attempts),
    ];
    match (c.reconnect, fields.into_iter().find(|(_, value)| *value != 0)) {
        (0, None) => Ok(Reconnect::default()),
        (0, Some((name, value))) => Err(Error::new(
            Code::InvalidArgument,
            format!("{name} is {value}, but reconnect is 0: set reconnect to 1, or the rest to 0 too"),
        )),
        (1, _) => {
            let default = Reconnect::default();
            let first = set(c.reconnect_first_ms).map(millis);
            let max = set(c.reconnect_max_ms).map(millis);
            let max_delay = max.unwrap_or(default.max_delay.max(first.unwrap_or_default()));
            Ok(Reconnect {
                enabled: true,
                first_delay: first.unwrap_or(default.first_delay.min(max_delay)),
                max_delay,
                max_attempts: NonZeroU32::new(c.reconnect_max_attempts),
            })
        }
        (other, _) => Err(Error::new(Code::InvalidArgument, format!("reconnect is {other}: use 0 or 1"))),
    }
}

/// Fills in what servers and clients have in common: the opposite of `session_config!`.
macro_rules! fill_session {
    ($to:ident, $session:expr) => {
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
            receive_buffer,
            send_buffer,
            kernel_receive,
            kernel_send,
            log_messages,
        } = $session;
        $to.framing = match framing {
            Framing::Auto => NETSYS_FRAMING_AUTO,
            Framing::Framed => NETSYS_FRAMING_FRAMED,
            Framing::Raw => NETSYS_FRAMING_RAW,
        };
        $to.dispatch = match dispatch {
            Dispatch::Inline => NETSYS_DISPATCH_INLINE,
            Dispatch::Pool => NETSYS_DISPATCH_POOL,
            Dispatch::Manual => NETSYS_DISPATCH_MANUAL,
            Dispatch::Executor(_) => NETSYS_DISPATCH_EXECUTOR, // which only the program can give
        };
        $to.receive_queue_bytes = *receive_queue as u64;
        $to.send_policy = match send_policy {
            SendPolicy::WouldBlock => NETSYS_SEND_WOULD_BLOCK,
            SendPolicy::Wait => NETSYS_SEND_WAIT,
            SendPolicy::DropNewest => NETSYS_SEND_DROP_NEWEST,
            SendPolicy::DropOldest => NETSYS_SEND_DROP_OLDEST,
            SendPolicy::Disconnect => NETSYS_SEND_DISCONNECT,
        };
        $to.max_message_bytes = (*max_message).into();
        $to.send_queue_bytes = *send_queue as u64;
        $to.send_queue_messages = send_queue_messages.map_or(0, NonZeroU32::get);
        $to.send_hard_limit_bytes = *send_hard_limit as u64;
        $to.send_timeout_ms = to_millis(*send_timeout);
        $to.idle_timeout_ms = idle_timeout.map_or(0, to_millis);
        $to.heartbeat_ms = heartbeat.map_or(NETSYS_INFINITE, to_millis);
        $to.frame_timeout_ms = frame_timeout.map_or(NETSYS_INFINITE, to_millis);
        $to.unresponsive_timeout_ms = unresponsive_timeout.map_or(NETSYS_INFINITE, to_millis);
        $to.drain_ms = to_millis(*drain);
        $to.flags =
            if *keep_alive { 0 } else { NETSYS_FLAG_NO_KEEP_ALIVE } | if *nodelay { 0 } else { NETSYS_FLAG_NO_NODELAY };
        $to.receive_buffer_bytes = narrow(*receive_buffer);
        $to.send_buffer_bytes = narrow(*send_buffer);
        $to.kernel_receive_bytes = kernel_receive.map_or(0, narrow);
        $to.kernel_send_bytes = kernel_send.map_or(0, narrow);
        $to.log_messages = (*log_messages).into();
    };
}

/// The configuration as C has it, with views of its strings and of `exempt`, which is its `exempt_addresses` as text.
pub(super) fn to_server(config: &ServerConfig, exempt: &str) -> netsys_server_config {
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
        session,
    } = config;
    // SAFETY: all zero is a value of this struct.
    let mut c: netsys_server_config = unsafe { std::mem::zeroed() };
    fill_session!(c, session);
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
    c.handshake_timeout_ms = to_millis(session.handshake_timeout);
    c
}

/// The configuration as C has it, with views of its strings.
pub(super) fn to_client(config: &ClientConfig) -> netsys_client_config {
    let ClientConfig { client_id, host, port, connect_timeout, reconnect, session } = config;
    // SAFETY: all zero is a value of this struct.
    let mut c: netsys_client_config = unsafe { std::mem::zeroed() };
    fill_session!(c, session);
    c.client_id = args::view(client_id);
    c.host = args::view(host);
    c.port = *port;
    c.connect_timeout_ms = to_millis(*connect_timeout);
    // C refuses a delay without `reconnect`, where it would mean nothing.
    if reconnect.enabled {
        c.reconnect = 1;
        c.reconnect_first_ms = to_millis(reconnect.first_delay);
        c.reconnect_max_ms = to_millis(reconnect.max_delay);
        c.reconnect_max_attempts = reconnect.max_attempts.map_or(0, NonZeroU32::get);
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::args::view;

    fn server_config() -> netsys_server_config {
        // SAFETY: all zero is a value of this struct.
        netsys_server_config { struct_size: size_of::<netsys_server_config>() as u32, ..unsafe { std::mem::zeroed() } }
    }

    fn client_config() -> netsys_client_config {
        // SAFETY: all zero is a value of this struct.
        netsys_client_config { struct_size: size_of::<netsys_client_config>() as u32, ..unsafe { std::mem::zeroed() } }
    }

    fn read_server(config: netsys_server_config) -> Result<ServerConfig> {
        // SAFETY: a whole struct with views of static text.
        unsafe { server(&raw const config) }.map(|read| read.config)
    }

    /// What becomes of a configuration that was given to C and comes back.
    fn read_again(server: &ServerConfig) -> Result<ServerConfig> {
        let exempt = AddressRange::text(&server.exempt_addresses);
        read_server(netsys_server_config { struct_size: server_config().struct_size, ..to_server(server, &exempt) })
    }

    fn read_client_again(client: &ClientConfig) -> Result<ClientConfig> {
        read_client(netsys_client_config { struct_size: client_config().struct_size, ..to_client(client) })
    }

    fn read_client(config: netsys_client_config) -> Result<ClientConfig> {
        // SAFETY: a whole struct with views of static text.
        unsafe { client(&raw const config) }.map(|read| read.config)
    }

    #[test]
    fn zero_means_the_default() {
        let server = read_server(server_config()).expect("defaults are valid");
        assert_eq!(format!("{server:?}"), format!("{:?}", ServerConfig::default()));
        let client = read_client(client_config()).expect("the core asks for the host");
        assert_eq!(format!("{client:?}"), format!("{:?}", ClientConfig::default()));
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
            receive_buffer: 17,
            send_buffer: 18,
            kernel_receive: Some(19),
            kernel_send: Some(20),
            log_messages: true,
        };
        assert_eq!(format!("{session:?}"), format!("{expected:?}"));
    }

    #[test]
    fn every_field_of_a_client_arrives() {
        let config = netsys_client_config {
            framing: NETSYS_FRAMING_FRAMED,
            client_id: view("me"),
            host: view("localhost"),
            port: 82,
            connect_timeout_ms: 6,
            send_policy: NETSYS_SEND_WOULD_BLOCK,
            drain_ms: 16,
            kernel_send_bytes: 20,
            log_messages: 1,
            ..client_config()
        };
        let client = read_client(config).expect("valid");
        assert_eq!(read_client_again(&client), Ok(client.clone()));
        assert_eq!((client.client_id.as_str(), client.host.as_str(), client.port), ("me", "localhost", 82));
        assert_eq!(client.connect_timeout, Duration::from_millis(6));
        assert_eq!((client.session.framing, client.session.drain), (Framing::Framed, Duration::from_millis(16)));
        assert_eq!((client.session.kernel_send, client.session.log_messages), (Some(20), true));
        assert_eq!(client.reconnect, Reconnect::default());
    }

    #[test]
    fn a_client_connects_again_only_if_it_is_told_to() {
        let defaults = read_client(netsys_client_config { reconnect: 1, ..client_config() }).expect("valid");
        assert_eq!(defaults.reconnect, Reconnect { enabled: true, ..Reconnect::default() });
        let config = netsys_client_config {
            reconnect: 1,
            reconnect_first_ms: 2,
            reconnect_max_ms: 3,
            reconnect_max_attempts: 4,
            ..client_config()
        };
        let expected = Reconnect {
            enabled: true,
            first_delay: Duration::from_millis(2),
            max_delay: Duration::from_millis(3),
            max_attempts: NonZeroU32::new(4),
        };
        let client = read_client(config).expect("valid");
        assert_eq!(client.reconnect, expected);
        assert_eq!(read_client_again(&client), Ok(client));
        let shorter = netsys_client_config { reconnect: 1, reconnect_max_ms: 3, ..client_config() };
        let shorter = read_client(shorter).expect("valid").reconnect;
        assert_eq!(shorter.first_delay, shorter.max_delay);
        let longer = netsys_client_config { reconnect: 1, reconnect_first_ms: 9000, ..client_config() };
        let longer = read_client(longer).expect("valid").reconnect;
        assert_eq!(longer.first_delay, longer.max_delay);
        // A struct of the version before has no such fields.
        let older = netsys_client_config { struct_size: 120, ..config };
        assert_eq!(read_client(older).expect("valid").reconnect, Reconnect::default());
        let refused = |config, text: &str| {
            let error = read_client(config).expect_err("refused");
            assert!(error.code == Code::InvalidArgument && error.message.contains(text), "{error}");
        };
        refused(netsys_client_config { reconnect: 2, ..client_config() }, "reconnect is 2");
        refused(netsys_client_config { reconnect: 0, ..config }, "reconnect_first_ms is 2");
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
        refused(netsys_server_config { reserved16: 1, ..server_config() }, "reserved16 is 1");
        refused(netsys_server_config { log_messages: 2, ..server_config() }, "log_messages is 2");
        let exempt_addresses = view("10.0.0.0/8, ten");
        refused(netsys_server_config { exempt_addresses, ..server_config() }, "exempt_addresses: \"ten\"");
        refused(netsys_server_config { struct_size: 0, ..server_config() }, "struct_size is 0");
    }
}
