//! A loop that polls busily looks for events over and over before it sleeps. One test in a program of its own, since it
//! looks for the loop's thread by its name.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use network_system::config::{ContextConfig, Framing};
use network_system::runtime::{Context, ContextHooks};
use support::{Home, Recorder, server_config, wait_until};

/// The files of the system about the first loop of a context with this prefix.
fn thread_of(prefix: &str) -> PathBuf {
    let name = format!("{prefix}-1\n");
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    tasks.into_iter().find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm == name)).unwrap()
}

/// How often the thread has slept.
fn sleeps(thread: &Path) -> u64 {
    let status = std::fs::read_to_string(thread.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn a_loop_sleeps_when_it_has_had_no_work_for_as_long_as_it_was_told() {
    const ECHOES: u64 = 200;
    // A second, which no answer takes, at once, and so little that it is over when a test looks.
    for (busy_poll_us, prefix) in [(1_000_000, "long"), (0, "not"), (200, "short")] {
        let config = ContextConfig { busy_poll_us, thread_name_prefix: prefix.into(), ..ContextConfig::default() };
        let home = Home(Context::new(config, ContextHooks::default()));
        let mut config = server_config();
        config.session.framing = Framing::Raw;
        let (handler, _events) = Recorder::echoing();
        let server = home.server(config, handler);
        let mut peer = TcpStream::connect(server.local_addr()).unwrap();
        let mut echo = || {
            peer.write_all(b"ball").unwrap();
            peer.read_exact(&mut [0; 4]).unwrap();
        };
        echo();
        let thread = thread_of(prefix);
        if prefix == "long" {
            let before = sleeps(&thread);
            (0..ECHOES).for_each(|_| echo());
            let slept = sleeps(&thread) - before;
            assert!(slept < ECHOES / 10, "it slept {slept} times");
        } else {
            // It comes to sleep each time, and is woken by what comes. (In a row of echoes it may never sleep: a peer that
            // has taken the loop's processor has sent the next one before the loop goes on.)
            for _ in 0..10 {
                let before = sleeps(&thread);
                echo();
                wait_until("it has slept", || sleeps(&thread) > before);
            }
        }
    }
}
