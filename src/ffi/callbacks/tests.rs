use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::Mutex;

use super::*;
use crate::error::Code;
use crate::ffi::objects;

/// What the callbacks below were told, in order.
type Log = Mutex<Vec<String>>;

fn note(userdata: *mut c_void, line: String) {
    // SAFETY: the tests give a log as userdata that lives longer.
    unsafe { &*userdata.cast::<Log>() }.lock().expect("no panic").push(line);
}

fn session_id(session: netsys_session) -> String {
    objects::with(session, |session| Ok(session.id().to_owned())).unwrap_or_else(|_| "none".to_owned())
}

unsafe extern "C-unwind" fn on_accept(userdata: *mut c_void, session: netsys_session) {
    note(userdata, format!("accept {}", session_id(session)));
}

unsafe extern "C-unwind" fn on_open(userdata: *mut c_void, session: netsys_session) {
    note(userdata, format!("open {}", session_id(session)));
}

unsafe extern "C-unwind" fn on_message(userdata: *mut c_void, session: netsys_session, message: *const netsys_message) {
    // SAFETY: valid for the callback.
    let message = unsafe { &*message };
    // SAFETY: as above.
    let data = unsafe { std::slice::from_raw_parts(message.data, message.len) };
    assert_eq!(message.struct_size as usize, size_of::<netsys_message>());
    let text = String::from_utf8_lossy(data);
    let pointer = message.session_userdata as usize;
    note(userdata, format!("message {} {} {text} {pointer}", session_id(session), message.kind));
}

unsafe extern "C-unwind" fn on_writable(userdata: *mut c_void, session: netsys_session) {
    note(userdata, format!("writable {}", session_id(session)));
}

unsafe extern "C-unwind" fn on_state(userdata: *mut c_void, session: netsys_session, old: u32, new: u32) {
    note(userdata, format!("state {} {old} {new}", session_id(session)));
}

fn close_line(what: &str, session: netsys_session, why: *const netsys_close_info) -> String {
    // SAFETY: valid for the callback.
    let why = unsafe { &*why };
    // SAFETY: as above.
    let text = unsafe { args::text(why.text, "text") }.expect("UTF-8");
    let netsys_close_info { reason, os_code, by_peer, accepted, undelivered, requeued, discarded, exact, .. } = *why;
    let session = session_id(session);
    format!(
        "{what} {session} {reason} {os_code} {by_peer} {accepted} {undelivered} {requeued} {discarded} {exact} {text}"
    )
}

unsafe extern "C-unwind" fn on_close(userdata: *mut c_void, session: netsys_session, why: *const netsys_close_info) {
    note(userdata, close_line("close", session, why));
}

unsafe extern "C-unwind" fn on_end(userdata: *mut c_void, session: netsys_session, why: *const netsys_close_info) {
    note(userdata, close_line("end", session, why));
}

unsafe extern "C-unwind" fn on_error(userdata: *mut c_void, session: netsys_session, error: *const netsys_error_info) {
    // SAFETY: valid for the callback.
    let error = unsafe { &*error };
    // SAFETY: the message is NUL-terminated.
    let text = unsafe { CStr::from_ptr(error.message.as_ptr().cast::<c_char>()) }.to_string_lossy();
    note(userdata, format!("error {} {} {} {text}", session_id(session), error.status, error.os_code));
}

unsafe extern "C-unwind" fn on_stopped(userdata: *mut c_void) {
    note(userdata, "stopped".to_owned());
}

unsafe extern "C-unwind" fn release(userdata: *mut c_void) {
    note(userdata, "release".to_owned());
}

fn table(log: &Log) -> netsys_callbacks {
    netsys_callbacks {
        struct_size: size_of::<netsys_callbacks>() as u32,
        reserved: 0,
        userdata: ptr::from_ref(log).cast_mut().cast(),
        on_accept: Some(on_accept),
        on_open: Some(on_open),
        on_message: Some(on_message),
        on_writable: Some(on_writable),
        on_state: Some(on_state),
        on_close: Some(on_close),
        on_end: Some(on_end),
        on_error: Some(on_error),
        on_stopped: Some(on_stopped),
        release: Some(release),
    }
}

fn read(table: &netsys_callbacks) -> Result<Callbacks> {
    // SAFETY: a whole struct.
    unsafe { Callbacks::read(table, Owner::Endpoint) }
}

fn report() -> CloseReport {
    CloseReport {
        reason: Some(Code::ConnectionClosed),
        os_code: 104,
        by_peer: true,
        accepted: 5,
        undelivered: 2,
        requeued: 3,
        dropped: 0,
        discarded: 1,
        exact: false,
        text: "reset".into(),
    }
}

#[test]
fn every_event_reaches_its_callback() {
    let log = Log::default();
    let handler = read(&table(&log)).expect("a whole table");
    let session = Session::detached("s".into(), "c".into());
    handler.on_accept(&session);
    handler.on_open(&session);
    Binding::of(&session, Owner::Endpoint).set_userdata(ptr::without_provenance_mut(42), None).expect("not ended");
    for kind in [Payload::Text, Payload::Binary, Payload::Stream] {
        handler.on_message(&session, Message { kind, data: b"hi" });
    }
    handler.on_writable(&session);
    handler.on_state(&session, State::Connected, State::Disconnecting);
    handler.on_error(Some(&session), &Error { code: Code::Protocol, os_code: 7, message: "bad frame".into() });
    handler.on_close(&session, &report());
    handler.on_end(&session, &CloseReport { reason: None, os_code: 0, by_peer: false, exact: true, ..report() });
    let handle = Binding::of(&session, Owner::Endpoint).handle(&session).expect("not ended");
    handler.on_detach(&session);
    assert_eq!(session_id(handle), "none");
    handler.on_error(None, &Error::new(Code::Io, "accept"));
    handler.on_stopped();
    handler.on_release();
    handler.on_release();
    let expected = [
        "accept s",
        "open s",
        "message s 1 hi 42",
        "message s 2 hi 42",
        "message s 3 hi 42",
        "writable s",
        "state s 1 2",
        "error s -644 7 bad frame",
        "close s -603 104 1 5 2 3 1 0 reset",
        "end s 0 0 0 5 2 3 1 1 reset",
        "error none -9 0 accept",
        "stopped",
        "release",
    ];
    assert_eq!(*log.lock().expect("no panic"), expected);
}

#[test]
fn callbacks_that_are_null_are_skipped() {
    // SAFETY: all zero is a value of this struct.
    let nothing = netsys_callbacks { struct_size: 8, ..unsafe { std::mem::zeroed() } };
    let handler = read(&nothing).expect("a table of nothing");
    let session = Session::detached("s".into(), "c".into());
    handler.on_accept(&session);
    handler.on_open(&session);
    handler.on_message(&session, Message { kind: Payload::Text, data: b"" });
    handler.on_writable(&session);
    handler.on_state(&session, State::Connecting, State::Error);
    handler.on_error(None, &Error::new(Code::Io, "accept"));
    handler.on_close(&session, &report());
    handler.on_end(&session, &report());
    handler.on_detach(&session);
    handler.on_stopped();
    handler.on_release();
    assert!(Binding::of(&session, Owner::Endpoint).handle(&session).is_err(), "no handle was made, and none is");
}

#[test]
fn a_table_that_cannot_be_is_refused() {
    let log = Log::default();
    let code = |table: netsys_callbacks| read(&table).err().map(|error| error.code);
    assert_eq!(code(netsys_callbacks { struct_size: 0, ..table(&log) }), Some(Code::InvalidArgument));
    assert_eq!(code(netsys_callbacks { reserved: 1, ..table(&log) }), Some(Code::InvalidArgument));
    assert!(log.lock().expect("no panic").is_empty());
}

#[test]
fn a_start_that_fails_releases_and_one_that_succeeds_does_not() {
    let log = Log::default();
    let table = table(&log);
    let start = |body: &dyn Fn(&Arc<Callbacks>) -> Result<()>| {
        guard::start(|| Ok(()), || read(&table), |callbacks, ()| body(callbacks))
    };
    assert_eq!(start(&|_| Err(Code::BindFailed.into())), Code::BindFailed as i32);
    assert_eq!(*log.lock().expect("no panic"), ["release"]);
    assert_eq!(start(&|_| panic!("at the start")), Code::Internal as i32);
    assert_eq!(*log.lock().expect("no panic"), ["release", "release"]);
    let started = |callbacks: &Arc<Callbacks>| {
        callbacks.started();
        Ok(())
    };
    assert_eq!(start(&started), NETSYS_OK);
    let failed_later = |callbacks: &Arc<Callbacks>| {
        callbacks.started();
        Err(Code::OutOfMemory.into())
    };
    assert_eq!(start(&failed_later), Code::OutOfMemory as i32);
    assert_eq!(*log.lock().expect("no panic"), ["release", "release"]);
}
