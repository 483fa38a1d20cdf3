//! Every error code of the library, once, and the error value that carries one.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::io;

/// What went wrong. The numbers are part of the ABI: they are never changed and never used again for another
/// meaning.
///
/// The general ones lie above -100. The specification's ranges below: -600 to -619 connection and TLS, -620 to -639
/// session, -640 to -659 send and receive, -660 to -679 server.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// An argument is outside its documented range.
    InvalidArgument = -1,
    /// The named thing does not exist.
    NotFound = -2,
    /// The operating system refused for lack of permission.
    PermissionDenied = -3,
    /// The time given ran out.
    Timeout = -4,
    /// The operation was cancelled before it ended.
    Cancelled = -5,
    /// The object has not been started or configured yet.
    NotInitialized = -6,
    /// The thing exists, or runs, already.
    AlreadyExists = -7,
    /// Memory, or a bound on it, is exhausted.
    OutOfMemory = -8,
    /// An operating system call failed.
    Io = -9,
    /// The network failed in a way that has no code of its own.
    Network = -10,
    /// The handle is 0, stale, forged, or of another kind.
    InvalidHandle = -20,
    /// The call would wait, and this is a library thread, whose work it would wait for.
    WouldDeadlock = -21,
    /// This version, or this object, cannot do that.
    Unsupported = -22,
    /// The caller's buffer is too small; the size needed was stored.
    BufferTooSmall = -23,
    /// The process is a fork of the one that loaded the library: its threads are not here.
    Forked = -24,
    /// A fault of the library itself; the object concerned is closed.
    Internal = -99,
    /// The connection could not be made.
    ConnectionFailed = -600,
    /// The peer refused the connection.
    ConnectionRefused = -601,
    /// The connection was not made in time.
    ConnectionTimeout = -602,
    /// There is no connection (any more).
    ConnectionClosed = -603,
    /// The TLS handshake failed, or what TLS protects was broken.
    TlsFailed = -604,
    /// One side speaks TLS and the other does not.
    TlsMismatch = -605,
    /// The peer ended the connection without TLS saying so: what it sent last may be missing.
    TlsTruncated = -606,
    /// A client gave no certificate where one is required.
    CertificateRequired = -607,
    /// The peer's certificate comes from no issuer that this side trusts.
    CertificateUntrusted = -608,
    /// The peer's certificate is not valid any more, or not yet.
    CertificateExpired = -609,
    /// The server's certificate is for another name than the one that was connected to.
    CertificateWrongName = -610,
    /// The peer's certificate is revoked, or the revocation list cannot rule that out.
    CertificateRevoked = -611,
    /// The peer's certificate is for another use: a client's is no server's.
    CertificateWrongUsage = -612,
    /// The peer's certificate is malformed or has something that is not accepted.
    CertificateInvalid = -613,
    /// The peer does not accept this side's certificate, or that it has none.
    CertificateRefused = -614,
    /// No session has that handle or id (any more).
    SessionNotFound = -620,
    /// Nothing was received for longer than the idle timeout.
    SessionExpired = -621,
    /// The handle is not that of a session.
    InvalidSession = -622,
    /// The message could not be sent.
    SendFailed = -640,
    /// Receiving failed.
    ReceiveFailed = -641,
    /// The message is larger than the limit.
    MessageTooLarge = -642,
    /// The outgoing queue is full; a writable event follows.
    WouldBlock = -643,
    /// The peer broke the framed protocol.
    Protocol = -644,
    /// A handler threw or panicked.
    HandlerFailed = -645,
    /// The server is not running.
    ServerNotStarted = -660,
    /// The server is running already.
    ServerAlreadyRunning = -661,
    /// The address could not be bound.
    BindFailed = -662,
    /// The server is at its connection limit.
    ServerBusy = -663,
}

impl Code {
    /// All codes, in the order of their numbers.
    ///
    /// cbindgen:ignore
    pub const ALL: [Code; 44] = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::PermissionDenied,
        Code::Timeout,
        Code::Cancelled,
        Code::NotInitialized,
        Code::AlreadyExists,
        Code::OutOfMemory,
        Code::Io,
        Code::Network,
        Code::InvalidHandle,
        Code::WouldDeadlock,
        Code::Unsupported,
        Code::BufferTooSmall,
        Code::Forked,
        Code::Internal,
        Code::ConnectionFailed,
        Code::ConnectionRefused,
        Code::ConnectionTimeout,
        Code::ConnectionClosed,
        Code::TlsFailed,
        Code::TlsMismatch,
        Code::TlsTruncated,
        Code::CertificateRequired,
        Code::CertificateUntrusted,
        Code::CertificateExpired,
        Code::CertificateWrongName,
        Code::CertificateRevoked,
        Code::CertificateWrongUsage,
        Code::CertificateInvalid,
        Code::CertificateRefused,
        Code::SessionNotFound,
        Code::SessionExpired,
        Code::InvalidSession,
        Code::SendFailed,
        Code::ReceiveFailed,
        Code::MessageTooLarge,
        Code::WouldBlock,
        Code::Protocol,
        Code::HandlerFailed,
        Code::ServerNotStarted,
        Code::ServerAlreadyRunning,
        Code::BindFailed,
        Code::ServerBusy,
    ];

    /// The code with this number.
    pub fn from_number(number: i32) -> Option<Code> {
        Self::ALL.into_iter().find(|code| *code as i32 == number)
    }

    /// The name of the constant in C and the general message, both NUL-terminated.
    fn texts(self) -> (&'static std::ffi::CStr, &'static std::ffi::CStr) {
        match self {
            Code::InvalidArgument => (c"NETSYS_ERR_INVALID_ARGUMENT", c"invalid argument"),
            Code::NotFound => (c"NETSYS_ERR_NOT_FOUND", c"not found"),
            Code::PermissionDenied => (c"NETSYS_ERR_PERMISSION_DENIED", c"permission denied"),
            Code::Timeout => (c"NETSYS_ERR_TIMEOUT", c"the operation timed out"),
            Code::Cancelled => (c"NETSYS_ERR_CANCELLED", c"the operation was cancelled"),
            Code::NotInitialized => (c"NETSYS_ERR_NOT_INITIALIZED", c"not started or configured yet"),
            Code::AlreadyExists => (c"NETSYS_ERR_ALREADY_EXISTS", c"exists or runs already"),
            Code::OutOfMemory => (c"NETSYS_ERR_OUT_OF_MEMORY", c"out of memory"),
            Code::Io => (c"NETSYS_ERR_IO", c"an operating system call failed"),
            Code::Network => (c"NETSYS_ERR_NETWORK", c"the network failed"),
            Code::InvalidHandle => (c"NETSYS_ERR_INVALID_HANDLE", c"the handle is 0, stale, forged or of another kind"),
            Code::WouldDeadlock => {
                (c"NETSYS_ERR_WOULD_DEADLOCK", c"a call that waits is not possible on a library thread")
            }
            Code::Unsupported => (c"NETSYS_ERR_UNSUPPORTED", c"not supported"),
            Code::BufferTooSmall => (c"NETSYS_ERR_BUFFER_TOO_SMALL", c"the buffer is too small"),
            Code::Forked => (c"NETSYS_ERR_FORKED", c"not usable in a forked child process"),
            Code::Internal => (c"NETSYS_ERR_INTERNAL", c"internal error of the library"),
            Code::ConnectionFailed => (c"NETSYS_ERR_CONNECTION_FAILED", c"the connection could not be made"),
            Code::ConnectionRefused => (c"NETSYS_ERR_CONNECTION_REFUSED", c"the peer refused the connection"),
            Code::ConnectionTimeout => (c"NETSYS_ERR_CONNECTION_TIMEOUT", c"the connection was not made in time"),
            Code::ConnectionClosed => (c"NETSYS_ERR_CONNECTION_CLOSED", c"not connected"),
            Code::TlsFailed => (c"NETSYS_ERR_TLS_FAILED", c"TLS failed"),
            Code::TlsMismatch => (c"NETSYS_ERR_TLS_MISMATCH", c"one side speaks TLS and the other does not"),
            Code::TlsTruncated => {
                (c"NETSYS_ERR_TLS_TRUNCATED", c"the connection ended without the close_notify of TLS")
            }
            Code::CertificateRequired => (c"NETSYS_ERR_CERTIFICATE_REQUIRED", c"the client gave no certificate"),
            Code::CertificateUntrusted => {
                (c"NETSYS_ERR_CERTIFICATE_UNTRUSTED", c"the peer's certificate comes from no trusted issuer")
            }
            Code::CertificateExpired => (c"NETSYS_ERR_CERTIFICATE_EXPIRED", c"the peer's certificate is not valid now"),
            Code::CertificateWrongName => {
                (c"NETSYS_ERR_CERTIFICATE_WRONG_NAME", c"the server's certificate is for another name")
            }
            Code::CertificateRevoked => {
                (c"NETSYS_ERR_CERTIFICATE_REVOKED", c"the peer's certificate is revoked, or that cannot be ruled out")
            }
            Code::CertificateWrongUsage => {
                (c"NETSYS_ERR_CERTIFICATE_WRONG_USAGE", c"the peer's certificate is for another use")
            }
            Code::CertificateInvalid => {
                (c"NETSYS_ERR_CERTIFICATE_INVALID", c"the peer's certificate is malformed or not acceptable")
            }
            Code::CertificateRefused => {
                (c"NETSYS_ERR_CERTIFICATE_REFUSED", c"the peer does not accept the certificate of this side")
            }
            Code::SessionNotFound => (c"NETSYS_ERR_SESSION_NOT_FOUND", c"no such session"),
            Code::SessionExpired => (c"NETSYS_ERR_SESSION_EXPIRED", c"nothing was received within the idle timeout"),
            Code::InvalidSession => (c"NETSYS_ERR_INVALID_SESSION", c"the handle is not that of a session"),
            Code::SendFailed => (c"NETSYS_ERR_SEND_FAILED", c"the message could not be sent"),
            Code::ReceiveFailed => (c"NETSYS_ERR_RECEIVE_FAILED", c"receiving failed"),
            Code::MessageTooLarge => (c"NETSYS_ERR_MESSAGE_TOO_LARGE", c"the message is larger than the limit"),
            Code::WouldBlock => (c"NETSYS_ERR_WOULD_BLOCK", c"the outgoing queue is full"),
            Code::Protocol => (c"NETSYS_ERR_PROTOCOL", c"the peer broke the framed protocol"),
            Code::HandlerFailed => (c"NETSYS_ERR_HANDLER_FAILED", c"a handler failed"),
            Code::ServerNotStarted => (c"NETSYS_ERR_SERVER_NOT_STARTED", c"the server is not running"),
            Code::ServerAlreadyRunning => (c"NETSYS_ERR_SERVER_ALREADY_RUNNING", c"the server is running already"),
            Code::BindFailed => (c"NETSYS_ERR_BIND_FAILED", c"the address could not be bound"),
            Code::ServerBusy => (c"NETSYS_ERR_SERVER_BUSY", c"the server is at its connection limit"),
        }
    }

    /// The name of the constant in C: `NETSYS_ERR_TIMEOUT`.
    pub fn name(self) -> &'static std::ffi::CStr {
        self.texts().0
    }

    /// The general message, where no detail is known.
    pub fn message(self) -> &'static std::ffi::CStr {
        self.texts().1
    }
}

impl Code {
    /// Why a file could not be read.
    pub(crate) fn of_file(error: &io::Error) -> Code {
        match error.kind() {
            io::ErrorKind::NotFound => Code::NotFound,
            io::ErrorKind::PermissionDenied => Code::PermissionDenied,
            io::ErrorKind::InvalidInput => Code::InvalidArgument, // a NUL in its name
            _ => Code::Io,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().to_string_lossy())
    }
}

/// An error: its code, the operating system's number where there is one, and a text that says what was wrong, what
/// was expected and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The code.
    pub code: Code,
    /// `errno`, or 0.
    pub os_code: i32,
    /// The text.
    pub message: Cow<'static, str>,
}

/// What a fallible function of this crate gives back.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a text of its own.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Error {
        Error { code, os_code: 0, message: message.into() }
    }

    /// An argument that is outside its documented range.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(Code::InvalidArgument, message)
    }

    /// A call that would wait, on a thread of the library.
    pub(crate) fn would_deadlock() -> Error {
        Error::new(
            Code::WouldDeadlock,
            "this is a thread of the library, whose work the call would wait for: return from the handler",
        )
    }

    /// The error that an [`io::Error`] carries ([`Error::into_io`]); else one that the system reported.
    pub(crate) fn from_io(code: Code, what: impl fmt::Display, error: &io::Error) -> Error {
        let carried = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        carried.cloned().unwrap_or_else(|| Error::os(code, what, error))
    }

    /// The error on its way through functions that give back those of the system.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// An error that an operating system call reported; `what` names what was tried.
    pub fn os(code: Code, what: impl fmt::Display, error: &io::Error) -> Error {
        Error { code, os_code: error.raw_os_error().unwrap_or(0), message: format!("{what}: {error}").into() }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error { code, os_code: 0, message: code.message().to_str().unwrap_or("").into() }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_found_again() {
        for code in Code::ALL {
            assert_eq!(Code::from_number(code as i32), Some(code));
            assert!(code.name().to_str().unwrap().starts_with("NETSYS_ERR_"));
            assert!(!code.message().is_empty());
        }
        assert!(Code::ALL.windows(2).all(|pair| (pair[0] as i32) > pair[1] as i32));
        assert_eq!(Code::from_number(0), None);
    }

    #[test]
    fn os_errors_keep_their_number_and_say_what_was_tried() {
        let error = Error::os(Code::BindFailed, "bind 127.0.0.1:80", &io::Error::from_raw_os_error(libc::EACCES));
        assert_eq!(error.os_code, libc::EACCES);
        assert!(error.to_string().starts_with("bind 127.0.0.1:80: "));
    }
}
