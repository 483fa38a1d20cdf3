//! One test in a program of its own, since it counts the threads of the whole process.

mod support;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use network_system::error::{Code, Error};
use network_system::utils::address_resolver::{AddressResolver, Family, ResolverConfig, Sources};
use support::PATIENCE;

/// How many threads of this name there are.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread that has ended meanwhile has no name any more.
    let names = tasks.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim_end() == name).count()
}

fn look_ups() -> usize {
    threads("netsys-lookup")
}

fn couriers() -> usize {
    threads("netsys-resolver")
}

/// A thread has its name, and is gone, a moment after those who wait for it may know.
fn await_threads(threads: fn() -> usize, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while threads() != count {
        assert!(Instant::now() < deadline, "{} threads, not {count}", threads());
        std::thread::yield_now();
    }
}

#[test]
fn threads_are_few_and_end_with_the_work() {
    let (asking, asked) = channel();
    let (answers, answering) = channel::<()>();
    let answering = Mutex::new(answering);
    let look_up = move |host: &str| {
        asking.send(host.to_owned()).unwrap();
        answering.lock().unwrap().recv().unwrap();
        Err(Error::from(Code::NotFound))
    };
    let sources = Sources { look_up: Arc::new(look_up), ..Sources::default() };
    let resolver = AddressResolver::with_sources(ResolverConfig::default(), sources).unwrap();
    assert_eq!((look_ups(), couriers()), (0, 0), "none without work");

    let (telling, told) = channel();
    for number in 0..10 {
        let telling = telling.clone();
        let tell = move |outcome: Result<_, Error>| telling.send(outcome.unwrap_err().code).unwrap();
        resolver.resolve_async(&format!("host{number}"), Family::Any, None, tell).unwrap();
    }
    for _ in 0..4 {
        asked.recv_timeout(PATIENCE).unwrap();
    }
    await_threads(couriers, 1);
    assert_eq!(look_ups(), 4, "and no more");
    (0..10).for_each(|_| answers.send(()).unwrap());
    (0..10).for_each(|_| assert_eq!(told.recv_timeout(PATIENCE), Ok(Code::NotFound)));
    await_threads(look_ups, 0);
    await_threads(couriers, 0);

    // A look-up that hangs outlives its resolver, and ends with the system's call.
    let hanging = "hangs";
    assert_eq!(asked.try_iter().count(), 6);
    resolver
        .resolve_async(hanging, Family::Any, None, move |outcome| telling.send(outcome.unwrap_err().code).unwrap())
        .unwrap();
    assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), hanging);
    drop(resolver);
    assert_eq!(told.try_recv(), Ok(Code::Cancelled));
    await_threads(couriers, 0);
    assert_eq!(look_ups(), 1);
    answers.send(()).unwrap();
    await_threads(look_ups, 0);
    assert!(told.try_recv().is_err(), "nobody is told late");
}
