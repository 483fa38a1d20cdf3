//! What the fuzzer has been given and has found (`corpus`), and as many changes of it, again: the short form, which
//! finds what was found once. `make fuzz` looks for more. Reliability rows 37 and 38.

#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use support::random::Random;
use targets::{TARGETS, Target};

/// Runs the inputs of a target, each also `changes` times changed at random, the same way each time.
fn replay(name: &str, changes: u64) {
    // A fault on a thread of the library, which goes on, is one too.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        let begun = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        begun.iter().for_each(|(name, input)| eprintln!("{name} runs {input:?}"));
        std::process::abort();
    }));
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut random = Random(files.len() as u64);
    for file in files {
        let input = std::fs::read(&file).unwrap();
        run(target, input.clone());
        for _ in 0..changes {
            run(target, changed(&input, &mut random));
        }
    }
}

/// What each target is running, for who finds a fault.
static RUNNING: Mutex<BTreeMap<&str, Vec<u8>>> = Mutex::new(BTreeMap::new());

fn run(target: &Target, input: Vec<u8>) {
    RUNNING.lock().unwrap().insert(target.name, input.clone());
    (target.run)(&input);
}

fn changed(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.below(256) as u8),
            2 => bytes.extend_from_within(at..),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            _ if at < bytes.len() => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

#[test]
fn frames() {
    replay("frames", 500);
}

#[test]
fn control_frames() {
    replay("control_frames", 500);
}

#[test]
fn compressed() {
    replay("compressed", 50);
}

#[test]
fn configuration() {
    replay("configuration", 50);
}

#[test]
fn addresses() {
    replay("addresses", 500);
}

#[test]
fn certificates() {
    replay("certificates", 500);
}

#[test]
fn plain_servers() {
    replay("plain_servers", 10);
}

#[test]
fn tls_servers() {
    replay("tls_servers", 10);
}

#[test]
fn plain_clients() {
    replay("plain_clients", 10);
}

#[test]
fn tls_clients() {
    replay("tls_clients", 10);
}
