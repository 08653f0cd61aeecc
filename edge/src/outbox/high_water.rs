//! The highest number that was ever promised, beside the segments: a log whose end is cut off looks as if nothing had been
//! written there, and this tells that something was.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const FILE: &str = "high_water";

/// The mark. It is written after the commit it tells of and not synced: after a power cut it may be too low, never too high.
pub(super) struct HighWaterMark {
    /// None where there was no room for it; the outbox goes on without.
    file: Option<File>,
}

impl HighWaterMark {
    /// Opens or makes it, and says how high the water stood; 0 where nothing is known.
    pub fn open(outbox: &Path) -> (Self, u64) {
        let path = outbox.join(FILE);
        let number = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        let file = File::options().write(true).create(true).truncate(false).open(path).ok();
        (Self { file }, number.unwrap_or(0))
    }

    /// Everything up to this number is on the disk.
    pub fn raise(&self, number: u64) {
        if let Some(file) = &self.file {
            // Of one length always, so that it is overwritten whole. Unwritten it only tells less.
            let _ = file.write_all_at(format!("{number:020}\n").as_bytes(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_the_last_number_and_takes_rubbish_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mark, number) = HighWaterMark::open(folder.path());
        assert_eq!(number, 0);
        mark.raise(9);
        mark.raise(1234);
        assert_eq!(HighWaterMark::open(folder.path()).1, 1234);
        std::fs::write(folder.path().join(FILE), "12x").unwrap();
        assert_eq!(HighWaterMark::open(folder.path()).1, 0);
    }
}
