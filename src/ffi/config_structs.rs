//! The parts of a configuration as the structs that the functions of the nouns take.

use super::args::{self, narrow, view};
use super::bridge::netsys_bridge_config;
use super::client_config::{netsys_client_config, to_client};
use super::context::netsys_context_config;
use super::guard;
use super::lent_tls::Lent;
use super::log;
use super::open_config::Texts;
use super::server_config::{netsys_server_config, to_server};
use super::status::netsys_status;
use super::types::*;
use crate::config::{ContextConfig, LogConfig, NetworkConfig};

/// The configuration of a server, for netsys_server_start.
///
/// @param config  the configuration
/// @param out     filled in; set its struct_size to sizeof(netsys_server_config) first. Its strings, and what tls
///                points to, are valid until the configuration is destroyed
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_server(config: netsys_config, out: *mut netsys_server_config) -> netsys_status {
    guard::with(config, |open| {
        let texts = open.lend();
        let server = to_server(&texts.config.server, &texts.exempt_addresses, Lent::pointer(&texts.server_tls));
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", server) }
    })
}

/// The configuration of a client, for netsys_client_start, which refuses it while it names no host and port.
///
/// @param config  the configuration
/// @param out     filled in; set its struct_size to sizeof(netsys_client_config) first. Its strings, and what tls
///                points to, are valid until the configuration is destroyed
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_client(config: netsys_config, out: *mut netsys_client_config) -> netsys_status {
    guard::with(config, |open| {
        let texts = open.lend();
        let client = to_client(&texts.config.client, Lent::pointer(&texts.client_tls));
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", client) }
    })
}

/// The configuration of a bridge, for netsys_bridge_create.
///
/// @param config  the configuration
/// @param out     filled in; set its struct_size to sizeof(netsys_bridge_config) first. With encryption, what it points to
///                is what server.tls and client.tls say, and valid until the configuration is destroyed
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_bridge(config: netsys_config, out: *mut netsys_bridge_config) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", to_bridge(&open.lend())) }
    })
}

/// The configuration of a context, for netsys_context_create, with the log_level that logger.min_level says, and
/// without callbacks.
///
/// @param config  the configuration
/// @param out     filled in; set its struct_size to sizeof(netsys_context_config) first. Its strings are valid until
///                the configuration is destroyed
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_context(
    config: netsys_config,
    out: *mut netsys_context_config,
) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", to_context(&open.lend().config)) }
    })
}

fn to_bridge(texts: &Texts) -> netsys_bridge_config {
    netsys_bridge_config {
        server_tls: Lent::pointer(&texts.bridge_server_tls),
        client_tls: Lent::pointer(&texts.bridge_client_tls),
        ..texts.bridge.clone().into()
    }
}

fn to_context(config: &NetworkConfig) -> netsys_context_config {
    let ContextConfig { max_loops, pool_threads, busy_poll_us, thread_name_prefix, max_buffered } = &config.context;
    // SAFETY: all zero is a value of this struct.
    let mut c: netsys_context_config = unsafe { std::mem::zeroed() };
    c.max_loops = narrow(*max_loops);
    c.pool_threads = narrow(*pool_threads);
    c.busy_poll_us = *busy_poll_us;
    c.thread_name_prefix = view(thread_name_prefix);
    c.max_buffered_bytes = *max_buffered as u64;
    c.log_level = log::number(config.logger.min_level.into());
    let LogConfig { filter, to_stderr } = &config.log;
    c.log_filter = view(filter);
    c.log_to_stderr = (*to_stderr).into();
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Format;

    #[test]
    fn a_context_logs_what_the_logger_does() {
        let level = |preset: NetworkConfig| to_context(&preset).log_level;
        assert_eq!((level(NetworkConfig::development()), level(NetworkConfig::testing())), (4, 2));
    }

    #[test]
    fn a_context_has_the_log_of_the_configuration() {
        let text = "[context]\nlog_filter = 'off,network_system=debug'\nlog_to_stderr = true";
        let config = NetworkConfig::from_str(text, Format::Toml).expect("valid");
        let context = to_context(&config);
        // SAFETY: the configuration lives.
        assert_eq!(unsafe { args::text(context.log_filter, "filter") }, Ok("off,network_system=debug"));
        assert_eq!(context.log_to_stderr, 1);
        let context = to_context(&NetworkConfig::default());
        assert_eq!((context.log_filter.len, context.log_to_stderr), (0, 0));
    }
}
