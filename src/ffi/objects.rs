//! What handles name: the one table of the process, and the typed way into it.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use super::context::OpenContext;
use super::handles::{Entry, Table, kind_of};
use super::types::*;
use crate::core::{Client, Server};
use crate::error::{Code, Error, Result};
use crate::session::Session;

static TABLE: Table<Object> = Table::new();

/// The kinds of handles. The numbers are part of every id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Context = 1,
    Server = 2,
    Client = 3,
    Session = 4,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Context, Kind::Server, Kind::Client, Kind::Session];

    /// What an id claims to be of.
    fn of(id: u64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind_of(id).is_some_and(|number| number.get() == *kind as u8))
    }

    fn noun(self) -> &'static str {
        match self {
            Kind::Context => "context",
            Kind::Server => "server",
            Kind::Client => "client",
            Kind::Session => "session",
        }
    }
}

/// An object that a handle names.
pub(super) enum Object {
    Context(OpenContext),
    Server(Arc<Server>),
    Client(Arc<Client>),
    Session(Arc<Session>),
}

impl Entry for Object {
    fn kind(&self) -> NonZeroU8 {
        let kind = match self {
            Object::Context(_) => Kind::Context,
            Object::Server(_) => Kind::Server,
            Object::Client(_) => Kind::Client,
            Object::Session(_) => Kind::Session,
        };
        // The kinds start at 1.
        NonZeroU8::MIN.saturating_add(kind as u8 - 1)
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

impl Handle for netsys_context {
    type Object = OpenContext;
    const KIND: Kind = Kind::Context;

    fn from_id(id: u64) -> Self {
        netsys_context { id }
    }
    fn id(self) -> u64 {
        self.id
    }
    fn wrap(object: OpenContext) -> Object {
        Object::Context(object)
    }
    fn unwrap(object: &Object) -> Option<&OpenContext> {
        if let Object::Context(context) = object { Some(context) } else { None }
    }
    /// A context outlives a fault: it serves other objects, which are whole.
    fn poison(_object: &OpenContext) {}
}

impl Handle for netsys_server {
    type Object = Arc<Server>;
    const KIND: Kind = Kind::Server;

    fn from_id(id: u64) -> Self {
        netsys_server { id }
    }
    fn id(self) -> u64 {
        self.id
    }
    fn wrap(object: Arc<Server>) -> Object {
        Object::Server(object)
    }
    fn unwrap(object: &Object) -> Option<&Arc<Server>> {
        if let Object::Server(server) = object { Some(server) } else { None }
    }
    fn poison(object: &Arc<Server>) {
        object.stop(Some(Duration::ZERO));
    }
}

impl Handle for netsys_client {
    type Object = Arc<Client>;
    const KIND: Kind = Kind::Client;

    fn from_id(id: u64) -> Self {
        netsys_client { id }
    }
    fn id(self) -> u64 {
        self.id
    }
    fn wrap(object: Arc<Client>) -> Object {
        Object::Client(object)
    }
    fn unwrap(object: &Object) -> Option<&Arc<Client>> {
        if let Object::Client(client) = object { Some(client) } else { None }
    }
    fn poison(object: &Arc<Client>) {
        object.stop(Some(Duration::ZERO));
    }
}

impl Handle for netsys_session {
    type Object = Arc<Session>;
    const KIND: Kind = Kind::Session;

    fn from_id(id: u64) -> Self {
        netsys_session { id }
    }
    fn id(self) -> u64 {
        self.id
    }
    fn wrap(object: Arc<Session>) -> Object {
        Object::Session(object)
    }
    fn unwrap(object: &Object) -> Option<&Arc<Session>> {
        if let Object::Session(session) = object { Some(session) } else { None }
    }
    fn poison(object: &Arc<Session>) {
        object.abort();
    }
    fn missing(id: u64) -> Error {
        missing(Self::KIND, Code::SessionNotFound, Code::InvalidSession, id)
    }
}

/// Runs `f` with the object that the handle names. The object stays for as long, even if its handle is removed.
#[inline]
pub(super) fn with<H: Handle, R>(handle: H, f: impl FnOnce(&H::Object) -> Result<R>) -> Result<R> {
    let pin = TABLE.get(handle.id());
    match pin.as_deref().and_then(H::unwrap) {
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
