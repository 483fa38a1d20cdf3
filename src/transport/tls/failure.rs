//! What can go wrong with TLS, in the library's codes and words.

use rustls::{AlertDescription, CertificateError, Error as Failure, PeerIncompatible};

use super::connection::Side;
use crate::error::{Code, Error};

impl Side {
    pub(super) fn peer(self) -> &'static str {
        match self {
            Side::Server => "client",
            Side::Client => "server",
        }
    }
}

/// The error for a failure of rustls on that side.
pub(super) fn error_of(failure: &Failure, side: Side) -> Error {
    let peer = side.peer();
    match failure {
        Failure::InvalidCertificate(why) => certificate(why, side),
        Failure::NoCertificatesPresented => {
            Error::new(Code::CertificateRequired, format!("the {peer} gave no certificate, which is required of it"))
        }
        Failure::AlertReceived(alert) => refused(*alert, side),
        Failure::InvalidCertRevocationList(why) => Error::new(
            Code::CertificateRevoked,
            format!(
                "whether the {peer}'s certificate is revoked cannot be told: the revocation list is at fault ({why:?})"
            ),
        ),
        Failure::PeerIncompatible(why) => Error::new(
            Code::TlsFailed,
            match why {
                PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::Tls13RequiredForQuic
                | PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
                    format!("the {peer} speaks no version of TLS that this side does ({why:?})")
                }
                _ => format!("the {peer} and this side have no way of TLS in common ({why:?})"),
            },
        ),
        Failure::NoApplicationProtocol => Error::new(
            Code::TlsFailed,
            format!("none of the application protocols that the {peer} offers is one of alpn"),
        ),
        other => Error::new(Code::TlsFailed, format!("the {peer} does not keep to TLS: {other}")),
    }
}

/// The peer ended it, and said why.
fn refused(alert: AlertDescription, side: Side) -> Error {
    use AlertDescription::*;
    let peer = side.peer();
    match alert {
        NoCertificate
        | BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | UnknownCA
        | AccessDenied
        | CertificateUnobtainable
        | CertificateRequired => Error::new(
            Code::CertificateRefused,
            format!("the {peer} does not accept the certificate of this side, or that it has none: it says {alert:?}"),
        ),
        ProtocolVersion => {
            Error::new(Code::TlsFailed, format!("the {peer} speaks no version of TLS that this side does"))
        }
        _ => Error::new(Code::TlsFailed, format!("the {peer} ended TLS: it says {alert:?}")),
    }
}

fn certificate(why: &CertificateError, side: Side) -> Error {
    use CertificateError::*;
    let peer = side.peer();
    let (code, text) = match why {
        Expired | ExpiredContext { .. } => (Code::CertificateExpired, "is not valid any more".to_owned()),
        NotValidYet | NotValidYetContext { .. } => (Code::CertificateExpired, "is not valid yet".into()),
        Revoked => (Code::CertificateRevoked, "is revoked".into()),
        UnknownRevocationStatus => {
            (Code::CertificateRevoked, "comes from an issuer of which there is no revocation list".into())
        }
        ExpiredRevocationList | ExpiredRevocationListContext { .. } => {
            (Code::CertificateRevoked, "may be revoked: the revocation list is out of date".into())
        }
        UnknownIssuer => (
            Code::CertificateUntrusted,
            match side {
                Side::Client => {
                    "comes from no issuer that this side trusts: if it is the right one, set ca_file to its \
                                 issuer's certificate"
                        .into()
                }
                Side::Server => "comes from no issuer in client_ca_file (in C ca_file)".into(),
            },
        ),
        BadSignature => {
            (Code::CertificateUntrusted, "was not signed by its issuer, or its key is not the peer's".into())
        }
        NotValidForName => {
            (Code::CertificateWrongName, "is for another name than the one that was connected to".into())
        }
        NotValidForNameContext { expected, presented } => (
            Code::CertificateWrongName,
            format!("is not for {:?} but for [{}]", expected.to_str(), presented.join(", ")),
        ),
        InvalidPurpose | InvalidPurposeContext { .. } => {
            (Code::CertificateWrongUsage, format!("is not for the use as a {peer}'s"))
        }
        Other(why) => (Code::CertificateInvalid, format!("is not acceptable: {why}")),
        other => (Code::CertificateInvalid, format!("is not acceptable: {other}")),
    };
    Error::new(code, format!("the {peer}'s certificate {text}"))
}
