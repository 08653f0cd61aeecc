//! What was found damaged, in words for a technician; kept with what was set aside until an event tells of it, for the box
//! may die in between.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::evidence::write_durably;

/// In a folder that was set aside: what was found, as long as no event has told of it, and then.
const UNTOLD: &str = "untold.json";
const TOLD: &str = "told.json";

/// A segment that was not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// What could still be read of it, entries.
    pub read_back: u64,
    /// What was seen.
    pub reason: String,
    /// Where it is kept as it was found; none when there was no room even for that.
    #[serde(skip)]
    pub aside: Option<PathBuf>,
}

impl Damage {
    pub(super) fn new(read_back: u64, reason: &str) -> Self {
        Self { read_back, reason: reason.to_owned(), aside: None }
    }

    /// Writes it into the folder that is about to be set aside.
    pub(super) fn write_into(&self, folder: &Path) -> io::Result<()> {
        write_durably(&folder.join(UNTOLD), &serde_json::to_vec(self)?)
    }

    /// Sets an empty folder aside where nothing else is left; without room for that it is told from memory only.
    pub(super) fn without_remains(outbox: &Path, reason: &str) -> Self {
        let damage = Self::new(0, reason);
        let aside = free_name(outbox, "segments");
        let written = fs::create_dir_all(&aside).and_then(|()| damage.write_into(&aside));
        Self { aside: written.is_ok().then_some(aside), ..damage }
    }

    /// An event tells of it, and is on the disk.
    pub(super) fn told(&self) {
        let Some(aside) = &self.aside else { return };
        if let Err(error) = fs::rename(aside.join(UNTOLD), aside.join(TOLD)) {
            tracing::warn!("{}: it will be told of again: {error}", aside.display());
        }
    }

    /// What was set aside before and never told of.
    pub(super) fn untold(outbox: &Path) -> io::Result<Vec<Self>> {
        let mut untold = Vec::new();
        for folder in fs::read_dir(outbox.parent().unwrap_or(outbox))? {
            let aside = folder?.path();
            if !is_aside(outbox, &aside) {
                continue;
            }
            if let Ok(text) = fs::read(aside.join(UNTOLD)) {
                let damage = serde_json::from_slice(&text).unwrap_or_else(|_| {
                    Self::new(0, "found at an earlier start, before the box was stopped")
                });
                untold.push(Self { aside: Some(aside), ..damage });
            }
        }
        untold.sort_by(|a, b| a.aside.cmp(&b.aside));
        Ok(untold)
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a part of the outbox is damaged ({}); ", self.reason)?;
        write!(f, "{} entries were read back and will be delivered; ", self.read_back)?;
        match &self.aside {
            Some(aside) => write!(f, "what was found is kept as {}", aside.display()),
            None => write!(f, "there was no room to keep what was found"),
        }
    }
}

fn is_aside(outbox: &Path, folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix(outbox)))
}

fn prefix(outbox: &Path) -> String {
    format!("{}.damaged-", outbox.file_name().unwrap_or_default().to_string_lossy())
}

/// Beside the outbox, not in it: nobody takes it for a part of it.
pub(super) fn free_name(outbox: &Path, what: &str) -> PathBuf {
    let stamp = gatepost_wire::Timestamp::now().strftime("%Y%m%dT%H%M%S");
    let base = format!("{}{stamp}-{what}", prefix(outbox));
    let free = (0..).map(|n: u32| if n == 0 { base.clone() } else { format!("{base}-{n}") });
    let mut free = free.map(|name| outbox.with_file_name(name)).filter(|path| !path.exists());
    // An endless supply of names: one is free.
    free.next().unwrap_or_else(|| outbox.with_file_name(base.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_of_once_however_often_the_box_dies_before() {
        let home = tempfile::tempdir().unwrap();
        let outbox = home.path().join("outbox");
        fs::create_dir(&outbox).unwrap();
        let damage = Damage::without_remains(&outbox, "its segments are gone");
        for _ in 0..2 {
            assert_eq!(Damage::untold(&outbox).unwrap(), std::slice::from_ref(&damage));
        }
        damage.told();
        assert_eq!(Damage::untold(&outbox).unwrap(), []);
        let aside = damage.aside.unwrap();
        assert!(
            fs::read_to_string(aside.join(TOLD)).unwrap().contains("gone"),
            "for whoever looks at it later"
        );
        fs::write(aside.join(UNTOLD), "torn").unwrap();
        assert!(Damage::untold(&outbox).unwrap()[0].reason.contains("earlier start"));
    }
}
