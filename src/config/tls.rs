//! Settings of TLS: what the user says, before a file is read.

use super::Pem;
use crate::error::{Error, Result};

/// The longest list of application protocols, in bytes, with a comma between two.
pub(crate) const MAX_ALPN: usize = 1023;

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Whether a server's clients show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// They are not asked for one.
    #[default]
    None,
    /// They may; one that does not hold is refused.
    Optional,
    /// They must.
    Required,
}

/// TLS of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// Whether its connections are encrypted.
    pub enabled: bool,
    /// Its certificate, and behind it those of the issuers between it and the root.
    pub certificate: Pem,
    /// The certificate's private key, not encrypted.
    pub key: Pem,
    /// The issuers of the clients' certificates.
    pub client_ca: Pem,
    /// Lists of clients' certificates that are revoked. With one, a certificate is refused of whose issuer there is no
    /// list that is up to date.
    pub crl: Pem,
    /// Whether clients show a certificate.
    pub client_certificate: ClientCertificate,
    /// The least version that it speaks.
    pub min_version: TlsVersion,
    /// The application protocols that it speaks, the preferred one first. If there are any, a client that names some
    /// and none of these is refused.
    pub alpn: Vec<String>,
    /// Whether clients that come again may leave out most of the handshake.
    pub session_resumption: bool,
}

impl Default for ServerTls {
    fn default() -> Self {
        ServerTls {
            enabled: false,
            certificate: Pem::None,
            key: Pem::None,
            client_ca: Pem::None,
            crl: Pem::None,
            client_certificate: ClientCertificate::None,
            min_version: TlsVersion::V1_2,
            alpn: Vec::new(),
            session_resumption: true,
        }
    }
}

/// TLS of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// Whether its connections are encrypted.
    pub enabled: bool,
    /// The issuers of servers' certificates that it trusts; none: those that the system does.
    pub ca: Pem,
    /// Its own certificate, for servers that ask for one, and behind it those of the issuers up to the root.
    pub certificate: Pem,
    /// The certificate's private key, not encrypted.
    pub key: Pem,
    /// Lists of servers' certificates that are revoked. With one, a certificate is refused of whose issuer there is no
    /// list that is up to date.
    pub crl: Pem,
    /// The name that the server's certificate has to be for; empty: the host that is connected to.
    pub server_name: String,
    /// Whether the server is told that name before it shows a certificate (SNI). An address never is.
    pub sni: bool,
    /// The least version that it speaks.
    pub min_version: TlsVersion,
    /// The application protocols that it offers, the preferred one first.
    pub alpn: Vec<String>,
    /// Whether it leaves out most of the handshake when it connects again.
    pub session_resumption: bool,
    /// Takes any certificate for the server's. Whoever is between the two can then read and change everything.
    pub dangerously_disable_verification: bool,
}

impl Default for ClientTls {
    fn default() -> Self {
        ClientTls {
            enabled: false,
            ca: Pem::None,
            certificate: Pem::None,
            key: Pem::None,
            crl: Pem::None,
            server_name: String::new(),
            sni: true,
            min_version: TlsVersion::V1_2,
            alpn: Vec::new(),
            session_resumption: true,
            dangerously_disable_verification: false,
        }
    }
}

impl ServerTls {
    /// Checks what can be without reading a file.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_switch()?;
        self.check_certificate()?;
        self.check_key()?;
        self.check_client_certificates()?;
        self.check_alpn()
    }

    /// To be called before other settings take the place of these.
    pub(crate) fn check_switch(&self) -> Result<()> {
        check_switch(self.enabled || *self == Self::default())
    }

    pub(crate) fn check_certificate(&self) -> Result<()> {
        if self.enabled && !self.certificate.is_some() {
            return Err(Error::invalid(
                "TLS is enabled without a certificate: set certificate_file (or the certificate in memory) to the PEM \
                 of the server's certificate, followed by its issuers'",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_key(&self) -> Result<()> {
        check_pair(&self.certificate, &self.key)
    }

    pub(crate) fn check_client_certificates(&self) -> Result<()> {
        match (self.client_certificate, self.client_ca.is_some()) {
            (ClientCertificate::None, true) => Err(Error::invalid(
                "client_ca (in C ca) is given, but clients are not asked for a certificate: set client_certificate to \
                 required or optional",
            )),
            (ClientCertificate::Optional | ClientCertificate::Required, false) => Err(Error::invalid(
                "clients are asked for a certificate, but there is none to check it with: set client_ca_file (in C \
                 ca_file; or the issuers in memory) to the PEM of their issuers",
            )),
            (ClientCertificate::None, false) if self.crl.is_some() => Err(Error::invalid(
                "a revocation list is given, but clients are not asked for a certificate: set client_certificate to \
                 required or optional",
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn check_alpn(&self) -> Result<()> {
        check_alpn(&self.alpn)
    }
}

impl ClientTls {
    /// Checks what can be without reading a file.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_switch()?;
        self.check_key()?;
        self.check_verification()?;
        self.check_alpn()
    }

    /// To be called before other settings take the place of these.
    pub(crate) fn check_switch(&self) -> Result<()> {
        check_switch(self.enabled || *self == Self::default())
    }

    pub(crate) fn check_key(&self) -> Result<()> {
        check_pair(&self.certificate, &self.key)
    }

    pub(crate) fn check_verification(&self) -> Result<()> {
        if self.dangerously_disable_verification && (self.ca.is_some() || self.crl.is_some()) {
            return Err(Error::invalid(
                "dangerously_disable_verification takes any certificate, so the issuers or revocation lists that are \
                 given would not be looked at: leave out the one or the others",
            ));
        }
        Ok(())
    }

    pub(crate) fn check_alpn(&self) -> Result<()> {
        check_alpn(&self.alpn)
    }
}

/// Settings without the switch would be a connection in plain text that nobody expects.
fn check_switch(enabled_or_default: bool) -> Result<()> {
    if enabled_or_default {
        return Ok(());
    }
    Err(Error::invalid(
        "settings of TLS are given, but it is not enabled, so that nothing would be encrypted: set tls.enabled to true \
         (in C leave out NETSYS_TLS_OFF), or leave them out",
    ))
}

fn check_pair(certificate: &Pem, key: &Pem) -> Result<()> {
    match (certificate.is_some(), key.is_some()) {
        (true, false) => Err(Error::invalid(
            "there is a certificate without its private key: set key_file (or the key in memory) to the PEM of the key",
        )),
        (false, true) => Err(Error::invalid(
            "there is a private key without its certificate: set certificate_file (or the certificate in memory) to \
             the PEM of the certificate",
        )),
        _ => Ok(()),
    }
}

/// The names of application protocols as a text. [`check_alpn`] refuses those that it would not keep.
pub(crate) fn alpn_text(protocols: &[String]) -> String {
    protocols.join(",")
}

/// The names in such a text.
pub(crate) fn split_alpn(text: &str) -> Vec<String> {
    let names = (!text.trim().is_empty()).then(|| text.split(','));
    names.into_iter().flatten().map(|name| name.trim().to_owned()).collect()
}

fn check_alpn(protocols: &[String]) -> Result<()> {
    for name in protocols {
        if !(1..=255).contains(&name.len()) {
            let len = name.len();
            return Err(Error::invalid(format!(
                "alpn has a protocol with a name of {len} bytes: the names have 1 to 255"
            )));
        }
        if name.contains(',') || name.trim() != name {
            return Err(Error::invalid(format!(
                "alpn has a protocol with the name {name:?}: the names have no commas in them, and no blanks around them"
            )));
        }
    }
    let len = alpn_text(protocols).len();
    if len > MAX_ALPN {
        return Err(Error::invalid(format!(
            "the names of alpn have {len} bytes with the commas between them: they have at most {MAX_ALPN}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn refused(outcome: Result<()>, text: &str) {
        let error = outcome.expect_err(text);
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.contains(text), "{error}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let (pem, on) = (Pem::file("x"), ServerTls { enabled: true, ..ServerTls::default() });
        assert!(ServerTls::default().check().is_ok());
        refused(on.check(), "without a certificate: set certificate_file");
        let lacks_key = ServerTls { certificate: pem.clone(), ..on.clone() };
        refused(lacks_key.check(), "without its private key: set key_file");
        let whole = ServerTls { key: pem.clone(), ..lacks_key };
        assert!(whole.check().is_ok());
        refused(ServerTls { enabled: false, ..whole.clone() }.check(), "set tls.enabled to true");
        refused(ServerTls { client_ca: pem.clone(), ..whole.clone() }.check(), "set client_certificate to");
        refused(ServerTls { crl: pem.clone(), ..whole.clone() }.check(), "set client_certificate to");
        let required = ServerTls { client_certificate: ClientCertificate::Required, ..whole.clone() };
        refused(required.check(), "set client_ca_file");
        assert!(ServerTls { client_ca: pem.clone(), ..required }.check().is_ok());

        let on = ClientTls { enabled: true, ..ClientTls::default() };
        assert!(ClientTls::default().check().is_ok() && on.check().is_ok());
        refused(ClientTls { key: pem.clone(), ..on.clone() }.check(), "set certificate_file");
        let blind = ClientTls { dangerously_disable_verification: true, ..on };
        assert!(blind.check().is_ok());
        refused(ClientTls { ca: pem, ..blind }.check(), "leave out the one or the others");
    }

    #[test]
    fn nothing_is_set_without_the_switch() {
        let server = [
            ServerTls { certificate: Pem::file("x"), ..ServerTls::default() },
            ServerTls { key: Pem::memory("x"), ..ServerTls::default() },
            ServerTls { client_ca: Pem::file("x"), ..ServerTls::default() },
            ServerTls { crl: Pem::file("x"), ..ServerTls::default() },
            ServerTls { client_certificate: ClientCertificate::Optional, ..ServerTls::default() },
            ServerTls { min_version: TlsVersion::V1_3, ..ServerTls::default() },
            ServerTls { alpn: vec!["x".into()], ..ServerTls::default() },
            ServerTls { session_resumption: false, ..ServerTls::default() },
        ];
        let client = [
            ClientTls { ca: Pem::file("x"), ..ClientTls::default() },
            ClientTls { certificate: Pem::file("x"), ..ClientTls::default() },
            ClientTls { key: Pem::memory("x"), ..ClientTls::default() },
            ClientTls { crl: Pem::file("x"), ..ClientTls::default() },
            ClientTls { server_name: "x".into(), ..ClientTls::default() },
            ClientTls { sni: false, ..ClientTls::default() },
            ClientTls { min_version: TlsVersion::V1_3, ..ClientTls::default() },
            ClientTls { alpn: vec!["x".into()], ..ClientTls::default() },
            ClientTls { session_resumption: false, ..ClientTls::default() },
            ClientTls { dangerously_disable_verification: true, ..ClientTls::default() },
        ];
        server.iter().for_each(|tls| refused(tls.check(), "set tls.enabled to true"));
        client.iter().for_each(|tls| refused(tls.check(), "set tls.enabled to true"));
    }

    #[test]
    fn names_of_protocols_are_those_that_a_text_keeps() {
        let check = |names: &[&str]| {
            let alpn: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let checked = ClientTls { enabled: true, alpn: alpn.clone(), ..ClientTls::default() }.check();
            if checked.is_ok() {
                assert_eq!(split_alpn(&alpn_text(&alpn)), alpn);
            }
            checked
        };
        let long = "x".repeat(255);
        assert!(check(&[]).is_ok() && check(&["h2", "http/1.1", "a b"]).is_ok());
        assert!(check(&[&long, &long, &long, &long]).is_ok(), "1023 bytes");
        refused(check(&["h2", ""]), "1 to 255");
        refused(check(&["x".repeat(256).as_str()]), "256 bytes");
        refused(check(&["a,b"]), "no commas");
        refused(check(&[" a"]), "no blanks");
        refused(check(&["a\t"]), "no blanks");
        refused(check(&[&long, &long, &long, &long, "x"]), "have 1025 bytes");
        assert_eq!(split_alpn(" h2 , http/1.1,"), ["h2", "http/1.1", ""]);
        assert_eq!(split_alpn(" "), [""; 0]);
    }
}
