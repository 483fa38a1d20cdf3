//! The request to stop, made on any thread and awaited on a loop.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A request that is made once and stays.
#[derive(Debug, Default)]
pub(crate) struct StopSignal(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    requested: bool,
    waker: Option<Waker>,
}

impl StopSignal {
    /// Asks for a stop.
    pub(crate) fn request(&self) {
        let waker = {
            let mut inner = self.lock();
            inner.requested = true;
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.lock().requested
    }

    /// Awaits `work`, or gives it up when the request comes.
    pub(crate) async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            {
                let mut inner = self.lock();
                if inner.requested {
                    return Poll::Ready(None);
                }
                if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    inner.waker = Some(cx.waker().clone());
                }
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
