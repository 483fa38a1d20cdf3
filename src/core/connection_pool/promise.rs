//! Something that one thread waits for and another brings.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::Result;

/// An outcome that comes once.
pub(super) struct Promise<T> {
    state: Mutex<State<T>>,
    settled: Condvar,
}

enum State<T> {
    Open,
    Settled(Result<T>),
    Taken,
}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        Promise { state: Mutex::new(State::Open), settled: Condvar::new() }
    }
}

impl<T> Promise<T> {
    /// Brings the outcome. Only the first one counts.
    pub(super) fn settle(&self, outcome: Result<T>) {
        let mut state = self.lock();
        if matches!(*state, State::Open) {
            *state = State::Settled(outcome);
            drop(state);
            self.settled.notify_one();
        }
    }

    /// Waits for the outcome, which is given out once; `None` if it does not come in time. No deadline: for ever.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Result<T>> {
        let mut state = self.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Settled(outcome) => return Some(outcome),
                State::Taken => return None,
                State::Open => *state = State::Open,
            }
            state = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.settled.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.settled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
