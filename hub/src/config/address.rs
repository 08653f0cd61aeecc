//! Addresses and names that the configuration may hold.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// An address only programs on this machine can reach.
///
/// There are no accounts on the page and no TLS on the broker yet, so anything else is refused instead of
/// being left open.
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
                "{text} can be reached from other machines, but this version has no accounts and no TLS: \
                 listen on 127.0.0.1 and put an authenticating proxy with TLS in front"
            ));
        }
        Ok(Self(address))
    }
}

/// `mqtt://host:port` of an external broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BrokerUrl {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl TryFrom<String> for BrokerUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The text is not repeated: people do put passwords into URLs.
        let Some(rest) = text.strip_prefix("mqtt://") else {
            return Err(
                "an address such as mqtt://127.0.0.1:1883 is needed (mqtts is not built in yet)".into()
            );
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err("no name or password here: use `username` and `password_file`".into());
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| format!("{port:?} is not a port"))?)
            }
            _ => (rest, 1883),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(format!("{host:?} is not a host name"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "mqtt://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "mqtt://{}:{}", self.host, self.port)
        }
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

/// A name a browser may call the hub by, without port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(String);

impl HostName {
    /// Does a request that names `host` mean it?
    pub fn is(&self, host: &str) -> bool {
        self.0.eq_ignore_ascii_case(host)
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
        assert!(error.contains("proxy"), "{error}");
        assert!(LoopbackAddr::try_from("8080".to_owned()).is_err());
    }

    #[test]
    fn broker_urls() {
        let url = |text: &str| BrokerUrl::try_from(text.to_owned());
        assert_eq!(url("mqtt://broker.lan").unwrap().to_string(), "mqtt://broker.lan:1883");
        assert_eq!(url("mqtt://[::1]:1884/").unwrap(), BrokerUrl { host: "::1".into(), port: 1884 });
        for bad in ["broker:1883", "mqtts://broker", "mqtt://", "mqtt://a:b", "mqtt://a/b"] {
            assert!(url(bad).is_err(), "{bad}");
        }
        let error = url("mqtt://me:secret@broker").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
