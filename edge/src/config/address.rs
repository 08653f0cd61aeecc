//! Addresses of cameras.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Address of a camera, never with a password in it: addresses are logged and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CameraUrl {
    text: String,
    address: Address,
}

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A camera in the network.
    Rtsp,
    /// A camera at this box, by its device file.
    Device(PathBuf),
    /// A clip that is played over and over, as if a camera sent it.
    Clip(PathBuf),
}

impl CameraUrl {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where that is.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl fmt::Display for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<CameraUrl> for String {
    fn from(url: CameraUrl) -> Self {
        url.text
    }
}

impl TryFrom<String> for CameraUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text)
            .map_err(|e| format!("not a camera address: {e}; rtsp://host:port/path is needed"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no user or password in the address: use `username` and `password_file`".into());
        }
        let address = match url.scheme() {
            "rtsp" => {
                url.host().ok_or("a camera address needs a host: rtsp://host:port/path")?;
                Address::Rtsp
            }
            "v4l2" if url.host().is_none() && Path::new(url.path()).starts_with("/dev") => {
                Address::Device(url.path().into())
            }
            "v4l2" => return Err("a camera at this box is named by its device: v4l2:///dev/video0".into()),
            "file" => Address::Clip(url.to_file_path().map_err(|()| "a clip is named by file:///path")?),
            other => {
                return Err(format!(
                    "a camera is reached by rtsp://, v4l2:///dev/… or file:///…, not {other}://"
                ));
            }
        };
        Ok(Self { text, address })
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
        let address = |text| camera(text).unwrap().address().clone();
        assert_eq!(address("rtsp://192.0.2.10:8554/stream1"), Address::Rtsp);
        assert_eq!(address("rtsp://[2001:db8::1]/stream1"), Address::Rtsp);
        assert!(camera("rtsp:///stream1").unwrap_err().contains("needs a host"));
        assert!(camera("http://192.0.2.10/").unwrap_err().contains("rtsp://"));
        assert!(camera("gate camera").unwrap_err().contains("not a camera address"));
        let error = camera("rtsp://admin:hunter2@192.0.2.10/").unwrap_err();
        assert!(error.contains("password_file") && !error.contains("hunter2"));
    }

    #[test]
    fn or_a_device_or_a_clip() {
        let address = |text| camera(text).unwrap().address().clone();
        assert_eq!(address("v4l2:///dev/video0"), Address::Device("/dev/video0".into()));
        assert_eq!(address("file:///srv/east%20gate.avi"), Address::Clip("/srv/east gate.avi".into()));
        assert!(camera("v4l2://video0").unwrap_err().contains("v4l2:///dev/video0"));
        assert!(camera("v4l2:///etc/passwd").unwrap_err().contains("v4l2:///dev/video0"));
        assert!(camera("file://server/clip.avi").unwrap_err().contains("file:///path"));
    }
}
