//! Addresses of cameras.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(text: &str) -> Result<CameraUrl, String> {
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
}
