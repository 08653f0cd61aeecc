//! The broker's address, which edge and hub write alike.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

/// MQTT without TLS, unless an address says otherwise.
const MQTT_PORT: u16 = 1883;
/// MQTT with TLS, likewise.
const MQTTS_PORT: u16 = 8883;

/// Address of an MQTT 5 broker, `mqtts://host:port`; or `mqtt://host:port` without TLS, which is taken on loopback only: a
/// password and people's movements do not travel readable over a network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct BrokerUrl {
    is_tls: bool,
    host: String,
    port: u16,
}

impl BrokerUrl {
    /// Host name or address; an IPv6 address in brackets, as clients take it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Is it spoken to by TLS?
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "mqtts" } else { "mqtt" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// A text is no address of a broker. It never repeats the text: people do put passwords into URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// Another scheme, or none.
    #[error(
        "an address such as mqtts://hub.example:8883 is needed, or mqtt://127.0.0.1:1883 on this machine"
    )]
    Scheme,
    /// A login in the address.
    #[error("no user or password in the address: the password stands in `password_file`")]
    Login,
    /// The port is not a number from 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// No host, or more than host and port.
    #[error("only host and port are needed: mqtts://hub.example:8883")]
    Host,
    /// The MQTT client cannot compare it with a certificate.
    #[error("with mqtts:// a host is needed by its name, or by an IPv4 address")]
    Ipv6,
    /// A host elsewhere.
    #[error(
        "plain MQTT to {0} would send events and the password readable over the network: only loopback is allowed; \
         write mqtts://"
    )]
    NotLoopback(String),
}

impl TryFrom<String> for BrokerUrl {
    type Error = BrokerUrlError;

    fn try_from(text: String) -> Result<Self, BrokerUrlError> {
        let (is_tls, rest) = match (text.strip_prefix("mqtt://"), text.strip_prefix("mqtts://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(BrokerUrlError::Scheme),
        };
        if rest.contains('@') {
            return Err(BrokerUrlError::Login);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.ok_or(BrokerUrlError::Port)?)
            }
            _ => (rest, if is_tls { MQTTS_PORT } else { MQTT_PORT }),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || bare.contains(['/', '?', '#', ' ', '[', ']']) {
            return Err(BrokerUrlError::Host);
        }
        if is_tls && host.starts_with('[') {
            return Err(BrokerUrlError::Ipv6);
        }
        if !is_tls && bare != "localhost" && !bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            return Err(BrokerUrlError::NotLoopback(host.chars().take(128).collect()));
        }
        Ok(Self { is_tls, host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<BrokerUrl, BrokerUrlError> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_broker_without_tls_is_on_loopback() {
        assert_eq!(url("mqtt://127.0.0.1").unwrap().to_string(), "mqtt://127.0.0.1:1883");
        assert_eq!(url("mqtt://[::1]:2883/").unwrap().to_string(), "mqtt://[::1]:2883");
        assert_eq!(url("mqtt://[::1]").unwrap().host(), "[::1]");
        assert_eq!(url("mqtt://localhost:1").unwrap().port(), 1);
        assert!(matches!(url("mqtt://hub.example:1883"), Err(BrokerUrlError::NotLoopback(_))));
        assert!(matches!(url("mqtt://10.0.0.1"), Err(BrokerUrlError::NotLoopback(_))));
    }

    #[test]
    fn a_broker_with_tls_may_be_anywhere() {
        let far = url("mqtts://hub.example").unwrap();
        assert_eq!((far.to_string().as_str(), far.is_tls()), ("mqtts://hub.example:8883", true));
        assert!(!url("mqtt://127.0.0.1").unwrap().is_tls());
        assert_eq!(url("mqtts://[::1]:8883"), Err(BrokerUrlError::Ipv6));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["127.0.0.1:1883", "mqttss://localhost", "http://localhost"] {
            assert_eq!(url(bad), Err(BrokerUrlError::Scheme), "{bad}");
        }
        for bad in ["mqtt://", "mqtt://localhost/x", "mqtt:// "] {
            assert_eq!(url(bad), Err(BrokerUrlError::Host), "{bad}");
        }
        for bad in ["mqtt://localhost:", "mqtt://localhost:0", "mqtt://localhost:x", "mqtt://localhost:65536"]
        {
            assert_eq!(url(bad), Err(BrokerUrlError::Port), "{bad}");
        }
        let error = url("mqtt://me:hunter2@localhost").unwrap_err();
        assert_eq!(error, BrokerUrlError::Login);
        assert!(!error.to_string().contains("hunter2"));
    }
}
