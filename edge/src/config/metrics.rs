//! Figures for Prometheus, and whether the box is well.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

/// Figures for Prometheus, and whether the box is well.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Loopback address and port of `/metrics`, `/health/live` and `/health/ready`, e.g. `127.0.0.1:9465`; port 0 takes a free
    /// one. Without it nobody is told.
    #[schemars(with = "Option<String>")]
    pub listen: Option<LoopbackAddr>,
}

/// An address only programs on this machine can reach: what listens there speaks no TLS and asks nobody who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LoopbackAddr(SocketAddr);

impl LoopbackAddr {
    /// The address.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<String> for LoopbackAddr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address: SocketAddr = text.parse().map_err(|_| {
            format!("{text:?} is not an address and port such as 127.0.0.1:9465 or [::1]:9465")
        })?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{text} can be reached from other machines, which this has no protection against: use 127.0.0.1 and a program \
                 of this machine that passes figures on"
            ));
        }
        Ok(Self(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        let address = |text: &str| LoopbackAddr::try_from(text.to_owned());
        assert_eq!(address("127.0.0.1:9465").unwrap().get().port(), 9465);
        assert!(address("[::1]:0").is_ok());
        assert!(address("0.0.0.0:9465").unwrap_err().contains("other machines"));
        assert!(address("127.0.0.1").unwrap_err().contains("address and port"));
    }
}
