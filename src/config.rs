//! Settings of servers, clients and contexts, validated in one place, and all of them together as one value that is
//! read from a file.
//!
//! | file | what is in it |
//! |---|---|
//! | [`network_config`] | everything in one value: reading, checking, writing |
//! | `fields` | its keys, a line for each |
//! | `kind` | the types of values, their ranges, and how they are written |
//! | `document`, `toml`, `json` | texts as trees of values that know their place |
//! | `tls` | certificates, keys and what is done with them |
//! | [`fault`] | what is wrong with a configuration |

use std::num::NonZeroU32;
use std::time::Duration;

mod document;
pub mod fault;
mod fields;
mod json;
mod kind;
pub mod network_config;
mod tls;
mod toml;

pub use document::Format;
pub use kind::{OFF, Scalar, UNLIMITED};
pub use network_config::NetworkConfig;
pub use tls::{ClientCertificate, ClientTls, Pem, ServerTls, TlsVersion};

use crate::error::{Code, Error, Result};
use crate::runtime::Dispatch;
use crate::transport::AddressRange;
use crate::transport::compression::{Algorithm, Algorithms};

/// What a longer duration is taken for: for ever, and yet a point in time that can be computed.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The longest id of a server or client, in bytes.
pub const MAX_ID_LEN: usize = 255;

/// How bytes on the wire become messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// A server learns it from a peer's first bytes; a client from its own first send.
    #[default]
    Auto,
    /// The library's own protocol: whole messages.
    Framed,
    /// The bytes as they are.
    Raw,
}

/// What a send does when the session's outgoing queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendPolicy {
    /// Fail with [`Code::WouldBlock`]; one writable event follows.
    #[default]
    WouldBlock,
    /// Wait for room, at most [`SessionConfig::send_timeout`]. On a library thread, where waiting would stop the loop
    /// that makes room, queue up to [`SessionConfig::send_hard_limit`], and past that end the session.
    Wait,
    /// Drop the message that is sent. The send succeeds; the loss is counted.
    DropNewest,
    /// Drop the oldest messages of which no byte was written, until there is room. The send succeeds, the losses are
    /// counted. The message is taken whatever its size, so that the queue holds at most one message more than its
    /// bound.
    DropOldest,
    /// End the session.
    Disconnect,
}

/// How messages are compressed, on framed sessions whose peer does the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, and nobody's compressed messages are taken.
    #[default]
    Off,
    /// By LZ4, or by zstd if the peer has only that.
    Auto,
    /// By LZ4, which takes the least time.
    Lz4,
    /// By zstd, which leaves the fewest bytes.
    Zstd,
}

impl Compression {
    /// The algorithms that a peer is told of.
    pub(crate) fn offered(self) -> Algorithms {
        match self {
            Compression::Off => Algorithms::NONE,
            Compression::Auto => Algorithms::ALL,
            Compression::Lz4 => Algorithm::Lz4.into(),
            Compression::Zstd => Algorithm::Zstd.into(),
        }
    }
}

/// The highest level of zstd; those above it take memory that no message is worth.
pub(crate) const MAX_COMPRESSION_LEVEL: u8 = 19;

/// Settings that every session of a server or client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// How bytes become messages.
    pub framing: Framing,
    /// Where handlers run.
    pub dispatch: Dispatch,
    /// How many bytes of messages may wait for their handler where that runs elsewhere than on the loop. Then reading
    /// stops, and TCP slows the peer down.
    pub receive_queue: usize,
    /// What a full outgoing queue means.
    pub send_policy: SendPolicy,
    /// The largest message that is sent or received, in bytes.
    pub max_message: u32,
    /// The bound of the outgoing queue, in bytes on the wire. An empty queue takes any message.
    pub send_queue: usize,
    /// Its bound in messages; `None`: only bytes count.
    pub send_queue_messages: Option<NonZeroU32>,
    /// The bound of the outgoing queue for sends on library threads under [`SendPolicy::Wait`].
    pub send_hard_limit: usize,
    /// How long a send waits under [`SendPolicy::Wait`].
    pub send_timeout: Duration,
    /// A session that received nothing for this long ends; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// A framed session that received nothing for this long is pinged; three times this without an answer ends it.
    pub heartbeat: Option<Duration>,
    /// How long a frame may take to come whole once it has begun to, in addition to a second for each 240 of its bytes.
    /// `None`: for ever.
    pub frame_timeout: Option<Duration>,
    /// With keep-alive on: a session ends whose peer's host has not acknowledged for this long what was sent to it,
    /// however often. A peer that lives and does not read is not ended by this. `None`: the system's own patience, some
    /// 15 minutes.
    pub unresponsive_timeout: Option<Duration>,
    /// How long a peer may take to say who it is once it has begun to; the handshake of TLS, if there is one, included.
    pub handshake_timeout: Duration,
    /// How long a graceful close may take.
    pub drain: Duration,
    /// TCP keep-alive.
    pub keep_alive: bool,
    /// TCP_NODELAY.
    pub nodelay: bool,
    /// Whether and how messages are compressed where the peer agrees.
    pub compression: Compression,
    /// Shorter messages are not compressed, and no message that would become no shorter by it.
    pub compression_threshold: usize,
    /// How hard zstd tries, 1 to 19. LZ4 has no levels.
    pub compression_level: u8,
    /// The first capacity of the buffer for a frame that has arrived in part.
    pub receive_buffer: usize,
    /// The first capacity of an outgoing buffer that gathers messages; a lone message takes what it needs.
    pub send_buffer: usize,
    /// SO_RCVBUF; `None`: the system's choice.
    pub kernel_receive: Option<usize>,
    /// SO_SNDBUF; `None`: the system's choice.
    pub kernel_send: Option<usize>,
    /// Whether each message that is sent or received is a line of the log, at level info, without what is in it.
    pub log_messages: bool,
}

impl Default for SessionConfig {
    fn default() -> Self {
        SessionConfig {
            framing: Framing::Auto,
            dispatch: Dispatch::Inline,
            receive_queue: 256 * 1024,
            send_policy: SendPolicy::WouldBlock,
            max_message: 1024 * 1024,
            send_queue: 1024 * 1024,
            send_queue_messages: None,
            send_hard_limit: 64 * 1024 * 1024,
            send_timeout: Duration::from_secs(5),
            idle_timeout: None,
            heartbeat: Some(Duration::from_secs(10)),
            frame_timeout: Some(Duration::from_secs(10)),
            unresponsive_timeout: Some(Duration::from_secs(30)),
            handshake_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(5),
            keep_alive: true,
            nodelay: true,
            compression: Compression::Off,
            compression_threshold: 256,
            compression_level: 1,
            receive_buffer: 8192,
            send_buffer: 8192,
            kernel_receive: None,
            kernel_send: None,
            log_messages: false,
        }
    }
}

impl SessionConfig {
    /// How often a silent framed peer is asked for a sign of life.
    pub(crate) fn heartbeat_interval(&self) -> Option<Duration> {
        self.heartbeat.filter(|_| self.keep_alive)
    }

    /// How long a peer's host may leave unacknowledged what was sent.
    pub(crate) fn unresponsive_limit(&self) -> Option<Duration> {
        self.unresponsive_timeout.filter(|_| self.keep_alive)
    }

    fn validate(&mut self) -> Result<()> {
        for duration in [&mut self.send_timeout, &mut self.handshake_timeout, &mut self.drain] {
            *duration = (*duration).min(LONGEST);
        }
        if !(1..=MAX_COMPRESSION_LEVEL).contains(&self.compression_level) {
            let level = self.compression_level;
            let text = format!("compression_level is {level}: give it 1 to {MAX_COMPRESSION_LEVEL}");
            return Err(Error::new(Code::InvalidArgument, text));
        }
        self.check_compression()?;
        self.check_send_limits()
    }

    pub(crate) fn check_compression(&self) -> Result<()> {
        if self.compression != Compression::Off && self.framing == Framing::Raw {
            return Err(Error::new(
                Code::InvalidArgument,
                "compression is on and framing is raw, where bytes travel as they are: use framing framed or auto, or \
                 switch compression off",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_send_limits(&self) -> Result<()> {
        if self.send_hard_limit < self.send_queue {
            return Err(Error::new(
                Code::InvalidArgument,
                format!(
                    "send_hard_limit is {} bytes, less than send_queue with {}: give it at least the same",
                    self.send_hard_limit, self.send_queue
                ),
            ));
        }
        Ok(())
    }
}

/// Settings of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The id that framed peers are told.
    pub server_id: String,
    /// The address or name to listen on.
    pub host: String,
    /// The port; 0: a free one.
    pub port: u16,
    /// The length of the kernel's queue of connections not accepted yet.
    pub backlog: u32,
    /// The most connections at a time.
    pub max_connections: usize,
    /// Over how many loops its sessions are spread. With more than one, the handlers of different sessions run at the
    /// same time.
    pub io_threads: usize,
    /// The most connections of one address at a time; of IPv6, of one /64. `None`: 256, and no limit for loopback.
    /// `usize::MAX`: no limit.
    pub max_connections_per_address: Option<usize>,
    /// How many connections a second one address may make in the long run; 0: as many as it likes.
    pub accept_rate: u32,
    /// How many of them at once, after a rest; 0: as many as in a second.
    pub accept_burst: u32,
    /// Addresses that neither of these holds for.
    pub exempt_addresses: Vec<AddressRange>,
    /// Whether and how its connections are encrypted.
    pub tls: ServerTls,
    /// What its sessions are like.
    pub session: SessionConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            server_id: String::new(),
            host: "0.0.0.0".into(),
            port: 0,
            backlog: 4096,
            max_connections: 1000,
            io_threads: 1,
            max_connections_per_address: None,
            accept_rate: 0,
            accept_burst: 0,
            exempt_addresses: Vec::new(),
            tls: ServerTls::default(),
            session: SessionConfig::default(),
        }
    }
}

impl ServerConfig {
    /// Checks what the types cannot, and bounds durations that no clock could add.
    pub fn validated(mut self) -> Result<Self> {
        validate_id("server_id", &self.server_id)?;
        self.tls.check()?;
        self.session.validate()?;
        Ok(self)
    }
}

/// Settings of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The id that a framed server is told.
    pub client_id: String,
    /// The server's address or name.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// How long resolving, connecting and the hello may take together.
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
            return Err(Error::new(
                Code::InvalidArgument,
                format!(
                    "first_delay is {} ms and max_delay {} ms: give it more than 0, and no more than max_delay",
                    self.first_delay.as_millis(),
                    self.max_delay.as_millis()
                ),
            ));
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
            return Err(Error::new(Code::InvalidArgument, "host is empty: name the server's host or address"));
        }
        if self.port == 0 {
            return Err(Error::new(Code::InvalidArgument, "port is 0: name the server's port, 1 to 65535"));
        }
        self.reconnect.validate()?;
        self.tls.check()?;
        self.session.validate()?;
        Ok(self)
    }
}

/// Settings of a bridge. What the configuration of one of its servers, clients and pools leaves at the default is as
/// these say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeConfig {
    /// Whether it counts and measures what its servers and clients do, for itself and for the process's monitor.
    pub performance_monitoring: bool,
    /// Whether each message is logged as it is sent and received.
    pub message_logging: bool,
    /// Whether there may be pools of connections.
    pub connection_pooling: bool,
    /// The most connections of a pool.
    pub max_connections_per_client: usize,
    /// How long connecting may take.
    pub connection_timeout: Duration,
    /// How long a send waits for room.
    pub message_timeout: Duration,
    /// The first capacity of buffers.
    pub message_buffer: usize,
    /// Whether messages are compressed where peers agree, on sessions that may be framed.
    pub compression: bool,
    /// Whether all connections are encrypted: as the configuration of a server or client says, or else as these do.
    pub encryption: bool,
    /// Its switch is not looked at.
    pub server_tls: ServerTls,
    /// Likewise.
    pub client_tls: ClientTls,
}

impl Default for BridgeConfig {
    fn default() -> Self {
        let (client, session) = (ClientConfig::default(), SessionConfig::default());
        BridgeConfig {
            performance_monitoring: true,
            message_logging: false,
            connection_pooling: true,
            max_connections_per_client: 10,
            connection_timeout: client.connect_timeout,
            message_timeout: session.send_timeout,
            message_buffer: session.receive_buffer,
            compression: false,
            encryption: false,
            server_tls: ServerTls::default(),
            client_tls: ClientTls::default(),
        }
    }
}

impl BridgeConfig {
    /// Checks what the types cannot.
    pub fn validated(self) -> Result<Self> {
        if self.max_connections_per_client == 0 {
            return Err(Error::invalid("max_connections_per_client is 0: a pool needs at least 1 connection"));
        }
        if self.connection_timeout.is_zero() {
            return Err(Error::invalid("connection_timeout is 0: nothing connects in no time"));
        }
        if !self.encryption && (self.server_tls != ServerTls::default() || self.client_tls != ClientTls::default()) {
            return Err(Error::invalid(
                "server_tls or client_tls is given, but encryption is off, so that nothing would be encrypted: switch it \
                 on, or leave them out",
            ));
        }
        Ok(self)
    }

    pub(crate) fn complete_server(&self, mut server: ServerConfig) -> ServerConfig {
        self.complete(&mut server.session);
        if self.encryption && !server.tls.enabled {
            server.tls = ServerTls { enabled: true, ..self.server_tls.clone() };
        }
        server
    }

    /// Whether a server, whose configuration is completed, has a certificate where the bridge encrypts.
    pub(crate) fn check_certificate(&self, server: &ServerConfig) -> Result<()> {
        if self.encryption && !server.tls.certificate.is_some() {
            return Err(Error::invalid(
                "the bridge encrypts all connections, and there is no certificate: set certificate_file and key_file (or \
                 both in memory) in server_tls of the bridge, or in tls of the server",
            ));
        }
        Ok(())
    }

    pub(crate) fn complete_client(&self, mut client: ClientConfig) -> ClientConfig {
        replace_default(&mut client.connect_timeout, ClientConfig::default().connect_timeout, self.connection_timeout);
        self.complete(&mut client.session);
        if self.encryption && !client.tls.enabled {
            client.tls = ClientTls { enabled: true, ..self.client_tls.clone() };
        }
        client
    }

    fn complete(&self, session: &mut SessionConfig) {
        let default = SessionConfig::default();
        session.log_messages |= self.message_logging;
        if self.compression && session.framing != Framing::Raw {
            replace_default(&mut session.compression, default.compression, Compression::Auto);
        }
        replace_default(&mut session.send_timeout, default.send_timeout, self.message_timeout);
        replace_default(&mut session.receive_buffer, default.receive_buffer, self.message_buffer);
        replace_default(&mut session.send_buffer, default.send_buffer, self.message_buffer);
    }
}

fn replace_default<T: PartialEq>(value: &mut T, default: T, other: T) {
    if *value == default {
        *value = other;
    }
}

fn validate_id(what: &str, id: &str) -> Result<()> {
    if id.len() > MAX_ID_LEN {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("{what} has {} bytes: at most {MAX_ID_LEN} fit into the hello", id.len()),
        ));
    }
    Ok(())
}

/// Settings of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextConfig {
    /// The most loops, and so loop threads, that it makes; further servers and clients share them.
    pub max_loops: usize,
    /// How many threads run the handlers that are dispatched to the pool, once there are such; 0: as many as the
    /// machine has processors.
    pub pool_threads: usize,
    /// The beginning of its threads' names.
    pub thread_name_prefix: String,
    /// What all its sessions may hold together in buffers, in bytes. Beyond it, sends meet a full queue, and sessions
    /// in the middle of a message stop reading until there is room.
    pub max_buffered: usize,
}

impl Default for ContextConfig {
    fn default() -> Self {
        ContextConfig {
            max_loops: 64,
            pool_threads: 0,
            thread_name_prefix: "netsys".into(),
            max_buffered: 256 * 1024 * 1024,
        }
    }
}

/// Settings of a pool of threads that runs what an application gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPoolConfig {
    /// The number of threads; 0: one for each processor.
    pub worker_count: usize,
    /// The most tasks that wait; 0: no limit.
    pub queue_capacity: usize,
    /// What the names of its threads begin with.
    pub pool_name: String,
}

impl Default for ThreadPoolConfig {
    fn default() -> Self {
        ThreadPoolConfig { worker_count: 0, queue_capacity: 10_000, pool_name: "network_pool".into() }
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What may be wrong.
    Warn,
    /// What went wrong.
    Error,
    /// What the program cannot go on after.
    Fatal,
}

/// Settings of an application's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggerConfig {
    /// The least level that is logged.
    pub min_level: LogLevel,
    /// Whether lines are written on a thread of their own.
    pub async_logging: bool,
    /// The most lines that wait there.
    pub buffer_size: usize,
    /// The file to log to; empty: the standard streams.
    pub log_file_path: String,
}

impl Default for LoggerConfig {
    fn default() -> Self {
        LoggerConfig { min_level: LogLevel::Info, async_logging: true, buffer_size: 8192, log_file_path: String::new() }
    }
}

/// Settings of the figures that are reported to an application's monitoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoringConfig {
    /// Whether they are reported.
    pub enabled: bool,
    /// The time between two reports.
    pub metrics_interval: Duration,
    /// The label of the figures.
    pub service_name: String,
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        MonitoringConfig {
            enabled: true,
            metrics_interval: Duration::from_secs(5),
            service_name: "network_system".into(),
        }
    }
}
