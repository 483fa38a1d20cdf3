//! What handles name: the one table of the process, and the typed way into it.

use std::mem::ManuallyDrop;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use super::binding::Binding;
use super::bridge::netsys_bridge;
use super::connection_pool::netsys_pool;
use super::context::OpenContext;
use super::executor::HandedOut;
use super::handles::{Entry, Table, kind_of};
use super::lease::netsys_lease;
use super::open_config::OpenConfig;
use super::session_manager::{Manager, netsys_session_manager};
use super::types::*;
use crate::bridge::Bridge;
use crate::core::{Client, ConnectionPool, Lease, Server};
use crate::error::{Code, Error, Result};
use crate::session::Session;
use crate::utils::address_resolver::AddressResolver;

static TABLE: Table<Object> = Table::new();

/// Declares the kinds of handles, their nouns and numbers, and what each names. The numbers are part of every id.
macro_rules! kinds {
    ($($kind:ident = $number:literal, $noun:literal, $object:ty;)*) => {
        /// The kinds of handles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Kind {
            $($kind = $number,)*
        }

        impl Kind {
            const ALL: &[Kind] = &[$(Kind::$kind),*];

            fn noun(self) -> &'static str {
                match self {
                    $(Kind::$kind => $noun,)*
                }
            }
        }

        /// An object that a handle names.
        pub(super) enum Object {
            $($kind($object),)*
        }

        impl Object {
            fn kind(&self) -> Kind {
                match self {
                    $(Object::$kind(_) => Kind::$kind,)*
                }
            }
        }
    };
}

kinds! {
    Context = 1, "context", OpenContext;
    Server = 2, "server", Arc<Server>;
    Client = 3, "client", Arc<Client>;
    Session = 4, "session", Arc<Session>;
    Job = 5, "job", HandedOut;
    Config = 6, "configuration", Box<OpenConfig>;
    Resolver = 7, "resolver", Arc<AddressResolver>;
    Pool = 8, "connection pool", Arc<ConnectionPool>;
    Lease = 9, "lease", Lease;
    SessionManager = 10, "session manager", Arc<Manager>;
    Bridge = 11, "bridge", Arc<Bridge>;
}

impl Kind {
    /// What an id claims to be of.
    fn of(id: u64) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind_of(id).is_some_and(|number| number.get() == *kind as u8))
    }
}

impl Entry for Object {
    fn kind(&self) -> NonZeroU8 {
        // The kinds start at 1.
        NonZeroU8::MIN.saturating_add(self.kind() as u8 - 1)
    }
}

/// A handle as C has it.
pub(super) trait Handle: Copy {
    /// What it names.
    type Object;
    const KIND: Kind;

    fn from_id(id: u64) -> Self;
    fn id(self) -> u64;
    fn wrap(object: Self::Object) -> Object;
    fn unwrap(object: &Object) -> Option<&Self::Object>;

    /// Ends the object after a fault of the library in a call on it.
    fn poison(object: &Self::Object);

    /// The object, if this thread has it at hand with no need to look for it: then for as long as the call lasts.
    #[inline(always)]
    fn at_hand(self) -> Option<ManuallyDrop<Self::Object>> {
        None
    }

    /// The error for an id that names no such object.
    fn missing(id: u64) -> Error {
        missing(Self::KIND, Code::InvalidHandle, Code::InvalidHandle, id)
    }
}

fn missing(wanted: Kind, gone: Code, other: Code, id: u64) -> Error {
    let wanted = wanted.noun();
    match Kind::of(id) {
        _ if id == 0 => Error::new(gone, format!("the {wanted} handle is 0: nothing was stored in it")),
        Some(kind) if kind.noun() != wanted => {
            Error::new(other, format!("the handle is that of a {}, not of a {wanted}", kind.noun()))
        }
        _ => Error::new(gone, format!("no {wanted} has this handle ({id:#018x}): it is gone, or never was")),
    }
}

/// Makes a type of C the handle of the objects of one kind. `poison` ends the object after a fault; `missing` is the
/// error for an id that names none.
macro_rules! handle {
    ($handle:ty, $kind:ident, $object:ty, poison: $poison:expr $(, missing: $missing:expr)? $(, at_hand: $at_hand:ident)?) => {
        impl Handle for $handle {
            type Object = $object;
            const KIND: Kind = Kind::$kind;

            fn from_id(id: u64) -> Self {
                Self { id }
            }
            fn id(self) -> u64 {
                self.id
            }
            fn wrap(object: $object) -> Object {
                Object::$kind(object)
            }
            fn unwrap(object: &Object) -> Option<&$object> {
                if let Object::$kind(object) = object { Some(object) } else { None }
            }
            fn poison(object: &$object) {
                let poison: fn(&$object) = $poison;
                poison(object);
            }
            $(fn missing(id: u64) -> Error {
                $missing(id)
            })?
            $(#[inline(always)]
            fn at_hand(self) -> Option<ManuallyDrop<$object>> {
                $at_hand(self)
            })?
        }
    };
}

// A configuration is changed as a whole or not at all.
handle!(netsys_config, Config, Box<OpenConfig>, poison: |_| ());
// A context outlives a fault: it serves other objects, which are whole.
handle!(netsys_context, Context, OpenContext, poison: |_| ());
handle!(netsys_server, Server, Arc<Server>, poison: |server| server.stop(Some(Duration::ZERO)));
handle!(netsys_client, Client, Arc<Client>, poison: |client| client.stop(Some(Duration::ZERO)));
handle!(netsys_session, Session, Arc<Session>, poison: |session| session.abort(),
    missing: |id| missing(Kind::Session, Code::SessionNotFound, Code::InvalidSession, id),
    at_hand: session_at_work);
// A job that failed has ended, and others of its session come.
handle!(netsys_job, Job, HandedOut, poison: |_| ());
handle!(netsys_resolver, Resolver, Arc<AddressResolver>, poison: |resolver| resolver.close());

handle!(netsys_pool, Pool, Arc<ConnectionPool>, poison: |pool| pool.stop(Some(Duration::ZERO)));
handle!(netsys_lease, Lease, Lease, poison: Lease::mark_for_discard);
// A manager outlives a fault: its sessions are not its own.
handle!(netsys_bridge, Bridge, Arc<Bridge>, poison: |bridge| bridge.stop(Some(Duration::ZERO)));
handle!(netsys_session_manager, SessionManager, Arc<Manager>, poison: |_| ());

/// The session whose driver is at work on this thread, if the handle is that one's: a callback that answers needs no
/// look-up.
#[inline(always)]
fn session_at_work(handle: netsys_session) -> Option<ManuallyDrop<Arc<Session>>> {
    let session = Session::at_work();
    if session.is_null() {
        return None;
    }
    // SAFETY: the driver that is at work on this thread, inside of which the call is made, keeps its session in an `Arc`.
    // This second one is not counted, and so is not dropped.
    let session = ManuallyDrop::new(unsafe { Arc::from_raw(session) });
    Binding::names(&session, handle).then_some(session)
}

/// Runs `f` with the object that the handle names. The object stays for as long, even if its handle is removed.
#[inline]
pub(super) fn with<H: Handle, R>(handle: H, f: impl FnOnce(&H::Object) -> Result<R>) -> Result<R> {
    let at_hand = handle.at_hand();
    let pin = if at_hand.is_none() { TABLE.get(handle.id()) } else { None };
    match at_hand.as_deref().or_else(|| pin.as_deref().and_then(H::unwrap)) {
        Some(object) => f(object),
        None => Err(H::missing(handle.id())),
    }
}

/// Gives the object a handle.
pub(super) fn insert<H: Handle>(object: H::Object) -> Result<H> {
    match TABLE.insert(H::wrap(object)) {
        Ok(id) => Ok(H::from_id(id)),
        Err(_) => Err(Error::new(Code::OutOfMemory, "there are 2^24 handles already: release or destroy some")),
    }
}

/// Makes the handle invalid. Its object is dropped when nobody uses it any more.
pub(super) fn remove<H: Handle>(handle: H) -> Result<()> {
    match TABLE.remove(handle.id()) {
        Some(_) => Ok(()),
        None => Err(H::missing(handle.id())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> (Arc<Session>, netsys_session) {
        let session = Session::detached("s".into(), "c".into());
        let handle = insert::<netsys_session>(session.clone()).expect("there is room");
        (session, handle)
    }

    fn code<H: Handle>(handle: H) -> (Code, String) {
        let error = with(handle, |_| Ok(())).expect_err("no such object");
        (error.code, error.message.into_owned())
    }

    #[test]
    fn a_handle_names_its_object_until_it_is_removed() {
        let (session, handle) = session();
        assert_eq!(Arc::strong_count(&session), 2);
        with(handle, |found| {
            assert!(Arc::ptr_eq(found, &session));
            remove(handle)?;
            assert_eq!(Arc::strong_count(&session), 2, "kept while it is used");
            Ok(())
        })
        .expect("found");
        assert_eq!(Arc::strong_count(&session), 1);
        assert_eq!(code(handle).0, Code::SessionNotFound);
        assert_eq!(remove(handle).expect_err("removed").code, Code::SessionNotFound);
    }

    #[test]
    fn errors_say_what_the_handle_is() {
        let (_session, handle) = session();
        assert_eq!(code(netsys_session { id: 0 }).0, Code::SessionNotFound);
        assert_eq!(
            code(netsys_server { id: 0 }),
            (Code::InvalidHandle, "the server handle is 0: nothing was stored in it".into())
        );
        assert_eq!(
            code(netsys_server { id: handle.id }),
            (Code::InvalidHandle, "the handle is that of a session, not of a server".into())
        );
        let client = u64::from(Kind::Client as u8) << 24;
        assert_eq!(code(netsys_session { id: client }).0, Code::InvalidSession);
        assert_eq!(code(netsys_session { id: 0xDEAD_BEEF_DEAD_BEEF }).0, Code::SessionNotFound);
        assert_eq!(code(netsys_context { id: u64::MAX }).0, Code::InvalidHandle);
        remove(handle).expect("live");
    }
}
