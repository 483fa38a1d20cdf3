//! Executors of the user's, and the jobs that they run.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use super::guard;
use super::objects::{self, Handle};
use super::status::{NETSYS_OK, netsys_status};
use super::types::*;
use crate::config::Word;
use crate::error::{Error, Result};
use crate::runtime::{Dispatch, Executor, Job};

/// Who runs the callbacks of a server or client under NETSYS_DISPATCH_EXECUTOR.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_executor {
    /// Given to both functions.
    pub userdata: *mut c_void,
    /// Takes a job, and sees to it that netsys_job_run is called with it soon, once, on any thread; this may be right
    /// now. NETSYS_OK; anything else says that the job is not taken, and the library runs it on a thread of its own.
    /// Called on several threads at a time; must not wait, nor throw.
    pub execute: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void, job: netsys_job) -> netsys_status>,
    /// No job will come any more. Runs exactly once, on any thread: after the release of the callbacks, when no session
    /// is retained any more, or when the start has failed, unless it was the struct_size of the configuration that was
    /// refused.
    pub release: Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>,
}

/// A job that C may have.
pub(super) struct HandedOut(Mutex<Option<Job>>);

impl HandedOut {
    fn take(&self) -> Option<Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An executor of the user's. Released when it is dropped.
struct Hook(netsys_executor);

// SAFETY: the table's pointers are only handed to its functions, which the header says to be called on any thread.
unsafe impl Send for Hook {}
// SAFETY: as above.
unsafe impl Sync for Hook {}

impl Executor for Hook {
    fn execute(&self, job: Job) {
        // Without a handle, or an executor that takes it, the job is dropped, and so runs on the loop.
        let Some(execute) = self.0.execute else { return };
        let Ok(handle) = objects::insert::<netsys_job>(HandedOut(Mutex::new(Some(job)))) else { return };
        let mut status = !NETSYS_OK;
        // SAFETY: the table's function is called as the header says.
        guard::contained("execute", || status = unsafe { execute(self.0.userdata, handle) });
        if status != NETSYS_OK {
            // Fails where the executor has run the job nevertheless.
            drop(take(handle));
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: as the header says; each hook exists once.
            guard::contained("release of an executor", || unsafe { release(self.0.userdata) });
        }
    }
}

/// Takes the job out of its handle, which is invalid then.
fn take(handle: netsys_job) -> Result<Job> {
    let job = objects::with(handle, |job| job.take().ok_or_else(|| netsys_job::missing(handle.id)))?;
    // Nobody else gets here with this handle.
    _ = objects::remove(handle);
    Ok(job)
}

/// The dispatch that a configuration asks for. Takes charge of the executor.
pub(super) fn dispatch(number: u32, executor: netsys_executor) -> Result<Dispatch> {
    let given = executor.execute.is_some();
    let hook = Hook(executor);
    match number {
        NETSYS_DISPATCH_EXECUTOR if given => Ok(Dispatch::Executor(Arc::new(hook))),
        NETSYS_DISPATCH_EXECUTOR => {
            Err(Error::invalid("executor: execute is NULL: NETSYS_DISPATCH_EXECUTOR (3) needs it"))
        }
        _ if given => Err(Error::invalid(format!(
            "dispatch is {number}, and executor has a function: use NETSYS_DISPATCH_EXECUTOR (3), or none"
        ))),
        _ => Dispatch::of_number(number).ok_or_else(|| {
            Error::invalid(format!(
                "dispatch is {number}: use NETSYS_DISPATCH_INLINE (0), _POOL (1), _MANUAL (2) or _EXECUTOR (3)"
            ))
        }),
    }
}

/// Runs a job: the callbacks of one session, or of one server or client, that are due. Further ones of the same session
/// come with a further job, never before this one has ended. For the time of the call the thread counts as one of the
/// library's. The handle is invalid from the beginning of the call.
///
/// @param job  what execute was given
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE (it has been run, or refused, before)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_job_run(job: netsys_job) -> netsys_status {
    guard::call(|| {
        take(job)?.run();
        Ok(())
    })
}

/// Gives a job back that execute took and that will not be run after all: the library runs it on a thread of its own.
/// An executor that ends owes this, or netsys_job_run, to each job that it holds; else the server or client never
/// stops.
///
/// @param job  what execute was given; invalid then
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE (it has been run, or refused, before)
#[unsafe(no_mangle)]
pub extern "C" fn netsys_job_refuse(job: netsys_job) -> netsys_status {
    guard::call(|| {
        drop(take(job)?);
        Ok(())
    })
}
