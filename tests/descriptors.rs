//! Reliability row 30: running out of descriptors harms nobody who is connected, and costs next to nothing.
//!
//! One test in a program of its own, since the limit concerns the whole process. The connections come from a second
//! process: this program, told by an environment variable to be the peer.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use network_system::error::Code;
use support::{Event, Home, Recorder, server_config};

const PORT: &str = "NETSYS_TEST_PEER_OF_PORT";
const LIMIT: libc::rlim_t = 64;
const PEERS: usize = 100;

/// Opens connections and keeps them until its standard input ends.
fn be_the_peer(port: u16) {
    let peers: Vec<TcpStream> = (0..PEERS).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    println!("connected");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(peers);
}

fn cpu_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to store to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[test]
fn running_out_of_descriptors_is_survived() {
    if let Ok(port) = std::env::var(PORT) {
        be_the_peer(port.parse().unwrap());
        return;
    }
    let home = Home::new();
    let (handler, events) = Recorder::echoing();
    let server = home.server(server_config(), handler);
    let mut connected = TcpStream::connect(server.local_addr()).unwrap();
    connected.write_all(b"hello").unwrap();
    events.message();
    let mut peers = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "running_out_of_descriptors_is_survived", "--nocapture"])
        .env(PORT, server.local_addr().port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let limit = libc::rlimit { rlim_cur: LIMIT, rlim_max: LIMIT };
    // SAFETY: `limit` is a valid rlimit to read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);

    let error = events.error();
    assert_eq!((error.code, error.os_code), (Code::Io, libc::EMFILE));

    // Time itself is under test: what a second of exhaustion costs, and how often it is told.
    let (cpu, begun) = (cpu_time(), Instant::now());
    let mut told = 0;
    let mut buffer = [0; 5];
    let mut round_trips = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        connected.write_all(b"still").unwrap();
        connected.read_exact(&mut buffer).unwrap();
        round_trips += 1;
        told += events.rest().iter().filter(|event| matches!(event, Event::Error(..))).count();
        std::thread::sleep(Duration::from_millis(20)); // its pace, so that what is counted is not its own time
    }
    let cpu = cpu_time() - cpu;
    assert!(told <= 4, "{told} errors in a second");
    assert!(round_trips >= 10, "only {round_trips} round trips");
    assert!(cpu < Duration::from_millis(200), "a second cost {cpu:?} of processor time");

    // A session that ends makes room at once.
    let begun = Instant::now();
    let before = server.stats().connections_total;
    let mine = connected.local_addr().ok();
    for session in server.sessions().iter().filter(|session| session.remote_addr() != mine).take(20) {
        session.abort();
    }
    events.until(|_| (server.stats().connections_total > before).then_some(()));
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(400), "accepting went on only after {took:?}");
    drop(peers.stdin.take());
    assert!(peers.wait().unwrap().success());
}
