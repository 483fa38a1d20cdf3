//! Statuses, and the record of a thread's last failure.

use std::cell::Cell;
use std::ffi::{CStr, c_char};

use super::args;
use super::guard;
use super::types::netsys_error_info;
use crate::error::{Code, Error};

/// What functions return: NETSYS_OK, or one of NETSYS_ERR_*, which are all negative.
pub type netsys_status = i32;

/// Success.
pub const NETSYS_OK: netsys_status = 0;

const MESSAGE_CAPACITY: usize = 232;

/// The text, cut at the beginning of a character so that a NUL fits behind it.
fn fitting(text: &str) -> &str {
    &text[..text.floor_char_boundary(MESSAGE_CAPACITY - 1)]
}

impl netsys_error_info {
    const EMPTY: netsys_error_info = netsys_error_info {
        struct_size: size_of::<netsys_error_info>() as u32,
        status: NETSYS_OK,
        os_code: 0,
        reserved: 0,
        message: [0; MESSAGE_CAPACITY],
    };

    pub(super) fn new(error: &Error) -> Self {
        let mut info = netsys_error_info { status: error.code as i32, os_code: error.os_code, ..Self::EMPTY };
        for (to, from) in info.message.iter_mut().zip(fitting(&error.message).bytes()) {
            *to = from as c_char;
        }
        info
    }
}

thread_local! {
    /// Constant at first and without a destructor: it costs no registration, and works until the thread is gone.
    static LAST: Cell<netsys_error_info> = const { Cell::new(netsys_error_info::EMPTY) };
}

/// Records the thread's last failure and returns its status.
#[cold]
pub(super) fn fail(error: &Error) -> netsys_status {
    LAST.set(netsys_error_info::new(error));
    error.code as i32
}

/// The error that a function of the caller's returned: the thread's last failure, if it is that.
pub(super) fn recall(status: netsys_status) -> Error {
    let Some(code) = Code::from_number(status) else {
        return Error::new(
            Code::InvalidArgument,
            format!("a callback returned {status}: use NETSYS_OK or one of NETSYS_ERR_*"),
        );
    };
    let last = LAST.get();
    if last.status != status {
        return code.into();
    }
    let bytes: Vec<u8> = last.message.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    Error { code, os_code: last.os_code, message: String::from_utf8_lossy(&bytes).into_owned().into() }
}

fn texts(status: netsys_status) -> (&'static CStr, &'static CStr) {
    match Code::from_number(status) {
        Some(code) => (code.name(), code.message()),
        None if status == NETSYS_OK => (c"NETSYS_OK", c"success"),
        None => (c"NETSYS_ERR_UNKNOWN", c"not a status of this version"),
    }
}

/// The name of a status: "NETSYS_ERR_TIMEOUT".
///
/// @param status  any number
/// @return a static string; "NETSYS_ERR_UNKNOWN" for a number that is no status. Works in a forked child too.
#[unsafe(no_mangle)]
pub extern "C" fn netsys_status_name(status: netsys_status) -> *const c_char {
    guard::value(c"NETSYS_ERR_UNKNOWN".as_ptr(), || texts(status).0.as_ptr())
}

/// What a status means, in general words: "the operation timed out".
///
/// @param status  any number
/// @return a static string. Works in a forked child too.
#[unsafe(no_mangle)]
pub extern "C" fn netsys_status_message(status: netsys_status) -> *const c_char {
    guard::value(c"".as_ptr(), || texts(status).1.as_ptr())
}

/// The last failure of a function of this header on the calling thread. A success does not clear it, so look at it only
/// after a failure. A thread where nothing has failed has status NETSYS_OK and an empty message.
///
/// Works in a forked child too, where it tells why everything else fails.
///
/// @param out  filled in; set its struct_size to sizeof(netsys_error_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_last_error(out: *mut netsys_error_info) -> netsys_status {
    guard::call_also_forked(|| {
        // SAFETY: the caller gives NULL or a netsys_error_info with its struct_size set.
        unsafe { args::fill_struct(out, "out", LAST.get()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(info: &netsys_error_info) -> String {
        let bytes: Vec<u8> = info.message.iter().map(|c| *c as u8).collect();
        CStr::from_bytes_until_nul(&bytes).expect("terminated").to_str().expect("UTF-8").to_owned()
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let long = |text: String| message(&netsys_error_info::new(&Error::new(Code::Io, text)));
        assert_eq!(long("x".repeat(231)), "x".repeat(231));
        assert_eq!(long("x".repeat(300)), "x".repeat(231));
        assert_eq!(long("\u{e9}".repeat(200)), "\u{e9}".repeat(115));
        assert_eq!(long("x".repeat(229) + "\u{1f600}"), "x".repeat(229));
        assert_eq!(long(String::new()), "");
    }

    #[test]
    fn names_and_messages() {
        let text = |pointer: *const c_char| {
            // SAFETY: both functions return static strings.
            unsafe { CStr::from_ptr(pointer) }.to_str().expect("UTF-8")
        };
        assert_eq!(text(netsys_status_name(NETSYS_OK)), "NETSYS_OK");
        assert_eq!(text(netsys_status_name(-4)), "NETSYS_ERR_TIMEOUT");
        assert_eq!(text(netsys_status_message(-4)), "the operation timed out");
        for unknown in [1, -5000, i32::MIN, i32::MAX] {
            assert_eq!(text(netsys_status_name(unknown)), "NETSYS_ERR_UNKNOWN");
            assert!(!text(netsys_status_message(unknown)).is_empty());
        }
        for code in Code::ALL {
            assert_eq!(text(netsys_status_name(code as i32)), code.name().to_str().expect("UTF-8"));
        }
    }

    #[test]
    fn the_last_error_belongs_to_its_thread() {
        let mut info = netsys_error_info::EMPTY;
        std::thread::spawn(move || {
            // SAFETY: `info` is a whole struct.
            assert_eq!(unsafe { netsys_last_error(&raw mut info) }, NETSYS_OK);
            assert_eq!((info.status, message(&info)), (NETSYS_OK, String::new()));
            let error = Error { code: Code::BindFailed, os_code: 98, message: "bind: in use".into() };
            assert_eq!(fail(&error), -662);
            // SAFETY: as above.
            assert_eq!(unsafe { netsys_last_error(&raw mut info) }, NETSYS_OK);
            assert_eq!((info.status, info.os_code, message(&info)), (-662, 98, "bind: in use".to_owned()));
        })
        .join()
        .expect("no panic");
        // SAFETY: as above.
        assert_eq!(unsafe { netsys_last_error(&raw mut info) }, NETSYS_OK);
        assert_eq!(info.status, NETSYS_OK);
    }

    #[test]
    fn no_place_for_the_last_error_is_an_error_itself() {
        // SAFETY: NULL is refused.
        assert_eq!(unsafe { netsys_last_error(std::ptr::null_mut()) }, Code::InvalidArgument as i32);
        let mut info = netsys_error_info { struct_size: 0, ..netsys_error_info::EMPTY };
        // SAFETY: `info` is a whole struct; its size says nothing.
        assert_eq!(unsafe { netsys_last_error(&raw mut info) }, Code::InvalidArgument as i32);
    }
}
