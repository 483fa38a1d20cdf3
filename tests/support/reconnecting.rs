//! What the tests of reconnecting clients share.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use network_system::config::{ClientConfig, Framing, Reconnect, ServerConfig};
use network_system::session::handler::CloseReport;
use socket2::{Domain, Socket, Type};

use super::{Event, Events, Recorder, client_config, server_config};

/// Waits of a few milliseconds, so that a test is over soon.
pub fn quickly() -> Reconnect {
    Reconnect {
        enabled: true,
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(20),
        max_attempts: None,
    }
}

pub fn reconnecting(port: u16, framing: Framing) -> ClientConfig {
    let mut config = ClientConfig { reconnect: quickly(), ..client_config(port) };
    config.session.framing = framing;
    config
}

/// A port on which servers come and go, and that nobody else is given meanwhile.
pub struct Port(pub Socket);

impl Port {
    pub fn new() -> Port {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        Port(socket)
    }

    pub fn number(&self) -> u16 {
        self.0.local_addr().unwrap().as_socket().unwrap().port()
    }

    pub fn server_config(&self) -> ServerConfig {
        ServerConfig { port: self.number(), ..server_config() }
    }
}

pub fn number_of(data: &[u8]) -> u64 {
    u64::from_le_bytes(data[..8].try_into().unwrap())
}

/// What the reports of all of a client's connections add up to.
#[derive(Debug, Default)]
pub struct Account {
    pub accepted: u64,
    pub undelivered: u64,
    pub requeued: u64,
    pub connections: u64,
}

impl Account {
    /// That of the client of this handler.
    pub fn kept() -> (Arc<Mutex<Account>>, Arc<Recorder>, Events) {
        let account = Arc::new(Mutex::new(Account::default()));
        let (handler, events) = Recorder::with({
            let account = account.clone();
            move |event| {
                if let Event::Close(_, report) = event {
                    account.lock().unwrap().add(report);
                }
            }
        });
        (account, handler, events)
    }

    pub fn add(&mut self, report: &CloseReport) {
        self.accepted += report.accepted;
        self.undelivered += report.undelivered;
        self.requeued += report.requeued;
        self.connections += 1;
    }

    /// Every message once, however often it was queued.
    pub fn messages(&self) -> u64 {
        self.accepted - self.requeued
    }
}
