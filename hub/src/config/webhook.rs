//! Where other programs are told of incidents.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use utoipa::ToSchema;

use super::address::{SecureUrl, name};
use crate::access::SiteId;

/// A program that is told of incidents.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// What the hub calls it.
    pub name: WebhookName,
    /// Where it is.
    pub url: SecureUrl,
    /// What messages are signed with; never printed.
    pub secret: Secret,
    /// Authorities its certificate may come from, PEM.
    pub ca_file: PathBuf,
    /// Of what it is told.
    pub tells: Vec<Tells>,
    /// Of boxes of these sites only.
    pub sites: Option<Vec<SiteId>>,
    /// What is not taken for so long is put among the dead.
    pub give_up_after: std::time::Duration,
}

/// A webhook as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookTable {
    /// What the hub calls it: a-z, 0-9 and '-'. It keeps under this name how far it has got.
    #[schemars(with = "String")]
    pub name: WebhookName,
    /// `https://host/path`; `http://` only to a program of this machine.
    #[schemars(with = "String")]
    pub url: SecureUrl,
    /// File that holds what messages are signed with, `whsec_` and 24 to 64 bytes in base64, on its first line.
    #[schemars(with = "PathBuf")]
    pub secret_file: Spanned<PathBuf>,
    /// Certificates in PEM of the authorities the receiver's may come from (default: those of the system, `/etc/ssl/certs/ca-certificates.crt`).
    pub ca_file: Option<PathBuf>,
    /// Of what it is told; of everything unless given.
    #[serde(default = "everything")]
    pub tells: Vec<Tells>,
    /// Of boxes of these sites only; of all unless given.
    #[schemars(with = "Option<Vec<String>>")]
    pub sites: Option<Vec<SiteId>>,
    /// Seconds after which what is not taken is put among the dead, and the next is told (default 86400: a day).
    #[serde(default = "a_day")]
    pub give_up_after_s: u32,
}

fn everything() -> Vec<Tells> {
    vec![Tells::Opened, Tells::StageChanged, Tells::Escalated, Tells::Closed]
}

fn a_day() -> u32 {
    86_400
}

/// Of what a program is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tells {
    /// An incident was opened.
    Opened,
    /// It got into another stage, but for the next.
    StageChanged,
    /// Its stage still takes too long although somebody was reminded.
    Escalated,
    /// It was closed.
    Closed,
}

impl Tells {
    /// The type of the event that says so.
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Opened => "gatepost.incident.opened",
            Self::StageChanged => "gatepost.incident.stage_changed",
            Self::Escalated => "gatepost.incident.escalated",
            Self::Closed => "gatepost.incident.closed",
        }
    }
}

/// The name of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookName(String);

impl WebhookName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WebhookName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        name(text).map(Self)
    }
}

impl std::str::FromStr for WebhookName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        name(text.to_owned()).map(Self)
    }
}

/// What messages are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// From the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let base64 = text.lines().next().unwrap_or_default().trim().strip_prefix("whsec_");
        let bytes = base64.and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok());
        match bytes {
            Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(Self(bytes)),
            _ => Err(
                "`whsec_` and 24 to 64 bytes in base64 are needed: echo \"whsec_$(openssl rand -base64 32)\" makes one",
            ),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_never_printed() {
        let secret = Secret::parse("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n").unwrap();
        assert_eq!(secret.bytes(), b"01234567890123456789012345678901");
        assert_eq!(format!("{secret:?}"), "Secret");
        for bad in ["", "whsec_", "whsec_MDEy", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="] {
            assert!(Secret::parse(bad).is_err(), "{bad}");
        }
    }
}
