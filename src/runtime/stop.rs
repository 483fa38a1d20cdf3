//! The request to stop, made on any thread and awaited on a loop.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A request that is made once and stays.
#[derive(Debug, Default)]
pub(crate) struct StopSignal(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    drain: Option<Duration>,
    waker: Option<Waker>,
}

impl StopSignal {
    /// Asks for a stop that may take as long as `drain` to deliver what is queued. Only the first request counts;
    /// returns whether this was it.
    pub(crate) fn request(&self, drain: Duration) -> bool {
        let waker = {
            let mut inner = self.lock();
            if inner.drain.is_some() {
                return false;
            }
            inner.drain = Some(drain);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The time to drain, once a stop was requested.
    pub(crate) fn requested(&self) -> Option<Duration> {
        self.lock().drain
    }

    /// Awaits `work`, or gives it up when the request comes.
    pub(crate) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Duration> {
        let mut inner = self.lock();
        if let Some(drain) = inner.drain {
            return Poll::Ready(drain);
        }
        if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
