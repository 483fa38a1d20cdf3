//! Leases: the use of a pool's connection.

use super::args::Out;
use super::client::live_session;
use super::guard;
use super::objects;
use super::status::netsys_status;
use super::types::*;

/// The use of a pool's connection. 0 is never a valid id.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct netsys_lease {
    /// Opaque; compare and copy it, no more.
    pub id: u64,
}

/// The client of a lease. It belongs to the pool: do not destroy it.
///
/// @param lease  the lease
/// @param out    the client
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_lease_client(lease: netsys_lease, out: *mut netsys_client) -> netsys_status {
    guard::with(lease, |lease| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(netsys_client { id: lease.tag() });
        Ok(())
    })
}

/// The session of a lease, in which messages are sent.
///
/// @param lease  the lease
/// @param out    the session
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_CONNECTION_CLOSED (it has
///         ended since); NETSYS_ERR_OUT_OF_MEMORY (too many handles)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_lease_session(lease: netsys_lease, out: *mut netsys_session) -> netsys_status {
    guard::with(lease, |lease| {
        // SAFETY: the caller gives NULL or a place for a handle.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(live_session(lease)?);
        Ok(())
    })
}

/// Returns a connection to its pool, for the next who needs one. If it has broken, it is replaced.
///
/// A connection on which an answer is still outstanding is to be discarded instead: the next user would get it. What
/// comes while a connection is idle is told to the callbacks, and the connection is closed and not leased again.
///
/// @param lease  the lease; invalid from now on
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_lease_release(lease: netsys_lease) -> netsys_status {
    guard::with(lease, |_| objects::remove(lease))
}

/// Returns a connection that nobody must get any more. The pool closes it: what was sent on it is delivered.
///
/// @param lease  the lease; invalid from now on
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE
#[unsafe(no_mangle)]
pub extern "C" fn netsys_lease_discard(lease: netsys_lease) -> netsys_status {
    guard::with(lease, |object| {
        object.mark_for_discard();
        objects::remove(lease)
    })
}
