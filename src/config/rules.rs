//! What several keys of the configuration must satisfy together.

use super::network_config::NetworkConfig;
use super::{ClientTls, ServerTls};
use crate::error::{Error, Result};

/// Something that several keys must satisfy together.
pub(super) struct Rule {
    pub section: &'static str,
    /// The key that is at fault, and those that it depends on.
    pub names: &'static [&'static str],
    pub check: fn(&NetworkConfig) -> Result<()>,
}

pub(super) const RULES: &[Rule] = &[
    Rule { section: "context", names: &["log_filter"], check: |config| config.log.check_filter() },
    Rule {
        section: "server",
        names: &["send_hard_limit", "send_queue_limit"],
        check: |config| config.server.session.check_send_limits(),
    },
    Rule {
        section: "client",
        names: &["send_hard_limit", "send_queue_limit"],
        check: |config| config.client.session.check_send_limits(),
    },
    Rule {
        section: "server",
        names: &["compression", "framing"],
        check: |config| config.server.session.check_compression(),
    },
    Rule {
        section: "client",
        names: &["compression", "framing"],
        check: |config| config.client.session.check_compression(),
    },
    Rule {
        section: "client.reconnect",
        names: &["first_delay", "max_delay"],
        check: |config| config.client.reconnect.check_delays(),
    },
    Rule { section: "server.tls", names: &["enabled"], check: |config| config.server.tls.check_switch() },
    Rule {
        section: "server.tls",
        names: &["certificate_file", "enabled"],
        check: |config| config.server.tls.check_certificate(),
    },
    Rule {
        section: "server.tls",
        names: &["key_file", "certificate_file"],
        check: |config| config.server.tls.check_key(),
    },
    Rule {
        section: "server.tls",
        names: &["client_certificate", "client_ca_file", "crl_file"],
        check: |config| config.server.tls.check_client_certificates(),
    },
    Rule { section: "server.tls", names: &["alpn"], check: |config| config.server.tls.check_alpn() },
    Rule { section: "client.tls", names: &["enabled"], check: |config| config.client.tls.check_switch() },
    Rule {
        section: "client.tls",
        names: &["key_file", "certificate_file"],
        check: |config| config.client.tls.check_key(),
    },
    Rule {
        section: "client.tls",
        names: &["dangerously_disable_verification", "ca_file", "crl_file"],
        check: |config| config.client.tls.check_verification(),
    },
    Rule { section: "client.tls", names: &["alpn"], check: |config| config.client.tls.check_alpn() },
    Rule { section: "bridge", names: &["enable_encryption"], check: check_bridge },
];

/// A bridge has no keys for TLS of its own: what it had of that would be lost, or be there without `enable_encryption`.
fn check_bridge(config: &NetworkConfig) -> Result<()> {
    config.bridge.check_encryption()?;
    let NetworkConfig { bridge, server, client, .. } = config;
    // Their switches are not looked at.
    let server_tls = ServerTls { enabled: server.tls.enabled, ..bridge.server_tls.clone() };
    let client_tls = ClientTls { enabled: client.tls.enabled, ..bridge.client_tls.clone() };
    let lost = |name: &str| {
        Error::invalid(format!(
            "the bridge has other settings in {name}_tls than there are in {name}.tls, and a file has keys for the \
             latter only: leave out those of the bridge, or give both the same"
        ))
    };
    if bridge.server_tls != ServerTls::default() && server_tls != server.tls {
        return Err(lost("server"));
    }
    if bridge.client_tls != ClientTls::default() && client_tls != client.tls {
        return Err(lost("client"));
    }
    Ok(())
}
