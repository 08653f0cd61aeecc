//! Enrolment: how a box becomes known to a hub, over HTTPS. A technician carries a one-time [`EnrolmentCode`] to the
//! box; the box makes its key, which never leaves it, and sends a certificate signing request (PKCS #10, RFC 2986); the hub
//! answers with a certificate. Renewal is the same, with the certificate that is about to end in place of the code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::Timestamp;
use crate::command::VerifyingKey;
use crate::id::EdgeId;

/// Where a box asks with a code: `POST`, an [`Ask`] in, an [`Issued`] out.
pub const ENROL_PATH: &str = "/v1/enrol";
/// Where a box asks with its certificate.
pub const RENEW_PATH: &str = "/v1/renew";
/// No request and no answer is longer.
pub const MAX_ENROLMENT_BYTES: usize = 64 * 1024;

/// What lets one box in, once: 128 random bits only the hub and the technician know, and 128 bits of the SHA-256 of the
/// hub's authority, by which the box knows the hub before it trusts anybody. As text 26 letters and digits each (Crockford's base32, in which no two are
/// mistaken for each other), with a hyphen between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentCode {
    secret: u128,
    authority: u128,
}

/// A text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a code has twice 26 letters and digits with a hyphen between, as `gatepost-hub device enrol` prints it"
)]
pub struct CodeError;

impl EnrolmentCode {
    /// From random bits and the [fingerprint](Self::authority) of an authority.
    pub fn new(secret: u128, authority: u128) -> Self {
        Self { secret, authority }
    }

    /// What only the hub and the bearer know, as it is sent.
    pub fn secret(&self) -> String {
        Ulid(self.secret).to_string()
    }

    /// The first 128 bits of the SHA-256 of the authority's certificate (DER).
    pub fn authority(&self) -> u128 {
        self.authority
    }

    /// For showing it once.
    pub fn reveal(&self) -> String {
        format!("{}-{}", Ulid(self.secret), Ulid(self.authority))
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentCode").finish_non_exhaustive()
    }
}

impl FromStr for EnrolmentCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let (secret, authority) = text.trim().split_once('-').ok_or(CodeError)?;
        let bits = |part: &str| Ulid::from_string(&part.to_ascii_uppercase()).map_err(|_| CodeError);
        Ok(Self { secret: bits(secret)?.0, authority: bits(authority)?.0 })
    }
}

/// What a box asks for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Who it is.
    pub edge: EdgeId,
    /// [`EnrolmentCode::secret`]; none where its certificate speaks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Certificate signing request in PEM. Only its key counts; name and uses are the hub's to say.
    pub request: String,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("edge", &self.edge).finish_non_exhaustive()
    }
}

/// What the hub gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Certificate of the box in PEM. Its common name is the box's.
    pub certificate: String,
    /// Certificate of the authority by which hub and boxes know each other, in PEM.
    pub authority: String,
    /// What the hub signs commands with.
    pub command_key: VerifyingKey,
    /// The certificate counts from then.
    pub from: Timestamp,
    /// It counts until then.
    pub until: Timestamp,
}

/// Why the hub gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotIssued {
    /// In words for a technician.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_copied_by_hand() {
        let code = EnrolmentCode::new(u128::MAX - 5, 7);
        let text = code.reveal();
        assert_eq!(text.len(), 53);
        for copy in [text.clone(), text.to_lowercase(), format!("  {text}\n")] {
            assert_eq!(copy.parse(), Ok(code), "{copy}");
        }
        assert!(!format!("{code:?}").contains(&code.secret()));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let text = EnrolmentCode::new(1, 2).reveal();
        for bad in ["", "-", &text[1..], &text[..52], &text.replace('-', ""), &text.replace('1', "U")] {
            assert_eq!(bad.parse::<EnrolmentCode>(), Err(CodeError), "{bad}");
        }
    }
}
