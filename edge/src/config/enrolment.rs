//! Where the hub gives certificates.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

const PORT: u16 = 8443;

/// Address of a hub's enrolment, `https://host:port`; 8443 unless a port is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct EnrolmentUrl {
    host: Host,
    port: u16,
}

impl EnrolmentUrl {
    /// Host name or IP address, without brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        }
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as HTTP writes them.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for EnrolmentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

impl TryFrom<String> for EnrolmentUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const NEEDED: &str = "only scheme, host and port are needed: https://hub.example:8443";
        let url = Url::parse(&text).map_err(|_| NEEDED)?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() != "https" || !is_bare {
            return Err(NEEDED);
        }
        // 443 is dropped by the parser as the usual one of HTTPS.
        let port = match (url.port(), text.trim_end_matches('/').ends_with(":443")) {
            (Some(port), _) => port,
            (None, true) => 443,
            (None, false) => PORT,
        };
        Ok(Self { host: url.host().ok_or(NEEDED)?.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_host_and_a_port() {
        let url = |text: &str| EnrolmentUrl::try_from(text.to_owned());
        assert_eq!(url("https://hub.example").unwrap().to_string(), "https://hub.example:8443");
        assert_eq!(url("https://hub.example:443/").unwrap().port(), 443);
        let six = url("https://[2001:db8::1]:9000").unwrap();
        assert_eq!((six.host().as_str(), six.authority().as_str()), ("2001:db8::1", "[2001:db8::1]:9000"));
        for bad in ["hub:8443", "http://hub", "https://me:pw@hub", "https://hub/enrol", "https://hub?x", ""] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
