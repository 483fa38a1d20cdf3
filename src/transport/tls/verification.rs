//! Whether a peer's certificate holds. In a full handshake rustls asks that itself; one that is resumed takes the
//! certificate of the earlier one unseen, though it may be out of date or revoked by now.

use std::sync::Arc;

use rustls::Error as Failure;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::time_provider::TimeProvider;

/// How a side verifies what its peer shows.
#[derive(Debug)]
pub(super) enum Verification {
    /// It asks for nothing, or takes anybody.
    Off,
    /// As a server.
    OfClient(Arc<dyn ClientCertVerifier>, Arc<dyn TimeProvider>),
    /// As a client, of a server by that name.
    OfServer(Arc<dyn ServerCertVerifier>, Arc<dyn TimeProvider>, ServerName<'static>),
}

impl Verification {
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Verification::Off)
    }

    /// Verifies a certificate, with those of its issuers, as of now.
    pub(super) fn verify(&self, chain: &[CertificateDer<'_>]) -> Result<(), Failure> {
        let Some((own, issuers)) = chain.split_first() else { return Ok(()) };
        let now = |clock: &Arc<dyn TimeProvider>| clock.current_time().ok_or(Failure::FailedToGetCurrentTime);
        match self {
            Verification::Off => Ok(()),
            Verification::OfClient(verifier, clock) => verifier.verify_client_cert(own, issuers, now(clock)?).map(drop),
            Verification::OfServer(verifier, clock, name) => {
                verifier.verify_server_cert(own, issuers, name, &[], now(clock)?).map(drop)
            }
        }
    }
}
