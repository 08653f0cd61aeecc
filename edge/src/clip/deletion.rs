//! What clips were deleted, when and why: a line of JSON each, in a file that is only added to.
//!
//! The hub keeps such a record of what it deletes itself. The box keeps its own, beside its clips: an event for each would double what a district
//! sends and stores.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use gatepost_wire::{EventId, Timestamp};
use serde::{Deserialize, Serialize};

/// Some 60,000 lines. What is added to is then put aside in place of what was, so that so many of the last stay: by their number, since a
/// clock may be wrong.
const FULL_BYTES: u64 = 16 << 20;

/// A clip that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// When, by this box's clock.
    pub time: Timestamp,
    /// Why.
    pub cause: DeletionCause,
    /// Its name.
    pub clip: EventId,
    /// When its first alarm began.
    pub began: Timestamp,
    /// The events it was sent with, by which the hub knows it.
    pub events: Vec<EventId>,
    /// What it took of the disk.
    pub bytes: u64,
    /// Its encrypted original went with it.
    pub with_original: bool,
}

/// Why a clip was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionCause {
    /// It was kept for as long as configured.
    Age,
    /// There was no room for it any more, before its time.
    Room,
}

/// The record of deletions, in the folder of clips.
#[derive(Debug)]
pub struct DeletionLog {
    folder: PathBuf,
    full_bytes: u64,
}

impl DeletionLog {
    /// Of the clips in this folder.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), full_bytes: FULL_BYTES }
    }

    /// The files it is in, the older lines first; either may not be there.
    pub fn files(&self) -> [PathBuf; 2] {
        ["deleted.1.jsonl", "deleted.jsonl"].map(|name| self.folder.join(name))
    }

    /// Adds a line, and returns once it is on disk.
    ///
    /// # Errors
    /// What the file system says.
    pub fn add(&self, deletion: &Deletion) -> io::Result<()> {
        let [before, file] = self.files();
        if fs::metadata(&file).is_ok_and(|known| known.len() >= self.full_bytes) {
            fs::rename(&file, before)?;
        }
        let is_new = !file.exists();
        let mut open = OpenOptions::new().read(true).append(true).create(true).open(&file)?;
        let mut line = serde_json::to_vec(deletion)?;
        line.push(b'\n');
        if !ends_its_line(&mut open)? {
            line.insert(0, b'\n');
        }
        open.write_all(&line)?;
        open.sync_data()?;
        if is_new {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }

    /// All lines, the oldest first. One that a power cut left unfinished is told as it is.
    ///
    /// # Errors
    /// What the file system says; that nothing was ever deleted is no error.
    pub fn read(&self) -> io::Result<String> {
        let mut all = String::new();
        for file in self.files() {
            match fs::read(&file) {
                Ok(bytes) => all.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}

/// Not where the power failed within one.
fn ends_its_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    fn deletion(number: u128) -> Deletion {
        let clip = EventId::from_ulid(Ulid(number));
        let began = "2026-01-01T00:00:00Z".parse().unwrap();
        Deletion {
            time: began,
            cause: DeletionCause::Age,
            clip,
            began,
            events: vec![clip],
            bytes: 7,
            with_original: false,
        }
    }

    fn read(log: &DeletionLog) -> Vec<Deletion> {
        log.read().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn lines_are_added_and_the_last_so_many_stay() {
        let folder = tempfile::tempdir().unwrap();
        let line = serde_json::to_string(&deletion(1)).unwrap().len() as u64 + 1;
        let log = DeletionLog { full_bytes: 3 * line, ..DeletionLog::of(folder.path()) };
        assert_eq!(read(&log), []);
        for number in 1..=8 {
            log.add(&deletion(number)).unwrap();
        }
        assert_eq!(read(&log), (4..=8).map(deletion).collect::<Vec<_>>());
        assert_eq!(read(&DeletionLog::of(folder.path())).len(), 5, "another start reads the same");
    }

    #[test]
    fn what_a_power_cut_left_of_a_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let log = DeletionLog::of(folder.path());
        log.add(&deletion(1)).unwrap();
        let [_, file] = log.files();
        let mut open = OpenOptions::new().append(true).open(file).unwrap();
        open.write_all(b"{\"time\":\"20").unwrap();
        log.add(&deletion(2)).unwrap();
        let lines: Vec<Option<Deletion>> =
            log.read().unwrap().lines().map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(lines, [Some(deletion(1)), None, Some(deletion(2))]);
    }
}
