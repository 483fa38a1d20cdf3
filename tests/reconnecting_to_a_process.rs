//! A client whose server is killed. On its own, since a process that is being started holds the descriptors of all the
//! other tests for a moment, and with them their ports. Reliability row 7.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use network_system::config::{Framing, SendPolicy, ServerConfig};
use network_system::core::Client;
use network_system::session::handler::Payload;
use support::reconnecting::{Account, Port, number_of, reconnecting};
use support::{Event, Home, PATIENCE, Recorder, server_config};

/// A server process that echoes, and is killed. It is a test only so that this program can be that process.
#[test]
#[ignore = "the process that another test kills"]
fn echoing_process() {
    let Some(port) = std::env::var("RECONNECTING_ECHO_PORT").ok().and_then(|port| port.parse().ok()) else { return };
    let home = Home::new();
    let (handler, _events) = Recorder::with(|event| {
        if let Event::Message(session, kind, data) = event {
            let _ = session.send(*kind, data);
        }
    });
    let _server = home.server(ServerConfig { port, ..server_config() }, handler);
    println!("\nready");
    // Until it is killed, or left alone.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn start_echoing(port: &Port) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "echoing_process", "--nocapture"])
        .env("RECONNECTING_ECHO_PORT", port.number().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ready = BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap() == "ready");
    assert!(ready, "the server did not start");
    child
}

#[test]
fn a_server_that_is_killed_costs_only_what_was_begun() {
    let home = Home::new();
    let port = Port::new();
    let (account, handler, events) = Account::kept();
    let mut config = reconnecting(port.number(), Framing::Framed);
    config.session.send_policy = SendPolicy::Wait;
    config.session.send_timeout = PATIENCE;
    let client = Client::start(&home.0, config, handler).unwrap();
    let mut next = 0u64;
    let mut echoed = Vec::new();
    for _ in 0..10 {
        let mut server = start_echoing(&port);
        // Sends on while it is killed.
        let before = echoed.len();
        while echoed.len() < before + 100 {
            (0..10).for_each(|_| {
                client.send(Payload::Binary, &next.to_le_bytes()).unwrap();
                next += 1;
            });
            echoed.push(number_of(&events.message().1));
        }
        server.kill().unwrap();
        (0..10).for_each(|_| {
            client.send(Payload::Binary, &next.to_le_bytes()).unwrap();
            next += 1;
        });
        server.wait().unwrap();
        events.until(|event| match event {
            Event::Message(_, _, data) => {
                echoed.push(number_of(&data));
                None
            }
            Event::Close(..) => Some(()),
            _ => None,
        });
    }
    client.stop(None);
    client.wait(Some(PATIENCE)).unwrap();
    assert!(echoed.is_sorted_by(|a, b| a < b), "in order, and none twice");
    let account = account.lock().unwrap();
    let unsent = client.stats().messages_unsent;
    // What waited when the client ended was requeued, and not accepted by another connection.
    assert_eq!(account.messages() + unsent, next, "{account:?}, {unsent} unsent");
    assert!(echoed.len() as u64 + account.undelivered + unsent >= next);
    assert_eq!(account.connections, 10);
}
