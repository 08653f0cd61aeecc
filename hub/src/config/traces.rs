//! Where traces are sent.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::address::SecureUrl;

/// A collector that is sent traces.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Where it takes them.
    pub url: SecureUrl,
    /// By what it knows the hub, if it asks.
    pub token: Option<BearerToken>,
    /// Authorities its certificate may come from, PEM.
    pub ca_file: PathBuf,
    /// How many of them are sent.
    pub share: TraceShare,
}

/// A collector as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TracesTable {
    /// Where a collector takes traces by OTLP over HTTP, path and all: `https://collector.example:4318/v1/traces`; `http://` only to a
    /// program of this machine.
    #[schemars(with = "String")]
    pub url: SecureUrl,
    /// File that holds a token and nothing else, sent as `Authorization: Bearer`.
    #[schemars(with = "Option<PathBuf>")]
    pub token_file: Option<Spanned<PathBuf>>,
    /// Certificates in PEM of the authorities the collector's may come from (default: those of the system, `/etc/ssl/certs/ca-certificates.crt`).
    pub ca_file: Option<PathBuf>,
    /// How many of all traces are sent: 1 all of them (default), 0.1 one in ten. All parts of a trace are, or none.
    #[schemars(range(min = 0, max = 1))]
    #[serde(default)]
    pub share: TraceShare,
}

/// How many of all traces are sent: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(with = "f64")]
pub struct TraceShare(f64);

impl TraceShare {
    /// As a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Default for TraceShare {
    fn default() -> Self {
        Self(1.0)
    }
}

impl TryFrom<f64> for TraceShare {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(format!("{share} is no share: 0 to 1 is needed, 0.1 for one in ten"))
        }
    }
}

/// What the hub shows a collector.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// From the text of a file; none if it cannot stand in a header.
    pub(super) fn kept(text: String) -> Option<Self> {
        text.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Self(text))
    }

    /// What stands in the header.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl std::fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BearerToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_one_and_a_token_is_never_printed() {
        assert_eq!(TraceShare::try_from(0.25).map(TraceShare::get), Ok(0.25));
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(TraceShare::try_from(bad).is_err(), "{bad}");
        }
        let token = BearerToken::kept("abc".into()).unwrap();
        assert_eq!(token.authorization(), "Bearer abc");
        assert_eq!(format!("{token:?}"), "BearerToken");
        assert_eq!(BearerToken::kept("a\r\nb: c".into()), None);
    }
}
