//! Settings of a bridge, and what they make of those of its servers and clients.

use std::time::Duration;

use super::{ClientConfig, ClientTls, Compression, Framing, ServerConfig, ServerTls, SessionConfig};
use crate::error::{Error, Result};

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
        self.check_encryption()?;
        Ok(self)
    }

    pub(crate) fn check_encryption(&self) -> Result<()> {
        if !self.encryption && (self.server_tls != ServerTls::default() || self.client_tls != ClientTls::default()) {
            return Err(Error::invalid(
                "server_tls or client_tls is given, but encryption is off, so that nothing would be encrypted: switch it \
                 on, or leave them out",
            ));
        }
        Ok(())
    }

    /// The configuration of a server with these settings in the place of defaults. Fails for one that has settings of
    /// TLS without the switch.
    pub(crate) fn complete_server(&self, mut server: ServerConfig) -> Result<ServerConfig> {
        server.tls.check_switch()?;
        self.complete(&mut server.session);
        if self.encryption && !server.tls.enabled {
            server.tls = ServerTls { enabled: true, ..self.server_tls.clone() };
        }
        Ok(server)
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

    /// The same of a client.
    pub(crate) fn complete_client(&self, mut client: ClientConfig) -> Result<ClientConfig> {
        client.tls.check_switch()?;
        replace_default(&mut client.connect_timeout, ClientConfig::default().connect_timeout, self.connection_timeout);
        self.complete(&mut client.session);
        if self.encryption && !client.tls.enabled {
            client.tls = ClientTls { enabled: true, ..self.client_tls.clone() };
        }
        Ok(client)
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

pub(super) fn replace_default<T: PartialEq>(value: &mut T, default: T, other: T) {
    if *value == default {
        *value = other;
    }
}
