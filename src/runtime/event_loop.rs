//! A loop: one thread with one current-thread runtime, on which servers, clients and their sessions live.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::busy_poll::{self, poll_busily};
use super::{Budget, ContextHooks, thread};
use crate::error::{Code, Error, Result};
use crate::transport::compression::Compressors;

/// What a loop reads into. One for all sessions of a loop, so that an idle session needs none.
const READ_BUFFER: usize = 256 * 1024;

/// How long a thread that looked up a host name is kept for the next name.
const RESOLVER_KEEP_ALIVE: Duration = Duration::from_millis(100);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends this loop's read buffer.
pub(crate) fn with_read_buffer<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.is_empty() {
            *buffer = vec![0; READ_BUFFER];
        }
        work(buffer)
    })
}

/// A loop, which runs for as long as something refers to it.
#[derive(Clone, Debug)]
pub(crate) struct LoopRef(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    /// The servers, clients and adopted sessions that live here.
    endpoints: AtomicUsize,
    /// Dropping it ends the loop.
    _alive: oneshot::Sender<()>,
    /// What the sessions on it may hold in buffers, with those of the context's other loops.
    budget: Arc<Budget>,
    /// What they compress with, and those of the other loops.
    compressors: Arc<Compressors>,
    /// Ends the loop although something refers to it.
    cut: Arc<Notify>,
    /// Where the context's log goes.
    log: Option<tracing::Dispatch>,
}

/// A reference that does not keep the loop running.
#[derive(Debug)]
pub(crate) struct WeakLoop(std::sync::Weak<Inner>);

impl LoopRef {
    /// Starts a loop on a thread of that name.
    pub(crate) fn start(
        name: String,
        hooks: &ContextHooks,
        budget: Arc<Budget>,
        compressors: Arc<Compressors>,
        busy_poll: Duration,
    ) -> Result<(LoopRef, JoinHandle<()>)> {
        let failed = |error| Error::os(Code::Io, "cannot start a loop thread", &error);
        let mut builder = Builder::new_current_thread();
        builder.enable_io().enable_time().thread_keep_alive(RESOLVER_KEEP_ALIVE);
        if !busy_poll.is_zero() {
            builder.on_thread_unpark(busy_poll::woken);
        }
        let runtime = builder.build().map_err(failed)?;
        if !busy_poll.is_zero() {
            // The task does not keep the loop running: it goes with it.
            drop(runtime.spawn(poll_busily(busy_poll)));
        }
        let (alive, ended) = oneshot::channel();
        let cut = Arc::new(Notify::new());
        let inner = Inner {
            handle: runtime.handle().clone(),
            endpoints: AtomicUsize::new(0),
            _alive: alive,
            budget,
            compressors,
            cut: Arc::clone(&cut),
            log: hooks.dispatch.clone(),
        };
        let thread = thread::spawn(name, hooks, move || serve(runtime, ended, &cut)).map_err(failed)?;
        Ok((LoopRef(Arc::new(inner)), thread))
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// Where the context's log goes, for work on other threads.
    pub(crate) fn log(&self) -> Option<&tracing::Dispatch> {
        self.0.log.as_ref()
    }

    pub(crate) fn compressors(&self) -> &Arc<Compressors> {
        &self.0.compressors
    }

    /// Runs `task` on the loop. The caller sees to it that the task holds a [`LoopRef`].
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // The handle is not asked for: nobody waits for a task as such.
        drop(self.0.handle.spawn(task));
    }

    /// Ends the loop at `deadline`, whatever still lives on it: the connections whose peers are read off.
    pub(crate) fn cut_at(&self, deadline: Instant) {
        // The task does not keep the loop running: it goes with it.
        let cut = Arc::clone(&self.0.cut);
        self.spawn(async move {
            tokio::time::sleep_until(deadline).await;
            cut.notify_one();
        });
    }

    /// Lets sockets that are made on this thread join the loop's poller while the guard lives.
    pub(crate) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.0.handle.enter()
    }

    /// Whether both are the same loop.
    pub(crate) fn is(&self, other: &LoopRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Counts one more endpoint, for the choice of a loop to share.
    pub(crate) fn add_endpoint(&self) {
        self.0.endpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes it back.
    pub(crate) fn remove_endpoint(&self) {
        self.0.endpoints.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn endpoints(&self) -> usize {
        self.0.endpoints.load(Ordering::Relaxed)
    }

    pub(crate) fn downgrade(&self) -> WeakLoop {
        WeakLoop(Arc::downgrade(&self.0))
    }
}

impl WeakLoop {
    pub(crate) fn upgrade(&self) -> Option<LoopRef> {
        self.0.upgrade().map(LoopRef)
    }
}

fn serve(runtime: Runtime, ended: oneshot::Receiver<()>, cut: &Notify) {
    runtime.block_on(async {
        let mut cut = pin!(cut.notified());
        let mut ended = pin!(ended);
        // `ended` resolves, as an error, when the sender is dropped with the last reference to the loop.
        poll_fn(|cx| match ended.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => cut.as_mut().poll(cx),
        })
        .await;
    });
    // A look-up of a name that is still under way must hold nobody.
    runtime.shutdown_background();
}
