//! What several keys of the configuration must satisfy together.

use super::network_config::NetworkConfig;
use crate::error::Result;

/// Something that several keys must satisfy together.
pub(super) struct Rule {
    pub section: &'static str,
    /// The key that is at fault, and the one that it depends on.
    pub names: [&'static str; 2],
    pub check: fn(&NetworkConfig) -> Result<()>,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        section: "server",
        names: ["send_hard_limit", "send_queue_limit"],
        check: |config| config.server.session.check_send_limits(),
    },
    Rule {
        section: "client",
        names: ["send_hard_limit", "send_queue_limit"],
        check: |config| config.client.session.check_send_limits(),
    },
    Rule {
        section: "server",
        names: ["compression", "framing"],
        check: |config| config.server.session.check_compression(),
    },
    Rule {
        section: "client",
        names: ["compression", "framing"],
        check: |config| config.client.session.check_compression(),
    },
    Rule {
        section: "client.reconnect",
        names: ["first_delay", "max_delay"],
        check: |config| config.client.reconnect.check_delays(),
    },
    Rule {
        section: "server.tls",
        names: ["enabled", "certificate_file"],
        check: |config| config.server.tls.check_switch(),
    },
    Rule {
        section: "server.tls",
        names: ["certificate_file", "enabled"],
        check: |config| config.server.tls.check_certificate(),
    },
    Rule {
        section: "server.tls",
        names: ["key_file", "certificate_file"],
        check: |config| config.server.tls.check_key(),
    },
    Rule {
        section: "server.tls",
        names: ["client_certificate", "client_ca_file"],
        check: |config| config.server.tls.check_client_certificates(),
    },
    Rule { section: "server.tls", names: ["alpn", "enabled"], check: |config| config.server.tls.check_alpn() },
    Rule { section: "client.tls", names: ["enabled", "ca_file"], check: |config| config.client.tls.check_switch() },
    Rule {
        section: "client.tls",
        names: ["key_file", "certificate_file"],
        check: |config| config.client.tls.check_key(),
    },
    Rule {
        section: "client.tls",
        names: ["dangerously_disable_verification", "ca_file"],
        check: |config| config.client.tls.check_verification(),
    },
    Rule { section: "client.tls", names: ["alpn", "enabled"], check: |config| config.client.tls.check_alpn() },
];
