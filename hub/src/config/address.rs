//! Addresses and names that the configuration may hold.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// An address only programs on this machine can reach.
///
/// What listens on it speaks no TLS, so anything else is refused instead of being left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LoopbackAddr(SocketAddr);

impl LoopbackAddr {
    /// `127.0.0.1` and this port.
    pub const fn on_port(port: u16) -> Self {
        Self(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// The address.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<String> for LoopbackAddr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = SocketAddr::from_str(&text).map_err(|_| {
            format!("{text:?} is not an address and port such as 127.0.0.1:8080 or [::1]:8080")
        })?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{text} can be reached from other machines, which this has no protection against: listen on 127.0.0.1. \
                 Boxes elsewhere come in by `broker.tls_listen`, people by `web.tls_listen`"
            ));
        }
        Ok(Self(address))
    }
}

/// A name the hub gives something: 1 to 64 of a-z, 0-9 and '-'.
pub(super) fn name(text: String) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text)
    } else {
        Err(format!("{text:?} is no name: 1 to 64 of a-z, 0-9 and '-' are needed"))
    }
}

/// Group name of an MQTT shared subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ShareGroup(String);

impl ShareGroup {
    /// The filter that shares `filter` among the group.
    pub fn share(&self, filter: &str) -> String {
        format!("$share/{}/{filter}", self.0)
    }
}

impl TryFrom<String> for ShareGroup {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.contains(['/', '+', '#']) {
            return Err(format!(
                "{text:?} is no group: one or more characters without '/', '+' and '#' are needed"
            ));
        }
        Ok(Self(text))
    }
}

/// A host name or IP address boxes reach the hub under.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerName(String);

impl ServerName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match rustls::pki_types::ServerName::try_from(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(format!(
                "{text:?} is neither a host name nor an IP address: give it without scheme, port and path"
            )),
        }
    }
}

impl TryFrom<String> for ServerName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A name a browser may call the hub by, without port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(String);

impl HostName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if text.is_empty() || !text.chars().all(allowed) {
            return Err(format!("{text:?} is no host name: give it without scheme, port and path"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        assert!(LoopbackAddr::try_from("127.0.0.1:0".to_owned()).is_ok());
        assert!(LoopbackAddr::try_from("[::1]:80".to_owned()).is_ok());
        let error = LoopbackAddr::try_from("0.0.0.0:8080".to_owned()).unwrap_err();
        assert!(error.contains("web.tls_listen"), "{error}");
        assert!(LoopbackAddr::try_from("8080".to_owned()).is_err());
    }
}
