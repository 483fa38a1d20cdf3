//! A bridge's status, for people.

use std::fmt::Write;

use super::{Bridge, Present};
use crate::core::EndpointState;
use crate::metrics::report;

pub(super) fn status(bridge: &Bridge) -> String {
    let mut page = format!("bridge {:?}\n", bridge.id());
    let endpoints: Vec<(String, Option<Present>)> = {
        let endpoints = bridge.lock_endpoints();
        let all = endpoints.running.values();
        all.map(|endpoint| (endpoint.id.clone(), endpoint.present())).collect()
    };
    if endpoints.is_empty() {
        page += "nothing runs\n";
    }
    for (id, endpoint) in &endpoints {
        // Writing to a string cannot fail.
        _ = writeln!(page, "{}", line(id, endpoint.as_ref()));
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

fn line(id: &str, endpoint: Option<&Present>) -> String {
    let Some(endpoint) = endpoint else { return format!("{id:?} is being started") };
    let state = match endpoint.state() {
        EndpointState::Running => "runs",
        EndpointState::Stopping => "is stopping",
        EndpointState::Stopped => "has stopped",
    };
    match endpoint {
        Present::Server(server) => {
            format!("server {id:?} {state} on {}, connections: {}", server.local_addr(), server.connection_count())
        }
        Present::Client(client) => {
            let peer = client.session().ok().and_then(|session| session.remote_addr());
            let connection = match peer {
                Some(peer) if client.is_connected() => format!("connected with {peer}"),
                Some(peer) => format!("connecting with {peer}"),
                None => "not connected".into(),
            };
            format!("client {id:?} {state}, {connection}")
        }
    }
}
