//! Where the box's key is kept, and how its TPM is reached.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

/// Where the key is made by which the hub knows this box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStore {
    /// In the box's TPM if there is one that can be used, else in a file.
    #[default]
    Auto,
    /// In the TPM; without one the box does not start.
    Tpm,
    /// In a file of `data_dir`.
    File,
}

/// How a TPM is reached, as tpm2-tss writes it (its TCTI): `device:/dev/tpmrm0` or, if it is simulated by swtpm,
/// `swtpm:host=127.0.0.1,port=2321`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub enum Tcti {
    /// A device file.
    Device(PathBuf),
    /// swtpm's TCP port; the next one above is its control port.
    Swtpm {
        /// Host name or IPv4 address.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl Tcti {
    /// The device file, if it is one.
    pub fn device(&self) -> Option<&Path> {
        match self {
            Self::Device(path) => Some(path),
            Self::Swtpm { .. } => None,
        }
    }
}

/// The kernel's resource manager, which lets several programs use the TPM.
impl Default for Tcti {
    fn default() -> Self {
        Self::Device("/dev/tpmrm0".into())
    }
}

impl fmt::Display for Tcti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(path) => write!(f, "device:{}", path.display()),
            Self::Swtpm { host, port } => write!(f, "swtpm:host={host},port={port}"),
        }
    }
}

impl TryFrom<String> for Tcti {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const NEEDED: &str = "device:/dev/tpmrm0, or swtpm:host=127.0.0.1,port=2321 for a simulated TPM";
        if let Some(path) = text.strip_prefix("device:") {
            // A NUL would end it on its way into C.
            let is_path = path.starts_with('/') && !path.contains('\0');
            return is_path.then(|| Self::Device(path.into())).ok_or(NEEDED);
        }
        let (host, port) =
            text.strip_prefix("swtpm:host=").and_then(|it| it.split_once(",port=")).ok_or(NEEDED)?;
        let is_host = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(NEEDED);
        }
        Ok(Self::Swtpm { host: host.into(), port: port.parse().map_err(|_| NEEDED)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tpm_is_a_device_or_simulated() {
        for good in [
            "device:/dev/tpmrm0",
            "device:/dev/tpm1",
            "swtpm:host=127.0.0.1,port=2321",
            "swtpm:host=tpm.lan,port=1",
        ] {
            assert_eq!(Tcti::try_from(good.to_owned()).unwrap().to_string(), good);
        }
        assert_eq!(Tcti::default().device(), Some(Path::new("/dev/tpmrm0")));
        for bad in [
            "",
            "/dev/tpmrm0",
            "device:",
            "device:tpmrm0",
            "device:/dev/\0",
            "tabrmd:",
            "swtpm:",
            "swtpm:port=1,host=a",
            "swtpm:host=,port=1",
            "swtpm:host=a,port=99999",
            "swtpm:host=a b,port=1",
            "swtpm:host=a,port=1,port=2",
        ] {
            assert!(Tcti::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
