//! The one guard that every exported function runs under.
//!
//! No panic crosses the boundary: a caught one becomes NETSYS_ERR_INTERNAL, ends the object of the call, and is logged
//! where the thread has a log: on those of the library.
//! In a forked child, which has none of the library's threads and may have any of its locks held, functions refuse.
//! Where nothing goes wrong, all this costs one load of an atomic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::objects::{self, Handle};
use super::status::{NETSYS_OK, fail, netsys_status};
use crate::error::{Code, Error, Result, panic_text};
use crate::sys;

/// Runs the body of a function that returns a status.
#[inline]
pub(super) fn call(body: impl FnOnce() -> Result<()>) -> netsys_status {
    if sys::forked() {
        return forked();
    }
    call_also_forked(body)
}

/// Runs the body of a function that returns a status and touches nothing that a fork could have broken.
#[inline]
pub(super) fn call_also_forked(body: impl FnOnce() -> Result<()>) -> netsys_status {
    // Unwind safety: what a body was working on is ended, or is the calling thread's own.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => NETSYS_OK,
        Ok(Err(error)) => fail(&error),
        Err(panic) => internal(panic),
    }
}

/// Runs the body of a function on the object of a handle.
#[inline]
pub(super) fn with<H: Handle>(handle: H, body: impl FnOnce(&H::Object) -> Result<()>) -> netsys_status {
    if sys::forked() {
        return forked();
    }
    match catch_unwind(AssertUnwindSafe(|| objects::with(handle, body))) {
        Ok(Ok(())) => NETSYS_OK,
        Ok(Err(error)) => fail(&error),
        Err(panic) => {
            contained("ending an object after a fault", || {
                _ = objects::with(handle, |object| {
                    H::poison(object);
                    Ok(())
                })
            });
            internal(panic)
        }
    }
}

/// Callbacks that are released exactly once.
pub(super) trait Release {
    /// For a start that failed.
    fn release_unless_started(&self);
}

/// Runs the body of a function that starts something which tells its events to callbacks. If it does not come to that,
/// the callbacks are released, and so is the executor of the configuration, whatever else is wrong.
pub(super) fn start<C, T: Release>(
    read_config: impl FnOnce() -> Result<C>,
    read_callbacks: impl FnOnce() -> Result<T>,
    body: impl FnOnce(&Arc<T>, C) -> Result<()>,
) -> netsys_status {
    let mut callbacks = None;
    let status = call_also_forked(|| {
        let config = read_config();
        let callbacks = callbacks.insert(Arc::new(read_callbacks()?));
        if sys::forked() { Err(forked_error()) } else { body(callbacks, config?) }
    });
    if status != NETSYS_OK
        && let Some(callbacks) = callbacks
    {
        callbacks.release_unless_started();
    }
    status
}

/// Runs the body of a function that returns something else than a status.
#[inline]
pub(super) fn value<T>(after_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        internal(panic);
        after_panic
    })
}

/// Runs code of the user's whose panics, if it is written in Rust, concern nobody else.
pub(super) fn contained(what: &str, code: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(code)) {
        tracing::error!("{what} panicked: {}", panic_text(&*panic));
    }
}

#[cold]
fn internal(panic: Box<dyn Any + Send>) -> netsys_status {
    let text = panic_text(&*panic);
    tracing::error!("internal error: {text}");
    fail(&Error::new(Code::Internal, format!("internal error of the library: {text}")))
}

fn forked_error() -> Error {
    Error::new(
        Code::Forked,
        "this process is a fork of the one that uses the library, whose threads are not here: exec first, or fork \
         before the first context",
    )
}

#[cold]
fn forked() -> netsys_status {
    fail(&forked_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::status::netsys_last_error;
    use crate::ffi::types::{netsys_error_info, netsys_session};
    use crate::session::Session;

    fn last_error() -> (netsys_status, String) {
        // SAFETY: all zero is a value of this struct.
        let mut info: netsys_error_info = unsafe { std::mem::zeroed() };
        info.struct_size = size_of_val(&info) as u32;
        // SAFETY: a whole struct.
        assert_eq!(unsafe { netsys_last_error(&raw mut info) }, NETSYS_OK);
        let text: Vec<u8> = info.message.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
        (info.status, String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn success_leaves_the_last_error_alone() {
        assert_eq!(call(|| Err(Error::new(Code::Timeout, "too late"))), Code::Timeout as i32);
        assert_eq!(call(|| Ok(())), NETSYS_OK);
        assert_eq!(last_error(), (Code::Timeout as i32, "too late".into()));
    }

    #[test]
    fn a_panic_becomes_an_internal_error() {
        assert_eq!(call(|| panic!("at {}", 7)), Code::Internal as i32);
        assert_eq!(last_error(), (Code::Internal as i32, "internal error of the library: at 7".into()));
        assert_eq!(call(|| std::panic::panic_any(7)), Code::Internal as i32);
        assert_eq!(last_error().1, "internal error of the library: a panic without a text");
        assert_eq!(value(5, || panic!("no value")), 5);
        assert_eq!(value(5, || 6), 6);
    }

    #[test]
    fn a_panic_on_a_session_leaves_it_usable_for_a_report() {
        let handle = objects::insert::<netsys_session>(Session::detached("s".into(), "c".into())).expect("room");
        assert_eq!(with(handle, |_| panic!("broken")), Code::Internal as i32);
        assert_eq!(
            with(handle, |session| {
                assert_eq!(session.id(), "s");
                Ok(())
            }),
            NETSYS_OK
        );
        objects::remove(handle).expect("live");
    }

    #[test]
    fn a_contained_panic_goes_no_further() {
        contained("a test", || panic!("inside"));
    }
}
