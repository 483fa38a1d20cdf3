//! What an idle session costs in memory behind TLS: reliability row 24. A program of its own, since it counts.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use network_system::config::{ClientCertificate, Framing, ServerConfig};
use network_system::session::Session;
use network_system::session::handler::{Handler, Message};
use rustls::version::{TLS12, TLS13};
use support::Home;
use support::tls::{Ca, asking, foreign};

/// Counts what other threads than the peers' allocate and do not free.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    static IS_PEER: Cell<bool> = const { Cell::new(false) };
}

fn count(bytes: isize) {
    if !IS_PEER.get() {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: hands everything to the system's allocator, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Default)]
struct Echo {
    messages: AtomicUsize,
    ended: AtomicUsize,
}

impl Handler for Echo {
    fn on_message(&self, session: &Arc<Session>, message: Message<'_>) {
        session.send(message.kind, message.data).unwrap();
        self.messages.fetch_add(1, Ordering::SeqCst);
    }
    fn on_end(&self, _session: &Arc<Session>, _report: &network_system::session::handler::CloseReport) {
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_idle_session_costs_little() {
    const PEERS: usize = 200;
    const MOST: isize = 40 * 1024;
    IS_PEER.set(true);
    let ca = Ca::new();
    for (version, len) in [(&TLS12, 100), (&TLS13, 100), (&TLS13, 50_000)] {
        let home = Home::new();
        let seen = Arc::new(Echo::default());
        let config = ServerConfig { max_connections: usize::MAX, ..ca.server_config(Framing::Raw) };
        let config = asking(config, &ca, ClientCertificate::Optional);
        let server = home.server(config, seen.clone());
        let connect = || {
            let mut peer = foreign(server.local_addr(), &ca, &[version]);
            peer.write_all(&vec![1; len]).unwrap();
            peer.read_exact(&mut vec![0; len]).unwrap();
            peer
        };
        // The first makes what all share.
        drop(connect());
        support::wait_until("the end of the first", || seen.ended.load(Ordering::SeqCst) == 1);
        let before = LIVE.load(Ordering::SeqCst);
        let peers: Vec<_> = (0..PEERS).map(|_| connect()).collect();
        let each = || (LIVE.load(Ordering::SeqCst) - before) / PEERS as isize;
        let at_once = each();
        println!("an idle session of {version:?} takes {at_once} bytes after a message of {len}");
        assert!((1000..=MOST).contains(&at_once), "{at_once} bytes");
        // The housekeeping takes back what a long record needed.
        support::wait_until("an idle session costs half", || each() <= MOST / 2);
        assert!(each() > 1000, "{} bytes are counted", each());
        drop(peers);
        support::wait_until("their ends", || seen.ended.load(Ordering::SeqCst) == PEERS + 1);
        support::wait_until("all is given back", || LIVE.load(Ordering::SeqCst) - before < 64 * 1024);
    }
}
