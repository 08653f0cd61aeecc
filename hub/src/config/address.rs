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

/// Where another program is asked or told: over TLS, or on this machine. Whoever answers there may send nobody anywhere else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SecureUrl {
    /// Is TLS spoken?
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What the header `Host` says.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl TryFrom<String> for SecureUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{text:?}: {why}"));
        let Ok(uri) = text.parse::<axum::http::Uri>() else {
            return wrong("it is no address such as https://host/path");
        };
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return wrong("it has to begin with https://"),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.as_str().contains('@')) else {
            return wrong("a host without user and password is needed");
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !tls && !is_here {
            return wrong(
                "without TLS it may lead to this machine only, by its address, e.g. http://127.0.0.1:8000/hook",
            );
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, authority: authority.to_string(), path })
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

    #[test]
    fn an_address_has_tls_or_is_here() {
        let url = |text: &str| SecureUrl::try_from(text.to_owned());
        let good = url("https://hooks.example/a?b=c").unwrap();
        assert_eq!(
            (good.tls, good.port, good.host.as_str(), good.path.as_str()),
            (true, 443, "hooks.example", "/a?b=c")
        );
        assert_eq!(url("http://[::1]:8000").unwrap().host, "::1");
        for bad in [
            "http://hooks.example/",
            "http://localhost/",
            "ftp://x/",
            "https://a:b@x/",
            "/x",
            "",
            "http://169.254.169.254/",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
