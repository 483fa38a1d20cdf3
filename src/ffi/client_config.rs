//! The configuration of a client as C gives it.

use std::num::NonZeroU32;

use super::args::{self, Extensible, millis, reserved, to_millis};
use super::bridge::netsys_bridge;
use super::executor::netsys_executor;
use super::session_config::{Bridged, SessionFields, or_millis, set};
use super::tls_config::{self, netsys_tls_config};
use super::types::*;
use crate::config::{ClientConfig, Reconnect};
use crate::error::{Error, Result};

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
    /// How long resolving, connecting, the handshake of TLS and, if framed, greeting may take together, in ms; 0: 30000.
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
    /// As in netsys_server_config.
    pub compression: u32,
    /// As in netsys_server_config.
    pub compression_threshold_bytes: u32,
    /// As in netsys_server_config.
    pub compression_level: u32,
    /// 0.
    pub reserved_tail: u32,
    /// The bridge that the client belongs to, whose settings take the place of defaults; 0: none.
    pub bridge: netsys_bridge,
    /// How connections are encrypted; NULL: not at all.
    pub tls: *const netsys_tls_config,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers, views, pointers and functions (`Option`) may
// all be zero.
unsafe impl Extensible for netsys_client_config {}

/// # Safety
/// As for `server`.
pub(super) unsafe fn client(config: *const netsys_client_config) -> Result<Bridged<ClientConfig>> {
    // SAFETY: by the contract of this function.
    let c = unsafe { args::read_struct(config, "config") }?;
    let session = c.session()?;
    reserved(c.reserved16.into(), "config: reserved16")?;
    reserved(c.reserved32, "config: reserved32")?;
    reserved(c.reserved_tail, "config: reserved_tail")?;
    // SAFETY: by the contract of this function.
    let (client_id, host) = unsafe { (args::text(c.client_id, "client_id")?, args::text(c.host, "host")?) };
    let config = ClientConfig {
        client_id: client_id.to_owned(),
        host: host.to_owned(),
        port: c.port,
        connect_timeout: or_millis(c.connect_timeout_ms, ClientConfig::default().connect_timeout),
        reconnect: reconnect(&c)?,
        // SAFETY: by the contract of this function.
        tls: unsafe { tls_config::client(c.tls) }?,
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
        (0, Some((name, value))) => Err(Error::invalid(format!(
            "{name} is {value}, but reconnect is 0: set reconnect to 1, or the rest to 0 too"
        ))),
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
        (other, _) => Err(Error::invalid(format!("reconnect is {other}: use 0 or 1"))),
    }
}

/// The configuration as C has it, with views of its strings, and with `tls`, which is its `tls`.
pub(super) fn to_client(config: &ClientConfig, tls: *const netsys_tls_config) -> netsys_client_config {
    let ClientConfig { client_id, host, port, connect_timeout, reconnect, tls: _, session } = config;
    // SAFETY: all zero is a value of this struct.
    let mut c: netsys_client_config = unsafe { std::mem::zeroed() };
    c.fill(session);
    c.client_id = args::view(client_id);
    c.host = args::view(host);
    c.port = *port;
    c.connect_timeout_ms = to_millis(*connect_timeout);
    c.tls = tls;
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
    use std::time::Duration;

    use super::*;
    use crate::config::{Compression, Framing};
    use crate::error::Code;
    use crate::ffi::args::view;

    fn client_config() -> netsys_client_config {
        // SAFETY: all zero is a value of this struct.
        netsys_client_config { struct_size: size_of::<netsys_client_config>() as u32, ..unsafe { std::mem::zeroed() } }
    }

    fn read_client_again(client: &ClientConfig) -> Result<ClientConfig> {
        read_client(netsys_client_config {
            struct_size: client_config().struct_size,
            ..to_client(client, std::ptr::null())
        })
    }

    fn read_client(config: netsys_client_config) -> Result<ClientConfig> {
        // SAFETY: a whole struct with views of static text.
        unsafe { client(&raw const config) }.map(|read| read.config)
    }

    #[test]
    fn zero_means_the_default() {
        let client = read_client(client_config()).expect("the core asks for the host");
        assert_eq!(format!("{client:?}"), format!("{:?}", ClientConfig::default()));
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
            compression: NETSYS_COMPRESSION_LZ4,
            compression_threshold_bytes: 34,
            ..client_config()
        };
        let client = read_client(config).expect("valid");
        assert_eq!(read_client_again(&client), Ok(client.clone()));
        assert_eq!((client.client_id.as_str(), client.host.as_str(), client.port), ("me", "localhost", 82));
        assert_eq!(client.connect_timeout, Duration::from_millis(6));
        assert_eq!((client.session.framing, client.session.drain), (Framing::Framed, Duration::from_millis(16)));
        assert_eq!((client.session.kernel_send, client.session.log_messages), (Some(20), true));
        assert_eq!((client.session.compression, client.session.compression_threshold), (Compression::Lz4, 34));
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
}
