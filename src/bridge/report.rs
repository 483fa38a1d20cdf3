//! A bridge's status, for people.

use std::fmt::Write;

use super::Bridge;
use crate::metrics::report;

pub(super) fn status(bridge: &Bridge) -> String {
    let mut page = format!("bridge {:?}\n", bridge.id());
    let endpoints = bridge.lock_endpoints().named();
    if endpoints.is_empty() {
        page += "nothing runs\n";
    }
    for (id, endpoint) in &endpoints {
        // Writing to a string cannot fail.
        _ = match endpoint {
            None => writeln!(page, "{id:?} is being started"),
            Some(endpoint) => writeln!(page, "{}", endpoint.status(id)),
        };
    }
    page += "\n";
    page += &report::text(&bridge.metrics());
    page += "\n";
    let config = bridge.config();
    let on = |enabled| if enabled { "on" } else { "off" };
    _ = writeln!(
        page,
        "settings     monitoring {}, message log {}, compression {}, encryption {}, pooling {} with at most {} connections a pool, {} ms to connect, \
         {} ms to send, buffers of {}",
        on(config.performance_monitoring),
        on(config.message_logging),
        on(config.compression),
        on(config.encryption),
        on(config.connection_pooling),
        config.max_connections_per_client,
        config.connection_timeout.as_millis(),
        config.message_timeout.as_millis(),
        report::bytes(config.message_buffer as u64),
    );
    page
}
