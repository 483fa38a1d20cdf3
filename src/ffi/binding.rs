//! What ties a session to its C handle and to the caller's pointer.
//!
//! The handle is made when it is first needed and goes when the session has ended and nobody retains it any more. The
//! pointer is released when it is replaced, when the session ends, or, if it was stored later, with the handle.

use std::any::Any;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::guard;
use super::objects::{self, Handle};
use super::types::netsys_session;
use crate::error::{Code, Error, Result};
use crate::session::Session;

/// How C is told that it may free a pointer of its own.
pub(super) type Release = Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>;

/// A pointer of the caller's and how to release it.
struct Userdata {
    pointer: *mut c_void,
    release: Release,
}

// SAFETY: the pointer is never followed here, only handed back; the header says that this can be on any thread.
unsafe impl Send for Userdata {}

impl Userdata {
    const NONE: Userdata = Userdata { pointer: ptr::null_mut(), release: None };

    /// Called without any lock: the caller's function may call the library.
    fn release(self) {
        if let Some(release) = self.release {
            // SAFETY: the caller gave both for this, and each `Userdata` exists once.
            guard::contained("release of a session's userdata", || unsafe { release(self.pointer) });
        }
    }
}

/// Who has a session when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A server or client: its handle goes with the session's end.
    Endpoint,
    /// The caller, who gets a handle that is retained once.
    Caller,
}

/// The attachment of a session.
pub(super) struct Binding {
    /// The handle's id, or 0 while there is none. Stored under the lock.
    id: AtomicU64,
    /// `life.userdata.pointer`, for reading without the lock. Stored under the lock.
    pointer: AtomicPtr<c_void>,
    life: Mutex<Life>,
}

struct Life {
    retains: u64,
    ended: bool,
    userdata: Userdata,
}

impl Life {
    /// Whether there is, or may be, a handle.
    fn nameable(&self) -> bool {
        !self.ended || self.retains > 0
    }
}

/// What is to be done once the lock is released.
#[must_use]
struct Farewell {
    handle: Option<netsys_session>,
    userdata: Userdata,
}

impl Farewell {
    fn carry_out(self) {
        if let Some(handle) = self.handle {
            // Only the binding removes the handle, and it does so once.
            _ = objects::remove(handle);
        }
        self.userdata.release();
    }
}

impl Binding {
    fn new(owner: Owner) -> Binding {
        Binding {
            id: AtomicU64::new(0),
            pointer: AtomicPtr::new(ptr::null_mut()),
            life: Mutex::new(Life {
                retains: u64::from(owner == Owner::Caller),
                ended: false,
                userdata: Userdata::NONE,
            }),
        }
    }

    /// The session's binding, made at the first call. `owner` must be the same each time.
    #[inline]
    pub(super) fn of(session: &Session, owner: Owner) -> &Binding {
        Binding::cast(&**session.attachment().get_or_init(|| Box::new(Binding::new(owner))))
    }

    /// What the attachment of a session is.
    #[inline]
    fn cast(attachment: &(dyn Any + Send + Sync)) -> &Binding {
        debug_assert!(attachment.is::<Binding>());
        // SAFETY: only the crate can reach the attachment of a session, and in the crate only `of` makes one: it is a
        // `Binding`. Asking its type each time would cost as much as the rest of a message's way to C.
        unsafe { &*ptr::from_ref(attachment).cast::<Binding>() }
    }

    fn lock(&self) -> MutexGuard<'_, Life> {
        // No code of the caller's runs under the lock, and nothing in it panics half-way.
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's handle, made if need be. A session that has ended and is not retained has none, and gets none.
    #[inline]
    pub(super) fn handle(&self, session: &Arc<Session>) -> Result<netsys_session> {
        match self.id.load(Ordering::Acquire) {
            0 => self.make_handle(session),
            id => Ok(netsys_session { id }),
        }
    }

    #[cold]
    fn make_handle(&self, session: &Arc<Session>) -> Result<netsys_session> {
        let life = self.lock();
        let id = self.id.load(Ordering::Relaxed);
        if id != 0 {
            return Ok(netsys_session { id });
        }
        if !life.nameable() {
            return Err(gone());
        }
        let handle: netsys_session = objects::insert(Arc::clone(session))?;
        self.id.store(handle.id(), Ordering::Release);
        Ok(handle)
    }

    /// Whether the session has this handle.
    #[inline]
    pub(super) fn names(session: &Session, handle: netsys_session) -> bool {
        let attachment = session.attachment().get();
        attachment
            .is_some_and(|found| Binding::cast(&**found).id.load(Ordering::Relaxed) == handle.id && handle.id != 0)
    }

    pub(super) fn retain(&self) -> Result<()> {
        let mut life = self.lock();
        if !life.nameable() {
            return Err(gone());
        }
        life.retains += 1;
        Ok(())
    }

    pub(super) fn release(&self) -> Result<()> {
        let mut life = self.lock();
        life.retains = life
            .retains
            .checked_sub(1)
            .ok_or_else(|| Error::invalid("the session is released more often than it was retained"))?;
        let farewell = self.leave(&mut life, false);
        drop(life);
        farewell.carry_out();
        Ok(())
    }

    /// The session has ended, and none of its events come any more.
    pub(super) fn end(&self) {
        let mut life = self.lock();
        life.ended = true;
        let farewell = self.leave(&mut life, true);
        drop(life);
        farewell.carry_out();
    }

    /// Takes out what goes now: with the handle also the pointer.
    fn leave(&self, life: &mut Life, pointer_too: bool) -> Farewell {
        let id = if life.nameable() { 0 } else { self.id.swap(0, Ordering::Relaxed) };
        let userdata = if id != 0 || pointer_too { self.replace(life, Userdata::NONE) } else { Userdata::NONE };
        Farewell { handle: (id != 0).then_some(netsys_session { id }), userdata }
    }

    fn replace(&self, life: &mut Life, userdata: Userdata) -> Userdata {
        // Release: what the pointer points to was written before it was stored.
        self.pointer.store(userdata.pointer, Ordering::Release);
        std::mem::replace(&mut life.userdata, userdata)
    }

    /// The caller's pointer, or NULL.
    #[inline]
    pub(super) fn userdata(&self) -> *mut c_void {
        self.pointer.load(Ordering::Acquire)
    }

    /// Stores a pointer of the caller's and releases the former one. On failure nothing is stored or released.
    pub(super) fn set_userdata(&self, pointer: *mut c_void, release: Release) -> Result<()> {
        let mut life = self.lock();
        if !life.nameable() {
            return Err(gone());
        }
        let former = self.replace(&mut life, Userdata { pointer, release });
        drop(life);
        former.release();
        Ok(())
    }
}

fn gone() -> Error {
    Error::new(Code::SessionNotFound, "the session has ended")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;

    fn session() -> Arc<Session> {
        Session::detached("s".into(), "c".into())
    }

    fn found(handle: netsys_session) -> bool {
        objects::with(handle, |_| Ok(())).is_ok()
    }

    unsafe extern "C-unwind" fn count(userdata: *mut c_void) {
        // SAFETY: the tests store pointers to counters that live longer.
        unsafe { &*userdata.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    fn counter(counter: &AtomicUsize) -> *mut c_void {
        ptr::from_ref(counter).cast_mut().cast()
    }

    #[test]
    fn the_handle_is_made_once_and_goes_with_the_end() {
        let session = session();
        let binding = Binding::of(&session, Owner::Endpoint);
        let handle = binding.handle(&session).expect("not ended");
        assert_eq!(binding.handle(&session), Ok(handle));
        assert!(found(handle));
        binding.end();
        assert!(!found(handle));
        assert_eq!(binding.handle(&session).expect_err("ended").code, Code::SessionNotFound);
        assert_eq!(binding.retain().expect_err("ended").code, Code::SessionNotFound);
        assert_eq!(binding.set_userdata(ptr::null_mut(), None).expect_err("ended").code, Code::SessionNotFound);
        assert_eq!(Arc::strong_count(&session), 1, "the table holds nothing");
    }

    #[test]
    fn a_session_that_ended_unseen_gets_no_handle() {
        let session = session();
        let binding = Binding::of(&session, Owner::Endpoint);
        binding.end();
        assert!(binding.handle(&session).is_err());
        assert_eq!(Arc::strong_count(&session), 1);
    }

    #[test]
    fn a_retained_handle_outlives_the_end() {
        let session = session();
        let binding = Binding::of(&session, Owner::Endpoint);
        let handle = binding.handle(&session).expect("not ended");
        binding.retain().and_then(|()| binding.retain()).expect("not ended");
        binding.end();
        binding.release().expect("retained twice");
        assert!(found(handle));
        binding.release().expect("retained once more");
        assert!(!found(handle));
        assert_eq!(binding.release().expect_err("not retained").code, Code::InvalidArgument);
    }

    #[test]
    fn releasing_before_the_end_leaves_the_handle() {
        let session = session();
        let binding = Binding::of(&session, Owner::Endpoint);
        let handle = binding.handle(&session).expect("not ended");
        binding.retain().and_then(|()| binding.release()).expect("in pairs");
        assert!(found(handle));
        binding.end();
        assert!(!found(handle));
    }

    #[test]
    fn a_callers_session_is_born_retained() {
        let session = session();
        let binding = Binding::of(&session, Owner::Caller);
        binding.end();
        let handle = binding.handle(&session).expect("retained");
        assert!(found(handle));
        binding.release().expect("born retained");
        assert!(!found(handle));
        assert!(binding.handle(&session).is_err());
    }

    #[test]
    fn userdata_is_released_once_when_replaced_and_at_the_end() {
        let (first, second, third) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let counts = || [&first, &second, &third].map(|counter| counter.load(Ordering::Relaxed));
        let session = session();
        let binding = Binding::of(&session, Owner::Endpoint);
        binding.handle(&session).expect("not ended");
        binding.retain().expect("not ended");
        binding.set_userdata(counter(&first), Some(count)).expect("not ended");
        assert_eq!((binding.userdata(), counts()), (counter(&first), [0, 0, 0]));
        binding.set_userdata(counter(&second), Some(count)).expect("not ended");
        assert_eq!((binding.userdata(), counts()), (counter(&second), [1, 0, 0]));
        binding.end();
        assert_eq!((binding.userdata(), counts()), (ptr::null_mut(), [1, 1, 0]));
        binding.set_userdata(counter(&third), Some(count)).expect("retained");
        assert_eq!(counts(), [1, 1, 0]);
        binding.release().expect("retained");
        assert_eq!((binding.userdata(), counts()), (ptr::null_mut(), [1, 1, 1]));
    }

    #[test]
    fn looking_for_the_handle_while_the_session_ends_leaks_nothing() {
        for _ in 0..2_000 {
            let session = session();
            let binding = Binding::of(&session, Owner::Endpoint);
            let handle = thread::scope(|scope| {
                let looking = scope.spawn(|| binding.handle(&session));
                scope.spawn(|| binding.end());
                looking.join().expect("no panic")
            });
            assert!(handle.is_err() || !found(handle.expect("made before the end")));
            assert_eq!(Arc::strong_count(&session), 1);
        }
    }
}
