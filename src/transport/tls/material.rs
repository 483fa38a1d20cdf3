//! Certificates, keys and revocation lists, from files or memory to what rustls works with.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::pem;
use crate::config::Pem;
use crate::error::{Code, Error, Result};

/// How much of a file is read at first, and the longest that is read: revocation lists can be long.
const FIRST_READ: usize = 16 * 1024;
const LONGEST_FILE: usize = 64 * 1024 * 1024;

/// The cryptography: ring, with the suites that rustls takes for safe.
pub(super) static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

/// What is being read, for errors: the setting, and where it says that the PEM is.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub setting: &'static str,
    pub pem: &'a Pem,
}

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pem {
            Pem::File(name) => write!(f, "{}_file {name:?}", self.setting),
            Pem::Memory(_) | Pem::None => write!(f, "the {} in memory", self.setting),
        }
    }
}

impl Source<'_> {
    fn invalid(&self, why: impl fmt::Display) -> Error {
        Error::invalid(format!("{self} {why}"))
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        Error::os(Code::of_file(error), format_args!("{self} cannot be read"), error)
    }

    /// What the file or memory has, which may be a secret: the bytes are zeroed in the end, and nowhere else.
    fn read(&self) -> Result<Zeroizing<Vec<u8>>> {
        let name = match self.pem {
            Pem::None => return Ok(Zeroizing::default()),
            Pem::Memory(bytes) => return Ok((**bytes).clone()),
            Pem::File(name) => name,
        };
        let unreadable = |error: io::Error| self.unreadable(&error);
        let mut file = File::open(name).map_err(unreadable)?;
        let mut bytes = Zeroizing::new(vec![0; FIRST_READ]);
        let mut len = 0;
        loop {
            match file.read(&mut bytes[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(&error)),
            }
            if len == bytes.len() {
                if len > LONGEST_FILE {
                    return Err(self.invalid(format!("has more than {LONGEST_FILE} bytes")));
                }
                // Growing in place would leave a copy.
                let mut more = Zeroizing::new(vec![0; 4 * len]);
                more[..len].copy_from_slice(&bytes);
                bytes = more;
            }
        }
        bytes.truncate(len);
        Ok(bytes)
    }

    /// All with that label, at least one.
    fn objects(&self, label: &str) -> Result<Vec<Vec<u8>>> {
        let found = pem::objects(&self.read()?, label).map_err(|why| self.invalid(why))?;
        if found.is_empty() {
            return Err(self.invalid(format!("has nothing in PEM with -----BEGIN {label}-----")));
        }
        Ok(found)
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        Ok(self.objects("CERTIFICATE")?.into_iter().map(CertificateDer::from).collect())
    }

    /// The certificates of issuers that are trusted.
    pub(super) fn roots(&self) -> Result<Arc<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        for (at, certificate) in self.certificates()?.into_iter().enumerate() {
            let added = roots.add(certificate);
            added.map_err(|error| {
                self.invalid(format!("has a certificate, number {}, that is none: {error}", at + 1))
            })?;
        }
        Ok(Arc::new(roots))
    }

    /// Revocation lists; none if there is no setting.
    pub(super) fn revocation_lists(&self) -> Result<Vec<CertificateRevocationListDer<'static>>> {
        if !self.pem.is_some() {
            return Ok(Vec::new());
        }
        Ok(self.objects("X509 CRL")?.into_iter().map(CertificateRevocationListDer::from).collect())
    }

    /// An error of what made a verifier of it.
    pub(super) fn unusable(&self, error: &dyn fmt::Display) -> Error {
        self.invalid(format!("cannot be used: {error}"))
    }
}

/// A certificate with its chain and its key.
pub(super) fn identity(certificate: &Pem, key: &Pem) -> Result<Arc<CertifiedKey>> {
    let certificate = Source { setting: "certificate", pem: certificate };
    let key = Source { setting: "key", pem: key };
    let chain = certificate.certificates()?;
    let der = pem::private_key(&key.read()?).map_err(|why| key.invalid(why))?;
    let signer = ring::sign::any_supported_type(&der).map_err(|_| {
        key.invalid("has a private key that is malformed or neither RSA, ECDSA (P-256, P-384) nor Ed25519")
    })?;
    let identity = CertifiedKey::new(chain, signer);
    match identity.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(Arc::new(identity)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(Error::invalid(format!(
            "{key} is not the key of the first certificate in {certificate}: give the two that belong together, and the \
             server's or client's own certificate before those of its issuers"
        ))),
        Err(error) => Err(certificate.invalid(format!("has a certificate that cannot be used: {error}"))),
    }
}

/// The issuers that the system trusts. They are read by the first who asks, and shared by all who ask while one has
/// them: they are some hundred, which every client would keep.
pub(super) fn system_roots() -> Result<Arc<RootCertStore>> {
    static SHARED: Mutex<Weak<RootCertStore>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(roots) = shared.upgrade() {
        return Ok(roots);
    }
    let roots = read_system_roots()?;
    *shared = Arc::downgrade(&roots);
    Ok(roots)
}

fn read_system_roots() -> Result<Arc<RootCertStore>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(Error::new(
            Code::NotFound,
            format!(
                "the system has no certificates of issuers that it trusts{why}: install them (ca-certificates), or set \
                 ca_file to the PEM of those that the server's certificate comes from"
            ),
        ));
    }
    Ok(Arc::new(roots))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not in this list is not spoken: no RC4, 3DES, CBC, SHA-1 signatures or static RSA.
    #[test]
    fn the_cipher_suites_are_these() {
        let suites: Vec<_> = PROVIDER.cipher_suites.iter().filter_map(|suite| suite.suite().as_str()).collect();
        assert_eq!(
            suites,
            [
                "TLS13_AES_256_GCM_SHA384",
                "TLS13_AES_128_GCM_SHA256",
                "TLS13_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ]
        );
        assert_eq!(suites.len(), PROVIDER.cipher_suites.len());
        let groups: Vec<_> = PROVIDER.kx_groups.iter().map(|group| format!("{:?}", group.name())).collect();
        assert_eq!(groups, ["X25519", "secp256r1", "secp384r1"]);
    }

    #[test]
    fn errors_name_the_setting_the_file_and_what_was_wrong() {
        let refused = |setting, pem: &Pem, code, text: &str| {
            let error = Source { setting, pem }.roots().expect_err(text);
            assert_eq!(error.code, code);
            assert!(error.message.contains(text), "{error}");
        };
        refused("ca", &Pem::file("no/such.pem"), Code::NotFound, "ca_file \"no/such.pem\" cannot be read");
        refused("ca", &Pem::file("a\0b"), Code::InvalidArgument, "cannot be read");
        refused("ca", &Pem::file("src"), Code::Io, "ca_file \"src\" cannot be read");
        refused("ca", &Pem::memory("?"), Code::InvalidArgument, "the ca in memory has nothing in PEM");
        let cut = "-----BEGIN CERTIFICATE-----\nZm9v\n";
        refused("client_ca", &Pem::memory(cut), Code::InvalidArgument, "the client_ca in memory is cut off");
        let none = "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n";
        refused("ca", &Pem::memory(none), Code::InvalidArgument, "number 1, that is none");
    }
}
