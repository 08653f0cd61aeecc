//! A new key and the request to certify it (PKCS #10).

use gatepost_wire::EdgeId;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

/// The key and the request, both in PEM. The key is ECDSA on P-256.
pub(super) fn make(edge: &EdgeId) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    // For whoever reads the request; the hub gives the name itself.
    parameters.distinguished_name.push(DnType::CommonName, edge.as_str());
    let request = parameters.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), request))
}
