//! What a backup holds.

use gatepost_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// The one shape of a backup so far.
const FORMAT: u32 = 1;

/// What a backup holds: every file but the manifest itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// Version of the hub that took it.
    pub version: String,
    /// When, UTC.
    pub taken: Timestamp,
    /// The files.
    pub files: Vec<Entry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where, from the backup's folder.
    pub path: InnerPath,
    /// Its size.
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// A path that stays inside its folder: names with `/` between them, none of them `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InnerPath(String);

impl InnerPath {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<InnerPath> for String {
    fn from(path: InnerPath) -> Self {
        path.0
    }
}

impl TryFrom<String> for InnerPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\']);
        if text.split('/').all(allowed) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} leads out of the backup"))
        }
    }
}

impl Manifest {
    /// Of these files, by this version.
    pub(super) fn new(taken: Timestamp, files: Vec<Entry>) -> Self {
        Self { format: FORMAT, version: env!("CARGO_PKG_VERSION").into(), taken, files }
    }

    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(format!("its format is {}, this version knows {FORMAT}", manifest.format))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        let path = |text: &str| InnerPath::try_from(text.to_owned());
        assert_eq!(path("evidence/ab/abc.jpg").unwrap().as_str(), "evidence/ab/abc.jpg");
        for text in ["", "/etc/passwd", "../keys", "evidence/../../x", "a//b", "a/", "."] {
            assert!(path(text).unwrap_err().contains("leads out"), "{text}");
        }
        let text = r#"{"format": 1, "version": "1", "taken": "2026-01-31T08:30:00Z",
            "files": [{"path": "../x", "bytes": 1, "sha256": ""}]}"#;
        assert!(Manifest::parse(text).unwrap_err().contains("leads out"));
        assert!(Manifest::parse(&text.replace("../x", "x")).is_ok());
        assert!(
            Manifest::parse(&text.replace("../x", "x").replace("1,", "2,"))
                .unwrap_err()
                .contains("format is 2")
        );
    }
}
