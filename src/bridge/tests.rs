//! What happens while something is being started, at moments that no test from outside can choose.

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::*;
use crate::config::ContextConfig;
use crate::metrics::Counter;
use crate::runtime::ContextHooks;

const PATIENCE: Duration = Duration::from_secs(20);

/// Passes on what a bridge tells.
struct Listener(Mutex<Sender<&'static str>>);

impl Listener {
    fn tell(&self, told: &'static str) {
        let _ = lock(&self.0).send(told);
    }
}

impl Events for Listener {
    fn on_error(&self, _error: &Error) {
        self.tell("error");
    }
    fn on_release(&self) {
        self.tell("release");
    }
}

struct Silent;

impl Handler for Silent {}

fn bridge() -> (Arc<Bridge>, Receiver<&'static str>) {
    let (sender, told) = channel();
    let listener = Arc::new(Listener(Mutex::new(sender)));
    (Bridge::new("bridge", BridgeConfig::default(), listener).expect("valid"), told)
}

/// Starts a client in a bridge, by code that sees how the bridge stands meanwhile.
fn start(bridge: &Arc<Bridge>, start: impl FnOnce(Arc<Observed>) -> Result<Arc<Client>>) -> Result<Arc<Client>> {
    let context = Context::new(ContextConfig::default(), ContextHooks::default());
    bridge.start(&context, &bridge.config(), "id".into(), Arc::new(Silent), start)
}

#[test]
fn a_failed_start_is_told_before_the_release() {
    let (bridge, told) = bridge();
    let started = start(&bridge, |_| {
        bridge.close(None);
        assert!(told.try_recv().is_err(), "something is being started");
        Err(Code::BindFailed.into())
    });
    assert_eq!(started.expect_err("failed").code, Code::BindFailed);
    // On a thread of the library.
    assert_eq!([told.recv_timeout(PATIENCE), told.recv_timeout(PATIENCE)], [Ok("error"), Ok("release")]);
    bridge.close(None);
    bridge.report(&Code::Timeout.into());
    assert!(told.try_recv().is_err(), "released once, and last");
}

#[test]
fn a_wait_for_the_end_waits_for_what_is_being_started() {
    let (bridge, told) = bridge();
    let mut waiting = None;
    let started = start(&bridge, |_| {
        assert_eq!(bridge.wait(Some(Duration::ZERO)).expect_err("not yet").code, Code::Timeout);
        let other = Arc::clone(&bridge);
        waiting = Some(thread::spawn(move || {
            other.close(None);
            other.wait(Some(PATIENCE)).expect("it ends");
            told.try_iter().collect::<Vec<_>>()
        }));
        drop(wait_while(&bridge.changed, bridge.lock_endpoints(), None, |endpoints| !endpoints.is_closed()));
        Err(Code::BindFailed.into())
    });
    assert_eq!(started.expect_err("failed").code, Code::BindFailed);
    let told = waiting.expect("started").join().expect("no panic");
    assert_eq!(told, ["error", "release"], "all was told when the wait was over");
}

#[test]
fn what_ends_before_its_start_returns_is_counted_and_forgotten() {
    let context = Context::new(ContextConfig::default(), ContextHooks::default());
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let (bridge, told) = bridge();
    let config = ClientConfig { host: "127.0.0.1".into(), port: nobody.port(), ..ClientConfig::default() };
    let client = start(&bridge, |handler| {
        let client = Client::start(&context, config, handler)?;
        client.wait(Some(PATIENCE))?;
        Ok(client)
    });
    client.expect("it was started, if in vain");
    assert_eq!(bridge.metrics().counts[Counter::ConnectionsFailed], 1);
    assert!(bridge.status_report().contains("nothing runs"));
    bridge.close(None);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["error", "release"]);
    context.stop(None);
    context.join().expect("all has ended");
}

#[test]
fn an_error_is_told_also_where_no_loop_tells_it() {
    let (bridge, told) = bridge();
    let context = Context::new(ContextConfig::default(), ContextHooks::default());
    let event_loop = context.assign_loop();
    context.stop(Some(Duration::ZERO));
    context.join().expect("it has ended, although the loop is referred to");
    for event_loop in [event_loop, context.assign_loop()] {
        bridge.report_on(event_loop, &Code::BindFailed.into());
        assert_eq!(told.recv_timeout(PATIENCE), Ok("error"));
    }
    bridge.close(None);
    bridge.wait(Some(PATIENCE)).expect("nothing runs");
}
