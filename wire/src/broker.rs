//! The broker's address, which edge and hub write alike.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

/// MQTT without TLS, unless an address says otherwise.
const MQTT_PORT: u16 = 1883;

/// Address of an MQTT 5 broker, `mqtt://host:port`. There is no TLS yet, so only loopback is taken: a password
/// and people's movements do not travel readable over a network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct BrokerUrl {
    host: String,
    port: u16,
}

impl BrokerUrl {
    /// Host name or address; an IPv6 address in brackets, as clients take it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mqtt://{}:{}", self.host, self.port)
    }
}

/// A text is no address of a broker. It never repeats the text: people do put passwords into URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// Another scheme, or none.
    #[error("an address such as mqtt://127.0.0.1:1883 is needed (there is no TLS yet, so no mqtts://)")]
    Scheme,
    /// A login in the address.
    #[error("no user or password in the address: the password stands in `password_file`")]
    Login,
    /// The port is not a number from 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// No host, or more than host and port.
    #[error("only host and port are needed: mqtt://127.0.0.1:1883")]
    Host,
    /// A host elsewhere.
    #[error(
        "plain MQTT to {0} would send events and the password readable over the network: only loopback is allowed; \
         reach a far broker through a tunnel or a bridge that encrypts"
    )]
    NotLoopback(String),
}

impl TryFrom<String> for BrokerUrl {
    type Error = BrokerUrlError;

    fn try_from(text: String) -> Result<Self, BrokerUrlError> {
        let rest = text.strip_prefix("mqtt://").ok_or(BrokerUrlError::Scheme)?;
        if rest.contains('@') {
            return Err(BrokerUrlError::Login);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.ok_or(BrokerUrlError::Port)?)
            }
            _ => (rest, MQTT_PORT),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || bare.contains(['/', '?', '#', ' ', '[', ']']) {
            return Err(BrokerUrlError::Host);
        }
        if bare != "localhost" && !bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            return Err(BrokerUrlError::NotLoopback(host.chars().take(128).collect()));
        }
        Ok(Self { host: host.to_owned(), port })
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
    fn what_is_no_address_is_refused() {
        for bad in ["127.0.0.1:1883", "mqtts://localhost", "http://localhost"] {
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
