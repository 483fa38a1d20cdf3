//! The kinds of errors that are counted apart.

use super::Counter;
use crate::error::Code;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A message could not be sent.
    Send,
    /// What a peer sent could not be received, or not be taken.
    Receive,
    /// Something took too long.
    Timeout,
    /// There was no connection, or it broke.
    Connection,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The kind that a name stands for: "send", "receive" or "recv", "timeout", "connection" or "connect", or a longer
    /// name with one of these in it; of several, a time-out comes first.
    pub fn of_name(name: &str) -> ErrorKind {
        const NAMES: [(&str, ErrorKind); 6] = [
            ("timeout", ErrorKind::Timeout),
            ("timed out", ErrorKind::Timeout),
            ("send", ErrorKind::Send),
            ("receive", ErrorKind::Receive),
            ("recv", ErrorKind::Receive),
            ("connect", ErrorKind::Connection),
        ];
        let name = name.to_ascii_lowercase();
        let known = NAMES.iter().find(|(part, _)| name.contains(part));
        known.map_or(ErrorKind::Other, |(_, kind)| *kind)
    }

    /// The kind of an error of the library.
    pub fn of(code: Code) -> ErrorKind {
        match code {
            Code::Timeout | Code::ConnectionTimeout | Code::SessionExpired => ErrorKind::Timeout,
            Code::SendFailed | Code::WouldBlock => ErrorKind::Send,
            Code::ReceiveFailed | Code::Protocol | Code::MessageTooLarge => ErrorKind::Receive,
            Code::ConnectionFailed
            | Code::ConnectionRefused
            | Code::ConnectionClosed
            | Code::TlsFailed
            | Code::TlsMismatch
            | Code::TlsTruncated
            | Code::CertificateRequired
            | Code::CertificateUntrusted
            | Code::CertificateExpired
            | Code::CertificateWrongName
            | Code::CertificateRevoked
            | Code::CertificateWrongUsage
            | Code::CertificateInvalid
            | Code::CertificateRefused
            | Code::ServerBusy
            | Code::Network => ErrorKind::Connection,
            // Not `_`: each new code has to be placed.
            Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Cancelled
            | Code::NotInitialized
            | Code::AlreadyExists
            | Code::OutOfMemory
            | Code::Io
            | Code::InvalidHandle
            | Code::WouldDeadlock
            | Code::Unsupported
            | Code::BufferTooSmall
            | Code::Forked
            | Code::Internal
            | Code::SessionNotFound
            | Code::InvalidSession
            | Code::HandlerFailed
            | Code::ServerNotStarted
            | Code::ServerAlreadyRunning
            | Code::BindFailed => ErrorKind::Other,
        }
    }

    pub(crate) fn counter(self) -> Counter {
        match self {
            ErrorKind::Send => Counter::SendErrors,
            ErrorKind::Receive => Counter::ReceiveErrors,
            ErrorKind::Timeout => Counter::TimeoutErrors,
            ErrorKind::Connection => Counter::ConnectionErrors,
            ErrorKind::Other => Counter::OtherErrors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_of_a_kind() {
        for code in Code::ALL {
            let kind = match code as i32 {
                -4 | -602 | -621 => ErrorKind::Timeout,
                -10 | -619..=-600 | -663 => ErrorKind::Connection,
                -640 | -643 => ErrorKind::Send,
                -641 | -642 | -644 => ErrorKind::Receive,
                _ => ErrorKind::Other,
            };
            assert_eq!(ErrorKind::of(code), kind, "{code:?}");
        }
    }

    #[test]
    fn names_stand_for_kinds() {
        for (name, kind) in [
            ("send", ErrorKind::Send),
            ("SEND_FAILED", ErrorKind::Send),
            ("receive", ErrorKind::Receive),
            ("recv error", ErrorKind::Receive),
            ("connection_refused", ErrorKind::Connection),
            ("connection_timeout", ErrorKind::Timeout),
            ("request timed out", ErrorKind::Timeout),
            ("disk", ErrorKind::Other),
            ("", ErrorKind::Other),
        ] {
            assert_eq!(ErrorKind::of_name(name), kind, "{name}");
        }
    }
}
