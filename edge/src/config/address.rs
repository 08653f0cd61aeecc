//! Addresses of cameras and brokers.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

/// Address of a camera, never with a password in it: addresses are logged and shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct CameraUrl(String);

impl CameraUrl {
    /// `rtsp://…`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CameraUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text)
            .map_err(|e| format!("not a camera address: {e}; rtsp://host:port/path is needed"))?;
        if url.scheme() != "rtsp" {
            return Err(format!("a camera is reached by rtsp://, not {}://", url.scheme()));
        }
        if url.host().is_none() {
            return Err("a camera address needs a host: rtsp://host:port/path".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no user or password in the address: use `username` and `password_file`".into());
        }
        Ok(Self(text))
    }
}

/// Address of an MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct BrokerUrl {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mqtt://{}:{}", self.host, self.port)
    }
}

const MQTT_PORT: u16 = 1883;

impl TryFrom<String> for BrokerUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text)
            .map_err(|e| format!("not a broker address: {e}; mqtt://host:port is needed"))?;
        if url.scheme() != "mqtt" {
            return Err(format!("a broker is reached by mqtt://, not {}://", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no user or password in the address: the user is the edge's name, the password is in `password_file`".into());
        }
        if !matches!(url.path(), "" | "/") {
            return Err(format!("a broker address ends after the port, {:?} is too much", url.path()));
        }
        // The scheme is not one the URL standard calls special, so hosts arrive as opaque text.
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err("a broker address needs a host: mqtt://host:port".into()),
        };
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !loopback {
            return Err(format!(
                "plain MQTT to {host} would send events and the password readable over the network: only \
                 loopback is allowed; reach a far broker through a tunnel or a bridge that encrypts"
            ));
        }
        Ok(Self { host, port: url.port().unwrap_or(MQTT_PORT) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(text: &str) -> Result<CameraUrl, String> {
        text.to_owned().try_into()
    }

    fn broker(text: &str) -> Result<BrokerUrl, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn a_camera_is_an_rtsp_address_without_secrets() {
        assert!(camera("rtsp://192.0.2.10:554/stream1").is_ok());
        assert!(camera("http://192.0.2.10/").unwrap_err().contains("rtsp://"));
        assert!(camera("gate camera").unwrap_err().contains("not a camera address"));
        let error = camera("rtsp://admin:hunter2@192.0.2.10/").unwrap_err();
        assert!(error.contains("password_file") && !error.contains("hunter2"));
    }

    #[test]
    fn a_broker_without_tls_is_on_loopback() {
        assert_eq!(broker("mqtt://127.0.0.1").unwrap(), BrokerUrl { host: "127.0.0.1".into(), port: 1883 });
        assert_eq!(broker("mqtt://[::1]:2883").unwrap(), BrokerUrl { host: "::1".into(), port: 2883 });
        assert_eq!(broker("mqtt://localhost:1").unwrap().to_string(), "mqtt://localhost:1");
        assert!(broker("mqtt://hub.example:1883").unwrap_err().contains("loopback"));
        assert!(broker("mqtt://127.0.0.1/x").is_err());
        assert!(broker("127.0.0.1:1883").is_err());
    }
}
