//! Busy polling: after its last work a loop asks for events for a while, over and over, before it sleeps until there are
//! some. To be woken takes longer than to look.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::batch;

thread_local! {
    /// Where the loop's [`poll_busily`] waits for it to have slept.
    static SLEEPING: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Keeps the loop that it runs on from sleeping until it has had no work for so long, each time that it was woken.
pub(super) async fn poll_busily(longest: Duration) {
    loop {
        let mut idle_since = Instant::now();
        while idle_since.elapsed() < longest {
            // The loop looks for events, without waiting, before it comes back here.
            tokio::task::yield_now().await;
            if batch::take_worked() {
                idle_since = Instant::now();
            }
        }
        let mut slept = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut slept, true) {
                return Poll::Ready(());
            }
            SLEEPING.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// The loop of this thread has slept, and was woken.
pub(super) fn woken() {
    if let Some(waker) = SLEEPING.take() {
        waker.wake();
    }
}
