//! The request to certify a new key (PKCS #10).

use gatepost_wire::EdgeId;
use rcgen::{CertificateParams, DistinguishedName, DnType};

use super::key::{Key, KeyError};

/// In PEM.
pub(super) fn make(edge: &EdgeId, key: &Key) -> Result<String, KeyError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    // For whoever reads the request; the hub gives the name itself.
    parameters.distinguished_name.push(DnType::CommonName, edge.as_str());
    key.request(&parameters)
}
