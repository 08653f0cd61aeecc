//! What was found damaged, in words for a technician.

use std::path::PathBuf;

/// A segment that was not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What could still be read of it, entries.
    pub read_back: u64,
    /// Where it is kept as it was found; none when there was no room even for that.
    pub aside: Option<PathBuf>,
    /// What was seen.
    pub reason: String,
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
