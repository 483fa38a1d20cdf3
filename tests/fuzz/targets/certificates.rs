//! What is told of a peer's certificate: never more than can be shown.

use network_system::transport::tls::PeerCertificate;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};

pub fn run(data: &[u8]) {
    let certificate = PeerCertificate::from_der(data);
    assert_eq!(certificate.fingerprint().len(), 64);
    for text in certificate.common_name().into_iter().chain(certificate.alternative_names()) {
        assert!(text.len() <= data.len() + 8 && !text.chars().any(char::is_control), "{text:?}");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut params = CertificateParams::new(["host.example".into(), "192.0.2.1".into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "größe");
    params.subject_alt_names.push(SanType::URI("spiffe://a/b".try_into().unwrap()));
    params.subject_alt_names.push(SanType::Rfc822Name("a@b.example".try_into().unwrap()));
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    vec![certificate.der().to_vec(), vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]]
}
