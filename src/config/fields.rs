//! The keys of the configuration, each in one line: its name, the field it stands for, what it takes, what it means.
//!
//! Reading, writing, checking and the documented example file are all made of this table. A section is a call of
//! `fields!`, in which a field of the struct that has no line is a compile error.

use std::sync::LazyLock;

use super::kind::{Kind, Scalar, UNLIMITED};
use super::network_config::NetworkConfig;
use super::stored::*;
use super::tls::MAX_ALPN;
use super::{
    BridgeConfig, ClientCertificate, ClientConfig, ClientTls, Compression, ContextConfig, Framing, LogConfig, LogLevel,
    LoggerConfig, MAX_BUSY_POLL_US, MAX_COMPRESSION_LEVEL, MonitoringConfig, Reconnect, SendPolicy, ServerConfig,
    ServerTls, SessionConfig, ThreadPoolConfig, TlsVersion,
};
use crate::runtime::Dispatch;

/// A key.
pub(super) struct Field {
    /// A path: "client", or the section in it, "client.reconnect".
    pub section: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub meaning: &'static str,
    pub get: fn(&NetworkConfig) -> Scalar,
    pub set: fn(&mut NetworkConfig, Scalar),
}

impl Field {
    /// "server.timeout"
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// All keys, those of a section together.
pub(super) static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(all);

/// The key that is written so: "server.timeout".
pub(super) fn find(path: &str) -> Option<&'static Field> {
    let (section, name) = path.rsplit_once('.')?;
    FIELDS.iter().find(|field| field.section == section && field.name == name)
}

const GIB: i64 = 1 << 30;
const TIB: i64 = 1 << 40;

const MEMORY: Kind = Kind::Or(&const { Kind::size(1, TIB) }, &[("unlimited", UNLIMITED)]);
const PER_ADDRESS: Kind =
    Kind::Or(&const { Kind::count(1, u32::MAX as i64 - 1) }, &[("default", 0), ("unlimited", UNLIMITED)]);
const NAME: Kind = Kind::Text { max: 255 };
const PATH: Kind = Kind::Text { max: 4095 };
const ALPN: Kind = Kind::Text { max: MAX_ALPN };
const COUNT: Kind = Kind::count(0, u32::MAX as i64);

/// The place in the configuration that a path in parentheses names.
macro_rules! place {
    ($config:ident, ($($path:ident).+)) => { $config.$($path).+ };
}

/// Adds the keys of one struct to `$fields`. What is `besides` has no key here. `via` names another way to store the
/// value than that of its type.
macro_rules! fields {
    ($fields:ident, $section:literal, $type:ident at $at:tt, besides ($($besides:ident),*);
     $($name:literal = $field:ident $(via $codec:ident)?: $kind:expr, $meaning:literal;)*) => {
        let _ = |config: &$type| { let $type { $($field: _,)* $($besides: _,)* } = config; };
        $fields.extend([$(
            Field {
                section: $section,
                name: $name,
                kind: $kind,
                meaning: $meaning,
                get: |config| fields!(@get place!(config, $at).$field $(, $codec)?),
                set: |config, value| place!(config, $at).$field = fields!(@set value $(, $codec)?),
            },
        )*]);
    };
    (@get $value:expr) => { Stored::get(&$value) };
    (@get $value:expr, $codec:ident) => { $codec::get(&$value) };
    (@set $value:expr) => { Stored::set($value) };
    (@set $value:expr, $codec:ident) => { $codec::set($value) };
}

/// Adds the keys that the sessions of servers and clients have in common.
macro_rules! session_fields {
    ($fields:ident, $section:literal, $at:tt, timeout: $timeout:expr, besides ($($besides:ident),*); $($more:tt)*) => {
        fields! {
            $fields, $section, SessionConfig at $at, besides ($($besides),*);
            "message_size_limit" = max_message via unlimited: Kind::size(0, u32::MAX as i64),
                "The largest message; 0: as large as a frame can be, 4 GiB - 1";
            "framing" = framing: Kind::words::<Framing>(), "Whole messages, the bytes as they are, or by what comes first";
            "dispatch" = dispatch: Kind::words::<Dispatch>(), "Where handlers run; an executor can only be given by the program";
            "receive_queue_limit" = receive_queue: Kind::size(1, TIB),
                "The bytes of a session that may wait for handlers which do not run inline";
            "timeout" = idle_timeout: $timeout, "A session that received nothing for so long ends; 0: never";
            "heartbeat_interval" = heartbeat via or_off: Kind::TIME_OR_OFF,
                "A framed session that received nothing for so long asks for a sign of life";
            "frame_timeout" = frame_timeout via or_off: Kind::TIME_OR_OFF,
                "How long a frame may take to come whole, in addition to a second for each 240 bytes";
            "unresponsive_timeout" = unresponsive_timeout via or_off: Kind::TIME_OR_OFF,
                "With keep-alive: a session ends whose peer's host acknowledged nothing for so long";
            "enable_keep_alive" = keep_alive: Kind::Switch,
                "TCP keep-alive; false switches heartbeats and unresponsive_timeout off, too";
            "enable_nodelay" = nodelay: Kind::Switch, "TCP_NODELAY";
            "policy" = send_policy: Kind::words::<SendPolicy>(), "What a send does when the session's queue is full";
            "message_timeout" = send_timeout: Kind::TIME, "How long a send waits for room in the queue";
            "send_queue_limit" = send_queue: Kind::size(1, TIB), "The bytes in a session's queue at which it is full";
            "send_queue_messages" = send_queue_messages: COUNT,
                "The messages at which it is full, too; 0: only bytes count";
            "send_hard_limit" = send_hard_limit: Kind::size(1, TIB),
                "The bytes that sends inside handlers may queue; at least send_queue_limit";
            "drain_timeout" = drain: Kind::TIME, "How long a close may take to deliver what is queued";
            "compression" = compression: Kind::words::<Compression>(),
                "Whether and how messages are compressed, on framed sessions whose peer does the same";
            "compression_threshold" = compression_threshold: Kind::size(1, GIB),
                "Shorter messages are not compressed";
            "compression_level" = compression_level: Kind::count(1, MAX_COMPRESSION_LEVEL as i64),
                "How hard zstd tries; lz4 has no levels";
            "receive_buffer_size" = receive_buffer: Kind::size(1, GIB), "The first capacity of a receive buffer";
            "send_buffer_size" = send_buffer: Kind::size(1, GIB), "The first capacity of a send buffer";
            "kernel_receive_buffer_size" = kernel_receive: Kind::size(0, GIB), "SO_RCVBUF; 0: the system's choice";
            "kernel_send_buffer_size" = kernel_send: Kind::size(0, GIB), "SO_SNDBUF; 0: the system's choice";
            "log_messages" = log_messages: Kind::Switch,
                "Whether each message is logged, at level info: who, what kind and how long, not what is in it";
            $($more)*
        }
    };
}

fn all() -> Vec<Field> {
    let mut fields = Vec::new();
    fields! {
        fields, "context", ContextConfig at (context), besides ();
        "max_loops" = max_loops: Kind::count(1, 4096), "The most loop threads; further servers and clients share them";
        "pool_threads" = pool_threads: Kind::count(0, 4096),
            "The threads of the pool that handlers are dispatched to; 0: one for each processor";
        "busy_poll_us" = busy_poll_us: Kind::count(0, MAX_BUSY_POLL_US as i64),
            "For how many microseconds a loop asks for events, on a whole processor, before it sleeps; 0: it sleeps at once";
        "thread_name_prefix" = thread_name_prefix: Kind::Text { max: 64 }, "What the names of the threads begin with";
        "max_buffered" = max_buffered via or_unlimited: MEMORY,
            "The bytes that all sessions may hold together in buffers";
    }
    fields! {
        fields, "context", LogConfig at (log), besides ();
        "log_filter" = filter: Kind::Text { max: 1023 },
            "The library's own lines, by target: 'warn,network_system::session=debug'; empty: by logger.min_level";
        "log_to_stderr" = to_stderr: Kind::Switch, "Whether these go to the standard error stream, too";
    }
    fields! {
        fields, "server", ServerConfig at (server), besides (session, tls);
        "server_id" = server_id: NAME, "What framed peers are told";
        "bind_address" = host: NAME, "The address or name to listen on";
        "port" = port: Kind::count(0, 65535), "The port to listen on; 0: a free one";
        "backlog" = backlog: Kind::count(1, i32::MAX as i64), "Connections that the system holds to be accepted";
        "max_connections" = max_connections via unlimited: Kind::count(0, u32::MAX as i64 - 1),
            "The most connections at a time; 0: no limit";
        "max_connections_per_address" = max_connections_per_address via or_rule: PER_ADDRESS,
            "The most connections of one address, of IPv6 of one /64; default: 256, and no limit for loopback";
        "accept_rate" = accept_rate: COUNT, "The connections a second that an address may make; 0: no limit";
        "accept_burst" = accept_burst: COUNT, "How many of them at once, after a rest; 0: as many as in a second";
        "exempt_addresses" = exempt_addresses: Kind::Ranges,
            "Addresses that these limits of an address do not hold for";
        "io_threads" = io_threads: Kind::count(1, 4096),
            "The threads that sessions are spread over; their handlers overlap";
    }
    session_fields! {
        fields, "server", (server.session), timeout: Kind::TIME_OR_ZERO.in_seconds(), besides ();
        "handshake_timeout" = handshake_timeout: Kind::TIME,
            "How long a peer may take to agree on TLS and, framed, to say who it is";
    }
    fields! {
        fields, "server.tls", ServerTls at (server.tls), besides ();
        "enabled" = enabled: Kind::Switch, "Whether the server's connections are encrypted";
        "certificate_file" = certificate: PATH, "The server's certificate as PEM, followed by its issuers'";
        "key_file" = key: PATH, "The private key of the certificate as PEM, not encrypted";
        "client_certificate" = client_certificate: Kind::words::<ClientCertificate>(), "Whether clients show a certificate";
        "client_ca_file" = client_ca: PATH, "The issuers of clients' certificates as PEM";
        "crl_file" = crl: PATH, "Lists of clients' certificates that are revoked, as PEM; empty: none are";
        "min_version" = min_version: Kind::words::<TlsVersion>(), "The least version that is spoken";
        "alpn" = alpn via alpn: ALPN, "The application protocols, the preferred first, with commas; empty: any";
        "session_resumption" = session_resumption: Kind::Switch,
            "Whether clients that come again may leave out most of the handshake";
    }
    fields! {
        fields, "client", ClientConfig at (client), besides (session, reconnect, tls);
        "client_id" = client_id: NAME, "What a framed server is told";
        "host" = host: NAME, "The server's address or name";
        "port" = port: Kind::count(0, 65535), "The server's port";
        "connection_timeout" = connect_timeout: Kind::TIME, "How long resolving, connecting, agreeing on TLS and greeting may take";
    }
    session_fields! {
        fields, "client", (client.session), timeout: Kind::TIME_OR_ZERO, besides (handshake_timeout);
    }
    fields! {
        fields, "client.reconnect", Reconnect at (client.reconnect), besides ();
        "enabled" = enabled: Kind::Switch, "Whether the client connects again after it could not, or was disconnected";
        "first_delay" = first_delay: Kind::TIME, "The longest wait before the first attempt; it doubles with each";
        "max_delay" = max_delay: Kind::TIME, "The longest wait of all; at least first_delay";
        "max_attempts" = max_attempts: COUNT, "After how many failures in a row the client ends; 0: never";
    }
    fields! {
        fields, "client.tls", ClientTls at (client.tls), besides ();
        "enabled" = enabled: Kind::Switch, "Whether the client's connections are encrypted";
        "ca_file" = ca: PATH, "The issuers of servers' certificates that are trusted, as PEM; empty: the system's";
        "certificate_file" = certificate: PATH, "The client's own certificate as PEM, followed by its issuers'";
        "key_file" = key: PATH, "The private key of that certificate as PEM, not encrypted";
        "crl_file" = crl: PATH, "Lists of servers' certificates that are revoked, as PEM; empty: none are";
        "server_name" = server_name: NAME, "The name that the server's certificate has to be for; empty: the host";
        "sni" = sni: Kind::Switch, "Whether the server is told that name before it shows a certificate";
        "min_version" = min_version: Kind::words::<TlsVersion>(), "The least version that is spoken";
        "alpn" = alpn via alpn: ALPN, "The application protocols, the preferred first, with commas; empty: none";
        "session_resumption" = session_resumption: Kind::Switch,
            "Whether most of the handshake is left out when the client connects again";
        "dangerously_disable_verification" = dangerously_disable_verification: Kind::Switch,
            "Takes anybody for the server: then whoever is in between can read and change everything";
    }
    fields! {
        fields, "bridge", BridgeConfig at (bridge), besides (server_tls, client_tls);
        "enable_performance_monitoring" = performance_monitoring: Kind::Switch,
            "Whether it counts and measures what its servers and clients do";
        "enable_message_logging" = message_logging: Kind::Switch,
            "Whether each message is logged as it is sent and received, without its content";
        "enable_connection_pooling" = connection_pooling: Kind::Switch, "Whether there may be pools of connections";
        "max_connections_per_client" = max_connections_per_client: Kind::count(1, u32::MAX as i64),
            "The most connections of a pool";
        "connection_timeout" = connection_timeout: Kind::TIME, "How long connecting may take";
        "message_timeout" = message_timeout: Kind::TIME, "How long a send waits for room in the queue";
        "message_buffer_size" = message_buffer: Kind::size(1, GIB),
            "The first capacity of a session's buffers";
        "enable_compression" = compression: Kind::Switch, "Whether messages are compressed where peers agree";
        "enable_encryption" = encryption: Kind::Switch,
            "Whether all its connections are encrypted, as server.tls and client.tls say";
    }
    fields! {
        fields, "thread_pool", ThreadPoolConfig at (thread_pool), besides ();
        "worker_count" = worker_count: Kind::count(0, 1024), "The number of threads; 0: one for each processor";
        "queue_capacity" = queue_capacity: Kind::count(0, i32::MAX as i64), "The most tasks that wait; 0: no limit";
        "pool_name" = pool_name: NAME, "What the names of its threads begin with";
    }
    fields! {
        fields, "logger", LoggerConfig at (logger), besides ();
        "min_level" = min_level: Kind::words::<LogLevel>(), "The least level that is logged";
        "async_logging" = async_logging: Kind::Switch, "Whether lines are written on a thread of their own";
        "buffer_size" = buffer_size: Kind::count(1, i32::MAX as i64), "The most lines that wait there";
        "log_file_path" = log_file_path: Kind::Text { max: 4095 }, "The file to log to; empty: the standard streams";
    }
    fields! {
        fields, "monitoring", MonitoringConfig at (monitoring), besides ();
        "enabled" = enabled: Kind::Switch, "Whether figures are reported to the program's monitoring";
        "metrics_interval" = metrics_interval: Kind::TIME.in_seconds(), "The time between two reports";
        "service_name" = service_name: NAME, "The label of the figures";
    }
    fields
}
