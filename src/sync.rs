//! Locks and condition variables as all of the library uses them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Locks. No code of ours panics while it holds a lock and has changed half of what is behind it, so one that is poisoned
/// is as good as any.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on a condition variable while `condition` holds; `None` if it still does at the deadline.
pub(crate) fn wait_while<'a, T>(
    changed: &Condvar,
    mut guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
    mut condition: impl FnMut(&T) -> bool,
) -> Option<MutexGuard<'a, T>> {
    while condition(&guard) {
        guard = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => return None,
            Some(left) => changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
    Some(guard)
}
